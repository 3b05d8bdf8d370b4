// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/ksplice: `version`, and a directory for each update. For root only. The
 * files are described in docs/core.md.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "core.h"

static struct kobject *ksplice_dir;

static const char *const stage_names[] = {
	[KSPLICE_PREPARING] = "preparing",
	[KSPLICE_LOADED] = "loaded",
	[KSPLICE_APPLIED] = "applied",
	[KSPLICE_RESIDENT] = "resident",
	[KSPLICE_REVERSED] = "reversed",
};

static struct ksplice_update *to_update(struct kobject *kobj)
{
	return container_of(kobj, struct ksplice_update, kobj);
}

static ssize_t stage_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", stage_names[READ_ONCE(to_update(kobj)->stage)]);
}

static ssize_t stage_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			   size_t count)
{
	return ksplice_request(to_update(kobj), buf) ?: count;
}

static ssize_t description_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_update(kobj)->description);
}

static ssize_t abort_cause_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", ksplice_cause_name(READ_ONCE(to_update(kobj)->abort_cause)));
}

static ssize_t conflicts_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct ksplice_update *update = to_update(kobj);
	int length = 0;
	u32 i;

	mutex_lock(&ksplice_lock);
	/* Names may be long, and then the last of them are cut. */
	for (i = 0; i < update->nr_conflicts && length < PAGE_SIZE - 1; i++)
		length += sysfs_emit_at(buf, length, "%*pE %d %s\n",
					(int)strlen(update->conflicts[i].comm),
					update->conflicts[i].comm, update->conflicts[i].pid,
					update->conflicts[i].name);
	mutex_unlock(&ksplice_lock);
	return length;
}

static ssize_t stop_ns_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(to_update(kobj)->stop_ns));
}

static ssize_t attempts_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_update(kobj)->attempts));
}

static ssize_t replaced_by_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct ksplice_update *update = to_update(kobj);
	struct ksplice_update *other;
	int length = 0;

	mutex_lock(&ksplice_lock);
	list_for_each_entry(other, &ksplice_updates, list)
		if (ksplice_update_is_used(update, other))
			length += sysfs_emit_at(buf, length, "%s\n", other->id);
	mutex_unlock(&ksplice_lock);
	return length;
}

/* Prints a list, a line each. Returns its length, and writes no more than size. */
typedef size_t (*print_list)(const struct ksplice_update *update, char *buf, size_t size);

static size_t print_function(const struct ksplice_function *function, const char *target,
			     char *buf, size_t size)
{
	char bytes[2 * KSPLICE_TRAMPOLINE + 1] = "ftrace";

	if (!(function->flags & KSPLICE_BY_FTRACE))
		snprintf(bytes, sizeof(bytes), "%*phN", KSPLICE_TRAMPOLINE, function->expect);
	return snprintf(buf, size, "%s %llx %u %llx %u %u %s %s\n", function->name,
			function->old_addr, function->old_size, function->new_addr,
			function->new_size, function->site, target, bytes);
}

static size_t print_functions(const struct ksplice_update *update, char *buf, size_t size)
{
	const struct ksplice_function *function;
	struct ksplice_member *member;
	size_t length = 0;

	ksplice_for_each_function(update, member, function)
		length += print_function(function, member->part->target,
					 buf ? buf + length : NULL, buf ? size - length : 0);
	return length;
}

static size_t print_parts(const struct ksplice_update *update, char *buf, size_t size)
{
	struct ksplice_member *member;
	size_t length = 0;

	list_for_each_entry(member, &update->members, list)
		length += snprintf(buf ? buf + length : NULL, buf ? size - length : 0,
				   "%s %s %s %s\n", member->owner->name, member->part->target,
				   member->part->digest,
				   member->part->flags ? "unloadable" : "stays");
	return length;
}

static size_t print_writes(const struct ksplice_update *update, char *buf, size_t size)
{
	const struct ksplice_write *write;
	struct ksplice_member *member;
	size_t length = 0;

	ksplice_for_each_write(update, member, write)
		length += snprintf(buf ? buf + length : NULL, buf ? size - length : 0,
				   "%s %llx %llu %s %lx\n", write->name, write->addr, write->size,
				   member->part->target, (unsigned long)write->old_bytes);
	return length;
}

