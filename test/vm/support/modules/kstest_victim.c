// SPDX-License-Identifier: GPL-2.0-only
/* The patient: /sys/kernel/kstest has a file for each function that updates replace. */
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/sysfs.h>
#include <linux/wait.h>

#include "kstest.h"

static DECLARE_WAIT_QUEUE_HEAD(bed);
static bool woken;

noinline int kstest_answer(int n)
{
	barrier();
	return n + 1;
}
EXPORT_SYMBOL_GPL(kstest_answer);

/* Returns 1 after a wake-up. */
noinline int kstest_nap(void)
{
	woken = false;
	wait_event_interruptible(bed, READ_ONCE(woken));
	barrier();
	return 1;
}
EXPORT_SYMBOL_GPL(kstest_nap);

noinline int kstest_gone(int n)
{
	barrier();
	return n + 7;
}
EXPORT_SYMBOL_GPL(kstest_gone);

static ssize_t answer_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", kstest_answer(0));
}

static ssize_t nap_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", kstest_nap());
}

static ssize_t gone_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", kstest_gone(0));
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
static struct kobj_attribute gone_attr = __ATTR_RO(gone);
static struct kobj_attribute wake_attr = __ATTR_WO(wake);

static struct attribute *attrs[] = {
	&answer_attr.attr, &nap_attr.attr, &gone_attr.attr, &wake_attr.attr, NULL,
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
