// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>

#include "ksplice.h"
#include "kstest.h"

static struct ksplice_part part;
#include "kstest-update.h"

static struct ksplice_function functions[] = {
	REPLACE(kstest_gone, 0),
};

static struct ksplice_part part = {
	.abi = KSPLICE_ABI,
	.nr_parts = 1,
	.id = "removal",
	.description = "Removes kstest_gone",
	.target = "kstest_victim",
	.nr_functions = ARRAY_SIZE(functions),
	.functions = functions,
};
