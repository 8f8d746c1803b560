// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ends a call that takes long.
 *
 * Filling a buffer takes seconds. If each disturbance made the call begin anew, a program that is
 * disturbed all the time would never get its buffer. So there are three kinds:
 *
 *	work that others have for the task, as completions of io_uring: it is done when the
 *	call returns, and interrupts nothing
 *
 *	a signal whose handler has SA_RESTART, as of a profiling timer: it is blocked while
 *	the pages are got, and its handler runs when the call returns, unless it is one by
 *	which the kernel reports a fault of the task
 *
 *	all else, another signal, a stop, the freezer or a tracer: the call is over at the next
 *	page, gives back what it has, and returns -ERESTARTSYS as the kernel's own calls do. It
 *	begins anew, or is EINTR where a handler without SA_RESTART ran
 *
 * All of it concerns the calling task alone. Its handlers are read under their own lock.
 */
#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>

#include "signals.h"

/* If one of these is blocked when the task causes it, the kernel ends the task. */
#define SIGNALS_OF_FAULTS	(sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) | \
				 sigmask(SIGTRAP) | sigmask(SIGFPE) | sigmask(SIGSYS))

/* Must the call end? What interrupts the task otherwise is put off until it returns. */
bool hpm_signals_pending(void)
{
	if (task_sigpending(current))
		return true;
	if (test_thread_flag(TIF_NOTIFY_SIGNAL)) {
		/* Whoever set it wants the task's work done soon; the way out does it, too. */
		clear_notify_signal();
		set_notify_resume(current);
	}
	return false;
}

static bool action_restarts(const struct sigaction *action)
{
	return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN &&
	       action->sa_flags & SA_RESTART;
}

/* Block the signals that restart system calls. *before: those that were blocked before. */
void hpm_signals_hold(sigset_t *before)
{
	/* A task that lives has it for good. */
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);
	sigset_t signals;
	int i;

	sigemptyset(&signals);
	spin_lock_irq(&sighand->siglock);
	for (i = 0; i < _NSIG; i++)
		if (action_restarts(&sighand->action[i].sa))
			sigaddset(&signals, i + 1);
	spin_unlock_irq(&sighand->siglock);
	sigdelsetmask(&signals, SIGNALS_OF_FAULTS);
	sigprocmask(SIG_BLOCK, &signals, before);
}
