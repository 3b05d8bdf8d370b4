// SPDX-License-Identifier: GPL-2.0-only
/*
 * Switching an update on or off: all functions of all its parts change at once, while
 * the machine stands still and no thread is inside code that changes. Everything that
 * can fail comes before the first byte is written, so a failure leaves no trace.
 *
 * Locks, outermost first: ksplice_lock, the lock against processors coming and going,
 * text_mutex. Jump labels and kprobes take the last two in this order too.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/cpu.h>
#include <linux/ktime.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <linux/timekeeping.h>
#include <asm/sync_core.h>

#include "core.h"

struct ksplice_switch {
	struct ksplice_update *update;
	struct ksplice_site *sites;
	u32 nr_sites;
	struct ksplice_check check;
	atomic_t arrived;
	bool over;
	enum ksplice_cause result;
	u64 finished_ns;
};

void ksplice_module_text(const struct module *mod, unsigned long *start, unsigned long *size)
{
#ifdef for_class_mod_mem_type	/* memory by type, instead of one layout with text first */
	*start = (unsigned long)mod->mem[MOD_TEXT].base;
	*size = mod->mem[MOD_TEXT].size;
#else
	*start = (unsigned long)mod->core_layout.base;
	*size = mod->core_layout.text_size;
#endif
}

static bool is_module_text(unsigned long addr, const struct module *mod)
{
	unsigned long start, size;

	ksplice_module_text(mod, &start, &size);
	return addr >= start && addr - start < size;
}

/* -- modules that must stay -------------------------------------------------------- */

static enum ksplice_cause hold_module(struct ksplice_update *update, struct module *mod)
{
	if (!mod || !try_module_get(mod))
		return KSPLICE_TARGET_NOT_LOADED;
	update->held[update->nr_held++] = mod;
	return KSPLICE_OK;
}

static enum ksplice_cause hold_named(struct ksplice_update *update, const char *name)
{
	enum ksplice_cause cause;

	preempt_disable();
	cause = hold_module(update, find_module(name));
	preempt_enable();
	if (cause)
		pr_notice("%s needs module %s, which is not loaded\n", update->id, name);
	return cause;
}

static void let_modules_go(struct ksplice_update *update)
{
	while (update->nr_held)
		module_put(update->held[--update->nr_held]);
	kvfree(update->held);
	update->held = NULL;
}

static enum ksplice_cause hold_modules(struct ksplice_update *update)
{
	struct ksplice_member *member;
	enum ksplice_cause cause;
	u32 count = 0;
	u32 i;

	list_for_each_entry(member, &update->members, list)
		count += 2 + member->part->nr_pins;
	update->held = kvcalloc(count, sizeof(*update->held), GFP_KERNEL);
	if (!update->held)
		return KSPLICE_OUT_OF_MEMORY;
	list_for_each_entry(member, &update->members, list) {
		const struct ksplice_part *part = member->part;

		cause = hold_module(update, member->owner);
		if (!cause && strcmp(part->target, "vmlinux"))
			cause = hold_named(update, part->target);
		for (i = 0; !cause && i < part->nr_pins; i++)
			cause = hold_named(update, part->pins[i]);
		if (cause) {
			let_modules_go(update);
			return cause;
		}
	}
	return KSPLICE_OK;
}

/* Kernel text that cannot go away: of the kernel itself or of a module that is held. */
static bool is_held_text(const struct ksplice_update *update, unsigned long addr)
{
	u32 i;

	if (core_kernel_text(addr))
		return true;
	for (i = 0; i < update->nr_held; i++)
		if (is_module_text(addr, update->held[i]))
			return true;
	return false;
}

/* -- preparing --------------------------------------------------------------------- */

/* Two sites that overlap could never be brought back. */
static bool overlaps_earlier(const struct ksplice_switch *sw, const struct ksplice_site *site)
{
	const struct ksplice_site *other;

	for (other = sw->sites; other < site; other++)
		if (site->addr < other->addr + KSPLICE_TRAMPOLINE &&
		    other->addr < site->addr + KSPLICE_TRAMPOLINE)
			return true;
	return false;
}

static enum ksplice_cause prepare_sites(struct ksplice_switch *sw, bool forward)
{
	const struct ksplice_function *function;
	struct ksplice_member *member;
	enum ksplice_cause cause;
	u32 count = 0;

