// SPDX-License-Identifier: GPL-2.0-only
/* The patient: /sys/kernel/kstest has a file for each function that updates replace. */
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include "kstest.h"

/* How often kstest_answer is called to tell what a call costs. */
#define KSTEST_CALLS 1000

/* Into kstest_answer: behind a trampoline's first byte, wherever that is. */
#define KSTEST_LITTER 11

static DECLARE_WAIT_QUEUE_HEAD(bed);
static bool woken;

/* Of some length, also where a kernel adds nothing to a function: what is tried in it needs room. */
static volatile int nothing;

noinline int kstest_answer(int n)
{
	n += nothing;
	n += nothing;
	return n + 1;
}
EXPORT_SYMBOL_GPL(kstest_answer);

/* Returns 1 after a wake-up. */
noinline int kstest_nap(void)
{
	int ret;

	woken = false;
	ret = wait_event_interruptible(bed, READ_ONCE(woken));
	barrier();
	return ret ?: 1;
}
EXPORT_SYMBOL_GPL(kstest_nap);

const int kstest_limits[4] = { 1, 2, 3, 4 };
EXPORT_SYMBOL_GPL(kstest_limits);

const unsigned char kstest_big[KSTEST_BIG] = { [0 ... KSTEST_BIG - 1] = 1 };
EXPORT_SYMBOL_GPL(kstest_big);

static int usual_opinion(void)
{
	return 1;
}

static int other_opinion(void)
{
	return 2;
}

static const struct kstest_ops usual = { .opinion = usual_opinion };
static const struct kstest_ops other = { .opinion = other_opinion };
const struct kstest_ops *kstest_chosen = &usual;
EXPORT_SYMBOL_GPL(kstest_chosen);

static char notes[512];

void kstest_note(const char *name)
{
	size_t used = strlen(notes);

	scnprintf(notes + used, sizeof(notes) - used, "%s:%d%s ", name, kstest_answer(0),
		  irqs_disabled() ? ":stopped" : "");
}
EXPORT_SYMBOL_GPL(kstest_note);

void kstest_forget_notes(void)
{
	notes[0] = '\0';
}
EXPORT_SYMBOL_GPL(kstest_forget_notes);

/* Changes data at the very last moment: when the core has looked, and asks for the stop. */
static int change_mind(struct kprobe *probe, struct pt_regs *regs)
{
	WRITE_ONCE(kstest_chosen, &other);
	return 0;
}

static struct kprobe fickle = {
	.symbol_name = "stop_machine_cpuslocked",
	.pre_handler = change_mind,
};

static ssize_t called_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", notes);
}

/* Reads the constants one by one: the compiler knows them too well. */
static ssize_t limits_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const int *limits = kstest_limits;

	OPTIMIZER_HIDE_VAR(limits);
	return sysfs_emit(buf, "%d %d %d %d\n", limits[0], limits[1], limits[2], limits[3]);
}

static ssize_t big_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const unsigned char *big = kstest_big;
	int i, sum = 0;

	OPTIMIZER_HIDE_VAR(big);
	for (i = 0; i < KSTEST_BIG; i++)
		sum += big[i];
	return sysfs_emit(buf, "%d\n", sum);
}

static ssize_t opinion_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(kstest_chosen)->opinion());
}

/* Sleeps with a pointer to the chosen table in its hands. */
static ssize_t slow_opinion_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct kstest_ops *chosen = READ_ONCE(kstest_chosen);

	woken = false;
	wait_event_interruptible(bed, READ_ONCE(woken));
	return sysfs_emit(buf, "%d\n", chosen->opinion());
}

/* "other", "back", or "fickle" for a change at the last moment. */
static ssize_t mind_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			  size_t count)
{
	static const struct kstest_ops *before;

	if (sysfs_streq(buf, "back")) {
		if (fickle.addr)
			unregister_kprobe(&fickle);
		fickle.addr = NULL;
		fickle.flags = 0;
		WRITE_ONCE(kstest_chosen, before);
		return count;
	}
	before = kstest_chosen;
	if (sysfs_streq(buf, "fickle"))
		return register_kprobe(&fickle) ?: count;
	WRITE_ONCE(kstest_chosen, &other);
	return count;
}

