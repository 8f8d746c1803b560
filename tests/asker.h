/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small program that asks for buffers in the control group of the tests: helper_asker. When a
 * cpuset changes, or somebody enters one, mm/ moves all of the memory of who is in it, the C
 * library that everybody runs included, and whoever needs such a page waits meanwhile. The helper
 * has no libraries, and shares nothing with anybody.
 */
#ifndef HPM_ASKER_H
#define HPM_ASKER_H

#include <linux/hpage_map.h>
#include <stdint.h>
#include <sys/types.h>

/* What it answers to a request, a struct hpage_map_alloc. */
struct asked {
	int32_t err;			/* errno of the request, or 0 */
	struct hpage_map_alloc got;	/* its descriptor is closed */
	char text[HPAGE_MAP_TEXT_SIZE];	/* why it is not what was asked for, or empty */
	uint64_t pages[2];		/* on nodes 0 and 1, if there is a buffer */
	uint64_t mapped[2];		/* the same as mm/ says, for "map" */
	uint64_t forecast[2];		/* bytes it could get there, for "forecast" */
};

struct asker {
	const char *does;		/* its argument, or NULL */
	int to[2], from[2];		/* pipes: its input, its output */
	pid_t pid;
};

/* Of the tests: */
/* In a new group with both nodes, and with the policy of who begins it. */
struct asker asker_begin(const char *does);
void asker_end(const struct asker *asker);	/* the group goes with it */

/* A request is sent, and is about to be made, or with "map" mapped; then its answer is read. */
void asker_asks(const struct asker *asker, const struct hpage_map_alloc *a);
struct asked asker_answers(const struct asker *asker);
/* Both, for a request that succeeds with so many pages on each node. */
struct asked asker_gets(const struct asker *asker, const struct hpage_map_alloc *a, uint64_t on_0,
			uint64_t on_1);

#endif
