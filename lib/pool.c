// SPDX-License-Identifier: LGPL-2.1-or-later
/* The kernel's pools of huge pages. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "pool.h"
#include "public.h"
#include "structs.h"
#include "sysfs.h"
#include "text.h"
#include "why.h"

#define POOLS		"/sys/kernel/mm/hugepages"
#define MAX_SIZES	32

static int size_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

PUBLIC int hpmap_page_sizes(uint64_t *sizes, unsigned int *nr)
{
	uint64_t all[MAX_SIZES];
	unsigned long long kb;
	unsigned int n = 0, i;
	struct dirent *entry;
	DIR *dir;

	if (*nr && !sizes)
		return fail(-EFAULT, "hpmap_page_sizes: the array is NULL");
	do {
		dir = opendir(POOLS);
	} while (!dir && errno == EINTR);
	if (!dir && errno != ENOENT)
		return fail(-errno, POOLS ": %s", strerror(errno));
	while (dir && n < MAX_SIZES && (entry = readdir(dir)))
		if (sscanf(entry->d_name, "hugepages-%llukB", &kb) == 1)
			all[n++] = kb << 10;
	if (dir)
		closedir(dir);
	qsort(all, n, sizeof(*all), size_compare);
	for (i = 0; i < n && i < *nr; i++)
		sizes[i] = all[i];
	*nr = n;
	return 0;
}

/* The figures of a pool, or -errno without a reason; -ENOENT if there is none. */
int pool_read(uint64_t page_size, int node, struct hpmap_pool *p)
{
	unsigned long long kb = page_size >> 10;
	char dir[128];
	int ret;

	if (page_size % 1024)
		return -ENOENT;
	if (node < 0)
		snprintf(dir, sizeof(dir), POOLS "/hugepages-%llukB", kb);
	else
		snprintf(dir, sizeof(dir), SYSFS_NODES "/node%d/hugepages/hugepages-%llukB", node,
			 kb);
	*p = (struct hpmap_pool){ .struct_size = sizeof(*p) };
	ret = file_number_in(dir, "nr_hugepages", &p->total);
	if (!ret)
		ret = file_number_in(dir, "free_hugepages", &p->free);
	if (!ret)
		ret = file_number_in(dir, "surplus_hugepages", &p->surplus);
	if (ret)
		return ret;
	/* These a node does not have. */
	file_number_in(dir, "resv_hugepages", &p->promised);
	file_number_in(dir, "nr_overcommit_hugepages", &p->overcommit);
	return 0;
}

PUBLIC int hpmap_get_pool(uint64_t page_size, int node, struct hpmap_pool *pool)
{
	struct hpmap_pool p;
	int ret = struct_check("hpmap_pool", pool, sizeof(p), sizeof(p));
	char on_node[32] = "";

	if (ret)
		return ret;
	if (node < -1)
		return fail(-EINVAL, "%d is no node" TRY "-1 for the whole machine", node);
	if (node >= 0)
		snprintf(on_node, sizeof(on_node), " on node %d", node);
	ret = pool_read(page_size, node, &p);
	if (ret == -ENOENT)
		return fail(ret, "there is no pool of %s pages%s" TRY "hpagectl pool",
			    SIZE_TEXT(page_size), on_node);
	if (ret)
		return fail(ret, "the pool of %s pages%s: %s", SIZE_TEXT(page_size), on_node,
			    strerror(-ret));
	struct_out(pool, &p, sizeof(p));
	return 0;
}
