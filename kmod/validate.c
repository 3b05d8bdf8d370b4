// SPDX-License-Identifier: GPL-2.0-only
/* What user space filled in is validated when it is registered, before anything uses it. */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/ctype.h>
#include <linux/ftrace.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "core.h"

#define MAX_PARTS 4096

static bool is_id(const char *id)
{
	size_t length = strnlen(id, KSPLICE_MAX_ID + 1);

	/* "version" is a file beside the directories of updates. */
	if (!length || length > KSPLICE_MAX_ID || *id == '.' || !strcmp(id, "version"))
		return false;
	for (; *id; id++)
		if (!isalnum(*id) && !strchr("-_.", *id))
			return false;
	return true;
}

static bool is_within_jump(u64 from, u64 to)
{
	s64 distance = to - (from + KSPLICE_TRAMPOLINE);

	return distance == (s32)distance;
}

/* What is wrong with an entry of a part; NULL if nothing is. */

static const char *find_site_fault(const struct ksplice_function *function)
{
	if ((u64)function->site + KSPLICE_TRAMPOLINE > function->old_size)
		return "too short for a trampoline";
	if (!ksplice_site_is_aligned(function->old_addr + function->site))
		return "a trampoline that cannot be written at once";
	if (!is_within_jump(function->old_addr + function->site, function->new_addr))
		return "new code too far away";
	return NULL;
}

#ifdef CONFIG_FUNCTION_TRACER

static const char *find_entry_fault(const struct ksplice_function *function)
{
	if (function->site < MCOUNT_INSN_SIZE || function->site > function->old_size)
		return "no ftrace call before its site";
	return NULL;
}

#else

static const char *find_entry_fault(const struct ksplice_function *function)
{
	return "no ftrace in this kernel";
}

#endif

static const char *find_function_fault(const struct module *owner,
				       const struct ksplice_function *function)
{
	if (!function->name)
		return "no name";
	if (function->flags & ~(KSPLICE_MAY_BE_BUSY | KSPLICE_BY_FTRACE))
		return "unknown flags";
	if (!ksplice_is_module_text(owner, function->new_addr, max(function->new_size, 1U)))
		return "new code outside its module";
	return function->flags & KSPLICE_BY_FTRACE ? find_entry_fault(function)
						   : find_site_fault(function);
}

static const char *find_write_fault(const struct module *owner, const struct ksplice_write *write)
{
	if (!write->name)
		return "no name";
	if (!write->size || write->size > KSPLICE_MAX_WRITE)
		return "a size that cannot be written";
	if (!ksplice_is_module_data(owner, (unsigned long)write->new_bytes, write->size) ||
	    !ksplice_is_module_data(owner, (unsigned long)write->old_bytes, write->size))
		return "bytes outside its module";
	return NULL;
}

static bool is_hook(const struct module *owner, const struct ksplice_hook *hook)
{
	return hook->kind < KSPLICE_NR_HOOK_KINDS &&
	       ksplice_is_module_text(owner, (unsigned long)hook->call, 1);
}

static int report(const struct module *owner, const char *name, const char *fault)
{
	pr_err("%s: %s has %s\n", owner->name, name ?: "an entry", fault);
	return -EINVAL;
}

static bool has_head(const struct ksplice_part *part)
{
	return part->id && is_id(part->id) && part->description && part->target &&
	       part->digest && part->nr_parts && part->nr_parts <= MAX_PARTS &&
	       !(part->flags & ~KSPLICE_UNLOADABLE);
}

static bool has_tables(const struct ksplice_part *part)
{
	return (!part->nr_functions || part->functions) && (!part->nr_ranges || part->ranges) &&
	       (!part->nr_pins || part->pins) && (!part->nr_writes || part->writes) &&
	       (!part->nr_hooks || part->hooks);
}

/* What is patched must stay. */
static int validate_pins(const struct module *owner, const struct ksplice_part *part)
{
	bool holds_target = !strcmp(part->target, "vmlinux");
	u32 i;

	for (i = 0; i < part->nr_pins; i++) {
		if (!part->pins[i].name)
			return report(owner, "a pin", "no name");
		holds_target |= !strcmp(part->pins[i].name, part->target);
	}
	return holds_target ? 0 : report(owner, part->target, "no pin");
}

int ksplice_validate_part(const struct module *owner, const struct ksplice_part *part)
{
	const char *fault;
	u32 i;

	if (part->abi != KSPLICE_ABI) {
		pr_err("%s is made for interface %u, this is %u\n", owner->name, part->abi,
		       KSPLICE_ABI);
		return -EINVAL;
	}
	if (!has_head(part) || !has_tables(part)) {
		pr_err("%s has a malformed part\n", owner->name);
		return -EINVAL;
	}
	for (i = 0; i < part->nr_functions; i++) {
		fault = find_function_fault(owner, &part->functions[i]);
		if (fault)
			return report(owner, part->functions[i].name, fault);
	}
	for (i = 0; i < part->nr_writes; i++) {
		fault = find_write_fault(owner, &part->writes[i]);
		if (fault)
			return report(owner, part->writes[i].name, fault);
	}
	for (i = 0; i < part->nr_hooks; i++)
		if (!is_hook(owner, &part->hooks[i]))
			return report(owner, "a hook", "an unknown kind or no function");
	for (i = 0; i < part->nr_ranges; i++)
		if (!part->ranges[i].name || part->ranges[i].flags & ~KSPLICE_MAY_BE_BUSY)
			return report(owner, part->ranges[i].name, "no name or unknown flags");
	return validate_pins(owner, part);
}
