// SPDX-License-Identifier: GPL-2.0-only
/* The places in old functions at which a trampoline is put, or taken away. */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

/*
 * Two sites that overlap could never be brought back, unless the first is brought back by
 * this very switch: then the second finds what that leaves behind.
 */
static enum ksplice_cause fit_behind_earlier(const struct ksplice_sites *sites,
					     struct ksplice_site *site)
{
	const struct ksplice_site *other;

	for (other = sites->site; other < site; other++) {
		if (site->addr >= other->addr + KSPLICE_TRAMPOLINE ||
		    other->addr >= site->addr + KSPLICE_TRAMPOLINE)
			continue;
		/* Nothing is written at the site of an entry, so that it may touch others. */
		if (other->addr != site->addr && (other->entry || site->entry))
			continue;
		if (other->update == site->update) {
			pr_notice("%s: %s is in it twice\n", site->update->id, site->function->name);
			return KSPLICE_UNEXPECTED;
		}
		if (other->addr != site->addr || other->entry != site->entry ||
		    other->new_goal != site->old_goal ||
		    memcmp(other->new_bytes, site->old_bytes, KSPLICE_TRAMPOLINE)) {
			pr_notice("%s: %s does not fit to what %s leaves there\n", site->update->id,
				  site->function->name, other->update->id);
			return KSPLICE_NO_MATCH;
		}
		memcpy(site->old_bytes, other->old_bytes, KSPLICE_TRAMPOLINE);
		site->old_goal = other->old_goal;
	}
	return KSPLICE_OK;
}

static enum ksplice_cause prepare_entry(struct ksplice_site *site, bool forward)
{
	unsigned long new_code = site->function->new_addr;

	site->old_goal = forward ? 0 : new_code;
	site->new_goal = forward ? new_code : 0;
	return ksplice_find_entry(site->addr, &site->entry);
}

static enum ksplice_cause prepare_bytes(struct ksplice_site *site, bool forward)
{
	const struct ksplice_function *function = site->function;

	ksplice_trampoline(function, forward ? site->new_bytes : site->old_bytes);
	memcpy(forward ? site->old_bytes : site->new_bytes, function->expect, KSPLICE_TRAMPOLINE);
	return ksplice_map_site(site);
}

static enum ksplice_cause prepare_site(struct ksplice_sites *sites, const struct ksplice_turn *turn,
				       const struct ksplice_function *function)
{
	struct ksplice_site *site = &sites->site[sites->count++];
	bool by_ftrace = function->flags & KSPLICE_BY_FTRACE;
	bool forward = turn->way == KSPLICE_TO_NEW;
	enum ksplice_cause cause;

	site->update = turn->update;
	site->function = function;
	site->addr = function->old_addr + function->site;
	if (!ksplice_is_held_text(turn->update, by_ftrace ? function->old_addr : site->addr,
				  by_ftrace ? function->site : KSPLICE_TRAMPOLINE)) {
		pr_notice("%s: %s at %lx is not in the text of the kernel or a module it names\n",
			  turn->update->id, function->name, site->addr);
		return KSPLICE_FAILED_TO_FIND;
	}
	cause = by_ftrace ? prepare_entry(site, forward) : prepare_bytes(site, forward);
	return cause ?: fit_behind_earlier(sites, site);
}

/* Finds and maps all sites. To be given back in any case. */
enum ksplice_cause ksplice_prepare_sites(struct ksplice_sites *sites,
					 const struct ksplice_turns *turns)
{
	const struct ksplice_function *function;
	const struct ksplice_turn *turn;
	struct ksplice_member *member;
	enum ksplice_cause cause;
	u32 count = 0;

	ksplice_for_each_turn(turns, turn)
		list_for_each_entry(member, &turn->update->members, list)
			count += member->part->nr_functions;
	sites->site = kvcalloc(max(count, 1U), sizeof(*sites->site), GFP_KERNEL);
	if (!sites->site)
		return KSPLICE_OUT_OF_MEMORY;
	ksplice_for_each_turn(turns, turn) {
		if (turn->way == KSPLICE_TO_NOTHING)
			continue;
		ksplice_for_each_function(turn->update, member, function) {
			cause = prepare_site(sites, turn, function);
			if (cause)
				return cause;
		}
	}
	return KSPLICE_OK;
}

void ksplice_release_sites(struct ksplice_sites *sites)
{
	while (sites->count)
		ksplice_unmap_site(&sites->site[--sites->count]);
	kvfree(sites->site);
	sites->site = NULL;
	ksplice_drop_unused_entries();
}

static bool site_matches(const struct ksplice_site *site)
{
	return site->entry ? ksplice_entry_goal(site->entry) == site->old_goal
			   : ksplice_site_matches(site);
}

/* Under text_mutex. */
enum ksplice_cause ksplice_compare_sites(const struct ksplice_sites *sites)
{
	u32 i;

	for (i = 0; i < sites->count; i++) {
		const struct ksplice_site *site = &sites->site[i];

		if (!site_matches(site)) {
			pr_notice("%s: the bytes at %s+%u have changed\n", site->update->id,
				  site->function->name, site->function->site);
			return KSPLICE_NO_MATCH;
		}
	}
	return KSPLICE_OK;
}

/* On a stopped machine. */
void ksplice_write_sites(const struct ksplice_sites *sites)
{
	u32 i;

	for (i = 0; i < sites->count; i++)
		if (sites->site[i].entry)
			ksplice_write_entry(sites->site[i].entry, sites->site[i].new_goal);
		else
			ksplice_write_site(&sites->site[i]);
}
