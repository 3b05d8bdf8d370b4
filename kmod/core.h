/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the core share.
 *
 *   core.c    the registry of updates, and what a module with new code calls
 *   validate.c   is what user space filled in well formed?
 *   sysfs.c   /sys/kernel/ksplice
 *   request.c what is asked for there, done when the writer has left the kernel
 *   apply.c   the stages of an update
 *   switch.c  from one stage to another, all functions and data at once
 *   hold.c    modules that must stay as long as an update is loaded
 *   sites.c   the places of the trampolines
 *   entries.c functions without such a place, which ftrace redirects
 *   spans.c   the code that no thread may be inside of
 *   stack.c   is any thread inside the code that is about to change?
 *   nudge.c   threads that are woken and held while that is looked at
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
 *                                   put_task_stack stop_machine_cpuslocked
 *                                   task_work_add task_work_cancel_match text_mutex
 *   CONFIG_STACKTRACE               stack_trace_save_tsk_reliable
 *   LOCK_PREFIX_HERE, CONFIG_SMP    alternatives_text_reserved
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
	KSPLICE_ENTRY_TAKEN,
	KSPLICE_UNEXPECTED,
	KSPLICE_NR_CAUSES,
};

#define KSPLICE_MAX_ID 64
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
	bool must_stay;		/* somebody may have a pointer into its modules */
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

/* From what to what an update is switched. */
enum ksplice_way {
	KSPLICE_TO_NEW,		/* apply */
	KSPLICE_TO_OLD,		/* reverse */
	KSPLICE_TO_NOTHING,	/* it is reversed, and its code shall go */
};

/* What one switch does, in this order and at once: one update, or one in place of another. */
struct ksplice_turns {
	u32 count;
	struct ksplice_turn {
		struct ksplice_update *update;
		enum ksplice_way way;
	} turn[2];
};

#define ksplice_for_each_turn(turns, entry)					\
	for (entry = (turns)->turn; entry < (turns)->turn + (turns)->count; entry++)

/* How an update is to be switched. */
struct ksplice_attempt {
	struct ksplice_update *replaced;	/* apply: reversed in the same stop; or NULL */
	bool nudge;			/* wake threads that are in the way */
	bool may_stay;			/* reverse: rather leave the code in memory than fail */
	unsigned long caller_sp;	/* where the stack of the core's caller begins */
};

/* Code that no thread may be inside of: words from first to last, both included. */
struct ksplice_span {
	unsigned long first;
	unsigned long last;
	unsigned long reach;	/* the highest last of this span and those before it */
	const char *name;
};

#define KSPLICE_MAX_FRAMES 64

