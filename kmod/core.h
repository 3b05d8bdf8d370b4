/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the core share.
 *
 *   core.c   the registry of updates, and what a module with new code calls
 *   sysfs.c  /sys/kernel/ksplice
 *   apply.c  switching an update on or off, all functions at once
 *   stack.c  is any thread inside the code that is about to change?
 *   text.c   the 5 bytes of a site: may they be written, and writing them
 *
 * Functions of the kernel that it does not export to modules. User space puts their
 * addresses into the core's symbol table before it loads it, so each must be named in
 * the running kernel's kallsyms; nothing else that is not exported may be used here.
 *
 *   always                          core_kernel_text find_module idle_task
 *                                   stop_machine_cpuslocked text_mutex
 *   CONFIG_SMP                      alternatives_text_reserved
 *   CONFIG_JUMP_LABEL               jump_label_text_reserved
 *   CONFIG_HAVE_STATIC_CALL_INLINE  static_call_text_reserved
 *   CONFIG_DYNAMIC_FTRACE           ftrace_text_reserved
 *   CONFIG_KPROBES                  get_kprobe
 *   CONFIG_FUNCTION_GRAPH_TRACER    ftrace_graph_get_ret_stack
 *
 * Where an option is off, the kernel's headers have a stub of the function.
 */
#ifndef KSPLICE_CORE_H
#define KSPLICE_CORE_H

#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>

#include "ksplice.h"

enum ksplice_stage {
	KSPLICE_PREPARING,	/* some of its modules are not loaded yet */
	KSPLICE_LOADED,		/* all are, nothing is redirected */
	KSPLICE_APPLIED,
	KSPLICE_REVERSED,
};

/* Why the last attempt came to nothing; sysfs.c has the names and error numbers. */
enum ksplice_cause {
	KSPLICE_OK,
	KSPLICE_NO_MATCH,
	KSPLICE_CODE_BUSY,
	KSPLICE_MODULE_BUSY,
	KSPLICE_OUT_OF_MEMORY,
	KSPLICE_FAILED_TO_FIND,
	KSPLICE_ALREADY_REVERSED,
	KSPLICE_UNEXPECTED_RUNNING_TASK,
	KSPLICE_TARGET_NOT_LOADED,
	KSPLICE_CALL_FAILED,
	KSPLICE_UNEXPECTED,
	KSPLICE_NR_CAUSES,
};

#define KSPLICE_MAX_CONFLICTS 32

/* A thread that was inside code that had to be free. */
struct ksplice_conflict {
	char comm[TASK_COMM_LEN];
	pid_t pid;
	const char *name;	/* of the function; belongs to a registered part */
};

/* A registered part of an update. */
struct ksplice_member {
	struct list_head list;
	struct module *owner;
	struct ksplice_part *part;
};

struct ksplice_update {
	struct list_head list;
	struct kobject kobj;
	char *id;
	char *description;
	struct list_head members;
	u32 nr_parts;
	u32 nr_members;
	enum ksplice_stage stage;
	enum ksplice_cause abort_cause;
	u64 applied_seq;	/* grows with each apply, of any update */
	u64 stop_ns;
	u32 attempts;
	u32 nr_conflicts;
	struct ksplice_conflict conflicts[KSPLICE_MAX_CONFLICTS];
	struct module **held;	/* modules that stay while this is applied */
	u32 nr_held;
};

/* Guards the registry and all of its updates. */
extern struct mutex ksplice_lock;
extern struct list_head ksplice_updates;

#define ksplice_for_each_function(update, member, function)			\
	list_for_each_entry(member, &(update)->members, list)			\
		for (function = (member)->part->functions;			\
		     function < (member)->part->functions + (member)->part->nr_functions; \
		     function++)

/* Code that no thread may be inside of: words from first to last, both included. */
struct ksplice_span {
	unsigned long first;
	unsigned long last;
	const char *name;
};

struct ksplice_check {
	struct ksplice_update *update;	/* conflicts are recorded here */
	struct ksplice_span *spans;
	u32 nr_spans;
	unsigned long lowest;		/* of all spans */
	unsigned long highest;
	/* The thread that asked for the change, and its stack without the core's own frames. */
	struct task_struct *requester;
	unsigned long requester_sp;
	/* By processor: the thread that stopped it, and from where its stack counts. */
	struct ksplice_stopper {
		struct task_struct *task;
		unsigned long sp;
	} *stoppers;
};

/* The bytes of one function's site, from what they are to what they shall be. */
struct ksplice_site {
	const struct ksplice_function *function;
	unsigned long addr;
	void *mapping;		/* of the page, writable */
	u8 old_bytes[KSPLICE_TRAMPOLINE];
	u8 new_bytes[KSPLICE_TRAMPOLINE];
};

/* core.c */
bool ksplice_update_is_used(const struct ksplice_update *update, const struct ksplice_update *by);

/* apply.c */
enum ksplice_cause ksplice_apply(struct ksplice_update *update);
enum ksplice_cause ksplice_reverse(struct ksplice_update *update);
void ksplice_module_text(const struct module *mod, unsigned long *start, unsigned long *size);

/* stack.c */
enum ksplice_cause ksplice_check_stacks(struct ksplice_check *check);

/* text.c */
bool ksplice_site_is_aligned(unsigned long addr);
void ksplice_trampoline(const struct ksplice_function *function, u8 *bytes);
enum ksplice_cause ksplice_map_site(struct ksplice_site *site);
void ksplice_unmap_site(struct ksplice_site *site);
bool ksplice_site_matches(const struct ksplice_site *site);
const char *ksplice_site_reserved_by(const struct ksplice_site *site);
void ksplice_write_site(const struct ksplice_site *site);

/* sysfs.c */
int ksplice_sysfs_init(void);
void ksplice_sysfs_exit(void);
int ksplice_sysfs_add(struct ksplice_update *update);

#endif
