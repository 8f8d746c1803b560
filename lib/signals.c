// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Signals while the module makes a buffer, which takes long, and which any
 * signal ends.
 *
 * A program whose handlers are to restart system calls (SA_RESTART) expects that
 * a timer does not make them fail; but nothing can be restarted here that would
 * not begin anew, and be ended by the next tick. So these signals wait until the
 * call returns, as they do for memfd. Others end it: those without SA_RESTART,
 * for programs that want to be asked, and those that kill.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "internal.h"

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
