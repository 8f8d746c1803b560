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
#include "fs.h"

/* A pool, in pages of its page size. */
struct pool {
	unsigned long nr;
	unsigned long free;
	unsigned long resv;
	unsigned long surplus;
	unsigned long overcommit;
};

static int pool_figure(unsigned long page_size, const char *name, unsigned long *figure)
{
	char path[80], text[24];
	ssize_t len;

	snprintf(path, sizeof(path), "kernel/mm/hugepages/hugepages-%lukB/%s",
		 page_size / SZ_1K, name);
	len = hpm_fs_sysfs(path, text, sizeof(text));
	return len < 0 ? len : kstrtoul(text, 10, figure);
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

/* Pages that are free and promised to nobody. */
static unsigned long pool_unreserved(const struct pool *pool)
{
	return pool->free - min(pool->free, pool->resv);
}

static unsigned long pool_available(const struct pool *pool)
{
	return pool_unreserved(pool) + pool->overcommit - min(pool->overcommit, pool->surplus);
}

static void explain_short(struct hpm_why *why, const struct pool *pool, unsigned long nr,
			  unsigned long page_size)
{
	unsigned long free = pool_unreserved(pool);
	unsigned long persistent = pool->nr - min(pool->nr, pool->surplus);

	hpm_why(why, "hugetlb: %lu pages of %lu kB needed, %lu of %lu free, overcommit %lu",
		nr, page_size / SZ_1K, free, pool->nr, pool->overcommit);
	hpm_why_try(why, "echo %lu > /sys/kernel/mm/hugepages/hugepages-%lukB/nr_hugepages",
		    persistent + nr - min(nr, free), page_size / SZ_1K);
}

/* The allocation said ENOSPC although the pool looked good. */
static void explain_nospace(struct hpm_why *why, unsigned long nr, unsigned long page_size)
{
	struct pool pool;

	if (pool_look(page_size, &pool))
		return;
	if (pool_available(&pool) < nr) {
		explain_short(why, &pool, nr, page_size);
	} else {
		hpm_why(why, "hugetlb: the pool has the pages, but a limit holds the caller");
		hpm_why_try(why, "look at its cgroup's hugetlb.*.max, memory policy and cpuset");
	}
}

/**
 * hpm_hugetlb_fill() - the rung of the hugetlb pools; see backing.h
 * @attr: what is asked for
 * @size: bytes, a multiple of @page_size
 * @page_size: bytes
 * @why: told when it fails
 *
 * Context: may sleep; interruptible.
 * Return: the filled file, or an ERR_PTR.
 */
struct file *hpm_hugetlb_fill(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			      struct hpm_why *why)
{
	unsigned long nr = size / page_size;
	struct file *file;
	struct pool pool;
	char option[24];
	int ret;

	ret = pool_look(page_size, &pool);
	if (ret == -ENOENT || ret == -ENODEV) {
		hpm_why(why, "hugetlb: no pages of %lu kB on this machine", page_size / SZ_1K);
		hpm_why_try(why, "ls /sys/kernel/mm/hugepages");
		return ERR_PTR(-EINVAL);
	}
	if (ret)
		return ERR_PTR(ret);

	if (pool_available(&pool) < nr) {
		explain_short(why, &pool, nr, page_size);
		return ERR_PTR(-ENOMEM);
	}

	snprintf(option, sizeof(option), "%luK", page_size / SZ_1K);
	file = hpm_fs_create("hugetlbfs", "pagesize", option, size);
	if (IS_ERR(file))
		return file;

	ret = hpm_fs_allocate(file, size);
	if (!ret)
		return file;

	hpm_fs_discard(file);
	if (ret == -ENOSPC) {
		explain_nospace(why, nr, page_size);
		ret = -ENOMEM;
	}
	return ERR_PTR(ret);
}
