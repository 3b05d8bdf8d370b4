// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow data as patches use it: loading does what the parameter says with so many objects,
 * and leaves in `report` what was found wrong, and nanoseconds for one object.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#include "include/ksplice-patch.h"

struct kstest_object {
	int number;
};

struct kstest_field {
	spinlock_t lock;
	int number;
	int of;
};

static int ended;

static void begin_field(struct kstest_object *object, struct kstest_field *field)
{
	spin_lock_init(&field->lock);
	field->of = object->number;
}

static void end_field(struct kstest_object *object, struct kstest_field *field)
{
	if (field->of == object->number)
		ended++;
}

ksplice_shadow_use(plain, struct kstest_object, unsigned long, 0x6b7001, NULL, NULL);
ksplice_shadow_use(whole, struct kstest_object, struct kstest_field, 0x6b7002, begin_field, end_field);

static unsigned int objects = 100;
module_param(objects, uint, 0444);

static char report[200];
module_param_string(report, report, sizeof(report), 0444);

static struct kstest_object *all;
static int faults;

static void want(bool is_so)
{
	if (!is_so)
		faults++;
}

static u64 each(u64 since)
{
	return div_u64(ktime_get_ns() - since, objects);
}

static int __init kstest_shadow_init(void)
{
	u64 add, get, miss, start;
	unsigned int i;

	if (!objects)
		return -EINVAL;
	all = vzalloc(array_size(objects, sizeof(*all) * 8));
	if (!all)
		return -ENOMEM;
	start = ktime_get_ns();
	for (i = 0; i < objects; i++)
		want(!plain(&all[i * 8]));
	miss = each(start);
	start = ktime_get_ns();
	for (i = 0; i < objects; i++) {
		unsigned long *field = plain_add(&all[i * 8], GFP_KERNEL);

		all[i * 8].number = i;
		want(field && !*field);
		if (field)
			*field = i + 1;
		if (!(i % 1024))
			cond_resched();
	}
	add = each(start);
	start = ktime_get_ns();
	for (i = 0; i < objects; i++) {
		unsigned long *field = plain(&all[i * 8]);

		want(field && *field == i + 1);
	}
	get = each(start);

	/* Fields of one object do not know each other, and the second add finds the first. */
	want(!whole(&all[0]));
	want(whole_add(&all[0], GFP_ATOMIC) == whole_add(&all[0], GFP_ATOMIC));
	want(whole(&all[0]) && whole(&all[0])->of == 0);
	want(whole_add(&all[8], GFP_KERNEL) && whole(&all[8])->of == 1);
	whole_remove(&all[8]);
	want(ended == 1 && !whole(&all[8]) && plain(&all[8]));
	whole_remove(&all[8]);
	want(ended == 1);

	KSPLICE_SHADOW(free_all)(0x6b7001, NULL);
	want(!plain(&all[0]) && !plain(&all[(objects - 1) * 8]) && whole(&all[0]));
	KSPLICE_SHADOW(free_all)(0x6b7002, whole_dtor);
	want(ended == 2 && !whole(&all[0]));
	snprintf(report, sizeof(report), "faults %d add %llu get %llu miss %llu", faults, add, get, miss);
	return 0;
}
module_init(kstest_shadow_init);

static void __exit kstest_shadow_exit(void)
{
	vfree(all);
}
module_exit(kstest_shadow_exit);

MODULE_DESCRIPTION("Shadow data for Ksplice tests");
MODULE_LICENSE("GPL");
