// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ranges of existing data that an update overwrites. Constants do not change while the
 * kernel runs; other data may until the machine stops, so it is compared once more then.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

/* Of one update: comparing and writing them is work for a stopped machine. */
#define MAX_WRITES 4096
#define MAX_BYTES (1024 * 1024)

/* Adds them to @count. */
static enum ksplice_cause count_writes(const struct ksplice_update *update, u32 *count)
{
	const struct ksplice_write *write;
	struct ksplice_member *member;
	u32 writes = 0;
	u64 bytes = 0;

	ksplice_for_each_write(update, member, write) {
		bytes += write->size;
		if (++writes > MAX_WRITES || bytes > MAX_BYTES) {
			pr_notice("%s writes too much data\n", update->id);
			return KSPLICE_UNEXPECTED;
		}
	}
	*count += writes;
	return KSPLICE_OK;
}

/*
 * What a range holds now, where an earlier one of this switch lies over it: the earlier one's
 * bytes, and it is to find those that the earlier one leaves behind.
 */
static enum ksplice_cause look_behind(struct ksplice_data_range *range,
				      const struct ksplice_data_range *earlier)
{
	u64 start = max(range->write->addr, earlier->write->addr);
	u64 end = min(range->write->addr + range->write->size,
		      earlier->write->addr + earlier->write->size);
	u64 here = start - range->write->addr;
	u64 there = start - earlier->write->addr;

	if (memcmp(range->from + here, earlier->to + there, end - start)) {
		pr_notice("%s: %s does not fit to what %s leaves there\n", range->update->id,
			  range->write->name, earlier->update->id);
		return KSPLICE_NO_MATCH;
	}
	if (!range->seen) {
		range->seen = kvmalloc(range->write->size, GFP_KERNEL);
		if (!range->seen)
			return KSPLICE_OUT_OF_MEMORY;
		memcpy(range->seen, range->from, range->write->size);
	}
	memcpy(range->seen + here, earlier->from + there, end - start);
	return KSPLICE_OK;
}

/* Two writes that overlap could never be brought back, unless the first is, by this very switch. */
static enum ksplice_cause fit_behind_earlier(struct ksplice_data *data,
					     struct ksplice_data_range *range)
{
	const struct ksplice_data_range *other;
	enum ksplice_cause cause;

	for (other = data->ranges; other < range; other++) {
		if (!ksplice_writes_overlap(other->write, range->write))
			continue;
		if (other->update == range->update) {
			pr_notice("%s: %s is written twice\n", range->update->id,
				  range->write->name);
			return KSPLICE_UNEXPECTED;
		}
		cause = look_behind(range, other);
		if (cause)
			return cause;
	}
	return KSPLICE_OK;
}

static enum ksplice_cause prepare_range(struct ksplice_data *data, const struct ksplice_turn *turn,
					const struct ksplice_write *write)
{
	struct ksplice_data_range *range = &data->ranges[data->nr_ranges++];
	bool forward = turn->way == KSPLICE_TO_NEW;
	enum ksplice_cause cause;

	range->update = turn->update;
	range->write = write;
	range->from = forward ? write->old_bytes : write->new_bytes;
	range->to = forward ? write->new_bytes : write->old_bytes;
	if (!ksplice_is_held_data(turn->update, write->addr, write->size)) {
		pr_notice("%s: %s at %llx is not in the data of the kernel or a module it names\n",
			  turn->update->id, write->name, write->addr);
		return KSPLICE_FAILED_TO_FIND;
	}
	cause = fit_behind_earlier(data, range);
	return cause ?: ksplice_map(write->addr, write->size, &range->mapping);
}

/* Finds and maps all ranges. To be given back in any case. */
enum ksplice_cause ksplice_prepare_data(struct ksplice_data *data,
					const struct ksplice_turns *turns)
{
	const struct ksplice_write *write;
	const struct ksplice_turn *turn;
	struct ksplice_member *member;
	enum ksplice_cause cause;
	u32 count = 0;

	ksplice_for_each_turn(turns, turn) {
		cause = count_writes(turn->update, &count);
		if (cause)
			return cause;
	}
	if (!count)
		return KSPLICE_OK;
	data->ranges = kvcalloc(count, sizeof(*data->ranges), GFP_KERNEL);
	if (!data->ranges)
		return KSPLICE_OUT_OF_MEMORY;
	ksplice_for_each_turn(turns, turn) {
		if (turn->way == KSPLICE_TO_NOTHING)
			continue;
		ksplice_for_each_write(turn->update, member, write) {
			cause = prepare_range(data, turn, write);
			if (cause)
				return cause;
		}
	}
	return KSPLICE_OK;
}

void ksplice_release_data(struct ksplice_data *data)
{
	while (data->nr_ranges) {
		struct ksplice_data_range *range = &data->ranges[--data->nr_ranges];

		ksplice_unmap(range->mapping);
		kvfree(range->seen);
	}
	kvfree(data->ranges);
	data->ranges = NULL;
}

/* The first range that holds other bytes than it should; NULL if none does. Any context. */
const struct ksplice_data_range *ksplice_find_changed_data(const struct ksplice_data *data)
{
	u32 i;

	for (i = 0; i < data->nr_ranges; i++) {
		const struct ksplice_data_range *range = &data->ranges[i];

		if (memcmp(range->mapping, range->seen ?: range->from, range->write->size))
			return range;
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
