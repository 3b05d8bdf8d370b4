// SPDX-License-Identifier: GPL-2.0-only
/* The code that no thread may be inside of when an update is applied or reversed. */
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "core.h"

static void add_span(struct ksplice_check *check, unsigned long first, unsigned long last,
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

static void sort_spans(struct ksplice_check *check)
{
	unsigned long reach = 0;
	u32 i;

	sort(check->spans, check->nr_spans, sizeof(*check->spans), compare_spans, NULL);
	for (i = 0; i < check->nr_spans; i++) {
		reach = max(reach, check->spans[i].last);
		check->spans[i].reach = reach;
	}
}

/*
 * To apply: the old functions, from behind the site's first byte. A thread that goes on
 * at the site or before it runs into the trampoline, as a caller would. The address
 * behind the last byte counts: a call of a function that does not return may be the
 * last instruction.
 */
static void add_old_code(struct ksplice_check *check)
{
	const struct ksplice_function *function;
	struct ksplice_member *member;
	u32 i;

	ksplice_for_each_function(check->update, member, function)
		add_span(check, function->old_addr + function->site + 1,
			 function->old_addr + function->old_size, function->name);
	list_for_each_entry(member, &check->update->members, list)
		for (i = 0; i < member->part->nr_ranges; i++) {
			const struct ksplice_range *range = &member->part->ranges[i];

			add_span(check, range->start, range->start + range->size, range->name);
		}
}

/*
 * To reverse: all text of the update's own modules. Its functions come as spans of their
 * own too, for their names. Where the modules are to go, all words count that point into
 * their data: a caller may have kept what new code gave it.
 */
static void add_new_code(struct ksplice_check *check, bool with_data)
{
	const struct ksplice_function *function;
	struct ksplice_member *member;
	unsigned long start, size;
	u32 i;

	ksplice_for_each_function(check->update, member, function)
		add_span(check, function->new_addr, function->new_addr + function->new_size,
			 function->name);
	list_for_each_entry(member, &check->update->members, list) {
		ksplice_module_text(member->owner, &start, &size);
		add_span(check, start, start + size, member->owner->name);
		if (!with_data)
			continue;
		for (i = 0; ksplice_module_data(member->owner, i, &start, &size); i++)
			if (size)
				add_span(check, start, start + size - 1, member->owner->name);
	}
}

/* Lists that code, and makes room for what is noted while the machine stands still. */
enum ksplice_cause ksplice_prepare_check(struct ksplice_check *check,
					 struct ksplice_update *update, enum ksplice_way way)
{
	struct ksplice_member *member;
	u32 count = 0;

	list_for_each_entry(member, &update->members, list)
		count += 1 + KSPLICE_MODULE_DATA + member->part->nr_functions +
			 member->part->nr_ranges;
	check->update = update;
	check->memory_goes = way == KSPLICE_TO_NOTHING ||
			     (way == KSPLICE_TO_OLD && ksplice_may_be_unloaded(update));
	check->spans = kvcalloc(count, sizeof(*check->spans), GFP_KERNEL);
	check->stoppers = kvcalloc(nr_cpu_ids, sizeof(*check->stoppers), GFP_KERNEL);
	if (!check->spans || !check->stoppers)
		return KSPLICE_OUT_OF_MEMORY;
	if (way == KSPLICE_TO_NEW)
		add_old_code(check);
	else
		add_new_code(check, check->memory_goes);
	sort_spans(check);
	return KSPLICE_OK;
}

void ksplice_release_check(struct ksplice_check *check)
{
	kvfree(check->spans);
	kvfree(check->stoppers);
}
