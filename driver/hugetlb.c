// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hugetlb rung: pages of the kernel's pool of one page size.
 *
 * The pool is the administrator's. Its figures are looked at before a page is
 * zeroed, so that a refusal is quick, takes nothing from others even for a
 * moment, and can say what is missing. They are a forecast, not a promise:
 * the allocation itself decides, and gives everything back if it fails.
 *
 * Nothing here is shared, so nothing is locked.
 */
#include <linux/sizes.h>

#include "backing.h"

/* A pool, in pages of its page size. */
struct pool {
	unsigned long nr;
	unsigned long free;
	unsigned long resv;
	unsigned long surplus;
	unsigned long overcommit;
};

static int read_figure(const char *path, unsigned long *figure)
{
	char text[24];
	ssize_t len = hpm_fs_sysfs(path, text, sizeof(text));

	return len < 0 ? len : kstrtoul(text, 10, figure);
}

static int pool_figure(unsigned long page_size, const char *name, unsigned long *figure)
{
	char path[80];

	snprintf(path, sizeof(path), "kernel/mm/hugepages/hugepages-%lukB/%s",
		 page_size / SZ_1K, name);
	return read_figure(path, figure);
}

static int node_figure(int node, unsigned long page_size, const char *name,
		       unsigned long *figure)
{
	char path[96];

	snprintf(path, sizeof(path), "devices/system/node/node%d/hugepages/hugepages-%lukB/%s",
		 node, page_size / SZ_1K, name);
	return read_figure(path, figure);
}

static int pool_look(unsigned long page_size, struct pool *pool)
{
	const struct {
		const char *name;
		unsigned long *figure;
	} figures[] = {
		{ "nr_hugepages", &pool->nr },
		{ "free_hugepages", &pool->free },
		{ "resv_hugepages", &pool->resv },
		{ "surplus_hugepages", &pool->surplus },
		{ "nr_overcommit_hugepages", &pool->overcommit },
	};
	int i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(figures) && !ret; i++)
		ret = pool_figure(page_size, figures[i].name, figures[i].figure);
	return ret;
}

/* Look no further than one node. */
static int pool_look_at_node(unsigned long page_size, int node, struct pool *pool)
{
	unsigned long free;
	int ret = node_figure(node, page_size, "nr_hugepages", &pool->nr);

	if (!ret)
		ret = node_figure(node, page_size, "free_hugepages", &free);
	if (!ret)
		ret = node_figure(node, page_size, "surplus_hugepages", &pool->surplus);
	if (ret)
		return ret;
	/* What is promised is promised on no node: keep it all from this one. */
	pool->free = min(free, pool->free - min(pool->free, pool->resv));
	pool->resv = 0;
	return 0;
}

static int look(const struct hpm_attr *attr, unsigned long page_size, struct pool *pool)
{
	int ret = pool_look(page_size, pool);

	if (!ret && attr->policy == HPAGE_MAP_POLICY_STRICT)
		ret = pool_look_at_node(page_size, attr->node, pool);
	return ret;
}

/* Pages that are free and promised to nobody. */
static unsigned long pool_unreserved(const struct pool *pool)
{
	return pool->free - min(pool->free, pool->resv);
}

static unsigned long pool_available(const struct pool *pool)
{
	return pool_unreserved(pool) + pool->overcommit - min(pool->overcommit, pool->surplus);
}

static void explain_short(struct hpm_why *why, const struct hpm_attr *attr,
			  const struct pool *pool, unsigned long nr, unsigned long page_size)
{
	unsigned long free = pool_unreserved(pool);
	unsigned long persistent = pool->nr - min(pool->nr, pool->surplus);
	bool strict = attr->policy == HPAGE_MAP_POLICY_STRICT;
	char place[32] = "kernel/mm", where[24] = "";

	if (strict) {
		snprintf(place, sizeof(place), "devices/system/node/node%d", attr->node);
		snprintf(where, sizeof(where), " on node %d", attr->node);
	}
	hpm_why(why, "hugetlb: %lu pages of %lu kB needed, %lu of %lu free%s, overcommit %lu",
		nr, page_size / SZ_1K, free, pool->nr, where, pool->overcommit);
	hpm_why_try(why, "echo %lu > /sys/%s/hugepages/hugepages-%lukB/nr_hugepages",
		    persistent + nr - min(nr, free), place, page_size / SZ_1K);
}

