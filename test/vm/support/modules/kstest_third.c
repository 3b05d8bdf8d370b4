// SPDX-License-Identifier: GPL-2.0-only
/* In place of the first: one of its functions, and data that others overwrite too. */
#include <linux/export.h>
#include <linux/kernel.h>

#include "ksplice.h"
#include "kstest.h"

static noinline int third_answer(int n)
{
	barrier();
	return n + 10000;
}

static struct ksplice_part part;
#include "kstest-update.h"

static struct ksplice_function functions[] = {
	REPLACE(kstest_answer, third_answer),
};

/* From the second on: what kstest_over overwrites lies in it, what kstest_data does around it. */
static const int new_limits[3] = { 200, 300, 400 };
static u8 old_limits[sizeof(new_limits)];

static struct ksplice_write writes[] = {
	OVERWRITE(kstest_limits, sizeof(int), new_limits, old_limits),
};

static void note(void)
{
	kstest_note("third_post_apply");
}

static int refuse;
module_param(refuse, int, 0600);

static int check(void)
{
	return READ_ONCE(refuse);
}

static struct ksplice_hook hooks[] = {
	{ .kind = KSPLICE_CHECK_APPLY, .ask = check },
	{ .kind = KSPLICE_POST_APPLY, .call = note },
};

static struct ksplice_part part = {
	.abi = KSPLICE_ABI,
	.nr_parts = 1,
	.id = "third",
	.description = "Answers 10000",
	.target = "kstest_victim",
	.nr_functions = ARRAY_SIZE(functions),
	.functions = functions,
	.nr_writes = ARRAY_SIZE(writes),
	.writes = writes,
	.nr_hooks = ARRAY_SIZE(hooks),
	.hooks = hooks,
};
