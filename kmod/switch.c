// SPDX-License-Identifier: GPL-2.0-only
/*
 * Switching an update on or off: all functions and data of all its parts change at once,
 * while the machine stands still and no thread is inside code that changes. Everything
 * that can fail comes before the first byte is written, so a failure leaves no trace.
 *
 * Locks, outermost first: ksplice_lock, kprobes' own, the lock against processors coming
 * and going, text_mutex. Jump labels and kprobes take the last three in this order too.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/cpu.h>
#include <linux/ktime.h>
#include <linux/memory.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <linux/timekeeping.h>
#include <asm/sync_core.h>

#include "core.h"

static unsigned int stop_limit_us = 10000;
module_param(stop_limit_us, uint, 0644);
MODULE_PARM_DESC(stop_limit_us, "how long threads are looked at on a stopped machine, at most");

/* The kinds of hooks that are called on the way. */
struct ksplice_steps {
	enum ksplice_hook_kind before;
	enum ksplice_hook_kind check;
	enum ksplice_hook_kind stopped;
	enum ksplice_hook_kind failed;
};

static const struct ksplice_steps apply_steps = {
	.before = KSPLICE_PRE_APPLY,
	.check = KSPLICE_CHECK_APPLY,
	.stopped = KSPLICE_APPLY,
	.failed = KSPLICE_FAIL_APPLY,
};

static const struct ksplice_steps reverse_steps = {
	.before = KSPLICE_PRE_REVERSE,
	.check = KSPLICE_CHECK_REVERSE,
	.stopped = KSPLICE_REVERSE,
	.failed = KSPLICE_FAIL_REVERSE,
};

struct ksplice_switch {
	struct ksplice_update *update;
	struct ksplice_site *sites;
	u32 nr_sites;
	struct ksplice_data data;
	struct ksplice_check check;
	enum ksplice_way way;
	const struct ksplice_steps *steps;	/* NULL where no hooks are called */
	const struct ksplice_write *changed;	/* data that is not what it should be */
	struct ksplice_refusal refused;
	atomic_t arrived;
	bool over;
	enum ksplice_cause result;
	u64 finished_ns;
};

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

