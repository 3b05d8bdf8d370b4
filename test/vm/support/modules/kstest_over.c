// SPDX-License-Identifier: GPL-2.0-only
/* Overwrites one number of what kstest_data overwrites. */
#include <linux/kernel.h>

#include "ksplice.h"
#include "kstest.h"

static struct ksplice_part part;
#include "kstest-update.h"

static const int new_limit = 300;
static u8 old_limit[sizeof(new_limit)];

static struct ksplice_write writes[] = {
	OVERWRITE(kstest_limits, 2 * sizeof(int), &new_limit, old_limit),
	OVERWRITE(kstest_limits, 2 * sizeof(int), &new_limit, old_limit),
};

static struct ksplice_part part = {
	.abi = KSPLICE_ABI,
	.nr_parts = 1,
	.id = "over",
	.description = "Another limit",
	.target = "kstest_victim",
	.nr_writes = 1,
	.writes = writes,
};

module_param_named(writes, part.nr_writes, uint, 0);
MODULE_PARM_DESC(writes, "how many; the second is the first once more");
