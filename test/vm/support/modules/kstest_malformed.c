// SPDX-License-Identifier: GPL-2.0-only
/* Parts that must be refused, by number; 0 is a good one. */
#include <linux/kernel.h>
#include <linux/module.h>

#include "ksplice.h"
#include "kstest.h"

static uint fault;
module_param(fault, uint, 0);

static noinline int answer(int n)
{
	barrier();
	return n;
}

static struct ksplice_pin pin = { .name = "kstest_victim" };
static struct ksplice_function function = { .name = "kstest_answer", .old_size = 32, .new_size = 4 };
static const u8 bytes[16];
static struct ksplice_write write = { .name = "data", .size = 16, .new_bytes = bytes, .old_bytes = bytes };
static void call(void) { }
static struct ksplice_hook hook = { .kind = KSPLICE_APPLY, .call = call };
static struct ksplice_part part = {
	.abi = KSPLICE_ABI,
	.nr_parts = 1,
	.id = "malformed",
	.description = "",
	.target = "kstest_victim",
	.nr_functions = 1,
	.functions = &function,
	.nr_writes = 1,
	.writes = &write,
	.nr_hooks = 1,
	.hooks = &hook,
	.nr_pins = 1,
	.pins = &pin,
	.digest = "",
};

static int __init malformed_init(void)
{
	function.old_addr = (unsigned long)kstest_answer;
	function.new_addr = (unsigned long)answer;
	preempt_disable();
#ifdef for_class_mod_mem_type
	pin.text = (unsigned long)find_module("kstest_victim")->mem[MOD_TEXT].base;
#else
	pin.text = (unsigned long)find_module("kstest_victim")->core_layout.base;
#endif
	preempt_enable();
	switch (fault) {
	case 1: part.abi++; break;
	case 2: part.id = "../up"; break;
	case 3: part.id = "version"; break;
	case 4: part.id = ""; break;
	case 5: part.description = NULL; break;
	case 6: part.nr_parts = 0; break;
	case 7: part.functions = NULL; break;
	case 8: function.name = NULL; break;
	case 9: part.flags = 2; break;
	case 10: part.digest = NULL; break;
	case 11: function.old_size = 4; break;
	case 12: function.site = 13; break; /* straddles 16 bytes */
	case 13: function.new_addr = (unsigned long)kstest_answer; break;
	case 14: function.new_size = 1 << 30; break;
	case 15: pin.name = NULL; break;
	case 16: part.nr_ranges = 1; break;
	case 17: part.nr_pins = 0; break;
	case 18: part.writes = NULL; break;
	case 19: write.name = NULL; break;
	case 20: part.target = "kstest_other"; break;
	case 21: part.pins = NULL; break;
	case 22: write.size = 0; break;
	case 23: write.size = KSPLICE_MAX_WRITE + 1; break;
	case 24: write.new_bytes = kstest_limits; break;
	case 25: write.old_bytes = answer; break;
	case 26: write.new_bytes = NULL; break;
	case 27: part.hooks = NULL; break;
	case 28: hook.kind = KSPLICE_NR_HOOK_KINDS; break;
	case 29: pin.text++; break;
	case 30: hook.call = kstest_forget_notes; break;
	case 31: hook.call = NULL; break;
	case 32: function.new_addr = 0; break;
	case 33: function.flags = 4; break;
	case 34: function.flags = KSPLICE_BY_FTRACE; break; /* no call before it */
	case 35:
		function.flags = KSPLICE_BY_FTRACE;
		function.site = function.old_size + 1;
		break;
	}
	return ksplice_register(THIS_MODULE, &part);
}
module_init(malformed_init);

static void __exit malformed_exit(void)
{
	ksplice_unregister(&part);
}
module_exit(malformed_exit);

MODULE_DESCRIPTION("Malformed updates for Ksplice tests");
MODULE_LICENSE("GPL");
