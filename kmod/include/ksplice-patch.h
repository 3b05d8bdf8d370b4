/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For kernel code that is part of a patch: functions that are called when the update made
 * of the patch is applied or reversed. ksplice-create finds this header by itself, for the
 * patched source only.
 *
 *	static int is_idle(void) { return table_in_use ? -EBUSY : 0; }
 *	static void raise_limit(void) { limit = 64; }
 *
 *	ksplice_check_apply(is_idle);
 *	ksplice_apply(raise_limit);
 *
 * The pre and check kinds return int: anything but 0, and the update stays as it was. The
 * check kinds and the two plain ones run while the machine is stopped, on one processor
 * with interrupts off: they must not sleep, allocate, print or wait for a lock. The others
 * may sleep. docs/core.md has the order.
 */
#ifndef KSPLICE_PATCH_H
#define KSPLICE_PATCH_H

#include <linux/compiler.h>

/* Hooks of one kind are called as the source has them; gcc may turn that round, clang does not. */
#if __has_attribute(no_reorder)
#define KSPLICE_IN_ORDER __attribute__((no_reorder))
#else
#define KSPLICE_IN_ORDER
#endif

/* A pointer that ksplice-create finds by its section. */
#define KSPLICE_HOOK(kind, result, fn)						\
	static result (*const __ksplice_##kind##_##fn)(void)			\
		__used KSPLICE_IN_ORDER __section(".ksplice_hooks." #kind) = (fn)

/* Applying: before the stop; in it, before and after the change; after it, or if it failed. */
#define ksplice_pre_apply(fn)		KSPLICE_HOOK(pre_apply, int, fn)
#define ksplice_check_apply(fn)		KSPLICE_HOOK(check_apply, int, fn)
#define ksplice_apply(fn)		KSPLICE_HOOK(apply, void, fn)
#define ksplice_post_apply(fn)		KSPLICE_HOOK(post_apply, void, fn)
#define ksplice_fail_apply(fn)		KSPLICE_HOOK(fail_apply, void, fn)

/* Reversing, in the same way. */
#define ksplice_pre_reverse(fn)		KSPLICE_HOOK(pre_reverse, int, fn)
#define ksplice_check_reverse(fn)	KSPLICE_HOOK(check_reverse, int, fn)
#define ksplice_reverse(fn)		KSPLICE_HOOK(reverse, void, fn)
#define ksplice_post_reverse(fn)	KSPLICE_HOOK(post_reverse, void, fn)
#define ksplice_fail_reverse(fn)	KSPLICE_HOOK(fail_reverse, void, fn)

#endif
