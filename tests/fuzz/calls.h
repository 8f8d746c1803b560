/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls that an input is made of.
 *
 * An input is text, a call a line: its name and its arguments, numbers from 0
 * to 255, of which those left out are 0. What a number means is up to the call:
 * mostly which of a list of values, or which of the descriptors or mappings
 * that the input has, 0 being the newest.
 */
#ifndef HPM_FUZZ_CALLS_H
#define HPM_FUZZ_CALLS_H

#include <stdint.h>

#define MAX_ARGS	6
#define POOL		16	/* pages in the pool before each input */
#define HUGE		"/sys/kernel/mm/hugepages/hugepages-2048kB/"

struct call {
	const char *name;
	unsigned int nr_args;
	long (*fn)(const uint8_t *a);	/* -1 and errno, as system calls have it */
};

extern const struct call calls[];
extern const unsigned int nr_calls;

/* What other processes see too, and what somebody has to undo who still may. */
extern int *machine_is_changed;
void machine_restore(int door);

void objects_init(void);	/* in the process of one input, before its first call */
void objects_drop(void);	/* close and unmap all that its calls have left */

#endif
