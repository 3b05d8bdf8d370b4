// SPDX-License-Identifier: GPL-2.0-only
/* On top of the first: redirects the first's new code. */
#include <linux/delay.h>
#include <linux/kernel.h>

#include "ksplice.h"
#include "kstest.h"

static noinline int second_answer(int n)
{
	barrier();
	return n + 1000;
}

static struct ksplice_part part;
#include "kstest-update.h"

static struct ksplice_function functions[] = {
	REPLACE(kstest_first_answer, second_answer),
};

static struct ksplice_part part = {
	.abi = KSPLICE_ABI,
	.nr_parts = 1,
	.id = "second",
	.description = "Answers 1000",
	.target = "kstest_victim",
	.nr_functions = ARRAY_SIZE(functions),
	.functions = functions,
};
