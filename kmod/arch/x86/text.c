// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes of a site.
 *
 * A non-maskable interrupt may run the function while its bytes change, even on a
 * stopped machine. So they change in one atomic store: of 8 bytes where they lie in
 * one aligned word, else of 16. A site that straddles 16 bytes is refused; compilers
 * align functions to 16, and sites follow the entry closely.
 */
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/cpufeature.h>

#include "core.h"

#define OPCODE_JMP_REL32 0xe9

static bool lies_in_block(unsigned long addr, unsigned long size)
{
	return addr / size == (addr + KSPLICE_TRAMPOLINE - 1) / size;
}

bool ksplice_site_is_aligned(unsigned long addr)
{
	return lies_in_block(addr, sizeof(u64)) ||
	       (lies_in_block(addr, 2 * sizeof(u64)) && boot_cpu_has(X86_FEATURE_CX16));
}

/* What is put at a function's site: a jump to the new code. */
void ksplice_trampoline(const struct ksplice_function *function, u8 *bytes)
{
	s32 distance = function->new_addr -
		       (function->old_addr + function->site + KSPLICE_TRAMPOLINE);

	bytes[0] = OPCODE_JMP_REL32;
	memcpy(bytes + 1, &distance, sizeof(distance));
}

enum ksplice_cause ksplice_map_site(struct ksplice_site *site)
{
	return ksplice_map(site->addr & PAGE_MASK, PAGE_SIZE, &site->mapping);
}

void ksplice_unmap_site(struct ksplice_site *site)
{
	ksplice_unmap(site->mapping);
	site->mapping = NULL;
}

static void *writable(const struct ksplice_site *site, unsigned long addr)
{
	return site->mapping + (addr & ~PAGE_MASK);
}

bool ksplice_site_matches(const struct ksplice_site *site)
{
	return !memcmp(writable(site, site->addr), site->old_bytes, KSPLICE_TRAMPOLINE);
}

static void store_16(u64 *block, u64 low, u64 high)
{
	u64 seen_low = block[0];
	u64 seen_high = block[1];
	bool done;

	do {
		asm volatile("lock; cmpxchg16b %1"
			     : "=@ccz" (done), "+m" (*(u64 (*)[2])block),
			       "+a" (seen_low), "+d" (seen_high)
			     : "b" (low), "c" (high)
			     : "memory");
	} while (!done);
}

/* One atomic store. On a stopped machine, or where nobody can run the function. */
void ksplice_write_site(const struct ksplice_site *site)
{
	u64 words[2];

	if (lies_in_block(site->addr, sizeof(u64))) {
		u64 *word = writable(site, round_down(site->addr, sizeof(u64)));

		words[0] = *word;
		memcpy((u8 *)words + site->addr % sizeof(u64), site->new_bytes, KSPLICE_TRAMPOLINE);
		WRITE_ONCE(*word, words[0]);
	} else {
		u64 *block = writable(site, round_down(site->addr, sizeof(words)));

		memcpy(words, block, sizeof(words));
		memcpy((u8 *)words + site->addr % sizeof(words), site->new_bytes, KSPLICE_TRAMPOLINE);
		store_16(block, words[0], words[1]);
	}
}
