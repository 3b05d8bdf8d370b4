// SPDX-License-Identifier: GPL-2.0-only
/* A function of the kernel proper, and a replacement in which a thread can be made to stay. */
#include <linux/delay.h>
#include <linux/kernel.h>
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
