// SPDX-License-Identifier: GPL-2.0-only
/*
 * Switching an update on or off, or one off and another on: all functions and data of all
 * parts change at once, while the machine stands still and no thread is inside code that
 * changes. Everything that can fail comes before the first byte is written, so a failure
 * leaves no trace.
 *
 * Locks, outermost first: ksplice_lock, kprobes' own, the lock against processors coming
 * and going, text_mutex. Jump labels and kprobes take the last three in this order too.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/cpu.h>
#include <linux/ktime.h>
#include <linux/memory.h>
#include <linux/moduleparam.h>
#include <linux/stop_machine.h>
#include <linux/timekeeping.h>
#include <asm/sync_core.h>

#include "core.h"

static unsigned int stop_limit_us = 10000;
module_param(stop_limit_us, uint, 0644);
MODULE_PARM_DESC(stop_limit_us, "how long threads are looked at on a stopped machine, at most");

struct ksplice_switch {
	const struct ksplice_turns *turns;
	struct ksplice_sites sites;
	struct ksplice_data data;
	struct ksplice_stack_check check;
	const struct ksplice_data_range *changed;	/* data that is not what it should be */
	struct ksplice_refusal refused;
	bool nudge;
	atomic_t arrived;
	bool over;
	enum ksplice_cause result;
	u64 finished_ns;
};

static void report_changed_data(const struct ksplice_switch *sw)
{
	if (sw->changed)
		pr_notice("%s: the bytes of %s at %llx have changed\n", sw->changed->update->id,
			  sw->changed->write->name, sw->changed->write->addr);
}

/*
 * Under text_mutex: nobody else changes text from here until the sites are written. Data
 * may change until the machine stands still.
 */
static enum ksplice_cause compare_again(struct ksplice_switch *sw)
{
	const struct ksplice_turn *turn;
	enum ksplice_cause cause;

	ksplice_for_each_turn(sw->turns, turn) {
		cause = ksplice_refuse_probes(turn->update, turn->way);
		if (cause)
			return cause;
	}
	cause = ksplice_compare_sites(&sw->sites);
	if (cause)
		return cause;
	sw->changed = ksplice_find_changed_data(&sw->data);
	return sw->changed ? KSPLICE_NO_MATCH : KSPLICE_OK;
}

/* -- the switch -------------------------------------------------------------------- */

/* What is asked when nothing can change any more. */
static enum ksplice_cause look_while_stopped(struct ksplice_switch *sw)
{
	u64 deadline_ns = ktime_get_mono_fast_ns() + (u64)stop_limit_us * NSEC_PER_USEC;
	enum ksplice_cause cause = ksplice_check_stacks(&sw->check, deadline_ns);

	if (cause)
		return cause;
	sw->changed = ksplice_find_changed_data(&sw->data);
	if (sw->changed)
		return KSPLICE_NO_MATCH;
	return ksplice_ask_hooks(sw->turns, KSPLICE_STOPPED_CHECK, &sw->refused);
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

	sw->result = look_while_stopped(sw);
	if (!sw->result) {
		ksplice_write_sites(&sw->sites);
		ksplice_write_data(&sw->data);
	}
	/* Before anything else runs here: this processor forgets too. */
	sync_core();
	if (!sw->result)
		ksplice_call_hooks(sw->turns, KSPLICE_STOPPED);
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
	cause = compare_again(sw);
	if (!cause)
		cause = ksplice_check_sleepers(&sw->check);
	if (!cause) {
		started_ns = ktime_get_mono_fast_ns();
		if (stop_machine_cpuslocked(stopped, sw, cpu_online_mask))
			cause = KSPLICE_UNEXPECTED;
		else
			cause = sw->result;
		sw->check.update->stop_ns = sw->finished_ns - started_ns;
	}
	mutex_unlock(&text_mutex);
	cpus_read_unlock();
	ksplice_unlock_probes();
	report_changed_data(sw);
	return cause;
}

/* Outside of all locks but ksplice_lock: threads that come by may want them on their way. */
static enum ksplice_cause hold_and_switch(struct ksplice_switch *sw)
{
	struct ksplice_nudges *nudges;
	enum ksplice_cause cause;

	if (!sw->nudge)
		return stop_and_switch(sw);
	nudges = ksplice_hold_threads(&sw->check);
	cause = nudges ? stop_and_switch(sw) : KSPLICE_OUT_OF_MEMORY;
	ksplice_let_threads_go(nudges);
	return cause;
}

static enum ksplice_cause switch_with_hooks(struct ksplice_switch *sw)
{
	enum ksplice_cause cause = ksplice_ask_hooks(sw->turns, KSPLICE_BEFORE, &sw->refused);

	if (!cause)
		cause = hold_and_switch(sw);
	ksplice_report_hook(&sw->refused);
	if (cause)
		ksplice_call_hooks(sw->turns, KSPLICE_FAILED);
	return cause;
}

static enum ksplice_cause prepare(struct ksplice_switch *sw)
{
	enum ksplice_cause cause = ksplice_prepare_sites(&sw->sites, sw->turns);

	if (!cause)
		cause = ksplice_prepare_data(&sw->data, sw->turns);
	if (!cause)
		cause = ksplice_prepare_stack_check(&sw->check, sw->turns);
	return cause;
}

/*
 * One attempt. Calls no post hooks.
 * @update: which is asked for, and told of
 */
enum ksplice_cause ksplice_switch(const struct ksplice_turns *turns, struct ksplice_update *update,
				  const struct ksplice_attempt *attempt)
{
	struct ksplice_switch sw = {
		.turns = turns,
		.nudge = attempt->nudge,
		.check.update = update,
		.check.may_stay = attempt->may_stay,
		.check.requester = current,
		.check.requester_sp = attempt->caller_sp,
	};
	const struct ksplice_turn *turn;
	enum ksplice_cause cause;

	update->attempts++;
	update->nr_conflicts = 0;
	cause = prepare(&sw);
	if (!cause)
		cause = switch_with_hooks(&sw);
	if (!cause)
		ksplice_for_each_turn(turns, turn)
			turn->update->must_stay = sw.check.must_stay;

	ksplice_release_sites(&sw.sites);
	ksplice_release_data(&sw.data);
	ksplice_release_stack_check(&sw.check);
	return cause;
}
