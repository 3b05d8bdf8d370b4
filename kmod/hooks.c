// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions of the patch itself that are called when it is applied or reversed: those of
 * one kind part by part, in the order that the parts were registered in.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/printk.h>

#include "core.h"

#define for_each_hook(update, member, hook)					\
	list_for_each_entry(member, &(update)->members, list)			\
		for (hook = (member)->part->hooks;				\
		     hook < (member)->part->hooks + (member)->part->nr_hooks;	\
		     hook++)

bool ksplice_has_hooks(const struct ksplice_update *update)
{
	struct ksplice_member *member;

	list_for_each_entry(member, &update->members, list)
		if (member->part->nr_hooks)
			return true;
	return false;
}

/*
 * For the pre and check kinds. The first hook that says no ends it, and is left in
 * @refused for ksplice_report_hook(): nothing may be printed on a stopped machine.
 */
enum ksplice_cause ksplice_ask_hooks(const struct ksplice_update *update,
				     enum ksplice_hook_kind kind, struct ksplice_refusal *refused)
{
	const struct ksplice_hook *hook;
	struct ksplice_member *member;

	for_each_hook(update, member, hook) {
		if (hook->kind != kind)
			continue;
		refused->answer = hook->ask();
		if (refused->answer) {
			refused->hook = hook;
			return KSPLICE_CALL_FAILED;
		}
	}
	return KSPLICE_OK;
}

void ksplice_report_hook(const struct ksplice_update *update, const struct ksplice_refusal *refused)
{
	if (refused->hook)
		pr_notice("%s: the hook %ps returned %d\n", update->id, refused->hook->ask,
			  refused->answer);
}

/* For the other kinds. */
void ksplice_call_hooks(const struct ksplice_update *update, enum ksplice_hook_kind kind)
{
	const struct ksplice_hook *hook;
	struct ksplice_member *member;

	for_each_hook(update, member, hook)
		if (hook->kind == kind)
			hook->call();
}
