// SPDX-License-Identifier: GPL-2.0-only
#include <linux/export.h>
#include <linux/kernel.h>

#include "ksplice.h"
#include "kstest.h"

static int nothing;

/* Replaced itself: long enough for a trampoline in a kernel that is built without safe returns, too. */
noinline int kstest_first_answer(int n)
{
	barrier();
	return n + 100 + READ_ONCE(nothing);
}
EXPORT_SYMBOL_GPL(kstest_first_answer);

static noinline int first_nap(void)
{
	barrier();
	return 2;
}

static struct ksplice_part part;
#include "kstest-update.h"

static struct ksplice_function functions[] = {
	REPLACE(kstest_answer, kstest_first_answer),
	REPLACE(kstest_nap, first_nap),
};

static struct ksplice_part part = {
	.abi = KSPLICE_ABI,
	.nr_parts = 1,
	.id = "first",
	.description = "Answers 100",
	.target = "kstest_victim",
	.nr_functions = ARRAY_SIZE(functions),
	.functions = functions,
};
