// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is any thread inside code that is about to change? Runs while the machine is stopped.
 *
 * Every word of a stack that looks like an address in that code counts as one, unless the
 * kernel's unwinder says that it is none: there are false alarms, but nothing is missed.
 *
 * The stacks of interrupts are not looked at: a processor stops in the stopper thread,
 * with interrupts off, and a thread is not switched away from while it is on an
 * interrupt's stack. Only a non-maskable interrupt can be under way, and it is over
 * before anything that it runs can be gone (text.c has more about it).
 *
 * The thread that asked for the change has left its system call, and waits in stop_machine(),
 * called by the core. Its stack counts from the core's caller up: further down lie the very
 * addresses that the core works with. What is missed there is stop_machine() itself, entered
 * from here; it returns to old code, which stays.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/rethook.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/stacktrace.h>
#include <linux/timekeeping.h>

#include "core.h"

static void record_conflict(struct ksplice_stack_check *check, const struct task_struct *task,
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

/*
 * The innermost span that holds the word; NULL if none does. Nearly all words of a stack are
 * far from any of them: those must cost next to nothing, for the machine stands still.
 */
static const struct ksplice_span *find_span(const struct ksplice_stack_check *check,
					    unsigned long word)
{
	u32 low = 0, high = check->nr_spans;

	if (word < check->lowest || word > check->highest)
		return NULL;
	while (low < high) {
		u32 middle = (low + high) / 2;

		if (check->spans[middle].first <= word)
			low = middle + 1;
		else
			high = middle;
	}
	while (low-- > 0 && check->spans[low].reach >= word)
		if (check->spans[low].last >= word)
			return &check->spans[low];
	return NULL;
}

static bool check_word(struct ksplice_stack_check *check, const struct task_struct *task,
		       unsigned long word)
{
	const struct ksplice_span *span = find_span(check, word);

	if (span)
		record_conflict(check, task, span->name);
	return span;
}

/*
 * Return addresses that are not on the stack because a tracer put its own there.
 */
static bool check_replaced_returns(struct ksplice_stack_check *check, struct task_struct *task)
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

#if defined(CONFIG_STACKTRACE) && defined(CONFIG_HAVE_RELIABLE_STACKTRACE)
/*
 * A word that is no return address may be a pointer to what goes, or something that an
 * earlier call left behind, which a thread that sleeps can have for days. The requester has
 * left its system call, and has no pointer in its hands.
 *
 * A thread that was interrupted in ftrace, behind our handler, has where it will go on among
 * the registers that ftrace saved. It is ready to run.
 */
static bool may_ignore_words(struct ksplice_stack_check *check, const struct task_struct *task)
{
	if (task == check->requester)
		return true;
	if (check->by_ftrace && READ_ONCE(task->on_rq))
		return false;
	if (!check->memory_goes)
		return true;
	check->must_stay |= check->may_stay;
	return check->may_stay;
}

/*
 * Words that are no addresses count too, and some of them a user program can choose: the
 * sets of select(), say. So where a word is found, the kernel's unwinder is asked, on which
 * livepatch relies: what it calls reliable has all return addresses. That is enough for
 * code that stays in memory; of what goes, a pointer alone is one too many.
 */
static bool has_innocent_frames(struct ksplice_stack_check *check, struct task_struct *task)
{
	int count, i;

	count = stack_trace_save_tsk_reliable(task, check->frames, KSPLICE_MAX_FRAMES);
	if (count <= 0)
		return false;
	for (i = 0; i < count; i++)
		if (find_span(check, check->frames[i]))
			return false;
	return may_ignore_words(check, task);
}
#else
static bool has_innocent_frames(struct ksplice_stack_check *check, struct task_struct *task)
{
	return false;
}
#endif

/* Words from sp up. */
static bool check_stack(struct ksplice_stack_check *check, struct task_struct *task,
			unsigned long sp)
{
	unsigned long start = (unsigned long)task_stack_page(task);
	unsigned long end = start + THREAD_SIZE;
	u32 nr_conflicts = check->update->nr_conflicts;
	bool busy = false;

	/* The registers of the user's program are up there, with whatever it put into them. */
	if (!(task->flags & PF_KTHREAD))
		end = (unsigned long)task_pt_regs(task);
	/* A stack pointer that is none: look at everything. */
	if (sp < start || sp > end || !IS_ALIGNED(sp, sizeof(long)))
		sp = start;
	for (; sp < end; sp += sizeof(long))
		busy |= check_word(check, task, READ_ONCE_NOCHECK(*(unsigned long *)sp));
	if (!busy || !has_innocent_frames(check, task))
		return busy;
	check->update->nr_conflicts = nr_conflicts;
	return false;
}

static bool is_running(const struct task_struct *task)
{
#ifdef CONFIG_SMP
	return READ_ONCE(task->on_cpu);
#else
	return task == current;
#endif
}

/* What stopped the processor that the thread runs on; NULL if that is another thread. */
static const struct ksplice_stopper *find_stopper(const struct ksplice_stack_check *check,
						  const struct task_struct *task)
{
	const struct ksplice_stopper *stopper = &check->stoppers[task_cpu(task)];

	return stopper->task == task ? stopper : NULL;
}

static bool check_words_of(struct ksplice_stack_check *check, struct task_struct *task,
			   unsigned long sp)
{
	bool busy = check_stack(check, task, sp);

	busy |= check_replaced_returns(check, task);
	/* Will be called when an interrupted system call goes on. */
	busy |= check_word(check, task, (unsigned long)task->restart_block.fn);
	return busy;
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

static enum ksplice_cause check_task(struct ksplice_stack_check *check, struct task_struct *task)
{
	unsigned long sp = task->thread.sp;

	if (is_running(task)) {
		const struct ksplice_stopper *stopper = find_stopper(check, task);

		if (!stopper) {
			record_conflict(check, task, "(running)");
			return KSPLICE_UNEXPECTED_RUNNING_TASK;
		}
		sp = stopper->sp; /* the saved one is old */
	}
	if (!has_stack(task))
		return KSPLICE_OK;
	if (task == check->requester)
		sp = check->requester_sp;
	return check_words_of(check, task, sp) ? KSPLICE_CODE_BUSY : KSPLICE_OK;
}

/* That somebody runs who should not outweighs that code is in use. */
static void worse(enum ksplice_cause *result, enum ksplice_cause cause)
{
	if (cause && *result != KSPLICE_UNEXPECTED_RUNNING_TASK)
		*result = cause;
}

/* How many threads are looked at before the clock is. */
#define THREADS_A_LOOK 16

/*
 * Looks at every thread, so that all conflicts are found in one go. An idle thread is
 * not on the list of processes; that of a processor that is off never goes on, the
 * processor comes back through its start-up code.
 */
enum ksplice_cause ksplice_check_stacks(struct ksplice_stack_check *check, u64 deadline_ns)
{
	enum ksplice_cause result = KSPLICE_OK;
	struct task_struct *process, *task;
	u32 count = 0;
	int cpu;

	for_each_process_thread(process, task) {
		if (++count % THREADS_A_LOOK == 0 && ktime_get_mono_fast_ns() > deadline_ns)
			return KSPLICE_TIMED_OUT;
		worse(&result, check_task(check, task));
	}
	for_each_online_cpu(cpu)
		worse(&result, check_task(check, idle_task(cpu)));
	return result;
}

/* The same of one thread while the machine runs; of one that runs it is not known. Under RCU. */
bool ksplice_is_inside(struct ksplice_stack_check *check, struct task_struct *task)
{
	bool busy;

	if (task == current || is_running(task) || !try_get_task_stack(task))
		return false;
	busy = check_words_of(check, task, READ_ONCE(task->thread.sp));
	put_task_stack(task);
	return busy;
}

/*
 * The threads that sleep: most that will be in the way are in the way already, and need no
 * stop to be found. What is missed is found in it.
 */
enum ksplice_cause ksplice_check_sleepers(struct ksplice_stack_check *check)
{
	struct task_struct *process, *task;
	bool busy = false;

	rcu_read_lock();
	for_each_process_thread(process, task)
		busy |= ksplice_is_inside(check, task);
	rcu_read_unlock();
	return busy ? KSPLICE_CODE_BUSY : KSPLICE_OK;
}
