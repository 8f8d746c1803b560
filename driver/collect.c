// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a hugetlb pool chosen by their physical address.
 *
 * hugetlbfs gives whatever page comes first in the free list of a node. So:
 *
 *	choose		scan the memory map for free pages of the pool, and take
 *			the smallest run that is long enough
 *	collect		fill a scratch file until it has all of the wanted pages
 *	transfer	page by page, punch the wanted one out of the scratch
 *			file, which puts it first in the free list, and allocate
 *			one for the real file, which takes it; look whether it
 *			did
 *
 * Somebody else may take a page in between; then all is given back and tried
 * again. What is scanned is not locked: it is a forecast, like every figure of
 * a pool, and the transfer verifies it.
 *
 * While pages are collected the pool looks emptier to others, so no more is
 * collected than needed, by one caller at a time, and ordinary users may hold
 * up only so many pages. Collecting is done by a worker, so that the caller's
 * control group is not charged for it; transferring is done by the caller, so
 * that it is charged for the result. All happens on one node.
 *
 * collecting serialises the callers. A collection belongs to its caller, who
 * waits for the worker before it goes.
 */
#include <linux/capability.h>
#include <linux/completion.h>
#include <linux/hugetlb.h>
#include <linux/memory_hotplug.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include "collect.h"
#include "fs.h"
#include "policy.h"
#include "work.h"

#define MAX_TRIES	5
/* What an ordinary user may make others wait for, in pages beyond its own. */
#define MAX_EXTRA(nr)	(8 * (nr) + 64)

static DEFINE_MUTEX(collecting);

/**
 * struct collection - one try
 * @work: the worker's part
 * @collected: the worker is done
 * @stop: the caller does not want it any more
 * @scratch: the file that pages are collected in
 * @attr: what is asked for, strictly on the node of @wanted
 * @page_size: bytes
 * @nr: pages wanted
 * @max: pages to collect at the most
 * @wanted: their page frame numbers, ascending
 * @where: at which page of @scratch each of them is
 * @longest: the longest run that was seen, in pages
 * @ret: of the worker
 */
struct collection {
	struct work_struct work;
	struct completion collected;
	bool stop;
	struct file *scratch;
	struct hpm_attr attr;
	unsigned long page_size;
	unsigned long nr;
	unsigned long max;
	unsigned long *wanted;
	unsigned long *where;
	unsigned long longest;
	int ret;
};

/* Is there a free page of the pool at @pfn, which is aligned for one? */
static bool is_free(unsigned long pfn, unsigned long nr_base, int node)
{
	struct page *page = pfn_to_online_page(pfn);
	struct folio *folio;

	if (!page || !PageHead(page))
		return false;
	folio = page_folio(page);
	return folio_nid(folio) == node && folio_test_hugetlb(folio) &&
	       folio_nr_pages(folio) == nr_base && folio_test_hugetlb_freed(folio) &&
	       !folio_test_hwpoison(folio);
}

/* Wanted are the @nr pages from @pfn on. */
static void want_run(struct collection *c, unsigned long pfn, unsigned long step)
{
	unsigned long i;

	for (i = 0; i < c->nr; i++)
		c->wanted[i] = pfn + i * step;
}

/*
 * Choose pages on @node. A run that is contiguous is the shortest that will
 * do, so that long ones are left for those who need them.
 */
static bool choose(struct collection *c, int node)
{
	unsigned long step = c->page_size >> PAGE_SHIFT;
	unsigned long end = node_end_pfn(node);
	unsigned long pfn, run = 0, found = 0, best = ULONG_MAX;

	if (c->attr.below_4g)
		end = min_t(unsigned long, end, SZ_4G >> PAGE_SHIFT);

	for (pfn = ALIGN(node_start_pfn(node), step); pfn + step <= end; pfn += step) {
		if (!(pfn & 0xfffff))
			cond_resched();
		if (!is_free(pfn, step, node)) {
			run = 0;
			continue;
		}
		run++;
		c->longest = max(c->longest, run);
		if (!c->attr.contiguous) {
			c->wanted[found++] = pfn;
			if (found == c->nr)
				return true;
			continue;
		}
		/* The run ends here or goes on: it counts where it ends. */
		if (run < c->nr || (pfn + 2 * step <= end && is_free(pfn + step, step, node)))
			continue;
		if (run < best) {
			best = run;
			want_run(c, pfn - (run - 1) * step, step);
		}
	}
	return best != ULONG_MAX;
}

