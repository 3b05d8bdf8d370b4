// SPDX-License-Identifier: GPL-2.0-only
/* Replaces as many functions of kstest_crowd as it is told to. */
#include <linux/kernel.h>
#include <linux/module.h>

#include "ksplice.h"
#include "kstest-crowd.h"

#define NEW(number)								\
	static noinline int new_##number(int n)					\
	{									\
		barrier();							\
		return n + KSTEST_CROWD_NEW + (1##number - 1000);		\
	}
#define NEW_NAME(number) new_##number,

KSTEST_THOUSAND(NEW)

static int (*const new_crowd[KSTEST_CROWD])(int n) = { KSTEST_THOUSAND(NEW_NAME) };

static struct ksplice_function functions[KSTEST_CROWD];
static struct ksplice_part part;

/* Nothing of the linker's: addresses in a table of another module are known when it is loaded. */
static void find_functions(void)
{
	int i;

	for (i = 0; i < KSTEST_CROWD; i++) {
		functions[i].old_addr = (unsigned long)kstest_crowd[i];
		functions[i].new_addr = (unsigned long)new_crowd[i];
		functions[i].name = "old";
		functions[i].new_size = 16;
	}
}
#define KSTEST_BEFORE_REGISTERING find_functions
#include "kstest-update.h"

module_param_named(count, part.nr_functions, uint, 0);
MODULE_PARM_DESC(count, "how many functions");

static struct ksplice_part part = {
	.abi = KSPLICE_ABI,
	.nr_parts = 1,
	.id = "many",
	.description = "Replaces many functions",
	.target = "kstest_crowd",
	.nr_functions = KSTEST_CROWD,
	.functions = functions,
};
