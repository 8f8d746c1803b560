// SPDX-License-Identifier: LGPL-2.1-or-later
/* The kernel's pools of huge pages. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cancel.h"
#include "files.h"
#include "pool.h"
#include "public.h"
#include "signals.h"
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
	UNCANCELLED;
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

#define DIR_ROOM	128

static void pool_dir(uint64_t page_size, int node, char dir[DIR_ROOM])
{
	unsigned long long kb = page_size >> 10;

	if (node < 0)
		snprintf(dir, DIR_ROOM, POOLS "/hugepages-%llukB", kb);
	else
		snprintf(dir, DIR_ROOM, SYSFS_NODES "/node%d/hugepages/hugepages-%llukB", node, kb);
}

/* The figures of a pool, or -errno without a reason; -ENOENT if there is none. */
int pool_read(uint64_t page_size, int node, struct hpmap_pool *p)
{
	char dir[DIR_ROOM];
	int ret;

	if (page_size % 1024)
		return -ENOENT;
	pool_dir(page_size, node, dir);
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

/* The same, with a reason. */
static int pool_look(uint64_t page_size, int node, struct hpmap_pool *p)
{
	char on_node[32] = "";
	int ret;

	if (node < -1)
		return fail(-EINVAL, "%d is no node" TRY "-1 for the whole machine", node);
	if (node >= 0)
		snprintf(on_node, sizeof(on_node), " on node %d", node);
	ret = pool_read(page_size, node, p);
	if (ret == -ENOENT)
		return fail(ret, "there is no pool of %s pages%s" TRY "hpagectl pool",
			    SIZE_TEXT(page_size), on_node);
	if (ret)
		return fail(ret, "the pool of %s pages%s: %s", SIZE_TEXT(page_size), on_node,
			    strerror(-ret));
	return 0;
}

PUBLIC int hpmap_get_pool(uint64_t page_size, int node, struct hpmap_pool *pool)
{
	UNCANCELLED;
	struct hpmap_pool p;
	int ret = struct_check("hpmap_pool", pool, sizeof(p), sizeof(p));

	if (!ret)
		ret = pool_look(page_size, node, &p);
	if (ret)
		return ret;
	struct_out(pool, &p, sizeof(p));
	return 0;
}

/* Write to a file of the pool, which is there. The kernel stops early for any signal. */
static int pool_write(uint64_t page_size, int node, const char *file, uint64_t pages)
{
	char dir[DIR_ROOM];
	sigset_t before;
	int ret;

	pool_dir(page_size, node, dir);
	signals_hold(&before);
	ret = file_put_number_in(dir, file, pages);
	signals_release(&before);
	return ret == -EROFS || ret == -EPERM ? -EACCES : ret;
}

static int pool_write_failed(uint64_t page_size, int ret)
{
	if (ret == -EACCES)
		return fail(ret, "the pool of %s pages may not be set from here"
			    TRY "sudo hpagectl pool", SIZE_TEXT(page_size));
	if (ret == -EINVAL)
		return fail(ret, "this kernel cannot set the pool of %s pages while it runs, or "
			    "not so high", SIZE_TEXT(page_size));
	return fail(ret, "the pool of %s pages cannot be set: %s", SIZE_TEXT(page_size),
		    strerror(-ret));
}

/*
 * Set the pages of a pool, and look what it has then. What comes back while Linux makes a pool
 * smaller it counts as surplus, and keeps although it is free. To set what there is makes it the
 * pool's own again.
 */
static int pool_resize(uint64_t page_size, int node, uint64_t pages, struct hpmap_pool *now)
{
	int ret = pool_write(page_size, node, "nr_hugepages", pages);

	if (!ret)
		ret = pool_read(page_size, node, now);
	if (ret || !now->surplus || !now->free)
		return ret;
	ret = pool_write(page_size, node, "nr_hugepages", now->total);
	if (!ret)
		ret = pool_write(page_size, node, "nr_hugepages", pages);
	return ret ? ret : pool_read(page_size, node, now);
}

PUBLIC int hpmap_set_pool(uint64_t page_size, int node, uint64_t pages, uint64_t *got)
{
	UNCANCELLED;
	struct hpmap_pool before, now;
	int ret = pool_look(page_size, node, &before);

	if (ret)
		return ret;
	ret = pool_resize(page_size, node, pages, &now);
	if (ret)
		return pool_write_failed(page_size, ret);
	if (got)
		*got = now.total;
	if (got || now.total >= pages)
		return 0;
	/* What is surplus was not set. */
	pool_write(page_size, node, "nr_hugepages", before.total - before.surplus);
	return fail(-ENOMEM, "%llu of %llu page%s of %s could be had: memory is short or fragmented"
		    TRY "echo 1 | sudo tee /proc/sys/vm/compact_memory",
		    (unsigned long long)now.total, (unsigned long long)pages, plural(pages),
		    SIZE_TEXT(page_size));
}

PUBLIC int hpmap_set_overcommit(uint64_t page_size, uint64_t pages)
{
	UNCANCELLED;
	struct hpmap_pool pool;
	int ret = pool_look(page_size, -1, &pool);

	if (!ret) {
		ret = pool_write(page_size, -1, "nr_overcommit_hugepages", pages);
		if (ret)
			ret = pool_write_failed(page_size, ret);
	}
	return ret;
}
