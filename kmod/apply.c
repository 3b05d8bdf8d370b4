// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stages of an update, and which may follow which. One call is one attempt, under
 * ksplice_lock, with all parts registered.
 *
 * Reversing takes the new code out of all ways that lead to it, but for what somebody has
 * kept: a timer's function, a notifier, a string. Unless user space has found that no
 * address can have left the update's modules, they stay, and all that they need, until
 * they are released.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/panic.h>
#include <linux/printk.h>

#include "core.h"

/* -- the update's own modules -------------------------------------------------------- */

static void put_owners(struct ksplice_update *update, const struct ksplice_member *end)
{
	struct ksplice_member *member;

	list_for_each_entry(member, &update->members, list) {
		if (member == end)
			return;
		module_put(member->owner);
	}
}

static enum ksplice_cause get_owners(struct ksplice_update *update)
{
	struct ksplice_member *member;

	list_for_each_entry(member, &update->members, list)
		if (READ_ONCE(member->owner->state) != MODULE_STATE_LIVE ||
		    !try_module_get(member->owner)) {
			put_owners(update, member);
			return KSPLICE_TARGET_NOT_LOADED;
		}
	return KSPLICE_OK;
}

/* The code that it is made for runs: what an earlier update brought, if it needs that. */
static bool has_ground(const struct ksplice_update *update)
{
	const struct ksplice_update *other;

	list_for_each_entry(other, &ksplice_updates, list)
		if (other->stage != KSPLICE_APPLIED && ksplice_update_is_held(other, update)) {
			pr_notice("%s builds on %s, which is not applied\n", update->id, other->id);
			return false;
		}
	return true;
}

static const struct ksplice_update *find_holder(const struct ksplice_update *update)
{
	const struct ksplice_update *other;

	list_for_each_entry(other, &ksplice_updates, list)
		if (ksplice_update_is_held(update, other))
			return other;
	return NULL;
}

/* What is left of it once it is reversed. */
bool ksplice_may_be_unloaded(const struct ksplice_update *update)
{
	const struct ksplice_member *member;

	list_for_each_entry(member, &update->members, list)
		if (!(member->part->flags & KSPLICE_UNLOADABLE))
			return false;
	return !find_holder(update);
}

/* -- from stage to stage --------------------------------------------------------------- */

/* @by: the update that comes in its place, or NULL */
static enum ksplice_cause may_be_reversed(const struct ksplice_update *update,
					  const struct ksplice_update *by)
{
	const struct ksplice_update *other;

	if (update->stage != KSPLICE_APPLIED)
		return KSPLICE_ALREADY_REVERSED;
	if (by && ksplice_update_is_held(update, by)) {
		pr_notice("%s is made for what %s left, and cannot replace it\n", by->id, update->id);
		return KSPLICE_MODULE_BUSY;
	}
	list_for_each_entry(other, &ksplice_updates, list)
		if (ksplice_update_is_used(update, other)) {
			pr_notice("%s is used by the newer %s\n", update->id, other->id);
			return KSPLICE_MODULE_BUSY;
		}
	return KSPLICE_OK;
}

static void set_reversed(struct ksplice_update *update)
{
	bool stays = update->must_stay || !ksplice_may_be_unloaded(update);

	WRITE_ONCE(update->stage, stays ? KSPLICE_RESIDENT : KSPLICE_REVERSED);
	pr_info("%s reversed%s\n", update->id, stays ? ", its code stays" : "");
}

static void set_applied(struct ksplice_update *update)
{
	static u64 last_seq;

	WRITE_ONCE(update->stage, KSPLICE_APPLIED);
	update->applied_seq = ++last_seq;
	update->has_run = true;
	add_taint(TAINT_LIVEPATCH, LOCKDEP_STILL_OK);
	pr_info("%s applied\n", update->id);
}

/* Behind the hooks, which are its code. */
static void let_go_if_reversed(struct ksplice_update *update)
{
	if (update->stage == KSPLICE_REVERSED)
		put_owners(update, NULL);
}

enum ksplice_cause ksplice_apply(struct ksplice_update *update,
				 const struct ksplice_attempt *attempt)
{
	struct ksplice_update *replaced = attempt->replaced;
	bool was_resident = update->stage == KSPLICE_RESIDENT;
	struct ksplice_turns turns = { 0 };
	enum ksplice_cause cause;

	if (update->stage == KSPLICE_APPLIED)
		return KSPLICE_UNEXPECTED;
	if (replaced) {
		cause = may_be_reversed(replaced, update);
		if (cause)
			return cause;
		turns.turn[turns.count++] = (struct ksplice_turn){ replaced, KSPLICE_TO_OLD };
	}
	turns.turn[turns.count++] = (struct ksplice_turn){ update, KSPLICE_TO_NEW };
	if (!has_ground(update))
		return KSPLICE_TARGET_NOT_LOADED;
	cause = was_resident ? KSPLICE_OK : get_owners(update);
	if (cause)
		return cause;
	cause = ksplice_switch(&turns, update, attempt);
	if (cause) {
		if (!was_resident)
			put_owners(update, NULL);
		return cause;
	}
	if (replaced)
		set_reversed(replaced);
	set_applied(update);
	ksplice_call_hooks(&turns, KSPLICE_AFTER);
	if (replaced)
		let_go_if_reversed(replaced);
	return KSPLICE_OK;
}

enum ksplice_cause ksplice_reverse(struct ksplice_update *update,
				   const struct ksplice_attempt *attempt)
{
	const struct ksplice_turns turns = { 1, { { update, KSPLICE_TO_OLD } } };
	enum ksplice_cause cause = may_be_reversed(update, NULL);

	if (!cause)
		cause = ksplice_switch(&turns, update, attempt);
	if (cause)
		return cause;
	set_reversed(update);
	ksplice_call_hooks(&turns, KSPLICE_AFTER);
	let_go_if_reversed(update);
	return KSPLICE_OK;
}

/* Whoever asks for it answers for it that nobody has kept an address of the new code. */
enum ksplice_cause ksplice_release(struct ksplice_update *update,
				   const struct ksplice_attempt *attempt)
{
	const struct ksplice_turns turns = { 1, { { update, KSPLICE_TO_NOTHING } } };
	const struct ksplice_update *holder;
	enum ksplice_cause cause;

	if (update->stage == KSPLICE_APPLIED)
		return KSPLICE_UNEXPECTED;
	if (update->stage != KSPLICE_RESIDENT)
		return KSPLICE_ALREADY_REVERSED;
	holder = find_holder(update);
	if (holder) {
		pr_notice("%s is needed by %s\n", update->id, holder->id);
		return KSPLICE_MODULE_BUSY;
	}
	cause = ksplice_switch(&turns, update, attempt);
	if (cause)
		return cause;
	WRITE_ONCE(update->stage, KSPLICE_REVERSED);
	pr_info("%s released\n", update->id);
	put_owners(update, NULL);
	return KSPLICE_OK;
}
