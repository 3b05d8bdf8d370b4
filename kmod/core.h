/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the core share.
 *
 *   core.c    the registry of updates, and what a module with new code calls
 *   check.c   is what user space filled in well formed?
 *   sysfs.c   /sys/kernel/ksplice
 *   apply.c   the stages of an update
 *   switch.c  from one stage to another, all functions and data at once
 *   hold.c    modules that must stay as long as an update is loaded
 *   spans.c   the code that no thread may be inside of
 *   stack.c   is any thread inside the code that is about to change?
 *   probes.c  who else rewrites code
 *   data.c    ranges of existing data that are overwritten
 *   hooks.c   functions of the patch that are called on the way
 *   shadow.c  fields beside objects that exist, for kernels without livepatch
 *   memory.c  what is text and what is data, and a writable mapping of it
 *   arch/x86/text.c  the bytes of a site, and writing them
 *
 * Functions of the kernel that it does not export to modules. User space puts their
 * addresses into the core's symbol table before it loads it, so each must be named in
 * the running kernel's kallsyms; nothing else that is not exported may be used here.
 *
 *   always                          core_kernel_text find_module idle_task
 *                                   put_task_stack stop_machine_cpuslocked text_mutex
 *   CONFIG_STACKTRACE               stack_trace_save_tsk_reliable
 *   CONFIG_SMP                      alternatives_text_reserved
 *   CONFIG_JUMP_LABEL               jump_label_text_reserved
 *   CONFIG_HAVE_STATIC_CALL_INLINE  static_call_text_reserved
 *   CONFIG_DYNAMIC_FTRACE           ftrace_text_reserved
 *   CONFIG_KPROBES                  get_kprobe kprobe_mutex
 *   CONFIG_FUNCTION_GRAPH_TRACER    ftrace_graph_get_ret_stack
 *
 * Linker symbols of the kernel's sections: __start_rodata __end_rodata _sdata _edata
 * __bss_start __bss_stop (asm/sections.h).
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
	KSPLICE_RESIDENT,	/* reversed; its code stays, as somebody may still come to it */
	KSPLICE_REVERSED,	/* may be unloaded */
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
	KSPLICE_TIMED_OUT,
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
	const struct ksplice_hold *hold;
};

/* The modules that a loaded part needs: there from before its load until after its exit. */
struct ksplice_hold {
	struct list_head list;
	const struct module *owner;
	u32 nr_modules;
	struct module *modules[];
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
	bool has_run;		/* threads may have been in its code */
	u64 stop_ns;
	u32 attempts;
	u32 nr_conflicts;
	struct ksplice_conflict conflicts[KSPLICE_MAX_CONFLICTS];
};

/* Guards the registry and all of its updates. */
extern struct mutex ksplice_lock;
extern struct list_head ksplice_updates;

#define ksplice_for_each_function(update, member, function)			\
	list_for_each_entry(member, &(update)->members, list)			\
		for (function = (member)->part->functions;			\
		     function < (member)->part->functions + (member)->part->nr_functions; \
		     function++)

#define ksplice_for_each_write(update, member, write)				\
	list_for_each_entry(member, &(update)->members, list)			\
		for (write = (member)->part->writes;				\
		     write < (member)->part->writes + (member)->part->nr_writes; \
		     write++)

/* Code that no thread may be inside of: words from first to last, both included. */
struct ksplice_span {
	unsigned long first;
	unsigned long last;
	unsigned long reach;	/* the highest last of this span and those before it */
	const char *name;
};

#define KSPLICE_MAX_FRAMES 64

struct ksplice_check {
	struct ksplice_update *update;	/* conflicts are recorded here */
	struct ksplice_span *spans;	/* by their first addresses */
	u32 nr_spans;
	bool memory_goes;		/* what is in the spans is freed next */
	unsigned long frames[KSPLICE_MAX_FRAMES];
	/* The thread that asked for the change, and its stack without the core's own frames. */
	struct task_struct *requester;
	unsigned long requester_sp;
	/* By processor: the thread that stopped it, and from where its stack counts. */
	struct ksplice_stopper {
		struct task_struct *task;
		unsigned long sp;
	} *stoppers;
};

/* From what to what an update is switched. */
enum ksplice_way {
	KSPLICE_TO_NEW,		/* apply */
	KSPLICE_TO_OLD,		/* reverse */
	KSPLICE_TO_NOTHING,	/* it is reversed, and its code shall go */
};

/* The bytes of one function's site, from what they are to what they shall be. */
struct ksplice_site {
	const struct ksplice_function *function;
	unsigned long addr;
	void *mapping;		/* of the page, writable */
	u8 old_bytes[KSPLICE_TRAMPOLINE];
	u8 new_bytes[KSPLICE_TRAMPOLINE];
};

