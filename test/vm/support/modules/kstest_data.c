// SPDX-License-Identifier: GPL-2.0-only
/* Overwrites data only: constants of a module and of the kernel proper, and a pointer. */
#include <linux/kernel.h>
#include <linux/printk.h>

#include "ksplice.h"
#include "kstest.h"

static struct ksplice_part part;
#include "kstest-update.h"

static int new_opinion(void)
{
	return 3;
}

static const struct kstest_ops table = { .opinion = new_opinion };
static const struct kstest_ops *const new_chosen = &table;
static const int new_limits[4] = { 10, 20, 30, 40 };
static const u8 new_big[KSTEST_BIG] = { [0 ... KSTEST_BIG - 1] = 2 };

/* In linux_proc_banner, what /proc/version prints: "%s version %s ...". */
#define BANNER_AT 3
static const char new_banner[7] __nonstring = "VERSION";

static u8 old_chosen[sizeof(new_chosen)];
static u8 old_limits[sizeof(new_limits)];
static u8 old_big[sizeof(new_big)];
static u8 old_banner[sizeof(new_banner)];

static struct ksplice_write writes[] = {
	OVERWRITE(kstest_chosen, 0, &new_chosen, old_chosen),
	OVERWRITE(kstest_limits, 0, new_limits, old_limits),
	OVERWRITE(kstest_big, 0, new_big, old_big),
	OVERWRITE(linux_proc_banner, BANNER_AT, new_banner, old_banner),
};

static void applied(void)
{
	kstest_note("data");
}

static struct ksplice_hook hooks[] = {
	{ .kind = KSPLICE_POST_APPLY, .call = applied },
};

static struct ksplice_part part = {
	.abi = KSPLICE_ABI,
	.nr_parts = 1,
	.id = "data",
	.description = "Other data",
	.target = "kstest_victim",
	.nr_writes = ARRAY_SIZE(writes),
	.writes = writes,
	.nr_hooks = ARRAY_SIZE(hooks),
	.hooks = hooks,
};
