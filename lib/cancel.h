/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions that pthread_cancel(3) does not leave half done. */
#ifndef HPMAP_CANCEL_H
#define HPMAP_CANCEL_H

#include <pthread.h>

static inline int cancel_disable(void)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	return state;
}

static inline void cancel_restore(const int *state)
{
	pthread_setcancelstate(*state, NULL);
}

/*
 * First in a function: the thread is not cancelled until the function has ended. Or else whatever
 * it has opened, allocated or locked would stay so.
 */
#define UNCANCELLED							\
	int cancel_state __attribute__((cleanup(cancel_restore), unused)) = cancel_disable()

#endif