/* The ranges of data of one switch, each from what it holds to what it shall hold. */
struct ksplice_data {
	struct ksplice_data_range {
		const struct ksplice_write *write;
		void *mapping;		/* of the range, writable */
		const void *from;
		const void *to;
	} *ranges;
	u32 nr_ranges;
};

/* A hook that said no. */
struct ksplice_refusal {
	const struct ksplice_hook *hook;
	int answer;
};

/* core.c */
bool ksplice_writes_overlap(const struct ksplice_write *a, const struct ksplice_write *b);
bool ksplice_update_is_held(const struct ksplice_update *update, const struct ksplice_update *by);
bool ksplice_update_is_used(const struct ksplice_update *update, const struct ksplice_update *by);

/* apply.c */
enum ksplice_cause ksplice_apply(struct ksplice_update *update);
enum ksplice_cause ksplice_reverse(struct ksplice_update *update);
enum ksplice_cause ksplice_release(struct ksplice_update *update);
bool ksplice_may_be_unloaded(const struct ksplice_update *update);

/* switch.c */
enum ksplice_cause ksplice_switch(struct ksplice_update *update, enum ksplice_way way,
				  unsigned long caller_sp);

/* check.c */
int ksplice_check_part(const struct module *owner, const struct ksplice_part *part);

/* hold.c */
int ksplice_hold_init(void);
void ksplice_hold_exit(void);
const struct ksplice_hold *ksplice_hold_part(const struct module *owner,
					     const struct ksplice_part *part);
bool ksplice_holds(const struct ksplice_update *update, const struct module *mod);
bool ksplice_is_held_text(const struct ksplice_update *update, unsigned long addr,
			  unsigned long size);
bool ksplice_is_held_data(const struct ksplice_update *update, unsigned long addr,
			  unsigned long size);

/* spans.c */
enum ksplice_cause ksplice_prepare_check(struct ksplice_check *check,
					 struct ksplice_update *update, enum ksplice_way way);
void ksplice_release_check(struct ksplice_check *check);

/* stack.c */
enum ksplice_cause ksplice_check_sleepers(struct ksplice_check *check);
enum ksplice_cause ksplice_check_stacks(struct ksplice_check *check, u64 deadline_ns);

/* probes.c */
void ksplice_lock_probes(void);
void ksplice_unlock_probes(void);
enum ksplice_cause ksplice_check_probes(const struct ksplice_update *update, enum ksplice_way way);

/* arch/x86/text.c */
bool ksplice_site_is_aligned(unsigned long addr);
void ksplice_trampoline(const struct ksplice_function *function, u8 *bytes);
enum ksplice_cause ksplice_map_site(struct ksplice_site *site);
void ksplice_unmap_site(struct ksplice_site *site);
bool ksplice_site_matches(const struct ksplice_site *site);
void ksplice_write_site(const struct ksplice_site *site);

/* data.c */
enum ksplice_cause ksplice_prepare_data(struct ksplice_data *data,
					const struct ksplice_update *update, bool forward);
void ksplice_release_data(struct ksplice_data *data);
const struct ksplice_write *ksplice_find_changed_data(const struct ksplice_data *data);
void ksplice_write_data(const struct ksplice_data *data);

/* hooks.c */
bool ksplice_has_hooks(const struct ksplice_update *update);
enum ksplice_cause ksplice_ask_hooks(const struct ksplice_update *update,
				     enum ksplice_hook_kind kind, struct ksplice_refusal *refused);
void ksplice_report_hook(const struct ksplice_update *update, const struct ksplice_refusal *refused);
void ksplice_call_hooks(const struct ksplice_update *update, enum ksplice_hook_kind kind);

/* memory.c */
#define KSPLICE_MODULE_DATA 3	/* the most stretches that a module's data has */
bool ksplice_is_kernel_data(unsigned long addr, unsigned long size);
void ksplice_module_text(const struct module *mod, unsigned long *start, unsigned long *size);
bool ksplice_is_module_text(const struct module *mod, unsigned long addr, unsigned long size);
bool ksplice_module_data(const struct module *mod, u32 index, unsigned long *start,
			 unsigned long *size);
bool ksplice_is_module_data(const struct module *mod, unsigned long addr, unsigned long size);
enum ksplice_cause ksplice_map(unsigned long addr, unsigned long size, void **mapping);
void ksplice_unmap(void *mapping);

/* sysfs.c */
int ksplice_sysfs_init(void);
void ksplice_sysfs_exit(void);
int ksplice_sysfs_add(struct ksplice_update *update);

#endif
