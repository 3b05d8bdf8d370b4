// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thousand functions to patch. /sys/kernel/kstest_crowd/answers calls all of them, and says
 * how many are old, how many new, and how many are neither.
 */
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sysfs.h>

#include "kstest-crowd.h"

/* Numbers too large for a byte, so that all have the same size. */
#define OLD(number)								\
	static noinline int old_##number(int n)					\
	{									\
		barrier();							\
		return n + KSTEST_CROWD_OLD + (1##number - 1000);		\
	}
#define OLD_NAME(number) old_##number,

KSTEST_THOUSAND(OLD)

int (*const kstest_crowd[KSTEST_CROWD])(int n) = { KSTEST_THOUSAND(OLD_NAME) };
EXPORT_SYMBOL_GPL(kstest_crowd);

static ssize_t answers_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	int i, old = 0, new = 0, wrong = 0;

	for (i = 0; i < KSTEST_CROWD; i++) {
		int answer = READ_ONCE(kstest_crowd[i])(0) - i;

		if (answer == KSTEST_CROWD_OLD)
			old++;
		else if (answer == KSTEST_CROWD_NEW)
			new++;
		else
			wrong++;
	}
	return sysfs_emit(buf, "%d %d %d\n", old, new, wrong);
}

static struct kobj_attribute answers_attr = __ATTR_RO(answers);
static struct kobject *dir;

static int __init crowd_init(void)
{
	int ret;

	dir = kobject_create_and_add("kstest_crowd", kernel_kobj);
	if (!dir)
		return -ENOMEM;
	ret = sysfs_create_file(dir, &answers_attr.attr);
	if (ret)
		kobject_put(dir);
	return ret;
}
module_init(crowd_init);

static void __exit crowd_exit(void)
{
	kobject_put(dir);
}
module_exit(crowd_exit);

MODULE_DESCRIPTION("Many functions for Ksplice tests to patch");
MODULE_LICENSE("GPL");
