/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a module with new code tells the core. User space fills these structures in
 * when the update is applied (src/engine/core/part-section.ts); sizes and offsets are ABI.
 */
#ifndef KSPLICE_H
#define KSPLICE_H

#include <linux/build_bug.h>
#include <linux/types.h>

#define KSPLICE_ABI 5

/* Length of a trampoline: jmp rel32. */
#define KSPLICE_TRAMPOLINE 5

/*
 * Threads may stay inside when the update is applied: they go on in the old code, which
 * stays where it is. User space has seen that what it calls is called as before.
 */
#define KSPLICE_MAY_BE_BUSY 1

/*
 * There is no place for a trampoline: the function is redirected by ftrace, at its entry. The
 * site is where it would go on behind its ftrace call, and nothing is written there.
 */
#define KSPLICE_BY_FTRACE 2

/* One function to redirect. */
struct ksplice_function {
	u64 old_addr;		/* start of the code that runs now */
	u64 new_addr;		/* its replacement */
	const char *name;
	u32 old_size;		/* bytes of the code at old_addr */
	u32 new_size;
	u32 site;		/* offset from old_addr at which the trampoline is put */
	u8 expect[KSPLICE_TRAMPOLINE];	/* what stands there; nothing for KSPLICE_BY_FTRACE */
	u8 flags;		/* KSPLICE_MAY_BE_BUSY, KSPLICE_BY_FTRACE */
};
static_assert(sizeof(struct ksplice_function) == 48);

/* Further code that no thread may be inside of when the functions are redirected. */
struct ksplice_range {
	u64 start;
	const char *name;
	u32 size;		/* bytes */
	u32 flags;		/* KSPLICE_MAY_BE_BUSY: it is a piece of such a function */
};
static_assert(sizeof(struct ksplice_range) == 24);

/* The most bytes of one write. */
#define KSPLICE_MAX_WRITE 65536

/* A range of existing data that holds other bytes as long as the update is applied. */
struct ksplice_write {
	u64 addr;
	const void *new_bytes;	/* both in the module's own data */
	const void *old_bytes;	/* what must stand there */
	const char *name;
	u64 size;		/* bytes, at most KSPLICE_MAX_WRITE */
};
static_assert(sizeof(struct ksplice_write) == 40);

/* A module that must stay as long as the new code is there. */
struct ksplice_pin {
	const char *name;
	u64 text;		/* where its text starts: another one may have come in its place */
};
static_assert(sizeof(struct ksplice_pin) == 16);

/* When a hook is called; docs/core.md says what it may do then. */
enum ksplice_hook_kind {
	KSPLICE_PRE_APPLY,
	KSPLICE_CHECK_APPLY,
	KSPLICE_APPLY,
	KSPLICE_POST_APPLY,
	KSPLICE_FAIL_APPLY,
	KSPLICE_PRE_REVERSE,
	KSPLICE_CHECK_REVERSE,
	KSPLICE_REVERSE,
	KSPLICE_POST_REVERSE,
	KSPLICE_FAIL_REVERSE,
	KSPLICE_NR_HOOK_KINDS,
};

/* A function of the patch that is called when the update is applied or reversed. */
struct ksplice_hook {
	u64 kind;
	union {
		int (*ask)(void);	/* of the pre and check kinds: 0, or the attempt fails */
		void (*call)(void);
	};
};
static_assert(sizeof(struct ksplice_hook) == 16);

/*
 * Nothing outside the part can have got the address of anything in it: once it is
 * reversed and no thread is inside, it may be unloaded.
 */
#define KSPLICE_UNLOADABLE 1

/*
 * The part of an update that one module carries: all new code for one target.
 * Each such module defines it under the name ksplice_part.
 */
struct ksplice_part {
	u32 abi;		/* KSPLICE_ABI */
	u32 nr_parts;		/* how many modules the whole update has */
	u32 nr_functions;
	u32 nr_ranges;
	u32 nr_pins;
	u32 nr_writes;
	u32 nr_hooks;
	u32 flags;		/* KSPLICE_UNLOADABLE */
	const char *id;
	const char *description;
	const char *target;	/* "vmlinux" or the name of the patched module */
	const char *digest;	/* tells whether another module is the same */
	struct ksplice_function *functions;
	struct ksplice_range *ranges;
	struct ksplice_pin *pins;	/* the target and what else it uses, without vmlinux */
	struct ksplice_write *writes;
	struct ksplice_hook *hooks;	/* of one kind: in the order that they are called in */
};
static_assert(sizeof(struct ksplice_part) == 104);

struct module;

int ksplice_register(struct module *owner, struct ksplice_part *part);
void ksplice_unregister(struct ksplice_part *part);

#endif