	list_for_each_entry(member, &sw->update->members, list)
		count += member->part->nr_functions;
	sw->sites = kvcalloc(max(count, 1U), sizeof(*sw->sites), GFP_KERNEL);
	if (!sw->sites)
		return KSPLICE_OUT_OF_MEMORY;
	ksplice_for_each_function(sw->update, member, function) {
		struct ksplice_site *site = &sw->sites[sw->nr_sites++];
		u8 *trampoline = forward ? site->new_bytes : site->old_bytes;
		u8 *original = forward ? site->old_bytes : site->new_bytes;

		site->function = function;
		site->addr = function->old_addr + function->site;
		ksplice_trampoline(function, trampoline);
		memcpy(original, function->expect, KSPLICE_TRAMPOLINE);
		if (!is_held_text(sw->update, site->addr) ||
		    !is_held_text(sw->update, site->addr + KSPLICE_TRAMPOLINE - 1)) {
			pr_notice("%s: %s at %lx is not in the text of the kernel or a module it names\n",
				  sw->update->id, function->name, site->addr);
			return KSPLICE_FAILED_TO_FIND;
		}
		if (overlaps_earlier(sw, site)) {
			pr_notice("%s: %s is in it twice\n", sw->update->id, function->name);
			return KSPLICE_UNEXPECTED;
		}
		cause = ksplice_map_site(site);
		if (cause)
			return cause;
	}
	return KSPLICE_OK;
}