/* The allocation said ENOSPC although the pool looked good. */
static void explain_nospace(struct hpm_why *why, const struct hpm_attr *attr, unsigned long nr,
			    unsigned long page_size)
{
	struct pool pool;

	if (look(attr, page_size, &pool))
		return;
	if (pool_available(&pool) < nr) {
		explain_short(why, attr, &pool, nr, page_size);
	} else {
		hpm_why(why, "hugetlb: the pool has the pages, but a limit holds the caller");
		hpm_why_try(why, "look at its cgroup's hugetlb.*.max, memory policy and cpuset");
	}
}

/*
 * Does this machine have pages of a size? Return: true if there is a pool for them, be it
 * empty.
 */
bool hpm_hugetlb_has(unsigned long page_size)
{
	unsigned long nr;

	return !pool_figure(page_size, "nr_hugepages", &nr);
}

/* Pages of a pool that leave it when they are freed. Return: their number. */
unsigned long hpm_hugetlb_surplus(unsigned long page_size)
{
	unsigned long nr = 0;

	pool_figure(page_size, "surplus_hugepages", &nr);
	return nr;
}

/* Make a hugetlbfs file. Return: the file, or an ERR_PTR as of hpm_fs_create(). */
struct file *hpm_hugetlb_file(unsigned long page_size, u64 size)
{
	char option[24];

	snprintf(option, sizeof(option), "%luK", page_size / SZ_1K);
	return hpm_fs_create("hugetlbfs", "pagesize", option, size);
}

/*
 * Choosing pages needs those that are freed to come back into the pool. When
 * nothing is free there, new pages from the page allocator may lie well by
 * chance.
 */
static int allocate(struct file *file, const struct hpm_attr *attr, const struct pool *pool,
		    unsigned long nr, unsigned long page_size, struct hpm_why *why)
{
	bool choosy = attr->limit || (attr->contiguous && nr > 1);

	if (!choosy || !pool_unreserved(pool))
		return hpm_fs_allocate(file, 0, (loff_t)nr * page_size);
	if (pool->surplus) {
		hpm_why(why, "hugetlb: pages cannot be chosen while %lu of the pool are surplus",
			pool->surplus);
		hpm_why_try(why, "a larger nr_hugepages, which makes them persistent");
		return -ENOMEM;
	}
	return hpm_collect(file, attr, nr, page_size, pool_unreserved(pool), why);
}

/*
 * The rung of the hugetlb pools; see backing.h. Return: the filled file, or an ERR_PTR.
 */
struct file *hpm_hugetlb_fill(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			      struct hpm_why *why)
{
	unsigned long nr = size / page_size;
	struct file *file;
	struct pool pool;
	int ret;

	ret = look(attr, page_size, &pool);
	if (ret)
		return ERR_PTR(ret);

	if (pool_available(&pool) < nr) {
		explain_short(why, attr, &pool, nr, page_size);
		return ERR_PTR(-ENOMEM);
	}

	file = hpm_hugetlb_file(page_size, size);
	if (IS_ERR(file))
		return file;

	ret = allocate(file, attr, &pool, nr, page_size, why);
	if (!ret)
		return file;

	hpm_fs_discard(file);
	if (ret == -ENOSPC) {
		explain_nospace(why, attr, nr, page_size);
		ret = -ENOMEM;
	}
	return ERR_PTR(ret);
}

/*
 * One page more, for the reserve. Return: 0, -ENOMEM when the pool has none, or another
 * -errno.
 */
int hpm_hugetlb_extend(struct file *file, loff_t pos, unsigned long page_size,
		       struct hpm_why *why)
{
	int ret = hpm_fs_allocate(file, pos, page_size);

	if (ret != -ENOSPC)
		return ret;
	hpm_why(why, "hugetlb: the pool has no page of %lu kB for the reserve", page_size / SZ_1K);
	hpm_why_try(why, "a larger nr_hugepages of that node");
	return -ENOMEM;
}
