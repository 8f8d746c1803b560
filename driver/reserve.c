// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reserve: pages that are ready and zeroed before anybody asks.
 *
 * There is one for each backing with huge pages, page size and node, shown as
 * /sys/class/hpage_map_reserve/hugetlb-2048kB-node0 and the like. The
 * administrator sets how many pages it keeps ready; a worker fills it, on no
 * task's time and no control group's account, and again after some were taken.
 *
 * A reserve is one sealed file, of which a window is full:
 *
 *	        lent          ready            empty
 *	  ... A A B B B | r r r r r r r r |  . . . . . . .
 *	              head              tail
 *
 * A backing takes the pages from head on, so whatever number is ready can be
 * had in one piece; the worker adds pages at tail. A backing lends its part of
 * the file as others lend a whole one, and its pages are taken out of the file
 * when they are given back. No offset is used twice by takers, and there are
 * enough of them.
 *
 * Ready pages may still be migrated, and may break: they are pinned and looked at
 * when they are taken, and who finds a broken one among his drops them all.
 *
 * hugetlbfs allocates and maps under one lock of the inode. So the worker waits
 * a moment before it fills again: whoever took pages is about to map them. It
 * works in portions, so that hibernation, which stops the worker, does not wait.
 *
 * lock protects what takers see, and is never held while pages are allocated or
 * given back. Only the worker moves tail, under lock, too, and so it may read it
 * without. Reserves and their files live as long as the module.
 */
#include <linux/file.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "fs.h"
#include "hugetlb.h"
#include "kind.h"
#include "pages.h"
#include "policy.h"
#include "pool.h"
#include "reserve.h"
#include "room.h"
#include "shmem.h"
#include "trace.h"
#include "work.h"

#define REFILL_AFTER	(HZ / 2)	/* pages were taken */
#define RETRY_AFTER	(10 * HZ)	/* there were none to be had */
#define PORTION		(HZ / 5)	/* of work at once */
#define FILE_SIZE	BIT_ULL(60)	/* bytes; it has pages only in its window */

/* Where a reserve gets its pages. */
struct hpm_reserve_source {
	enum hpage_map_backing backing;
	bool (*exists)(unsigned long page_size);
	struct file *(*create)(unsigned long page_size, u64 size);
	int (*extend)(struct file *file, loff_t pos, unsigned long page_size,
		      struct hpm_why *why);
};

static const struct hpm_reserve_source sources[] = {
	{ HPAGE_MAP_BACKING_HUGETLB, hpm_pool_exists, hpm_pool_file, hpm_hugetlb_extend },
	{ HPAGE_MAP_BACKING_THP, hpm_thp_exists, hpm_thp_file, hpm_thp_extend },
};

LIST_HEAD(hpm_reserves);

static unsigned long reserve_ready(struct hpm_reserve *r)
{
	guard(mutex)(&r->lock);
	return r->tail - r->head;
}

/* One page more, if it can be had on the node; not while that is full, as in ladder.c. */
static int reserve_extend(struct hpm_reserve *r)
{
	struct hpm_place place = { .policy = HPAGE_MAP_POLICY_STRICT, .node = r->node };
	ktime_t start = ktime_get();
	int ret;

	if (!hpm_room(&place))
		return hpm_refuse(&r->finding, -ENOMEM, "more free memory on that node",
				  "reserve: node %d has no memory available", r->node);
	struct hpm_policy *policy __free(hpm_policy) = hpm_policy_enter(&place);

	if (IS_ERR(policy))
		return PTR_ERR(policy);
	ret = r->source->extend(r->file, r->tail * r->page_size, r->page_size, &r->finding);
	trace_hpage_map_reserve(0, r->source->backing, r->page_size, ret, start);
	if (ret)
		return ret;

	guard(mutex)(&r->lock);
	r->tail++;
	return 0;
}

/* One page fewer, unless somebody takes it first. */
static void reserve_trim(struct hpm_reserve *r)
{
	scoped_guard(mutex, &r->lock) {
		if (r->tail == r->head)
			return;
		r->tail--;
	}
	hpm_fs_punch(r->file, r->tail * r->page_size, r->page_size);
}

/* Is there a page at an offset that can be lent? It may be taken, or given back, meanwhile. */
static bool page_is_good(const struct hpm_reserve *r, loff_t pos)
{
	struct page *page = find_get_page(r->file->f_mapping, pos >> PAGE_SHIFT);
	struct folio *folio = page ? page_folio(page) : NULL;
	bool good = folio && !hpm_folio_defect(folio, folio_size(folio), r->page_size);

	if (folio)
		folio_put(folio);
	return good;
}

/* How many of the ready pages are there and good. */
unsigned long hpm_reserve_count_good(struct hpm_reserve *r)
{
	unsigned long nr = 0;
	u64 at, end;

	mutex_lock(&r->lock);
	at = r->head;
	end = r->tail;
	mutex_unlock(&r->lock);
	for (; at < end && !fatal_signal_pending(current); at++) {
		nr += page_is_good(r, at * r->page_size);
		cond_resched();
	}
	return nr;
}

