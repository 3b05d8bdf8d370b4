// SPDX-License-Identifier: GPL-2.0-only
/* Somebody else who replaces kstest_answer: a livepatch. */
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>

static noinline int livepatch_answer(int n)
{
	barrier();
	return n + 7;
}

static struct klp_func funcs[] = {
	{ .old_name = "kstest_answer", .new_func = livepatch_answer },
	{ }
};

static struct klp_object objects[] = {
	{ .name = "kstest_victim", .funcs = funcs },
	{ }
};

static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objects };

static int __init livepatch_init(void)
{
	return klp_enable_patch(&patch);
}
module_init(livepatch_init);

/* Livepatch holds the module until it is disabled. */
static void __exit livepatch_exit(void)
{
}
module_exit(livepatch_exit);

MODULE_DESCRIPTION("A livepatch beside Ksplice's updates");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
