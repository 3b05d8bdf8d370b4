// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registry of updates. A module with new code registers its part when it is loaded,
 * and takes it back when it is unloaded; parts of the same id are one update. What an
 * update does is asked for through sysfs.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

/* Parts come and go one at a time. Outside of ksplice_lock. */
static DEFINE_MUTEX(membership_lock);
DEFINE_MUTEX(ksplice_lock);
LIST_HEAD(ksplice_updates);

/* -- updates ------------------------------------------------------------------------ */

/* NULL if there is none. */
struct ksplice_update *ksplice_find_update(const char *id)
{
	struct ksplice_update *update;

	list_for_each_entry(update, &ksplice_updates, list)
		if (!strcmp(update->id, id))
			return update;
	return NULL;
}

static struct ksplice_update *new_update(const struct ksplice_part *part)
{
	struct ksplice_update *update = kzalloc(sizeof(*update), GFP_KERNEL);
	int ret;

	if (!update)
		return ERR_PTR(-ENOMEM);
	update->id = kstrdup(part->id, GFP_KERNEL);
	update->description = kstrdup(part->description, GFP_KERNEL);
	if (!update->id || !update->description) {
		kfree(update->id);
		kfree(update->description);
		kfree(update);
		return ERR_PTR(-ENOMEM);
	}
	INIT_LIST_HEAD(&update->members);
	update->nr_parts = part->nr_parts;
	ret = ksplice_sysfs_add(update);
	if (ret) {
		kobject_put(&update->kobj);
		return ERR_PTR(ret);
	}
	list_add_tail(&update->list, &ksplice_updates);
	return update;
}

static bool has_site(const struct ksplice_update *update, u64 addr)
{
	const struct ksplice_function *function;
	struct ksplice_member *member;

	ksplice_for_each_function(update, member, function)
		if (function->old_addr + function->site == addr)
			return true;
	return false;
}

bool ksplice_writes_overlap(const struct ksplice_write *a, const struct ksplice_write *b)
{
	return a->addr < b->addr + b->size && b->addr < a->addr + a->size;
}

static bool has_write_over(const struct ksplice_update *update, const struct ksplice_write *other)
{
	const struct ksplice_write *write;
	struct ksplice_member *member;

	ksplice_for_each_write(update, member, write)
		if (ksplice_writes_overlap(write, other))
			return true;
	return false;
}

/* Whether another update needs this one's modules: it redirects their code, say. */
bool ksplice_update_is_held(const struct ksplice_update *update, const struct ksplice_update *by)
{
	struct ksplice_member *member;

	if (by == update)
		return false;
	list_for_each_entry(member, &update->members, list)
		if (ksplice_holds(by, member->owner))
			return true;
	return false;
}

/*
 * Whether an applied update needs this one's modules, or was put at the same site or over
 * the same data after it. Then this one has to wait for it.
 */
bool ksplice_update_is_used(const struct ksplice_update *update, const struct ksplice_update *by)
{
	const struct ksplice_function *function;
	const struct ksplice_write *write;
	struct ksplice_member *member;

	if (by == update || by->stage != KSPLICE_APPLIED)
		return false;
	if (ksplice_update_is_held(update, by))
		return true;
	if (update->stage != KSPLICE_APPLIED || by->applied_seq < update->applied_seq)
		return false;
	ksplice_for_each_function(update, member, function)
		if (has_site(by, function->old_addr + function->site))
			return true;
	ksplice_for_each_write(update, member, write)
		if (has_write_over(by, write))
			return true;
	return false;
}

/* -- what modules call -------------------------------------------------------------- */

static int join(struct ksplice_update *update, struct ksplice_member *member)
{
	const struct ksplice_part *part = member->part;
	struct ksplice_member *other;

	if (update->nr_parts != part->nr_parts || update->nr_members == update->nr_parts) {
		pr_err("%s does not belong to the loaded modules of %s\n", member->owner->name,
		       update->id);
		return -EINVAL;
	}
	list_for_each_entry(other, &update->members, list)
		if (!strcmp(other->part->target, part->target)) {
			pr_err("%s: a part for %s is loaded already\n", update->id, part->target);
			return -EEXIST;
		}
	list_add_tail(&member->list, &update->members);
	update->nr_members++;
	if (update->nr_members == update->nr_parts)
		update->stage = KSPLICE_LOADED;
	return 0;
}