static ssize_t answer_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", kstest_answer(0));
}

/*
 * Nanoseconds of many calls. Where an instruction is a nanosecond (vm/), that is what they
 * cost in instructions.
 */
static ssize_t cost_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	unsigned long flags;
	int i, sum = 0;
	u64 started_ns;

	local_irq_save(flags);
	started_ns = ktime_get_mono_fast_ns();
	for (i = 0; i < KSTEST_CALLS; i++)
		sum += kstest_answer(i);
	started_ns = ktime_get_mono_fast_ns() - started_ns;
	local_irq_restore(flags);
	OPTIMIZER_HIDE_VAR(sum);
	return sysfs_emit(buf, "%llu\n", started_ns);
}

static bool littered;

static ssize_t litter_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(littered));
}

/*
 * With a word in its frame that looks like an address in kstest_answer, as an earlier call may
 * leave one behind: "asleep" until somebody writes to wake, or "ready" to run all the time.
 */
static ssize_t litter_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t count)
{
	unsigned long litter[4];
	int i;

	for (i = 0; i < ARRAY_SIZE(litter); i++)
		WRITE_ONCE(litter[i], (unsigned long)kstest_answer + KSTEST_LITTER);
	woken = false;
	WRITE_ONCE(littered, true);
	if (sysfs_streq(buf, "asleep"))
		wait_event_interruptible(bed, READ_ONCE(woken));
	while (!READ_ONCE(woken) && !signal_pending(current))
		schedule();
	WRITE_ONCE(littered, false);
	for (i = 0; i < ARRAY_SIZE(litter); i++)
		if (READ_ONCE(litter[i]) != (unsigned long)kstest_answer + KSTEST_LITTER)
			return -EIO;
	return count;
}

static ssize_t nap_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	int ret = kstest_nap();

	return ret < 0 ? ret : sysfs_emit(buf, "%d\n", ret);
}

static ssize_t wake_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			  size_t count)
{
	WRITE_ONCE(woken, true);
	wake_up_all(&bed);
	return count;
}

static struct kobj_attribute answer_attr = __ATTR_RO(answer);
static struct kobj_attribute nap_attr = __ATTR_RO(nap);
static struct kobj_attribute cost_attr = __ATTR_RO(cost);
static struct kobj_attribute litter_attr = __ATTR_RW(litter);
static struct kobj_attribute wake_attr = __ATTR_WO(wake);
static struct kobj_attribute called_attr = __ATTR_RO(called);
static struct kobj_attribute limits_attr = __ATTR_RO(limits);
static struct kobj_attribute big_attr = __ATTR_RO(big);
static struct kobj_attribute opinion_attr = __ATTR_RO(opinion);
static struct kobj_attribute slow_opinion_attr = __ATTR_RO(slow_opinion);
static struct kobj_attribute mind_attr = __ATTR_WO(mind);

static struct attribute *attrs[] = {
	&answer_attr.attr, &nap_attr.attr, &wake_attr.attr,
	&called_attr.attr, &limits_attr.attr, &big_attr.attr, &opinion_attr.attr,
	&slow_opinion_attr.attr, &mind_attr.attr, &cost_attr.attr, &litter_attr.attr, NULL,
};
static const struct attribute_group group = { .attrs = attrs };
static struct kobject *dir;

static int __init victim_init(void)
{
	int ret;

	dir = kobject_create_and_add("kstest", kernel_kobj);
	if (!dir)
		return -ENOMEM;
	ret = sysfs_create_group(dir, &group);
	if (ret)
		kobject_put(dir);
	return ret;
}
module_init(victim_init);

static void __exit victim_exit(void)
{
	kobject_put(dir);
}
module_exit(victim_exit);

MODULE_DESCRIPTION("Something for Ksplice tests to patch");
MODULE_LICENSE("GPL");
