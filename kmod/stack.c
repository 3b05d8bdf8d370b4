// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is any thread inside code that is about to change? Runs while the machine is stopped.
 *
 * Every word of a stack that looks like an address in that code counts as one, whether
 * it is a return address or not: there are false alarms, but nothing is missed.
 *
 * The stacks of interrupts are not looked at: a processor stops in the stopper thread,
 * with interrupts off, and a thread is not switched away from while it is on an
 * interrupt's stack. Only a non-maskable interrupt can be under way, and it is over
 * before anything that it runs can be gone (text.c has more about it).
 *
 * The thread that asked for the change waits in stop_machine(), called by the core. Its
 * stack counts from the core's caller up: further down lie the very addresses that the
 * core works with. What is missed there is stop_machine() itself, entered from here;
 * it returns to old code, which stays.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/rethook.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>

#include "core.h"

static void record_conflict(struct ksplice_check *check, const struct task_struct *task,
			    const char *name)
{
	struct ksplice_update *update = check->update;
	struct ksplice_conflict *conflict;
	u32 i;

	for (i = 0; i < update->nr_conflicts; i++)
		if (update->conflicts[i].pid == task->pid && update->conflicts[i].name == name)
			return;
	if (update->nr_conflicts == KSPLICE_MAX_CONFLICTS)
		return;
	conflict = &update->conflicts[update->nr_conflicts++];
	memcpy(conflict->comm, task->comm, sizeof(conflict->comm));
	conflict->comm[sizeof(conflict->comm) - 1] = '\0';
	conflict->pid = task->pid;
	conflict->name = name;
}

/* Spans that overlap come with the one that names the code best first. */
static bool check_word(struct ksplice_check *check, const struct task_struct *task,
		       unsigned long word)
{
	const struct ksplice_span *span = check->spans;
	const struct ksplice_span *end = span + check->nr_spans;

	if (word < check->lowest || word > check->highest)
		return false;
	for (; span < end; span++)
		if (word >= span->first && word <= span->last) {
			record_conflict(check, task, span->name);
			return true;
		}
	return false;
}

/*
 * Return addresses that are not on the stack because a tracer put its own there.
 */
static bool check_replaced_returns(struct ksplice_check *check, struct task_struct *task)
{
	bool busy = false;
#ifdef CONFIG_FUNCTION_GRAPH_TRACER
	struct ftrace_ret_stack *frame;
	int depth;

	for (depth = 0; task->ret_stack; depth++) {
		frame = ftrace_graph_get_ret_stack(task, depth);
		if (!frame)
			break;
		busy |= check_word(check, task, frame->ret);
	}
#endif
#if defined(CONFIG_RETHOOK)
	{
		struct rethook_node *node;

		llist_for_each_entry(node, task->rethooks.first, llist)
			busy |= check_word(check, task, node->ret_addr);
	}
#elif defined(CONFIG_KRETPROBES)
	{
		struct kretprobe_instance *instance;

		llist_for_each_entry(instance, task->kretprobe_instances.first, llist)
			busy |= check_word(check, task, (unsigned long)instance->ret_addr);
	}
#endif
	return busy;
}

/* Words from sp up. */
static bool check_stack(struct ksplice_check *check, struct task_struct *task, unsigned long sp)
{
	unsigned long start = (unsigned long)task_stack_page(task);
	unsigned long end = start + THREAD_SIZE;
	bool busy = false;

	/* The registers of the user's program are up there, with whatever it put into them. */
	if (!(task->flags & PF_KTHREAD))
		end = (unsigned long)task_pt_regs(task);
	/* A stack pointer that is none: look at everything. */
	if (sp < start || sp > end || !IS_ALIGNED(sp, sizeof(long)))
		sp = start;
	for (; sp < end; sp += sizeof(long))
		busy |= check_word(check, task, READ_ONCE_NOCHECK(*(unsigned long *)sp));
	return busy;
}

static const struct ksplice_stopper *find_stopper(const struct ksplice_check *check,
						  const struct task_struct *task)
{
	int cpu;

	for_each_online_cpu(cpu)
		if (check->stoppers[cpu].task == task)
			return &check->stoppers[cpu];
	return NULL;
}

static bool is_running(const struct task_struct *task)
{
#ifdef CONFIG_SMP
	return READ_ONCE(task->on_cpu);
#else
	return task == current;
#endif
}

/* A thread that has ended and only waits to be reaped may have given its stack back. */
static bool has_stack(const struct task_struct *task)
{
#ifdef CONFIG_THREAD_INFO_IN_TASK
	if (!refcount_read(&task->stack_refcount))
		return false;
#endif
	return task_stack_page(task);
}

static enum ksplice_cause check_task(struct ksplice_check *check, struct task_struct *task)
{
	const struct ksplice_stopper *stopper = find_stopper(check, task);
	unsigned long sp;
	bool busy;

	if (!stopper && is_running(task)) {
		record_conflict(check, task, "(running)");
		return KSPLICE_UNEXPECTED_RUNNING_TASK;
	}
	if (!has_stack(task))
		return KSPLICE_OK;
	if (task == check->requester)
		sp = check->requester_sp;
	else if (stopper) /* running: the saved stack pointer is an old one */
		sp = stopper->sp;
	else
		sp = task->thread.sp;
	busy = check_stack(check, task, sp);
	busy |= check_replaced_returns(check, task);
	/* Will be called when an interrupted system call goes on. */
	busy |= check_word(check, task, (unsigned long)task->restart_block.fn);
	return busy ? KSPLICE_CODE_BUSY : KSPLICE_OK;
}

static void worse(enum ksplice_cause *result, enum ksplice_cause cause)
{
	/* KSPLICE_UNEXPECTED_RUNNING_TASK outweighs KSPLICE_CODE_BUSY, which outweighs KSPLICE_OK */
	*result = max(*result, cause);
}

/*
 * Looks at every thread, so that all conflicts are found in one go. An idle thread is
 * not on the list of processes; that of a processor that is off never goes on, the
 * processor comes back through its start-up code.
 */
enum ksplice_cause ksplice_check_stacks(struct ksplice_check *check)
{
	enum ksplice_cause result = KSPLICE_OK;
	struct task_struct *process, *task;
	int cpu;

	for_each_process_thread(process, task)
		worse(&result, check_task(check, task));
	for_each_online_cpu(cpu)
		worse(&result, check_task(check, idle_task(cpu)));
	return result;
}
