// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow data, for kernels without livepatch, which brings its own (klp_shadow_*). Fields
 * that patches give to objects of the running kernel are found here by object and id.
 * What the functions do is said in include/ksplice-patch.h.
 *
 * Readers take no lock; RCU keeps what they pass on their way.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "include/ksplice-patch.h"

#if !defined(CONFIG_LIVEPATCH) || defined(KSPLICE_OWN_SHADOW)

struct ksplice_shadow_field {
	struct hlist_node node;
	struct rcu_head rcu;
	const void *obj;
	unsigned long id;
	unsigned long field[];
};

/* 128 KiB: with 100,000 objects about six fields share a bucket. */
static DEFINE_HASHTABLE(fields, 14);
static DEFINE_SPINLOCK(fields_lock);	/* taken to change the table */

static struct ksplice_shadow_field *find_field(const void *obj, unsigned long id)
{
	struct ksplice_shadow_field *entry;

	hash_for_each_possible_rcu(fields, entry, node, (unsigned long)obj)
		if (entry->obj == obj && entry->id == id)
			return entry;
	return NULL;
}

void *KSPLICE_SHADOW(get)(void *obj, unsigned long id)
{
	struct ksplice_shadow_field *entry;

	rcu_read_lock();
	entry = find_field(obj, id);
	rcu_read_unlock();
	/* Whoever may use the object keeps its fields from being given back. */
	return entry ? entry->field : NULL;
}
EXPORT_SYMBOL_GPL(ksplice_shadow_get);

void *KSPLICE_SHADOW(get_or_alloc)(void *obj, unsigned long id, size_t size, gfp_t gfp,
				   int (*ctor)(void *obj, void *field, void *data), void *data)
{
	struct ksplice_shadow_field *entry, *made;
	void *field = KSPLICE_SHADOW(get)(obj, id);
	unsigned long flags;

	if (field)
		return field;
	made = kzalloc(struct_size(made, field, DIV_ROUND_UP(size, sizeof(long))), gfp);
	if (!made)
		return NULL;
	made->obj = obj;
	made->id = id;

	spin_lock_irqsave(&fields_lock, flags);
	entry = find_field(obj, id);
	if (!entry && (!ctor || !ctor(obj, made->field, data))) {
		hash_add_rcu(fields, &made->node, (unsigned long)obj);
		entry = made;
	}
	spin_unlock_irqrestore(&fields_lock, flags);

	if (entry != made)
		kfree(made);
	return entry ? entry->field : NULL;
}
EXPORT_SYMBOL_GPL(ksplice_shadow_get_or_alloc);

static void drop(struct ksplice_shadow_field *entry, void (*dtor)(void *obj, void *field))
{
	lockdep_assert_held(&fields_lock);
	hash_del_rcu(&entry->node);
	if (dtor)
		dtor((void *)entry->obj, entry->field);
	kfree_rcu(entry, rcu);
}

void KSPLICE_SHADOW(free)(void *obj, unsigned long id, void (*dtor)(void *obj, void *field))
{
	struct ksplice_shadow_field *entry;
	unsigned long flags;

	spin_lock_irqsave(&fields_lock, flags);
	entry = find_field(obj, id);
	if (entry)
		drop(entry, dtor);
	spin_unlock_irqrestore(&fields_lock, flags);
}
EXPORT_SYMBOL_GPL(ksplice_shadow_free);

void KSPLICE_SHADOW(free_all)(unsigned long id, void (*dtor)(void *obj, void *field))
{
	struct ksplice_shadow_field *entry;
	struct hlist_node *next;
	unsigned long flags;
	int bucket;

	/* Bucket by bucket: interrupts must not wait for a hundred thousand objects. */
	for (bucket = 0; bucket < HASH_SIZE(fields); bucket++) {
		spin_lock_irqsave(&fields_lock, flags);
		hlist_for_each_entry_safe(entry, next, &fields[bucket], node)
			if (entry->id == id)
				drop(entry, dtor);
		spin_unlock_irqrestore(&fields_lock, flags);
	}
}
EXPORT_SYMBOL_GPL(ksplice_shadow_free_all);

#endif
