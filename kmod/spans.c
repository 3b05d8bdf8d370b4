// SPDX-License-Identifier: GPL-2.0-only
/* The code that no thread may be inside of when an update is applied or reversed. */
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "core.h"

static void add_span(struct ksplice_stack_check *check, unsigned long first, unsigned long last,
		     const char *name)
{
	struct ksplice_span *span = &check->spans[check->nr_spans++];

	span->first = first;
	span->last = last;
	span->name = name;
}

static int compare_spans(const void *a, const void *b)
{
	const struct ksplice_span *one = a, *other = b;

	if (one->first != other->first)
		return one->first < other->first ? -1 : 1;
	/* Of two that begin together the shorter one is the better name: it is found first. */
	return one->last == other->last ? 0 : one->last > other->last ? -1 : 1;
}

static void sort_spans(struct ksplice_stack_check *check)
{
	unsigned long reach = 0;
	u32 i;

	sort(check->spans, check->nr_spans, sizeof(*check->spans), compare_spans, NULL);
	for (i = 0; i < check->nr_spans; i++) {
		reach = max(reach, check->spans[i].last);
		check->spans[i].reach = reach;
	}
	if (check->nr_spans)
		check->lowest = check->spans[0].first;
	check->highest = reach;
}

/*
 * The bytes of a function that a thread must not come back to once its trampoline is there:
 * all behind the site's first byte. A thread that goes on at the site or before it runs into
 * the trampoline, as a caller would. Where ftrace redirects, one that goes on at the site has
 * passed it already, so the first byte counts too. The address behind the last byte counts: a
 * call of a function that does not return may be the last instruction.
 */
static void add_function(struct ksplice_stack_check *check, const struct ksplice_function *function)
{
	unsigned long site = function->old_addr + function->site;

	add_span(check, function->flags & KSPLICE_BY_FTRACE ? site : site + 1,
		 function->old_addr + function->old_size, function->name);
}

/* Where threads may stay, all that counts is that they do not come back into the trampoline. */
static void add_site(struct ksplice_stack_check *check, const struct ksplice_function *function)
{
	unsigned long site = function->old_addr + function->site;

	if (!(function->flags & KSPLICE_BY_FTRACE))
		add_span(check, site + 1, site + KSPLICE_TRAMPOLINE - 1, function->name);
}

static void add_piece(struct ksplice_stack_check *check, const struct ksplice_range *range)
{
	add_span(check, range->start, range->start + range->size, range->name);
}

/* To apply: the old functions. */
static void add_old_code(struct ksplice_stack_check *check, const struct ksplice_update *update)
{
	const struct ksplice_function *function;
	struct ksplice_member *member;
	u32 i;

	ksplice_for_each_function(update, member, function)
		if (function->flags & KSPLICE_MAY_BE_BUSY)
			add_site(check, function);
		else
			add_function(check, function);
	list_for_each_entry(member, &update->members, list)
		for (i = 0; i < member->part->nr_ranges; i++)
			if (!(member->part->ranges[i].flags & KSPLICE_MAY_BE_BUSY))
				add_piece(check, &member->part->ranges[i]);
}

/*
 * To apply: the old functions in which other updates have left threads. What these threads
 * still call was settled for those updates, not for this one.
 */
static void add_left_code(struct ksplice_stack_check *check, const struct ksplice_update *update)
{
	const struct ksplice_function *function;
	struct ksplice_member *member;
	u32 i;

	ksplice_for_each_function(update, member, function)
		if (function->flags & KSPLICE_MAY_BE_BUSY)
			add_function(check, function);
	list_for_each_entry(member, &update->members, list)
		for (i = 0; i < member->part->nr_ranges; i++)
			if (member->part->ranges[i].flags & KSPLICE_MAY_BE_BUSY)
				add_piece(check, &member->part->ranges[i]);
}

static bool takes_part(const struct ksplice_turns *turns, const struct ksplice_update *update)
{
	const struct ksplice_turn *turn;

	ksplice_for_each_turn(turns, turn)
		if (turn->update == update)
			return true;
	return false;
}

static bool leaves_threads(const struct ksplice_turns *turns, const struct ksplice_update *update)
{
	return update->stage == KSPLICE_APPLIED && !takes_part(turns, update);
}

/*
 * To reverse: all text of the update's own modules. Its functions come as spans of their
 * own too, for their names. Where the modules are to go, all words count that point into
 * their data: a caller may have kept what new code gave it.
 */
static void add_new_code(struct ksplice_stack_check *check, const struct ksplice_update *update)
{
	const struct ksplice_function *function;
	struct ksplice_member *member;
	unsigned long start, size;
	u32 i;

	ksplice_for_each_function(update, member, function)
		add_span(check, function->new_addr, function->new_addr + function->new_size,
			 function->name);
	list_for_each_entry(member, &update->members, list) {
		ksplice_module_text(member->owner, &start, &size);
		add_span(check, start, start + size, member->owner->name);
		if (!check->memory_goes)
			continue;
		for (i = 0; ksplice_module_data(member->owner, i, &start, &size); i++)
			if (size)
				add_span(check, start, start + size - 1, member->owner->name);
	}
}

/* The most spans that an update has. */
static u32 count_spans(const struct ksplice_update *update)
{
	struct ksplice_member *member;
	u32 count = 0;

	list_for_each_entry(member, &update->members, list)
		count += 1 + KSPLICE_MODULE_DATA + member->part->nr_functions +
			 member->part->nr_ranges;
	return count;
}

static bool frees_memory(const struct ksplice_turn *turn)
{
	return turn->way == KSPLICE_TO_NOTHING ||
	       (turn->way == KSPLICE_TO_OLD && ksplice_may_be_unloaded(turn->update));
}

static void add_spans(struct ksplice_stack_check *check, const struct ksplice_turns *turns)
{
	const struct ksplice_function *function;
	const struct ksplice_update *update;
	const struct ksplice_turn *turn;
	struct ksplice_member *member;

	ksplice_for_each_turn(turns, turn) {
		ksplice_for_each_function(turn->update, member, function)
			check->by_ftrace |= function->flags & KSPLICE_BY_FTRACE;
		if (turn->way != KSPLICE_TO_NEW) {
			add_new_code(check, turn->update);
			continue;
		}
		add_old_code(check, turn->update);
		list_for_each_entry(update, &ksplice_updates, list)
			if (leaves_threads(turns, update))
				add_left_code(check, update);
	}
}

/* Lists that code, and makes room for what is noted while the machine stands still. */
enum ksplice_cause ksplice_prepare_stack_check(struct ksplice_stack_check *check,
					       const struct ksplice_turns *turns)
{
	const struct ksplice_update *update;
	const struct ksplice_turn *turn;
	u32 count = 0;

	list_for_each_entry(update, &ksplice_updates, list)
		if (takes_part(turns, update) || leaves_threads(turns, update))
			count += count_spans(update);
	ksplice_for_each_turn(turns, turn)
		check->memory_goes |= frees_memory(turn);
	check->spans = kvcalloc(count, sizeof(*check->spans), GFP_KERNEL);
	check->stoppers = kvcalloc(nr_cpu_ids, sizeof(*check->stoppers), GFP_KERNEL);
	if (!check->spans || !check->stoppers)
		return KSPLICE_OUT_OF_MEMORY;
	add_spans(check, turns);
	sort_spans(check);
	return KSPLICE_OK;
}

void ksplice_release_stack_check(struct ksplice_stack_check *check)
{
	kvfree(check->spans);
	kvfree(check->stoppers);
}