/* A list may be longer than the one page of an ordinary attribute. */
static ssize_t list_read(struct kobject *kobj, print_list print, char *buf, loff_t offset,
			 size_t count)
{
	struct ksplice_update *update = to_update(kobj);
	ssize_t ret = -ENOMEM;
	size_t length;
	char *text;

	mutex_lock(&ksplice_lock);
	length = print(update, NULL, 0);
	text = kvmalloc(length + 1, GFP_KERNEL);
	if (text) {
		print(update, text, length + 1);
		ret = memory_read_from_buffer(buf, count, &offset, text, length);
	}
	mutex_unlock(&ksplice_lock);
	kvfree(text);
	return ret;
}

/* What a function that reads such a file is given: in newer kernels a constant. */
#define BIN_ATTRIBUTE									\
	typeof(_Generic(((struct bin_attribute *)NULL)->read,				\
			ssize_t (*)(struct file *, struct kobject *,			\
				    struct bin_attribute *, char *, loff_t, size_t):	\
				(struct bin_attribute *)NULL,				\
			default:							\
				(const struct bin_attribute *)NULL))

static ssize_t functions_read(struct file *file, struct kobject *kobj, BIN_ATTRIBUTE attr,
			      char *buf, loff_t offset, size_t count)
{
	return list_read(kobj, print_functions, buf, offset, count);
}

static ssize_t writes_read(struct file *file, struct kobject *kobj, BIN_ATTRIBUTE attr,
			   char *buf, loff_t offset, size_t count)
{
	return list_read(kobj, print_writes, buf, offset, count);
}

static ssize_t parts_read(struct file *file, struct kobject *kobj, BIN_ATTRIBUTE attr,
			  char *buf, loff_t offset, size_t count)
{
	return list_read(kobj, print_parts, buf, offset, count);
}

static struct kobj_attribute stage_attr = __ATTR(stage, 0600, stage_show, stage_store);
static struct kobj_attribute description_attr = __ATTR(description, 0400, description_show, NULL);
static struct kobj_attribute abort_cause_attr = __ATTR(abort_cause, 0400, abort_cause_show, NULL);
static struct kobj_attribute conflicts_attr = __ATTR(conflicts, 0400, conflicts_show, NULL);
static struct kobj_attribute stop_ns_attr = __ATTR(stop_ns, 0400, stop_ns_show, NULL);
static struct kobj_attribute attempts_attr = __ATTR(attempts, 0400, attempts_show, NULL);
static struct kobj_attribute replaced_by_attr = __ATTR(replaced_by, 0400, replaced_by_show, NULL);
static struct bin_attribute functions_attr = __BIN_ATTR(functions, 0400, functions_read, NULL, 0);
static struct bin_attribute parts_attr = __BIN_ATTR(parts, 0400, parts_read, NULL, 0);
static struct bin_attribute writes_attr = __BIN_ATTR(writes, 0400, writes_read, NULL, 0);

static struct attribute *update_attrs[] = {
	&stage_attr.attr,
	&description_attr.attr,
	&abort_cause_attr.attr,
	&conflicts_attr.attr,
	&stop_ns_attr.attr,
	&attempts_attr.attr,
	&replaced_by_attr.attr,
	NULL,
};

/* As a group has them. */
static typeof(*((struct attribute_group *)NULL)->bin_attrs) update_bin_attrs[] = {
	&functions_attr,
	&parts_attr,
	&writes_attr,
	NULL,
};

static const struct attribute_group update_group = {
	.attrs = update_attrs,
	.bin_attrs = update_bin_attrs,
};
__ATTRIBUTE_GROUPS(update);

static void update_release(struct kobject *kobj)
{
	struct ksplice_update *update = to_update(kobj);

	kfree(update->id);
	kfree(update->description);
	kfree(update);
}

static const struct kobj_type update_type = {
	.release = update_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = update_groups,
};

/* The caller puts the kobject where this fails; it is initialized in any case. */
int ksplice_sysfs_add(struct ksplice_update *update)
{
	return kobject_init_and_add(&update->kobj, &update_type, ksplice_dir, "%s", update->id);
}

static ssize_t version_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", KSPLICE_ABI);
}

static struct kobj_attribute version_attr = __ATTR(version, 0400, version_show, NULL);

int ksplice_sysfs_init(void)
{
	int ret;

	ksplice_dir = kobject_create_and_add("ksplice", kernel_kobj);
	if (!ksplice_dir)
		return -ENOMEM;
	ret = sysfs_create_file(ksplice_dir, &version_attr.attr);
	if (ret)
		kobject_put(ksplice_dir);
	return ret;
}

void ksplice_sysfs_exit(void)
{
	kobject_put(ksplice_dir);
}