static void add_span(struct ksplice_check *check, unsigned long first, unsigned long last,
		     const char *name)
{
	struct ksplice_span *span = &check->spans[check->nr_spans++];

	span->first = first;
	span->last = last;
	span->name = name;
	check->lowest = min(check->lowest, first);
	check->highest = max(check->highest, last);
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
 * To reverse: all text of the update's own modules, which may be unloaded next. Its
 * functions come as spans of their own too, for their names.
 */
static void add_new_code(struct ksplice_check *check)
{
	const struct ksplice_function *function;
	struct ksplice_member *member;
	unsigned long start, size;

	ksplice_for_each_function(check->update, member, function)
		if (function->new_addr)
			add_span(check, function->new_addr, function->new_addr + function->new_size,
				 function->name);
	list_for_each_entry(member, &check->update->members, list) {
		ksplice_module_text(member->owner, &start, &size);
		add_span(check, start, start + size, member->owner->name);
	}
}

static enum ksplice_cause prepare_check(struct ksplice_switch *sw, bool forward)
{
	struct ksplice_check *check = &sw->check;
	struct ksplice_member *member;
	u32 count = 0;

	list_for_each_entry(member, &sw->update->members, list)
		count += 1 + member->part->nr_functions + member->part->nr_ranges;
	check->update = sw->update;
	check->lowest = ULONG_MAX;
	check->spans = kvcalloc(count, sizeof(*check->spans), GFP_KERNEL);
	check->stoppers = kvcalloc(nr_cpu_ids, sizeof(*check->stoppers), GFP_KERNEL);
	if (!check->spans || !check->stoppers)
		return KSPLICE_OUT_OF_MEMORY;
	if (forward)
		add_old_code(check);
	else
		add_new_code(check);
	return KSPLICE_OK;
}

/* Under text_mutex: nobody else changes text from here until the sites are written. */
static enum ksplice_cause recheck_sites(const struct ksplice_switch *sw, bool forward)
{
	const char *who;
	u32 i;

	for (i = 0; i < sw->nr_sites; i++) {
		const struct ksplice_site *site = &sw->sites[i];

		if (!ksplice_site_matches(site)) {
			pr_notice("%s: the bytes at %s+%u have changed\n", sw->update->id,
				  site->function->name, site->function->site);
			return KSPLICE_NO_MATCH;
		}
		who = forward ? ksplice_site_reserved_by(site) : NULL;
		if (who) {
			pr_notice("%s: the bytes at %s+%u belong to %s\n", sw->update->id,
				  site->function->name, site->function->site, who);
			return KSPLICE_NO_MATCH;
		}
	}
	return KSPLICE_OK;
}

/* -- the switch -------------------------------------------------------------------- */

/*
 * Runs on all processors at once, interrupts off. The first to come does the work when
 * all are there. Nothing in here allocates, sleeps or prints.
 */
static int stopped(void *data)
{
	struct ksplice_switch *sw = data;
	struct ksplice_stopper *self = &sw->check.stoppers[raw_smp_processor_id()];
	u32 i;

	self->task = current;
	self->sp = (unsigned long)__builtin_frame_address(0);
	if (atomic_inc_return(&sw->arrived) != 1) {
		/* Pairs with the release below: the new text is there. */
		while (!smp_load_acquire(&sw->over))
			cpu_relax();
		/* Forget instructions that were fetched before the change. */
		sync_core();
		return 0;
	}
	while (atomic_read(&sw->arrived) != num_online_cpus())
		cpu_relax();
	smp_rmb(); /* what the others wrote before they counted themselves in */

	sw->result = ksplice_check_stacks(&sw->check);
	if (!sw->result)
		for (i = 0; i < sw->nr_sites; i++)
			ksplice_write_site(&sw->sites[i]);
	sw->finished_ns = ktime_get_mono_fast_ns();
	/* Pairs with the acquire above. */
	smp_store_release(&sw->over, true);
	sync_core();
	return 0;
}

static enum ksplice_cause stop_and_switch(struct ksplice_switch *sw, bool forward)
{
	enum ksplice_cause cause;
	u64 started_ns;

	cpus_read_lock();
	mutex_lock(&text_mutex);
	cause = recheck_sites(sw, forward);
	if (!cause) {
		sw->update->nr_conflicts = 0;
		started_ns = ktime_get_mono_fast_ns();
		if (stop_machine_cpuslocked(stopped, sw, cpu_online_mask))
			cause = KSPLICE_UNEXPECTED;
		else
			cause = sw->result;
		sw->update->stop_ns = sw->finished_ns - started_ns;
	}
	mutex_unlock(&text_mutex);
	cpus_read_unlock();
	return cause;
}

/* @caller_sp: where the stack of the core's caller begins. */
static enum ksplice_cause switch_update(struct ksplice_update *update, bool forward,
					unsigned long caller_sp)
{
	struct ksplice_switch sw = {
		.update = update,
		.check.requester = current,
		.check.requester_sp = caller_sp,
	};
	enum ksplice_cause cause;
	u32 i;

	update->attempts++;
	update->nr_conflicts = 0;
	cause = prepare_sites(&sw, forward);
	if (!cause)
		cause = prepare_check(&sw, forward);
	if (!cause)
		cause = stop_and_switch(&sw, forward);

	for (i = 0; i < sw.nr_sites; i++)
		ksplice_unmap_site(&sw.sites[i]);
	kvfree(sw.sites);
	kvfree(sw.check.spans);
	kvfree(sw.check.stoppers);
	return cause;
}

/* One attempt. Under ksplice_lock, with all parts registered. */
enum ksplice_cause ksplice_apply(struct ksplice_update *update)
{
	static u64 last_seq;
	enum ksplice_cause cause;

	if (update->stage == KSPLICE_APPLIED)
		return KSPLICE_UNEXPECTED;
	cause = hold_modules(update);
	if (cause)
		return cause;
	cause = switch_update(update, true, (unsigned long)__builtin_frame_address(0));
	if (cause) {
		let_modules_go(update);
		return cause;
	}
	update->stage = KSPLICE_APPLIED;
	update->applied_seq = ++last_seq;
	pr_info("%s applied\n", update->id);
	return KSPLICE_OK;
}

/* One attempt. Under ksplice_lock. */
enum ksplice_cause ksplice_reverse(struct ksplice_update *update)
{
	struct ksplice_update *other;
	enum ksplice_cause cause;

	if (update->stage != KSPLICE_APPLIED)
		return KSPLICE_ALREADY_REVERSED;
	list_for_each_entry(other, &ksplice_updates, list)
		if (ksplice_update_is_used(update, other)) {
			pr_notice("%s is used by the newer %s\n", update->id, other->id);
			return KSPLICE_MODULE_BUSY;
		}
	cause = switch_update(update, false, (unsigned long)__builtin_frame_address(0));
	if (cause)
		return cause;
	update->stage = KSPLICE_REVERSED;
	let_modules_go(update);
	pr_info("%s reversed\n", update->id);
	return KSPLICE_OK;
}
