// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ranges of existing data that an update overwrites. Constants do not change while the
 * kernel runs; other data may until the machine stops, so it is compared once more then.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

/* Of one update: comparing and writing them is work for a stopped machine. */
#define MAX_WRITES 4096
#define MAX_BYTES (1024 * 1024)

static enum ksplice_cause count_writes(const struct ksplice_update *update, u32 *count)
{
	const struct ksplice_write *write;
	struct ksplice_member *member;
	u64 bytes = 0;

	*count = 0;
	ksplice_for_each_write(update, member, write) {
		bytes += write->size;
		if (++*count > MAX_WRITES || bytes > MAX_BYTES) {
			pr_notice("%s writes too much data\n", update->id);
			return KSPLICE_UNEXPECTED;
		}
	}
	return KSPLICE_OK;
}

/* Two writes that overlap could never be brought back. */
static bool overlaps_earlier(const struct ksplice_data *data, const struct ksplice_write *write)
{
	u32 i;

	for (i = 0; i < data->nr_ranges; i++)
		if (ksplice_writes_overlap(data->ranges[i].write, write))
			return true;
	return false;
}

/* Finds and maps all ranges. To be given back in any case. */
enum ksplice_cause ksplice_prepare_data(struct ksplice_data *data,
					const struct ksplice_update *update, bool forward)
{
	const struct ksplice_write *write;
	struct ksplice_member *member;
	enum ksplice_cause cause;
	u32 count;

	cause = count_writes(update, &count);
	if (cause || !count)
		return cause;
	data->ranges = kvcalloc(count, sizeof(*data->ranges), GFP_KERNEL);
	if (!data->ranges)
		return KSPLICE_OUT_OF_MEMORY;
	ksplice_for_each_write(update, member, write) {
		struct ksplice_data_range *range = &data->ranges[data->nr_ranges];

		if (!ksplice_is_held_data(update, write->addr, write->size)) {
			pr_notice("%s: %s at %llx is not in the data of the kernel or a module it names\n",
				  update->id, write->name, write->addr);
			return KSPLICE_FAILED_TO_FIND;
		}
		if (overlaps_earlier(data, write)) {
			pr_notice("%s: %s is written twice\n", update->id, write->name);
			return KSPLICE_UNEXPECTED;
		}
		range->write = write;
		range->from = forward ? write->old_bytes : write->new_bytes;
		range->to = forward ? write->new_bytes : write->old_bytes;
		cause = ksplice_map(write->addr, write->size, &range->mapping);
		if (cause)
			return cause;
		data->nr_ranges++;
	}
	return KSPLICE_OK;
}

void ksplice_release_data(struct ksplice_data *data)
{
	while (data->nr_ranges)
		ksplice_unmap(data->ranges[--data->nr_ranges].mapping);
	kvfree(data->ranges);
	data->ranges = NULL;
}

/* The first range that holds other bytes than it should; NULL if none does. Any context. */
const struct ksplice_write *ksplice_find_changed_data(const struct ksplice_data *data)
{
	u32 i;

	for (i = 0; i < data->nr_ranges; i++) {
		const struct ksplice_data_range *range = &data->ranges[i];

		if (memcmp(range->mapping, range->from, range->write->size))
			return range->write;
	}
	return NULL;
}

/* The most bytes that one store can write at @to. */
static u32 store_width(const u8 *to, u32 size)
{
	u32 width = sizeof(u64);

	while (width > size || !IS_ALIGNED((unsigned long)to, width))
		width /= 2;
	return width;
}

/* A non-maskable interrupt may read a pointer or a number meanwhile: none is ever half written. */
static void write_range(const struct ksplice_data_range *range)
{
	const u8 *from = range->to;
	u8 *to = range->mapping;
	u32 size = range->write->size;
	u32 width;
	u64 word;

	for (; size; size -= width, to += width, from += width) {
		width = store_width(to, size);
		memcpy(&word, from, width);	/* little-endian: its low bytes */
		switch (width) {
		case 8:
			WRITE_ONCE(*(u64 *)to, word);
			break;
		case 4:
			WRITE_ONCE(*(u32 *)to, word);
			break;
		case 2:
			WRITE_ONCE(*(u16 *)to, word);
			break;
		default:
			WRITE_ONCE(*to, word);
		}
	}
}

/* On a stopped machine. */
void ksplice_write_data(const struct ksplice_data *data)
{
	u32 i;

	for (i = 0; i < data->nr_ranges; i++)
		write_range(&data->ranges[i]);
}
