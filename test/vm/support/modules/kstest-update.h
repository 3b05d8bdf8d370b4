/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test update has in common. The including file defines its functions and a
 * struct ksplice_part named part; addresses come from the linker, and what user space
 * would find out by matching is filled in here when the module is loaded.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "kstest.h"
#include "ksplice.h"

#define NEW_CODE_SIZE 64

#define REPLACE(old, new) {							\
	.old_addr = (unsigned long)(old),					\
	.new_addr = (unsigned long)(new),					\
	.name = #old,								\
	.new_size = NEW_CODE_SIZE,						\
}

static unsigned int sizes[8];
static unsigned int nr_sizes;
module_param_array(sizes, uint, &nr_sizes, 0);
MODULE_PARM_DESC(sizes, "bytes of each old function, in the part's order; the last one's are those of all behind it");

static bool spoil;
module_param(spoil, bool, 0);
MODULE_PARM_DESC(spoil, "expect other bytes than stand there");

static char *id;
module_param(id, charp, 0);
MODULE_PARM_DESC(id, "instead of the update's own");

static char *target;
module_param(target, charp, 0);
MODULE_PARM_DESC(target, "instead of the update's own");

static unsigned int parts;
module_param(parts, uint, 0);
MODULE_PARM_DESC(parts, "how many modules the update has, if not one");

static struct ksplice_range range = { .name = "further_code" };
module_param_named(range_start, range.start, ullong, 0);
module_param_named(range_size, range.size, uint, 0);
MODULE_PARM_DESC(range_size, "bytes of further code that must be free");

static int busy = -1;
module_param(busy, int, 0);
MODULE_PARM_DESC(busy, "the function in which threads may stay, in the part's order");

static unsigned int by_ftrace;
module_param(by_ftrace, uint, 0);
MODULE_PARM_DESC(by_ftrace, "functions that ftrace shall redirect, a bit each in the part's order");

static bool twice;
module_param(twice, bool, 0);
MODULE_PARM_DESC(twice, "make the second function the first once more");

#define OVERWRITE(where, offset, new, old) {					\
	.addr = (unsigned long)&(where) + (offset),				\
	.new_bytes = (new),							\
	.old_bytes = (old),							\
	.name = #where,								\
	.size = sizeof(old),							\
}

static bool unloadable = true;
module_param(unloadable, bool, 0);
MODULE_PARM_DESC(unloadable, "nobody can have kept an address of it");

static int fail_init;
module_param(fail_init, int, 0);
MODULE_PARM_DESC(fail_init, "what the init function returns once it has registered the part");

static unsigned long long elsewhere;
module_param(elsewhere, ullong, 0);
MODULE_PARM_DESC(elsewhere, "address of the first write, instead of its own");

/* Behind endbr64 and the ftrace site. */
static u32 find_site(const u8 *code)
{
	static const u8 endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const u8 nop[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
	u32 site = 0;

	if (!memcmp(code, endbr, sizeof(endbr)))
		site += sizeof(endbr);
	if (!memcmp(code + site, nop, sizeof(nop)) || code[site] == 0xe8)
		site += sizeof(nop);
	return site;
}

static struct ksplice_pin pins[8];

/* Where the module's text starts; 0 if it is not loaded, which the core refuses. */
static u64 find_text(const char *name)
{
	struct module *mod;
	u64 text = 0;

	preempt_disable();
	mod = find_module(name);
#ifdef for_class_mod_mem_type
	if (mod)
		text = (unsigned long)mod->mem[MOD_TEXT].base;
#else
	if (mod)
		text = (unsigned long)mod->core_layout.base;
#endif
	preempt_enable();
	return text;
}

static void add_pin(const char *name)
{
	u32 i;

	for (i = 0; i < part.nr_pins; i++)
		if (!strcmp(pins[i].name, name))
			return;
	pins[part.nr_pins].name = name;
	pins[part.nr_pins++].text = find_text(name);
}

static char *pin;
module_param(pin, charp, 0);
MODULE_PARM_DESC(pin, "a further module that must stay");

static unsigned int moved;
module_param(moved, uint, 0);
MODULE_PARM_DESC(moved, "how far from where it is the target is said to be");

static int __init update_init(void)
{
	int ret;
	u32 i;

#ifdef KSTEST_BEFORE_REGISTERING
	KSTEST_BEFORE_REGISTERING();
#endif
	part.id = id ?: part.id;
	part.target = target ?: part.target;
	part.nr_parts = parts ?: part.nr_parts;
	part.digest = "0123";
	part.flags = unloadable ? KSPLICE_UNLOADABLE : 0;
	part.pins = pins;
	if (strcmp(part.target, "vmlinux"))
		add_pin(part.target);
	if (pin)
		add_pin(pin);
	pins[0].text += moved;
	part.ranges = &range;
	part.nr_ranges = !!range.size;
	range.flags = busy >= 0 ? KSPLICE_MAY_BE_BUSY : 0;
	if (twice)
		part.functions[1] = part.functions[0];
	for (i = 0; i < part.nr_functions; i++) {
		struct ksplice_function *function = &part.functions[i];
		const u8 *code = (const u8 *)(unsigned long)function->old_addr;

		function->old_size = nr_sizes ? sizes[min(i, nr_sizes - 1)] : 0;
		function->site = find_site(code);
		memcpy(function->expect, code + function->site, KSPLICE_TRAMPOLINE);
		function->expect[0] ^= spoil;
		function->flags = i == busy ? KSPLICE_MAY_BE_BUSY : 0;
		if (i < BITS_PER_TYPE(by_ftrace) && by_ftrace & BIT(i))
			function->flags |= KSPLICE_BY_FTRACE;
	}
	for (i = 0; i < part.nr_writes; i++) {
		struct ksplice_write *write = &part.writes[i];
		u8 *old = (u8 *)write->old_bytes;

		memcpy(old, (const void *)(unsigned long)write->addr, write->size);
		old[write->size - 1] ^= spoil;
	}
	if (elsewhere)
		part.writes->addr = elsewhere;
	ret = ksplice_register(THIS_MODULE, &part);
	if (!ret && fail_init)
		ksplice_unregister(&part);
	return ret ?: fail_init;
}
module_init(update_init);

static void __exit update_exit(void)
{
	ksplice_unregister(&part);
}
module_exit(update_exit);

MODULE_DESCRIPTION("An update for Ksplice tests");
MODULE_LICENSE("GPL");