static void reserve_work(struct work_struct *work)
{
	struct hpm_reserve *r = container_of(to_delayed_work(work), struct hpm_reserve, work);
	unsigned long end = jiffies + PORTION;
	long missing = 1;	/* if there is no time to look */
	int ret = 0;

	r->finding = (struct hpm_why){};
	while (!ret && time_before(jiffies, end)) {
		missing = READ_ONCE(r->asked) - reserve_ready(r);
		if (!missing)
			break;
		if (missing > 0)
			ret = reserve_extend(r);
		else
			reserve_trim(r);
		cond_resched();
	}
	if (ret && !r->finding.len)
		hpm_why(&r->finding, "%pe", ERR_PTR(ret));
	if (ret || missing)
		queue_delayed_work(hpm_queues[HPM_QUEUE_RESERVE], &r->work, ret ? RETRY_AFTER : 0);
	guard(mutex)(&r->lock);
	r->why = r->finding;
}

/* Return: the file, with a reference for the caller; NULL when fewer than @nr are ready. */
static struct file *reserve_take(struct hpm_reserve *r, unsigned long nr, loff_t *start)
{
	guard(mutex)(&r->lock);
	if (r->tail - r->head < nr)
		return NULL;
	*start = r->head * r->page_size;
	r->head += nr;
	/* Work that is due sooner stays so. */
	queue_delayed_work(hpm_queues[HPM_QUEUE_RESERVE], &r->work, REFILL_AFTER);
	return get_file(r->file);
}

/*
 * Take @nr pages that are ready. Return: the reserve, with a reference to its file in @file and
 * where the pages begin in @start, in bytes; NULL when there are not enough.
 */
struct hpm_reserve *hpm_reserve_take(enum hpage_map_backing backing, unsigned long page_size,
				     unsigned long nr, const struct hpm_place *place,
				     struct file **file, loff_t *start, struct hpm_why *why)
{
	unsigned long most = 0;
	struct hpm_nodes nodes;
	struct hpm_reserve *r;
	int node;

	hpm_nodes_begin(&nodes, place);
	while ((node = hpm_nodes_next(&nodes)) != NUMA_NO_NODE) {
		list_for_each_entry(r, &hpm_reserves, entry) {
			if (r->source->backing != backing || r->page_size != page_size ||
			    r->node != node)
				continue;
			*file = reserve_take(r, nr, start);
			if (*file)
				return r;
			most = max(most, reserve_ready(r));
		}
	}
	hpm_why_or(why, "a larger number in /sys/class/hpage_map_reserve/*/pages",
		   "reserve: %s from %s needed, %lu ready", hpm_text_pages(nr, page_size).text,
		   hpm_kinds[backing].name, most);
	return NULL;
}

/*
 * Pages have been taken out of the file of their reserve, and can be had again. They do not
 * become ready by that: nobody has zeroed them.
 */
void hpm_reserve_refill(struct hpm_reserve *r)
{
	mod_delayed_work(hpm_queues[HPM_QUEUE_RESERVE], &r->work, 0);
}

/* Keep @nr pages ready. Return: 0, or -ENOMEM when no machine of this size has as many. */
int hpm_reserve_ask(struct hpm_reserve *r, unsigned long nr)
{
	if (nr > totalram_pages() / (r->page_size >> PAGE_SHIFT))
		return -ENOMEM;
	WRITE_ONCE(r->asked, nr);
	mod_delayed_work(hpm_queues[HPM_QUEUE_RESERVE], &r->work, 0);
	return 0;
}

static int reserve_add(const struct hpm_reserve_source *source, unsigned long page_size, int node)
{
	struct file *file = source->create(page_size, FILE_SIZE);
	struct hpm_reserve *r;

	/* Where there is no such file system there is no reserve. */
	if (IS_ERR(file))
		return PTR_ERR(file) == -ENODEV ? 0 : PTR_ERR(file);
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r) {
		fput(file);
		return -ENOMEM;
	}
	r->file = file;
	r->source = source;
	r->page_size = page_size;
	r->node = node;
	snprintf(r->name, sizeof(r->name), "%s-%lukB-node%d", hpm_kinds[source->backing].name,
		 page_size / SZ_1K, node);
	mutex_init(&r->lock);
	INIT_DELAYED_WORK(&r->work, reserve_work);
	list_add_tail(&r->entry, &hpm_reserves);
	return hpm_fs_seal(file);
}

/* Nobody asks for pages, or takes any, any more; so the worker does not begin anew. */
void hpm_reserve_exit(void)
{
	struct hpm_reserve *r, *next;

	list_for_each_entry_safe(r, next, &hpm_reserves, entry) {
		WRITE_ONCE(r->asked, 0);
		cancel_delayed_work_sync(&r->work);
		hpm_fs_discard(r->file);
		mutex_destroy(&r->lock);
		list_del(&r->entry);
		kfree(r);
	}
}

/* Make all reserves, empty. */
int hpm_reserve_init(void)
{
	unsigned long page_size;
	int node, i, ret;

	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		for (page_size = PAGE_SIZE * 2; page_size <= SZ_16G; page_size *= 2) {
			if (!sources[i].exists(page_size))
				continue;
			for_each_node_state(node, N_MEMORY) {
				ret = reserve_add(&sources[i], page_size, node);
				if (ret)
					return ret;
			}
		}
	}
	return 0;
}