struct ksplice_stack_check {
	struct ksplice_update *update;	/* conflicts are recorded here */
	struct ksplice_span *spans;	/* by their first addresses */
	u32 nr_spans;
	unsigned long lowest;		/* of all that they hold */
	unsigned long highest;
	bool by_ftrace;			/* threads may be on their way through ftrace */
	bool memory_goes;		/* what is in the spans is freed next, */
	bool may_stay;			/* unless words point there that are no return addresses: */
	bool must_stay;			/* that was found */
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

struct ksplice_entry;

/* One function's site, from what it is to what it shall be: bytes, or where its entry leads. */
struct ksplice_site {
	const struct ksplice_update *update;
	const struct ksplice_function *function;
	unsigned long addr;
	struct ksplice_entry *entry;	/* KSPLICE_BY_FTRACE; NULL for those with bytes */
	unsigned long old_goal;		/* of the entry: 0 for the old code */
	unsigned long new_goal;
	void *mapping;		/* of the page, writable */
	u8 old_bytes[KSPLICE_TRAMPOLINE];
	u8 new_bytes[KSPLICE_TRAMPOLINE];
};

struct ksplice_sites {
	struct ksplice_site *site;	/* those of one turn behind those of the one before */
	u32 count;
};

/* The ranges of data of one switch, each from what it holds to what it shall hold. */
struct ksplice_data {
	struct ksplice_data_range {
		const struct ksplice_update *update;
		const struct ksplice_write *write;
		void *mapping;		/* of the range, writable */
		const void *from;
		const void *to;
		void *seen;		/* what it holds now, where that is not yet what @from is */
	} *ranges;
	u32 nr_ranges;
};

/* When hooks are called in a switch. */
enum ksplice_step {
	KSPLICE_BEFORE,
	KSPLICE_STOPPED_CHECK,	/* the machine is stopped, nothing was written */
	KSPLICE_STOPPED,	/* all was */
	KSPLICE_AFTER,
	KSPLICE_FAILED,
	KSPLICE_NR_STEPS,
};

/* A hook that said no. */
struct ksplice_refusal {
	const struct ksplice_update *update;
	const struct ksplice_hook *hook;
	int answer;
};

/* core.c */
bool ksplice_writes_overlap(const struct ksplice_write *a, const struct ksplice_write *b);
struct ksplice_update *ksplice_find_update(const char *id);
bool ksplice_update_is_held(const struct ksplice_update *update, const struct ksplice_update *by);
bool ksplice_update_is_used(const struct ksplice_update *update, const struct ksplice_update *by);

/* apply.c */
enum ksplice_cause ksplice_apply(struct ksplice_update *update,
				 const struct ksplice_attempt *attempt);
enum ksplice_cause ksplice_reverse(struct ksplice_update *update,
				   const struct ksplice_attempt *attempt);
enum ksplice_cause ksplice_release(struct ksplice_update *update,
				   const struct ksplice_attempt *attempt);
bool ksplice_may_be_unloaded(const struct ksplice_update *update);

/* request.c */
const char *ksplice_cause_name(enum ksplice_cause cause);
int ksplice_request(struct ksplice_update *update, const char *words);

/* switch.c */
enum ksplice_cause ksplice_switch(const struct ksplice_turns *turns, struct ksplice_update *update,
				  const struct ksplice_attempt *attempt);

/* validate.c */
int ksplice_validate_part(const struct module *owner, const struct ksplice_part *part);

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

/* sites.c */
enum ksplice_cause ksplice_prepare_sites(struct ksplice_sites *sites,
					 const struct ksplice_turns *turns);
void ksplice_release_sites(struct ksplice_sites *sites);
enum ksplice_cause ksplice_compare_sites(const struct ksplice_sites *sites);
void ksplice_write_sites(const struct ksplice_sites *sites);

/* entries.c */
enum ksplice_cause ksplice_find_entry(unsigned long site, struct ksplice_entry **found);
void ksplice_drop_unused_entries(void);
unsigned long ksplice_entry_goal(const struct ksplice_entry *entry);
void ksplice_write_entry(struct ksplice_entry *entry, unsigned long goal);

/* spans.c */
enum ksplice_cause ksplice_prepare_stack_check(struct ksplice_stack_check *check,
					       const struct ksplice_turns *turns);
void ksplice_release_stack_check(struct ksplice_stack_check *check);

/* stack.c */
bool ksplice_is_inside(struct ksplice_stack_check *check, struct task_struct *task);
enum ksplice_cause ksplice_check_sleepers(struct ksplice_stack_check *check);
enum ksplice_cause ksplice_check_stacks(struct ksplice_stack_check *check, u64 deadline_ns);

/* nudge.c */
struct ksplice_nudges;
struct ksplice_nudges *ksplice_hold_threads(struct ksplice_stack_check *check);
void ksplice_let_threads_go(struct ksplice_nudges *nudges);

/* probes.c */
void ksplice_lock_probes(void);
void ksplice_unlock_probes(void);
enum ksplice_cause ksplice_refuse_probes(const struct ksplice_update *update, enum ksplice_way way);

/* arch/x86/text.c */
bool ksplice_site_is_aligned(unsigned long addr);
void ksplice_trampoline(const struct ksplice_function *function, u8 *bytes);
enum ksplice_cause ksplice_map_site(struct ksplice_site *site);
void ksplice_unmap_site(struct ksplice_site *site);
bool ksplice_site_matches(const struct ksplice_site *site);
void ksplice_write_site(const struct ksplice_site *site);

/* data.c */
enum ksplice_cause ksplice_prepare_data(struct ksplice_data *data,
					const struct ksplice_turns *turns);
void ksplice_release_data(struct ksplice_data *data);
const struct ksplice_data_range *ksplice_find_changed_data(const struct ksplice_data *data);
void ksplice_write_data(const struct ksplice_data *data);

/* hooks.c */
enum ksplice_cause ksplice_ask_hooks(const struct ksplice_turns *turns, enum ksplice_step step,
				     struct ksplice_refusal *refused);
void ksplice_report_hook(const struct ksplice_refusal *refused);
void ksplice_call_hooks(const struct ksplice_turns *turns, enum ksplice_step step);

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
