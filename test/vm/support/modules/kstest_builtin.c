// SPDX-License-Identifier: GPL-2.0-only
/* A function of the kernel proper, and a replacement in which a thread can be made to stay. */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/seq_file.h>

#include "ksplice.h"
#include "kstest.h"

static bool stay;
module_param(stay, bool, 0600);

static noinline int builtin_version(struct seq_file *m, void *v)
{
	while (READ_ONCE(stay))
		msleep(20);
	seq_puts(m, "patched\n");
	return 0;
}

/* A thread in new code that came there by another way than the old function. */
static int visitor(void *unused)
{
	while (READ_ONCE(stay))
		msleep(20);
	return 0;
}

static int visit_set(const char *text, const struct kernel_param *param)
{
	return PTR_ERR_OR_ZERO(kthread_run(visitor, NULL, "kstest visitor"));
}

static const struct kernel_param_ops visit_ops = { .set = visit_set };
module_param_cb(visit, &visit_ops, NULL, 0200);

static struct ksplice_part part;
#include "kstest-update.h"

static struct ksplice_function functions[] = {
	REPLACE(version_proc_show, builtin_version),
};

static struct ksplice_part part = {
	.abi = KSPLICE_ABI,
	.nr_parts = 1,
	.id = "builtin",
	.description = "Another /proc/version",
	.target = "vmlinux",
	.nr_functions = ARRAY_SIZE(functions),
	.functions = functions,
};