static enum ksplice_cause prepare_sites(struct ksplice_switch *sw)
{
	const struct ksplice_function *function;
	struct ksplice_member *member;
	bool forward = sw->way == KSPLICE_TO_NEW;
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
		if (!ksplice_is_held_text(sw->update, site->addr, KSPLICE_TRAMPOLINE)) {
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

static void report_changed_data(const struct ksplice_switch *sw)
{
	if (sw->changed)
		pr_notice("%s: the bytes of %s at %llx have changed\n", sw->update->id,
			  sw->changed->name, sw->changed->addr);
}

/*
 * Under text_mutex: nobody else changes text from here until the sites are written. Data
 * may change until the machine stands still.
 */
static enum ksplice_cause recheck(struct ksplice_switch *sw)
{
	enum ksplice_cause cause;
	u32 i;

	cause = ksplice_check_probes(sw->update, sw->way);
	if (cause)
		return cause;
	for (i = 0; i < sw->nr_sites; i++) {
		const struct ksplice_site *site = &sw->sites[i];

		if (!ksplice_site_matches(site)) {
			pr_notice("%s: the bytes at %s+%u have changed\n", sw->update->id,
				  site->function->name, site->function->site);
			return KSPLICE_NO_MATCH;
		}
	}
	sw->changed = ksplice_find_changed_data(&sw->data);
	return sw->changed ? KSPLICE_NO_MATCH : KSPLICE_OK;
}

/* -- the switch -------------------------------------------------------------------- */

/* What is asked when nothing can change any more. */
static enum ksplice_cause check_stopped(struct ksplice_switch *sw)
{
	u64 deadline_ns = ktime_get_mono_fast_ns() + (u64)stop_limit_us * NSEC_PER_USEC;
	enum ksplice_cause cause = ksplice_check_stacks(&sw->check, deadline_ns);

	if (cause)
		return cause;
	sw->changed = ksplice_find_changed_data(&sw->data);
	if (sw->changed)
		return KSPLICE_NO_MATCH;
	if (!sw->steps)
		return KSPLICE_OK;
	return ksplice_ask_hooks(sw->update, sw->steps->check, &sw->refused);
}

static void write_all(const struct ksplice_switch *sw)
{
	u32 i;

	for (i = 0; i < sw->nr_sites; i++)
		ksplice_write_site(&sw->sites[i]);
	ksplice_write_data(&sw->data);
}

/*
 * Runs on all processors at once, interrupts off. The first to come does the work when
 * all are there. Nothing in here allocates, sleeps or prints; hooks may not either.
 */
static int stopped(void *data)
{
	struct ksplice_switch *sw = data;
	struct ksplice_stopper *self = &sw->check.stoppers[raw_smp_processor_id()];

	self->task = current;
	self->sp = (unsigned long)__builtin_frame_address(0);
	if (atomic_inc_return(&sw->arrived) != 1) {
		/* Pairs with the release below: the new text is there. */
		smp_cond_load_acquire(&sw->over, VAL);
		/* Forget instructions that were fetched before the change. */
		sync_core();
		return 0;
	}
	/* Pairs with the full barrier of counting in: what the others wrote before. */
	atomic_cond_read_acquire(&sw->arrived, VAL == num_online_cpus());

	sw->result = check_stopped(sw);
	if (!sw->result)
		write_all(sw);
	/* Before anything else runs here: this processor forgets too. */
	sync_core();
	if (!sw->result && sw->steps)
		ksplice_call_hooks(sw->update, sw->steps->stopped);
	sw->finished_ns = ktime_get_mono_fast_ns();
	/* Pairs with the acquire above. */
	smp_store_release(&sw->over, true);
	return 0;
}

static enum ksplice_cause stop_and_switch(struct ksplice_switch *sw)
{
	enum ksplice_cause cause;
	u64 started_ns;

	ksplice_lock_probes();
	cpus_read_lock();
	mutex_lock(&text_mutex);
	cause = recheck(sw);
	if (!cause)
		cause = ksplice_check_sleepers(&sw->check);
	if (!cause) {
		started_ns = ktime_get_mono_fast_ns();
		if (stop_machine_cpuslocked(stopped, sw, cpu_online_mask))
			cause = KSPLICE_UNEXPECTED;
		else
			cause = sw->result;
		sw->update->stop_ns = sw->finished_ns - started_ns;
	}
	mutex_unlock(&text_mutex);
	cpus_read_unlock();
	ksplice_unlock_probes();
	report_changed_data(sw);
	return cause;
}

static enum ksplice_cause switch_with_hooks(struct ksplice_switch *sw)
{
	enum ksplice_cause cause;

	if (!sw->steps)
		return stop_and_switch(sw);
	sw->update->has_run |= ksplice_has_hooks(sw->update);
	cause = ksplice_ask_hooks(sw->update, sw->steps->before, &sw->refused);
	if (!cause)
		cause = stop_and_switch(sw);
	ksplice_report_hook(sw->update, &sw->refused);
	if (cause)
		ksplice_call_hooks(sw->update, sw->steps->failed);
	return cause;
}

static enum ksplice_cause prepare(struct ksplice_switch *sw)
{
	enum ksplice_cause cause = KSPLICE_OK;

	if (sw->way != KSPLICE_TO_NOTHING)
		cause = prepare_sites(sw);
	if (!cause && sw->way != KSPLICE_TO_NOTHING)
		cause = ksplice_prepare_data(&sw->data, sw->update, sw->way == KSPLICE_TO_NEW);
	if (!cause)
		cause = ksplice_prepare_check(&sw->check, sw->update, sw->way);
	return cause;
}

static const struct ksplice_steps *const steps[] = {
	[KSPLICE_TO_NEW] = &apply_steps,
	[KSPLICE_TO_OLD] = &reverse_steps,
	[KSPLICE_TO_NOTHING] = NULL,
};

/* One attempt. @caller_sp: where the stack of the core's caller begins. Calls no post hooks. */
enum ksplice_cause ksplice_switch(struct ksplice_update *update, enum ksplice_way way,
				  unsigned long caller_sp)
{
	struct ksplice_switch sw = {
		.update = update,
		.way = way,
		.steps = steps[way],
		.check.requester = current,
		.check.requester_sp = caller_sp,
	};
	enum ksplice_cause cause;
	u32 i;

	update->attempts++;
	update->nr_conflicts = 0;
	cause = prepare(&sw);
	if (!cause)
		cause = switch_with_hooks(&sw);

	for (i = 0; i < sw.nr_sites; i++)
		ksplice_unmap_site(&sw.sites[i]);
	kvfree(sw.sites);
	ksplice_release_data(&sw.data);
	ksplice_release_check(&sw.check);
	return cause;
}
