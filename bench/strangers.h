/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of others, which is in the way of who is measured. */
#ifndef HPM_STRANGERS_H
#define HPM_STRANGERS_H

#include <sys/mman.h>

#include "bench.h"

/* NULL while there is none. */
static struct strangers {
	char *p;
	uint64_t len;
} strangers;

/* They take that many tenths of the memory, in base pages. */
static inline void strangers_take(int tenths)
{
	char *p;

	strangers.len = (uint64_t)sysconf(_SC_PHYS_PAGES) * tenths / 10 * BASE_PAGE;
	p = mmap(NULL, strangers.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || madvise(p, strangers.len, MADV_NOHUGEPAGE) ||
	    madvise(p, strangers.len, MADV_POPULATE_WRITE))
		err(1, "memory of others");
	strangers.p = p;
}

/* The same, and three pages in each four, at random, are given back. */
static inline void strangers_come(int tenths)
{
	unsigned int seed = 1;

	strangers_take(tenths);
	/* Of each four, the pages before and behind the one that is kept. */
	for (uint64_t at = 0; at + 4 * BASE_PAGE <= strangers.len; at += 4 * BASE_PAGE) {
		uint64_t kept = rand_r(&seed) >> 8 & 3;

		if (kept)
			madvise(strangers.p + at, kept * BASE_PAGE, MADV_DONTNEED);
		if (kept < 3)
			madvise(strangers.p + at + (kept + 1) * BASE_PAGE,
				(3 - kept) * BASE_PAGE, MADV_DONTNEED);
	}
}

static inline void strangers_go(void)
{
	if (strangers.p)
		munmap(strangers.p, strangers.len);
	strangers.p = NULL;
}

#endif
