// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is asked for by writing to an update's `stage`. One write is one attempt.
 *
 * The attempt is not made inside of write(2), whose functions could then never be replaced,
 * nor those that lead to it: it is made by the same thread, when that has left the system
 * call and is about to go back to user space. So it is over when write(2) returns there, and
 * what write(2) returns is what came of it.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/task_work.h>
#include <asm/syscall.h>
#include <asm/unistd.h>

#include "core.h"

static const struct {
	const char *name;
	int error;
} causes[KSPLICE_NR_CAUSES] = {
	[KSPLICE_OK] = { "ok", 0 },
	[KSPLICE_NO_MATCH] = { "no_match", -EILSEQ },
	[KSPLICE_CODE_BUSY] = { "code_busy", -EAGAIN },
	[KSPLICE_MODULE_BUSY] = { "module_busy", -EBUSY },
	[KSPLICE_OUT_OF_MEMORY] = { "out_of_memory", -ENOMEM },
	[KSPLICE_FAILED_TO_FIND] = { "failed_to_find", -ENOENT },
	[KSPLICE_ALREADY_REVERSED] = { "already_reversed", -EALREADY },
	[KSPLICE_UNEXPECTED_RUNNING_TASK] = { "unexpected_running_task", -EAGAIN },
	[KSPLICE_TIMED_OUT] = { "timed_out", -EAGAIN },
	[KSPLICE_TARGET_NOT_LOADED] = { "target_not_loaded", -ENODEV },
	[KSPLICE_CALL_FAILED] = { "call_failed", -ECANCELED },
	[KSPLICE_ENTRY_TAKEN] = { "entry_taken", -EBUSY },
	[KSPLICE_UNEXPECTED] = { "unexpected", -EINVAL },
};

const char *ksplice_cause_name(enum ksplice_cause cause)
{
	return causes[cause].name;
}

struct ksplice_request {
	struct callback_head work;
	struct ksplice_update *update;
	enum ksplice_cause (*change)(struct ksplice_update *update,
				     const struct ksplice_attempt *attempt);
	bool nudge;
	bool may_stay;
	char replaced[KSPLICE_MAX_ID + 1];	/* empty if none is */
};

/* -- doing it ------------------------------------------------------------------------ */

/* Under ksplice_lock. The update may have been taken back since. */
static enum ksplice_cause attempt(const struct ksplice_request *request, unsigned long caller_sp)
{
	struct ksplice_attempt attempt = {
		.nudge = request->nudge,
		.may_stay = request->may_stay,
		.caller_sp = caller_sp,
	};

	if (request->update->stage == KSPLICE_PREPARING)
		return KSPLICE_TARGET_NOT_LOADED;
	if (*request->replaced) {
		attempt.replaced = ksplice_find_update(request->replaced);
		if (!attempt.replaced || attempt.replaced == request->update) {
			pr_notice("%s: there is no update %s to replace\n", request->update->id,
				  request->replaced);
			return KSPLICE_UNEXPECTED;
		}
	}
	return request->change(request->update, &attempt);
}

/* On the way back to user space. A thread that is killed asks for nothing any more. */
static void run_request(struct callback_head *work)
{
	struct ksplice_request *request = container_of(work, struct ksplice_request, work);
	enum ksplice_cause cause;

	if (!(current->flags & PF_EXITING) && !mutex_lock_killable(&ksplice_lock)) {
		cause = attempt(request, (unsigned long)__builtin_frame_address(0));
		WRITE_ONCE(request->update->abort_cause, cause);
		mutex_unlock(&ksplice_lock);
		if (cause)
			syscall_set_return_value(current, current_pt_regs(), causes[cause].error,
						 0);
	}
	kobject_put(&request->update->kobj);
	kfree(request);
	/* The core's exit waits for what runs behind it. */
	module_put(THIS_MODULE);
}

/* -- asking for it ------------------------------------------------------------------- */

static int read_option(struct ksplice_request *request, const char *word)
{
	static const char replace[] = "replace=";

	if (!strcmp(word, "nudge")) {
		request->nudge = true;
		return 0;
	}
	if (!strcmp(word, "stay") && request->change != ksplice_release) {
		request->may_stay = true;
		return 0;
	}
	if (strncmp(word, replace, strlen(replace)) || request->change != ksplice_apply)
		return -EINVAL;
	word += strlen(replace);
	if (!*word || strscpy(request->replaced, word, sizeof(request->replaced)) < 0)
		return -EINVAL;
	return 0;
}

static int read_words(struct ksplice_request *request, char *words)
{
	const char *word = strsep(&words, " ");
	int ret = 0;

	if (!strcmp(word, "applied"))
		request->change = ksplice_apply;
	else if (!strcmp(word, "reversed"))
		request->change = ksplice_reverse;
	else if (!strcmp(word, "released"))
		request->change = ksplice_release;
	else
		return -EINVAL;
	while (!ret && (word = strsep(&words, " ")))
		ret = read_option(request, word);
	return ret;
}

static struct ksplice_request *make_request(const char *text)
{
	struct ksplice_request *request = kzalloc(sizeof(*request), GFP_KERNEL);
	char *words = kstrdup(text, GFP_KERNEL);
	int ret = -ENOMEM;

	if (request && words)
		ret = read_words(request, strim(words));
	kfree(words);
	if (!ret)
		return request;
	kfree(request);
	return ERR_PTR(ret);
}

/**
 * ksplice_request() - ask for an attempt, from a write to the update's `stage`
 * @update: cannot go away before this has returned
 * @text: the stage, and options behind it
 *
 * Return: 0, -EINVAL for nonsense, -EOPNOTSUPP for a thread that has no user space to go back
 * to, or that may do so with the system call not over, -ENOMEM. What comes of it is told to
 * the writer instead of a return value of 0.
 */
int ksplice_request(struct ksplice_update *update, const char *text)
{
	struct ksplice_request *request;
	int ret;

	if (current->flags & (PF_KTHREAD | PF_IO_WORKER) ||
	    syscall_get_nr(current, current_pt_regs()) == __NR_io_uring_enter)
		return -EOPNOTSUPP;
	request = make_request(text);
	if (IS_ERR(request))
		return PTR_ERR(request);
	request->update = update;
	kobject_get(&update->kobj);
	__module_get(THIS_MODULE);
	init_task_work(&request->work, run_request);
	ret = task_work_add(current, &request->work, TWA_RESUME);
	if (ret) {
		module_put(THIS_MODULE);
		kobject_put(&update->kobj);
		kfree(request);
	}
	return ret;
}
