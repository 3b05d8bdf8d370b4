// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions of the patch itself that are called when it is applied or reversed: those of
 * one kind part by part, in the order that the parts were registered in. What is only let
 * go of calls none.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/printk.h>

#include "core.h"

static const enum ksplice_hook_kind apply_kinds[KSPLICE_NR_STEPS] = {
	[KSPLICE_BEFORE] = KSPLICE_PRE_APPLY,
	[KSPLICE_STOPPED_CHECK] = KSPLICE_CHECK_APPLY,
	[KSPLICE_STOPPED] = KSPLICE_APPLY,
	[KSPLICE_AFTER] = KSPLICE_POST_APPLY,
	[KSPLICE_FAILED] = KSPLICE_FAIL_APPLY,
};

static const enum ksplice_hook_kind reverse_kinds[KSPLICE_NR_STEPS] = {
	[KSPLICE_BEFORE] = KSPLICE_PRE_REVERSE,
	[KSPLICE_STOPPED_CHECK] = KSPLICE_CHECK_REVERSE,
	[KSPLICE_STOPPED] = KSPLICE_REVERSE,
	[KSPLICE_AFTER] = KSPLICE_POST_REVERSE,
	[KSPLICE_FAILED] = KSPLICE_FAIL_REVERSE,
};

static bool is_called(const struct ksplice_turn *turn, const struct ksplice_hook *hook,
		      enum ksplice_step step)
{
	switch (turn->way) {
	case KSPLICE_TO_NEW:
		return hook->kind == apply_kinds[step];
	case KSPLICE_TO_OLD:
		return hook->kind == reverse_kinds[step];
	default:
		return false;
	}
}

#define for_each_hook(turns, turn, member, hook)					\
	ksplice_for_each_turn(turns, turn)						\
		list_for_each_entry(member, &(turn)->update->members, list)		\
			for (hook = (member)->part->hooks;				\
			     hook < (member)->part->hooks + (member)->part->nr_hooks;	\
			     hook++)

/*
 * For the pre and check kinds. The first hook that says no ends it, and is left in
 * @refused for ksplice_report_hook(): nothing may be printed on a stopped machine.
 */
enum ksplice_cause ksplice_ask_hooks(const struct ksplice_turns *turns, enum ksplice_step step,
				     struct ksplice_refusal *refused)
{
	const struct ksplice_hook *hook;
	const struct ksplice_turn *turn;
	struct ksplice_member *member;

	for_each_hook(turns, turn, member, hook) {
		if (!is_called(turn, hook, step))
			continue;
		turn->update->has_run = true;
		refused->answer = hook->ask();
		if (refused->answer) {
			refused->update = turn->update;
			refused->hook = hook;
			return KSPLICE_CALL_FAILED;
		}
	}
	return KSPLICE_OK;
}

void ksplice_report_hook(const struct ksplice_refusal *refused)
{
	if (refused->hook)
		pr_notice("%s: the hook %ps returned %d\n", refused->update->id,
			  refused->hook->ask, refused->answer);
}

/* For the other kinds. */
void ksplice_call_hooks(const struct ksplice_turns *turns, enum ksplice_step step)
{
	const struct ksplice_hook *hook;
	const struct ksplice_turn *turn;
	struct ksplice_member *member;

	for_each_hook(turns, turn, member, hook) {
		if (!is_called(turn, hook, step))
			continue;
		turn->update->has_run = true;
		hook->call();
	}
}
