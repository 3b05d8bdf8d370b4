// SPDX-License-Identifier: GPL-2.0-only
/*
 * Some functions always have a sleeper: each program waits in some system call. Such threads
 * can be woken as by a signal that does nothing, the way livepatch and io_uring do: the
 * system call ends, and goes on as after a signal without a handler, so most begin anew, and
 * those that do not (epoll_wait) return EINTR. Being woken is not enough, as they would be
 * asleep again before the machine stands still: on their way to user space, where they hold
 * nothing of the kernel's, they wait until the attempt is over.
 *
 * Threads of the kernel itself cannot be turned round like that, and are left alone.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait.h>

#include "core.h"

/* How long the attempt waits for the threads, and a thread for the attempt, at most. */
#define ARRIVAL (HZ / 10)
#define PATIENCE (2 * HZ)

struct ksplice_nudges {
	refcount_t users;	/* the attempt, and every thread that has yet to come by */
	atomic_t awaited;
	bool over;
	wait_queue_head_t wait;
	u32 count;
	u32 room;
	struct ksplice_nudge {
		struct callback_head work;
		struct ksplice_nudges *all;
		struct task_struct *task;
	} nudge[];
};

static void put_nudges(struct ksplice_nudges *nudges)
{
	if (refcount_dec_and_test(&nudges->users))
		kvfree(nudges);
}

/* The thread will not come by, or has. */
static void drop(struct ksplice_nudges *nudges)
{
	put_nudges(nudges);
	/* The core's exit waits for what runs behind it. */
	module_put(THIS_MODULE);
}

/* Runs in the thread that was woken, before it goes back to user space. */
static void come_by(struct callback_head *work)
{
	struct ksplice_nudges *nudges = container_of(work, struct ksplice_nudge, work)->all;

	if (atomic_dec_and_test(&nudges->awaited))
		wake_up_all(&nudges->wait);
	if (!(current->flags & PF_EXITING))
		wait_event_killable_timeout(nudges->wait, READ_ONCE(nudges->over), PATIENCE);
	drop(nudges);
}

/* One that goes on when it is woken by a signal, and then comes to user space. */
static bool can_be_woken(const struct task_struct *task)
{
	unsigned int never = PF_KTHREAD | PF_IO_WORKER | PF_EXITING;
	unsigned int state = READ_ONCE(task->__state);

#ifdef PF_USER_WORKER
	never |= PF_USER_WORKER;
#endif
	return !(task->flags & never) && (state == TASK_RUNNING || state & TASK_INTERRUPTIBLE);
}

static u32 count_threads(void)
{
	struct task_struct *process, *task;
	u32 count = 0;

	rcu_read_lock();
	for_each_process_thread(process, task)
		count++;
	rcu_read_unlock();
	return count;
}

static void find_threads(struct ksplice_stack_check *check, struct ksplice_nudges *nudges)
{
	struct task_struct *process, *task;

	rcu_read_lock();
	for_each_process_thread(process, task) {
		if (nudges->count == nudges->room || !can_be_woken(task) ||
		    !ksplice_is_inside(check, task))
			continue;
		get_task_struct(task);
		nudges->nudge[nudges->count++].task = task;
	}
	rcu_read_unlock();
	check->update->nr_conflicts = 0;
}

static void nudge_thread(struct ksplice_nudges *nudges, struct ksplice_nudge *nudge)
{
	nudge->all = nudges;
	init_task_work(&nudge->work, come_by);
	refcount_inc(&nudges->users);
	atomic_inc(&nudges->awaited);
	__module_get(THIS_MODULE);
	if (!task_work_add(nudge->task, &nudge->work, TWA_SIGNAL))
		return;
	atomic_dec(&nudges->awaited);
	drop(nudges);
}

/*
 * Wakes the threads that sleep in code that is about to change, and waits some time for them
 * to come by. NULL if there is no memory. To be given to ksplice_let_threads_go().
 */
struct ksplice_nudges *ksplice_hold_threads(struct ksplice_stack_check *check)
{
	u32 room = count_threads();
	struct ksplice_nudges *nudges = kvzalloc(struct_size(nudges, nudge, room), GFP_KERNEL);
	u32 i;

	if (!nudges)
		return NULL;
	refcount_set(&nudges->users, 1);
	init_waitqueue_head(&nudges->wait);
	nudges->room = room;
	find_threads(check, nudges);
	/* One more than there are, so that it does not come to 0 before all have been woken. */
	atomic_set(&nudges->awaited, 1);
	for (i = 0; i < nudges->count; i++)
		nudge_thread(nudges, &nudges->nudge[i]);
	atomic_dec(&nudges->awaited);
	wait_event_timeout(nudges->wait, !atomic_read(&nudges->awaited), ARRIVAL);
	return nudges;
}

static bool is_work(struct callback_head *work, void *data)
{
	return work == data;
}

void ksplice_let_threads_go(struct ksplice_nudges *nudges)
{
	u32 i;

	if (!nudges)
		return;
	WRITE_ONCE(nudges->over, true);
	wake_up_all(&nudges->wait);
	for (i = 0; i < nudges->count; i++) {
		struct ksplice_nudge *nudge = &nudges->nudge[i];

		/* One that has not come by need not any more. */
		if (nudge->all && task_work_cancel_match(nudge->task, is_work, &nudge->work))
			drop(nudges);
		put_task_struct(nudge->task);
	}
	put_nudges(nudges);
}
