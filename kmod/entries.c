// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that ftrace redirects. Behind their ftrace call stands something that the kernel
 * rewrites at any time, a jump label or a static call, or there is no room for a jump, or none
 * that could be written at once. So the ftrace call calls us, and we say where to go on.
 *
 * An entry is made before the switch, and leads to the old code. In the switch only a pointer
 * changes, so an interrupt at any moment finds the old goal or the new one. An entry that
 * leads nowhere else is dropped after it. All under ksplice_lock, but for the handler.
 *
 * It is the way that livepatch goes, and ftrace lets one go it for a function.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/ftrace.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "core.h"

#if defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS) || defined(CONFIG_DYNAMIC_FTRACE_WITH_REGS)

struct ksplice_entry {
	struct list_head list;
	struct ftrace_ops ops;
	unsigned long site;	/* behind the ftrace call */
	unsigned long goal;	/* 0: go on there */
};

static LIST_HEAD(entries);

/* The older name. */
#ifndef ftrace_regs_set_instruction_pointer
#define ftrace_regs_set_instruction_pointer ftrace_instruction_pointer_set
#endif

/* Calls nothing that could be traced, so it needs no guard against being called by itself. */
static void notrace redirect(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			     struct ftrace_regs *regs)
{
	unsigned long goal = READ_ONCE(container_of(ops, struct ksplice_entry, ops)->goal);

	if (goal)
		ftrace_regs_set_instruction_pointer(regs, goal);
}

static enum ksplice_cause cause_of(int error)
{
	switch (error) {
	case 0:
		return KSPLICE_OK;
	case -ENOMEM:
		return KSPLICE_OUT_OF_MEMORY;
	case -EBUSY:
		return KSPLICE_ENTRY_TAKEN;
	default:
		return KSPLICE_FAILED_TO_FIND;
	}
}

static int register_entry(struct ksplice_entry *entry)
{
	int ret;

	entry->ops.func = redirect;
	/* Others must not redirect it too, and nobody may switch ftrace off. */
	entry->ops.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT;
#ifndef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
	entry->ops.flags |= FTRACE_OPS_FL_SAVE_REGS;
#endif
	ret = ftrace_set_filter_ip(&entry->ops, entry->site - MCOUNT_INSN_SIZE, 0, 0);
	if (!ret)
		ret = register_ftrace_function(&entry->ops);
	if (ret)
		ftrace_free_filter(&entry->ops);
	return ret;
}

/* The entry of the function with that site; a new one leads to the old code. */
enum ksplice_cause ksplice_find_entry(unsigned long site, struct ksplice_entry **found)
{
	struct ksplice_entry *entry;
	int ret;

	list_for_each_entry(entry, &entries, list)
		if (entry->site == site) {
			*found = entry;
			return KSPLICE_OK;
		}
	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return KSPLICE_OUT_OF_MEMORY;
	entry->site = site;
	ret = register_entry(entry);
	if (ret) {
		pr_notice("ftrace does not redirect %pS: error %d\n", (void *)site, ret);
		kfree(entry);
		return cause_of(ret);
	}
	list_add(&entry->list, &entries);
	*found = entry;
	return KSPLICE_OK;
}

/* Waits for threads that are on their way through the handler. */
void ksplice_drop_unused_entries(void)
{
	struct ksplice_entry *entry, *next;

	list_for_each_entry_safe(entry, next, &entries, list) {
		if (entry->goal)
			continue;
		/* It would go on to call a handler with an entry that is gone. */
		if (WARN_ON(unregister_ftrace_function(&entry->ops)))
			continue;
		ftrace_free_filter(&entry->ops);
		list_del(&entry->list);
		kfree(entry);
	}
}

unsigned long ksplice_entry_goal(const struct ksplice_entry *entry)
{
	return entry->goal;
}

/* On a stopped machine. */
void ksplice_write_entry(struct ksplice_entry *entry, unsigned long goal)
{
	WRITE_ONCE(entry->goal, goal);
}

#else

enum ksplice_cause ksplice_find_entry(unsigned long site, struct ksplice_entry **found)
{
	pr_notice("%pS can only be redirected by ftrace, which this kernel does not have\n",
		  (void *)site);
	return KSPLICE_FAILED_TO_FIND;
}

void ksplice_drop_unused_entries(void)
{
}

unsigned long ksplice_entry_goal(const struct ksplice_entry *entry)
{
	return 0;
}

void ksplice_write_entry(struct ksplice_entry *entry, unsigned long goal)
{
}

#endif
