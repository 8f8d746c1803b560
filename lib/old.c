// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of before, for programs that have them. They go with the next soname. */
#include "public.h"

PUBLIC void hpmap_free(struct hpmap_buffer *b)
{
	hpmap_close(b);
}

PUBLIC uint64_t hpmap_length(const struct hpmap_buffer *b)
{
	return hpmap_size(b);
}

PUBLIC int hpmap_pool(uint64_t page_size, int node, struct hpmap_pool *pool)
{
	return hpmap_get_pool(page_size, node, pool);
}

/* Counts what was written: a program may go through its array by that. */
PUBLIC int hpmap_runs(const struct hpmap_buffer *b, uint64_t first, struct hpmap_run *runs,
		      unsigned int *nr)
{
	unsigned int room = *nr;
	int ret = hpmap_get_runs(b, first, runs, nr);

	if (!ret && *nr > room)
		*nr = room;
	return ret;
}

PUBLIC int hpmap_reserve(enum hpmap_backing backing, uint64_t page_size, int node,
			 struct hpmap_reserve *reserve)
{
	return hpmap_get_reserve(backing, page_size, node, reserve);
}
