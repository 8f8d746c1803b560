// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Signals while the module makes a buffer, which takes long, and which any
 * signal interrupts.
 *
 * A handler with SA_RESTART must not make a system call fail. The ioctl cannot
 * be restarted: it would begin from the start, and the next tick of a timer
 * would interrupt it again. So such signals are blocked until it returns, as
 * they are held off while memfd is filled. The others interrupt it: those whose
 * handlers are without SA_RESTART, and those that kill.
 */
#define _GNU_SOURCE
#include <stddef.h>

#include "signals.h"

/* Block the signals whose handlers restart system calls; @before gets the mask as it was. */
void signals_hold(sigset_t *before)
{
	struct sigaction action;
	sigset_t restarting;
	int sig;

	sigemptyset(&restarting);
	for (sig = 1; sig <= SIGRTMAX; sig++)
		if (!sigaction(sig, NULL, &action) && action.sa_flags & SA_RESTART &&
		    action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)
			sigaddset(&restarting, sig);
	pthread_sigmask(SIG_BLOCK, &restarting, before);
}

void signals_release(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}
