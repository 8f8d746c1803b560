// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hugetlb rung: pages of the kernel's pool of one page size.
 *
 * The pool is the administrator's. Its figures are looked at before a page is zeroed, so that a
 * refusal is quick, takes nothing from others even for a moment, and can say what is missing.
 * They are a forecast: the allocation decides. Nothing here is shared, so nothing is locked.
 */
#include <linux/sizes.h>

#include "backing.h"

#define MACHINE	"kernel/mm"	/* the place of its figures in sysfs */

/* What can be had of one page size on the machine or on a node, in pages. */
struct pool {
	char place[40];			/* of the figures in sysfs */
	char where[20];			/* in words, or empty for the machine */
	unsigned long page_size;	/* bytes */
	unsigned long nr;
	unsigned long free;		/* and promised to nobody */
	unsigned long surplus;		/* of nr, leave the pool when they are freed */
	unsigned long growth;		/* that overcommit still allows */
};

/* A figure of a pool, which is below a place of sysfs. */
static int figure(const char *place, unsigned long page_size, const char *name,
		  unsigned long *value)
{
	char path[96], text[24];
	ssize_t len;

	snprintf(path, sizeof(path), "%s/hugepages/hugepages-%lukB/%s_hugepages", place,
		 page_size / SZ_1K, name);
	len = hpm_fs_sysfs(path, text, sizeof(text));
	return len < 0 ? len : kstrtoul(text, 10, value);
}

static int look(struct pool *pool, const struct hpm_attr *attr, unsigned long page_size)
{
	unsigned long free, resv, surplus, overcommit;
	const struct {
		const char *place;
		const char *name;
		unsigned long *value;
	} figures[] = {
		{ pool->place, "nr", &pool->nr },
		{ pool->place, "free", &pool->free },
		{ pool->place, "surplus", &pool->surplus },
		{ MACHINE, "free", &free },
		{ MACHINE, "resv", &resv },
		{ MACHINE, "surplus", &surplus },
		{ MACHINE, "nr_overcommit", &overcommit },
	};
	int i, ret = 0;

	*pool = (struct pool){ .place = MACHINE, .page_size = page_size };
	/* Kernels without NUMA have no figures of nodes. */
	if (IS_ENABLED(CONFIG_NUMA) && attr->policy == HPAGE_MAP_POLICY_STRICT) {
		snprintf(pool->place, sizeof(pool->place), "devices/system/node/node%d",
			 attr->node);
		snprintf(pool->where, sizeof(pool->where), " on node %d", attr->node);
	}
	for (i = 0; i < ARRAY_SIZE(figures) && !ret; i++)
		ret = figure(figures[i].place, page_size, figures[i].name, figures[i].value);
	if (ret)
		return ret;
	/* What is promised is promised on no node: keep it all from this one. */
	pool->free = min(pool->free, free - min(free, resv));
	pool->growth = overcommit - min(overcommit, surplus);
	return 0;
}

static bool suffices(const struct pool *pool, unsigned long nr)
{
	/* No sum: overcommit may be as large as a number can be. */
	return nr - min(nr, pool->free) <= pool->growth;
}

static void explain(const struct pool *pool, unsigned long nr, struct hpm_why *why)
{
	unsigned long kb = pool->page_size / SZ_1K;

	if (suffices(pool, nr)) {
		hpm_why(why, "hugetlb: the pool has the pages, but a limit holds the caller");
		hpm_why_try(why, "look at its cgroup's hugetlb.*.max, memory policy and cpuset");
		return;
	}
	hpm_why(why, "hugetlb: %lu pages of %lu kB needed, %lu of %lu free%s, %lu by overcommit",
		nr, kb, pool->free, pool->nr, pool->where, pool->growth);
	hpm_why_try(why, "echo %lu > /sys/%s/hugepages/hugepages-%lukB/nr_hugepages",
		    pool->nr - min(pool->nr, pool->surplus) + nr - min(nr, pool->free),
		    pool->place, kb);
}

/* Is there a pool for pages of a size, be it empty? That it cannot be asked now says nothing. */
bool hpm_hugetlb_has(unsigned long page_size)
{
	unsigned long nr;

	return figure(MACHINE, page_size, "nr", &nr) != -ENOENT;
}

/* Pages of a node that are free and promised to nobody, and that leave the pool when freed. */
void hpm_hugetlb_look(unsigned long page_size, int node, unsigned long *free,
		      unsigned long *surplus)
{
	struct hpm_attr attr = { .policy = HPAGE_MAP_POLICY_STRICT, .node = node };
	struct pool pool;
	int ret = look(&pool, &attr, page_size);

	*free = ret ? 0 : pool.free;
	*surplus = ret ? 0 : pool.surplus;
}

/* Make a hugetlbfs file. Return: the file, or an ERR_PTR as of hpm_fs_create(). */
struct file *hpm_hugetlb_file(unsigned long page_size, u64 size)
{
	char option[24];

	snprintf(option, sizeof(option), "%luK", page_size / SZ_1K);
	return hpm_fs_create("hugetlbfs", option, size);
}

/*
 * Choosing pages needs those that are freed to come back into the pool. When nothing is free
 * there, new pages from the page allocator may lie well by chance.
 */
static int allocate(struct file *file, const struct hpm_attr *attr, const struct pool *pool,
		    unsigned long nr, struct hpm_why *why)
{
	bool choosy = attr->limit || (attr->contiguous && nr > 1);

	if (!choosy || !pool->free)
		return hpm_fs_allocate(file, 0, (loff_t)nr * pool->page_size);
	if (pool->surplus) {
		hpm_why(why, "hugetlb: pages cannot be chosen while %lu of the pool are surplus",
			pool->surplus);
		hpm_why_try(why, "a larger nr_hugepages, which makes them persistent");
		return -ENOMEM;
	}
	return hpm_collect(file, attr, nr, pool->page_size, why);
}

/* The rung of the hugetlb pools; see backing.h. Return: the filled file, or an ERR_PTR. */
struct file *hpm_hugetlb_fill(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			      struct hpm_why *why)
{
	unsigned long nr = size / page_size;
	struct file *file;
	struct pool pool;
	int ret = look(&pool, attr, page_size);

	if (ret)
		return ERR_PTR(ret);
	if (!suffices(&pool, nr)) {
		explain(&pool, nr, why);
		return ERR_PTR(-ENOMEM);
	}

	file = hpm_hugetlb_file(page_size, size);
	if (IS_ERR(file))
		return file;
	ret = allocate(file, attr, &pool, nr, why);
	if (!ret)
		return file;

	hpm_fs_discard(file);
	if (ret != -ENOSPC)
		return ERR_PTR(ret);
	if (!look(&pool, attr, page_size))
		explain(&pool, nr, why);
	return ERR_PTR(-ENOMEM);
}

/* One page more, for the reserve. Return: 0; -ENOMEM when the pool has none; or -errno. */
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
