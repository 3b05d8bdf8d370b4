/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For kernel code that is part of a patch: functions that are called when the update made
 * of the patch is applied or reversed, functions in which threads may stay, and new fields
 * for structures of which objects exist. ksplice-create finds this header by itself, for the patched source only.
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

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/types.h>

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

/*
 * Some functions always have a thread asleep in them. With this, at file level,
 *
 *	ksplice_allow_busy(do_wait);
 *
 * threads may stay in the old code of a function of this file when the update is applied:
 * they go on in it, beside others in the new code, until they leave it. Whoever says so has
 * seen that this is right. What the old code calls must be called as before: that is checked.
 */
#define ksplice_allow_busy(fn)							\
	static_assert(sizeof(&(fn)));						\
	static const char __ksplice_busy_##fn[] __used __section(".ksplice_busy") = #fn

/*
 * Shadow data: a new field beside a structure, for the running kernel has objects of it that
 * no patch can make larger. docs/shadow-data.md has examples.
 *
 *	ksplice_shadow(resizes, struct pipe_inode_info, unsigned int, 0x2026110101, NULL, NULL);
 *
 * at file level, behind the structure's definition and the two functions, if there are any, declares:
 *
 *	unsigned int *resizes(pipe)		the field, NULL if this object has none
 *	unsigned int *resizes_add(pipe, gfp)	the same; where there is none it is made, zeroed and
 *						handed to @init; NULL without memory
 *	void resizes_remove(pipe)		gives it back; call it wherever the object is freed
 *
 * @init and @exit, void (struct pipe_inode_info *pipe, unsigned int *field) or NULL, begin and
 * end a field. They are called under a spinlock with interrupts off, and must not sleep.
 * @id, any unsigned long, tells this field from all others of all updates.
 *
 * An undo gives back the fields of all objects. Where a second unit uses the field too, it
 * says ksplice_shadow_use() instead, with the same arguments: it declares the same, and
 * leaves the undo to the first.
 */
#if defined(CONFIG_LIVEPATCH) && !defined(KSPLICE_OWN_SHADOW)
/* As include/linux/livepatch.h declares them, which would bring a lot of other types into the unit. */
#define KSPLICE_SHADOW(what)	klp_shadow_##what
#else
#define KSPLICE_SHADOW(what)	ksplice_shadow_##what
#endif

void *KSPLICE_SHADOW(get)(void *obj, unsigned long id);
void *KSPLICE_SHADOW(get_or_alloc)(void *obj, unsigned long id, size_t size, gfp_t gfp,
				   int (*ctor)(void *obj, void *field, void *data), void *data);
void KSPLICE_SHADOW(free)(void *obj, unsigned long id, void (*dtor)(void *obj, void *field));
void KSPLICE_SHADOW(free_all)(unsigned long id, void (*dtor)(void *obj, void *field));

/* A function's address is passed on only where there is one: the compiler drops the others. */
#define ksplice_shadow_use(name, owner, type, id, init, exit)			\
	static_assert(__alignof__(type) <= sizeof(long), "shadow data is aligned as a long"); \
	static int __maybe_unused name##_ctor(void *obj, void *field, void *data) \
	{									\
		void (*const begin)(owner *obj, typeof(type) *field) = (init);	\
										\
		if (begin)							\
			begin(obj, field);					\
		return 0;							\
	}									\
	static void __maybe_unused name##_dtor(void *obj, void *field)		\
	{									\
		void (*const end)(owner *obj, typeof(type) *field) = (exit);	\
										\
		if (end)							\
			end(obj, field);					\
	}									\
	static __maybe_unused typeof(type) *name(owner *obj)			\
	{									\
		return KSPLICE_SHADOW(get)(obj, id);				\
	}									\
	static __maybe_unused typeof(type) *name##_add(owner *obj, gfp_t gfp)	\
	{									\
		void (*const begin)(owner *obj, typeof(type) *field) = (init);	\
										\
		return KSPLICE_SHADOW(get_or_alloc)(obj, id, sizeof(type), gfp,	\
						    begin ? name##_ctor : NULL, NULL); \
	}									\
	static __maybe_unused void name##_remove(owner *obj)			\
	{									\
		void (*const end)(owner *obj, typeof(type) *field) = (exit);	\
										\
		KSPLICE_SHADOW(free)(obj, id, end ? name##_dtor : NULL);	\
	}									\
	static_assert(sizeof(type) > 0)

#define ksplice_shadow(name, owner, type, id, init, exit)			\
	ksplice_shadow_use(name, owner, type, id, init, exit);			\
	static void name##_remove_all(void)					\
	{									\
		void (*const end)(owner *obj, typeof(type) *field) = (exit);	\
										\
		KSPLICE_SHADOW(free_all)(id, end ? name##_dtor : NULL);		\
	}									\
	ksplice_post_reverse(name##_remove_all)

#endif
