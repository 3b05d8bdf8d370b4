// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who else rewrites code: kprobes anywhere in it, and at a site whatever would find our
 * jump where it expects its own work, which the kernel takes for memory corruption.
 *
 * A kprobe keeps a copy of the instruction that it replaced, from its registration on,
 * whether it is armed or not; an optimized one runs several of them from a copy, to which
 * no address on a stack tells that it will go back into the function.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/ftrace.h>
#include <linux/jump_label.h>
#include <linux/kprobes.h>
#include <linux/memory.h>
#include <linux/static_call.h>
#include <asm/alternative.h>

#include "core.h"

#ifdef CONFIG_KPROBES
extern struct mutex kprobe_mutex;

/* Outside of the lock against processors coming and going, as in kprobes' own code. */
void ksplice_lock_probes(void)
{
	mutex_lock(&kprobe_mutex);
}

void ksplice_unlock_probes(void)
{
	mutex_unlock(&kprobe_mutex);
}
#else
void ksplice_lock_probes(void) { }
void ksplice_unlock_probes(void) { }
#endif

/*
 * Whether there is a kprobe, armed or not, from @start to before @end. Not those by way of
 * ftrace: they change nothing but what ftrace does. Under the lock for kprobes.
 */
static bool has_kprobe(const struct ksplice_update *update, unsigned long start, unsigned long end)
{
	struct kprobe *probe = NULL;
	unsigned long addr;

	for (addr = start; addr < end && !probe; addr++) {
		probe = get_kprobe((void *)addr);
		if (probe && kprobe_ftrace(probe))
			probe = NULL;
	}
	if (probe)
		pr_notice("%s: there is a kprobe at %pS\n", update->id, (void *)(addr - 1));
	return probe;
}

/* Under text_mutex. NULL if nobody does. */
static const char *site_reserved_by(unsigned long site)
{
	void *first = (void *)site;
	void *last = first + KSPLICE_TRAMPOLINE - 1;

	if (ftrace_text_reserved(first, last))
		return "ftrace";
	if (jump_label_text_reserved(first, last))
		return "a jump label";
	if (static_call_text_reserved(first, last))
		return "a static call";
#ifdef LOCK_PREFIX_HERE		/* lock prefixes are listed, to be rewritten as processors come */
	if (alternatives_text_reserved(first, last + 1))
		return "a lock prefix";
#endif
	return NULL;
}

static enum ksplice_cause refuse_claimed_site(const struct ksplice_update *update,
				     const struct ksplice_function *function)
{
	const char *who;

	/* Nothing is written there. */
	if (function->flags & KSPLICE_BY_FTRACE)
		return KSPLICE_OK;
	who = site_reserved_by(function->old_addr + function->site);
	if (!who)
		return KSPLICE_OK;
	pr_notice("%s: the bytes at %s+%u belong to %s\n", update->id, function->name,
		  function->site, who);
	return KSPLICE_NO_MATCH;
}

/* Under the lock for kprobes and text_mutex. */
enum ksplice_cause ksplice_refuse_probes(const struct ksplice_update *update, enum ksplice_way way)
{
	const struct ksplice_function *function;
	struct ksplice_member *member;
	unsigned long start, size;

	if (way != KSPLICE_TO_NOTHING)
		ksplice_for_each_function(update, member, function)
			if (has_kprobe(update, function->old_addr + function->site,
				       function->old_addr + function->old_size))
				return KSPLICE_NO_MATCH;
	if (way == KSPLICE_TO_NEW) {
		ksplice_for_each_function(update, member, function)
			if (refuse_claimed_site(update, function))
				return KSPLICE_NO_MATCH;
		return KSPLICE_OK;
	}
	list_for_each_entry(member, &update->members, list) {
		ksplice_module_text(member->owner, &start, &size);
		if (has_kprobe(update, start, start + size))
			return KSPLICE_NO_MATCH;
	}
	return KSPLICE_OK;
}
