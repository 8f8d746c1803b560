// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pools of huge pages that the kernel keeps, one for each page size.
 *
 * A pool is the administrator's. mm/ does not export its figures; they are read where
 * administrators read them, in sysfs. They are a forecast: the allocation decides. Nothing here
 * is shared, so nothing is locked.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>

#include "fs.h"
#include "policy.h"
#include "pool.h"
#include "signals.h"

#define MACHINE	"kernel/mm"	/* the place of its figures in sysfs */

/* A figure of a pool, which is below a place of sysfs. */
static int pool_figure(const char *place, unsigned long page_size, const char *name,
		       unsigned long *value)
{
	char path[96], text[24];
	ssize_t len;

	snprintf(path, sizeof(path), "%s/hugepages/hugepages-%lukB/%s_hugepages", place,
		 page_size / SZ_1K, name);
	len = hpm_fs_sysfs(path, text, sizeof(text));
	return len < 0 ? len : kstrtoul(text, 10, value);
}

/*
 * Is there a pool for pages of a size, even an empty one? Only ENOENT means that there is none:
 * after another error the pool is looked at again when it is used.
 */
bool hpm_pool_exists(unsigned long page_size)
{
	unsigned long nr;

	return pool_figure(MACHINE, page_size, "nr", &nr) != -ENOENT;
}

/* Look what a pool has for a place. Return: 0, or -errno when the figures cannot be read. */
int hpm_pool_look(struct hpm_pool *pool, const struct hpm_place *place, unsigned long page_size)
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

	*pool = (struct hpm_pool){ .place = MACHINE, .page_size = page_size };
	/* Kernels without NUMA have no figures of nodes. */
	if (IS_ENABLED(CONFIG_NUMA) && place->policy == HPAGE_MAP_POLICY_STRICT) {
		snprintf(pool->place, sizeof(pool->place), "devices/system/node/node%d",
			 place->node);
		snprintf(pool->where, sizeof(pool->where), " on node %d", place->node);
	}
	for (i = 0; i < ARRAY_SIZE(figures) && !ret; i++)
		ret = pool_figure(figures[i].place, page_size, figures[i].name, figures[i].value);
	if (ret)
		return ret;
	/* What is promised is promised on no node: keep it all from this one. */
	pool->free = min(pool->free, free - min(free, resv));
	pool->growth = overcommit - min(overcommit, surplus);
	return 0;
}

/* Make a hugetlbfs file. Return: the file, or an ERR_PTR as of hpm_fs_create(). */
struct file *hpm_pool_file(unsigned long page_size, u64 size)
{
	return hpm_fs_create(HPM_FS_POOL + ilog2(page_size), size);
}

/*
 * Fill a part of a hugetlbfs file page by page, with pages that may be pinned where they are.
 * hugetlbfs itself stops at whatever interrupts the task. Return: 0, -ENOSPC, -ERESTARTSYS when a
 * signal came, or -errno.
 */
int hpm_pool_allocate(struct file *file, loff_t pos, loff_t len, unsigned long page_size)
{
	loff_t end = pos + len;
	unsigned int flags;
	int ret;

	while (pos < end) {
		if (hpm_signals_pending())
			return -ERESTARTSYS;
		flags = memalloc_pin_save();
		ret = hpm_fs_allocate(file, 0, pos, page_size);
		memalloc_pin_restore(flags);
		if (ret == -EINTR)
			continue;
		if (ret)
			return ret;
		pos += page_size;
		cond_resched();
	}
	return 0;
}
