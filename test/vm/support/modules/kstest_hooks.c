// SPDX-License-Identifier: GPL-2.0-only
/* A hook of each kind, and two of some. Each leaves its name, and what kstest_answer is then. */
#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/kernel.h>

#include "ksplice.h"
#include "kstest.h"

static noinline int hooked_answer(int n)
{
	barrier();
	return n + 500;
}

static struct ksplice_part part;
#include "kstest-update.h"

static char *refuse = "";
module_param(refuse, charp, 0644);
MODULE_PARM_DESC(refuse, "name of the hook that is to say no");

static int ask(const char *name)
{
	size_t length = strlen(name);

	kstest_note(name);
	return !strncmp(refuse, name, length) && !isalnum(refuse[length]) ? -EBUSY : 0;
}

static int pre_apply(void)
{
	kstest_forget_notes();
	msleep(1);
	return ask("pre");
}

static int pre_reverse(void)
{
	kstest_forget_notes();
	msleep(1);
	return ask("pre_undo");
}

static int pre_apply_again(void) { return ask("pre2"); }
static int check_apply(void) { return ask("check"); }
static int check_apply_again(void) { return ask("check2"); }
static int check_reverse(void) { return ask("check_undo"); }
static void apply(void) { kstest_note("apply"); }
static void reverse(void) { kstest_note("undo"); }
static void post_apply(void) { msleep(1); kstest_note("post"); }
static void post_reverse(void) { msleep(1); kstest_note("post_undo"); }
static void fail_apply(void) { msleep(1); kstest_note("fail"); }
static void fail_reverse(void) { msleep(1); kstest_note("fail_undo"); }

static struct ksplice_function functions[] = {
	REPLACE(kstest_answer, hooked_answer),
};

static struct ksplice_hook hooks[] = {
	{ .kind = KSPLICE_FAIL_REVERSE, .call = fail_reverse },
	{ .kind = KSPLICE_FAIL_APPLY, .call = fail_apply },
	{ .kind = KSPLICE_POST_REVERSE, .call = post_reverse },
	{ .kind = KSPLICE_POST_APPLY, .call = post_apply },
	{ .kind = KSPLICE_REVERSE, .call = reverse },
	{ .kind = KSPLICE_APPLY, .call = apply },
	{ .kind = KSPLICE_CHECK_REVERSE, .ask = check_reverse },
	{ .kind = KSPLICE_CHECK_APPLY, .ask = check_apply },
	{ .kind = KSPLICE_CHECK_APPLY, .ask = check_apply_again },
	{ .kind = KSPLICE_PRE_REVERSE, .ask = pre_reverse },
	{ .kind = KSPLICE_PRE_APPLY, .ask = pre_apply },
	{ .kind = KSPLICE_PRE_APPLY, .ask = pre_apply_again },
};

static struct ksplice_part part = {
	.abi = KSPLICE_ABI,
	.nr_parts = 1,
	.id = "hooks",
	.description = "Answers 500, with hooks",
	.target = "kstest_victim",
	.nr_functions = ARRAY_SIZE(functions),
	.functions = functions,
	.nr_hooks = ARRAY_SIZE(hooks),
	.hooks = hooks,
};
