// SPDX-License-Identifier: GPL-2.0-only
/*
 * The modules that must stay while an update is applied: those that carry it, those that
 * it patches, and those whose code or data it uses.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

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

void ksplice_let_modules_go(struct ksplice_update *update)
{
	while (update->nr_held)
		module_put(update->held[--update->nr_held]);
	kvfree(update->held);
	update->held = NULL;
}

enum ksplice_cause ksplice_hold_modules(struct ksplice_update *update)
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
			ksplice_let_modules_go(update);
			return cause;
		}
	}
	return KSPLICE_OK;
}

/* Text that cannot go away: of the kernel itself or of a module that is held. */
bool ksplice_is_held_text(const struct ksplice_update *update, unsigned long addr,
			  unsigned long size)
{
	u32 i;

	if (core_kernel_text(addr) && core_kernel_text(addr + size - 1))
		return true;
	for (i = 0; i < update->nr_held; i++)
		if (ksplice_is_module_text(update->held[i], addr, size))
			return true;
	return false;
}

/* The same of data. */
bool ksplice_is_held_data(const struct ksplice_update *update, unsigned long addr,
			  unsigned long size)
{
	u32 i;

	if (ksplice_is_kernel_data(addr, size))
		return true;
	for (i = 0; i < update->nr_held; i++)
		if (ksplice_is_module_data(update->held[i], addr, size))
			return true;
	return false;
}