/* The update without this part; gone for good if it was the last. Frees nothing yet. */
static struct ksplice_update *leave(struct ksplice_update *update, struct ksplice_member *member)
{
	list_del(&member->list);
	update->nr_members--;
	update->stage = KSPLICE_PREPARING;
	update->nr_conflicts = 0;	/* their names may have been this part's */
	if (update->nr_members)
		return NULL;
	list_del(&update->list);
	return update;
}

/*
 * Readers of a sysfs file take ksplice_lock, and removing the file waits for them: so
 * this is done without the lock.
 */
static void free_update(struct ksplice_update *update)
{
	if (!update)
		return;
	kobject_del(&update->kobj);
	kobject_put(&update->kobj);
}

/**
 * ksplice_register() - add a part of an update; nothing is redirected yet
 * @owner: the module that carries the part and its new code
 * @part: stays the caller's, and unchanged, until ksplice_unregister()
 *
 * Return: 0, -EINVAL if the part is malformed or of another update of that id, -EEXIST if
 * there is one for this target already, -ENODEV if a module that it needs is not loaded,
 * -ENOMEM.
 */
int ksplice_register(struct module *owner, struct ksplice_part *part)
{
	struct ksplice_update *update;
	struct ksplice_member *member;
	int ret = ksplice_validate_part(owner, part);

	if (ret)
		return ret;
	member = kzalloc(sizeof(*member), GFP_KERNEL);
	if (!member)
		return -ENOMEM;
	member->owner = owner;
	member->part = part;
	member->hold = ksplice_hold_part(owner, part);
	if (IS_ERR(member->hold)) {
		ret = PTR_ERR(member->hold);
		kfree(member);
		return ret;
	}

	mutex_lock(&membership_lock);
	mutex_lock(&ksplice_lock);
	update = ksplice_find_update(part->id);
	if (!update)
		update = new_update(part);
	ret = PTR_ERR_OR_ZERO(update);
	if (!ret)
		ret = join(update, member);
	mutex_unlock(&ksplice_lock);
	mutex_unlock(&membership_lock);
	if (ret)
		kfree(member);
	return ret;
}
EXPORT_SYMBOL_GPL(ksplice_register);

/**
 * ksplice_unregister() - take back a part; from the module's exit function
 * @part: as it was registered
 *
 * An applied update holds references to its modules, and so does a resident one, so none
 * of them gets here. Waits for what no stack check sees: threads that are ending, which are
 * on no list any more while they run their last instructions, and callbacks of RCU.
 */
void ksplice_unregister(struct ksplice_part *part)
{
	struct ksplice_update *update, *unused = NULL;
	struct ksplice_member *member;
	bool has_run = false;

	mutex_lock(&membership_lock);
	mutex_lock(&ksplice_lock);
	update = ksplice_find_update(part->id);
	if (update && !WARN_ON(update->stage == KSPLICE_APPLIED ||
			       update->stage == KSPLICE_RESIDENT)) {
		list_for_each_entry(member, &update->members, list)
			if (member->part == part)
				break;
		if (!list_entry_is_head(member, &update->members, list)) {
			has_run = update->has_run;
			unused = leave(update, member);
			kfree(member);
		}
	}
	mutex_unlock(&ksplice_lock);
	free_update(unused);
	mutex_unlock(&membership_lock);
	if (has_run) {
		rcu_barrier();
		synchronize_rcu_tasks();
	}
}
EXPORT_SYMBOL_GPL(ksplice_unregister);

static int __init ksplice_init(void)
{
	int ret = ksplice_sysfs_init();

	if (ret)
		return ret;
	ret = ksplice_hold_init();
	if (ret)
		ksplice_sysfs_exit();
	return ret;
}
module_init(ksplice_init);

static void __exit ksplice_exit(void)
{
	ksplice_hold_exit();
	ksplice_sysfs_exit();
	/* Threads that run the last instructions of a work of ours, behind its module_put(). */
	synchronize_rcu_tasks();
}
module_exit(ksplice_exit);

MODULE_DESCRIPTION("Redirects functions of the running kernel");
MODULE_LICENSE("GPL");