static int find_pages(struct collection *c, const struct hpm_attr *attr)
{
	struct hpm_nodes nodes;
	int node;

	c->longest = 0;
	hpm_policy_nodes(&nodes, attr);
	while ((node = hpm_policy_next(&nodes)) != NUMA_NO_NODE) {
		if (!choose(c, node))
			continue;
		c->attr.policy = HPAGE_MAP_POLICY_STRICT;
		c->attr.node = node;
		return 0;
	}
	return -ENOMEM;
}

static int pfn_at(struct file *file, loff_t pos, unsigned long *pfn)
{
	struct folio *folio;
	int ret = hpm_fs_pin(file, pos, &folio);

	if (ret)
		return ret;
	*pfn = folio_pfn(folio);
	unpin_folios(&folio, 1);
	return 0;
}

/* Which of the wanted pages is at @pfn, or -1? */
static long index_of(const struct collection *c, unsigned long pfn)
{
	unsigned long low = 0, high = c->nr;

	while (low < high) {
		unsigned long mid = low + (high - low) / 2;

		if (c->wanted[mid] == pfn)
			return mid;
		if (c->wanted[mid] < pfn)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

/* -EAGAIN: others have some of the pages; -ENOBUFS: they are too deep in the pool. */
static int collect(struct collection *c)
{
	unsigned long i, pfn, missing = c->nr;
	long index;
	int ret;

	for (i = 0; i < c->max && missing && !READ_ONCE(c->stop); i++) {
		loff_t pos = (loff_t)i * c->page_size;

		ret = hpm_fs_allocate(c->scratch, pos, c->page_size);
		if (!ret)
			ret = pfn_at(c->scratch, pos, &pfn);
		if (ret)
			return ret == -ENOSPC ? -EAGAIN : ret;
		index = index_of(c, pfn);
		if (index >= 0) {
			c->where[index] = i;
			missing--;
		}
		cond_resched();
	}
	if (!missing)
		return 0;
	return i == c->max ? -ENOBUFS : -EAGAIN;
}

static void collect_work(struct work_struct *work)
{
	struct collection *c = container_of(work, struct collection, work);
	struct hpm_policy *policy = hpm_policy_enter(&c->attr);

	if (IS_ERR(policy)) {
		c->ret = PTR_ERR(policy);
	} else {
		c->ret = collect(c);
		hpm_policy_leave(policy);
	}
	complete(&c->collected);
}

/* The worker's part, for which nobody is charged. */
static int collect_uncharged(struct collection *c)
{
	int ret;

	WRITE_ONCE(c->stop, false);
	init_completion(&c->collected);
	INIT_WORK(&c->work, collect_work);
	queue_work(hpm_workqueue, &c->work);
	ret = wait_for_completion_interruptible(&c->collected);
	if (ret)
		WRITE_ONCE(c->stop, true);
	flush_work(&c->work);
	return ret ? -EINTR : c->ret;
}

static int transfer(struct collection *c, struct file *file)
{
	unsigned long i, pfn;
	int ret;

	for (i = 0; i < c->nr; i++) {
		loff_t pos = (loff_t)i * c->page_size;

		hpm_fs_punch(c->scratch, (loff_t)c->where[i] * c->page_size, c->page_size);
		ret = hpm_fs_allocate(file, pos, c->page_size);
		if (!ret)
			ret = pfn_at(file, pos, &pfn);
		if (ret)
			return ret;
		if (pfn != c->wanted[i])
			return -EAGAIN;
		cond_resched();
	}
	return 0;
}

static int try_once(struct collection *c, struct file *file)
{
	struct hpm_policy *policy;
	int ret;

	c->scratch = hpm_hugetlb_file(c->page_size, (u64)c->max * c->page_size);
	if (IS_ERR(c->scratch))
		return PTR_ERR(c->scratch);

	ret = collect_uncharged(c);
	if (ret)
		goto discard;
	policy = hpm_policy_enter(&c->attr);
	ret = PTR_ERR_OR_ZERO(policy);
	if (ret)
		goto discard;
	ret = transfer(c, file);
	hpm_policy_leave(policy);
	if (ret)
		hpm_fs_punch(file, 0, (loff_t)c->nr * c->page_size);
discard:
	hpm_fs_discard(c->scratch);
	return ret;
}

static void explain(const struct collection *c, const struct hpm_attr *attr, int ret,
		    struct hpm_why *why)
{
	unsigned long kb = c->page_size >> 10;

	if (ret == -EAGAIN) {
		hpm_why(why, "hugetlb: other users of the pool took the pages in each of %d tries",
			MAX_TRIES);
		hpm_why_try(why, "again");
	} else if (ret == -ENOBUFS) {
		hpm_why(why, "hugetlb: to reach these pages more than %lu would have to be held up",
			c->max);
		hpm_why_try(why, "as root, who may");
	} else if (attr->contiguous) {
		hpm_why(why, "hugetlb: %lu pages of %lu kB in a row needed, the longest free run%s is %lu",
			c->nr, kb, attr->below_4g ? " below 4 GiB" : "", c->longest);
		hpm_why_try(why, "echo 1 > /sys/kernel/mm/hugepages/hugepages-1048576kB/demote, or compact memory and set the pool anew");
	} else {
		hpm_why(why, "hugetlb: fewer than %lu pages of %lu kB are free below 4 GiB",
			c->nr, kb);
		hpm_why_try(why, "set a larger pool early, at boot");
	}
}

static int try_often(struct collection *c, struct file *file, const struct hpm_attr *attr,
		     struct hpm_why *why)
{
	int ret = -EAGAIN, i;

	for (i = 0; i < MAX_TRIES && ret == -EAGAIN; i++) {
		ret = find_pages(c, attr);
		if (!ret)
			ret = try_once(c, file);
	}
	if (ret == -EAGAIN || ret == -ENOBUFS || ret == -ENOMEM) {
		explain(c, attr, ret, why);
		ret = -ENOMEM;
	}
	return ret;
}

/**
 * hpm_collect() - fill a hugetlbfs file with pages chosen by address
 * @file: the file, of @nr pages and empty
 * @attr: what is asked for; contiguous or below_4g
 * @nr: number of pages
 * @page_size: bytes
 * @why: told when it fails
 *
 * A freed page of a node with surplus pages goes to the page allocator and not
 * into the free list; the caller has seen that there are none.
 *
 * Context: may sleep; interruptible.
 * Return: 0, or -ENOMEM when there are no such pages or others took them, or
 * -EINTR, or what hpm_fs_allocate() gives, -ENOSPC when a limit holds the
 * caller. @file is empty then.
 */
int hpm_collect(struct file *file, const struct hpm_attr *attr, unsigned long nr,
		unsigned long page_size, struct hpm_why *why)
{
	struct collection *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!c)
		return -ENOMEM;
	c->attr = *attr;
	c->page_size = page_size;
	c->nr = nr;
	c->max = totalram_pages() / (page_size >> PAGE_SHIFT);
	if (!capable(CAP_SYS_ADMIN))
		c->max = min(c->max, nr + MAX_EXTRA(nr));
	c->wanted = kvmalloc_array(nr, sizeof(*c->wanted), GFP_KERNEL);
	c->where = kvmalloc_array(nr, sizeof(*c->where), GFP_KERNEL);
	if (!c->wanted || !c->where)
		goto free;

	ret = -EINTR;
	if (mutex_lock_interruptible(&collecting))
		goto free;
	ret = try_often(c, file, attr, why);
	mutex_unlock(&collecting);
free:
	kvfree(c->where);
	kvfree(c->wanted);
	kfree(c);
	return ret;
}
