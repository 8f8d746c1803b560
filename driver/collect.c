// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a hugetlb pool chosen by their physical address.
 *
 * hugetlbfs gives whatever page comes first in the free list of a node. So:
 *
 *	choose		from the free pages in the memory map, the shortest run
 *			that is long enough
 *	collect		fill a scratch file until it has all of the wanted pages
 *	transfer	punch the wanted pages one by one out of the scratch file,
 *			which puts each first in the free list, allocate one for
 *			the real file, which takes it, and look whether it did
 *
 * What is scanned is not locked: it is a forecast, like every figure of a pool.
 * Somebody else may take a page in between, the transfer sees that, and then all
 * is given back and tried again.
 *
 * While pages are collected the pool looks emptier to others. So no more is
 * collected than needed, all on one node, by ordinary users at most half of what
 * is free in the pool and at most 1 GiB more than they ask for, and what is not
 * wanted goes back before the transfer begins.
 *
 * Choosing and collecting is done by a worker: on no control group's account, and
 * as fast as the machine is, however little the caller may use of it. The caller
 * transfers, so that it is charged for the result, and waits for its worker
 * before it goes.
 *
 * Two who collect on one node take pages from under each other, and both try
 * again. So they take turns, by node and page size. A turn is a courtesy and no
 * lock. While a worker collects, which nobody can slow down, others wait for it;
 * but a caller who transfers may be throttled, stopped or frozen, so for him they
 * wait a moment only, and then go on without. What they then do not find may be
 * in his hands, so they wait once more, longer, before they refuse.
 */
#include <linux/bitmap.h>
#include <linux/bsearch.h>
#include <linux/capability.h>
#include <linux/completion.h>
#include <linux/hugetlb.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "collect.h"
#include "fs.h"
#include "pages.h"
#include "policy.h"
#include "pool.h"
#include "request.h"
#include "signals.h"
#include "work.h"

#define MAX_TRIES	5
#define MORE		SZ_1G	/* bytes that an ordinary user moves away, at the most */
#define PATIENCE	HZ	/* with all callers together */
#define LONG_PATIENCE	(30 * HZ)	/* with workers, and where the answer would be a refusal */
#define NR_TURNS	64	/* as many as there are; nodes and sizes may share one */

static DECLARE_BITMAP(turns, NR_TURNS);		/* those that are taken */
static DECLARE_BITMAP(collecting, NR_TURNS);	/* and by a worker still */
static DECLARE_WAIT_QUEUE_HEAD(turns_given);

struct collection {
	struct work_struct work;	/* the worker's part */
	struct completion collected;	/* the worker is done */
	bool stop;			/* the caller does not want it any more */
	bool free_hand;			/* as much as there is may be moved away */
	int ret;			/* of the worker */
	int turn;			/* the turn that we have, or -1 */
	long patience[2];		/* jiffies to wait yet: for callers, for workers */
	struct file *scratch;		/* with the chosen pages, or NULL */
	struct hpm_nodes nodes;		/* where to choose */
	struct hpm_place place;		/* as asked for, but strictly on the chosen node */
	bool contiguous;		/* in one run */
	unsigned long page_size;	/* bytes */
	unsigned long nr;		/* pages wanted */
	unsigned long max;		/* pages to collect at the most */
	unsigned long *wanted;		/* their page frame numbers, ascending */
	unsigned long *where;		/* at which page of @scratch each is, or ULONG_MAX */
	unsigned long longest;		/* the longest run that was seen, in pages */
};

static bool turn_try(struct collection *c, int turn)
{
	if (test_and_set_bit_lock(turn, turns))
		return false;
	set_bit(turn, collecting);
	c->turn = turn;
	return true;
}

/* Return: have we got it? */
static bool turn_take(struct collection *c, int node)
{
	int turn = (node * 8 + ilog2(c->page_size)) % NR_TURNS;
	long *left;
	bool worker;

	while (!READ_ONCE(c->stop) && !turn_try(c, turn)) {
		worker = test_bit(turn, collecting);
		left = &c->patience[worker];
		if (!*left)
			return false;
		*left = wait_event_timeout(turns_given, READ_ONCE(c->stop) ||
					   !test_bit(turn, turns) ||
					   test_bit(turn, collecting) != worker, *left);
	}
	return c->turn >= 0;
}

/* The worker has done. */
static void turn_pass(const struct collection *c)
{
	clear_bit(c->turn, collecting);
	wake_up_all(&turns_given);
}

static void turn_give(struct collection *c)
{
	if (c->turn < 0)
		return;
	turn_pass(c);
	clear_bit_unlock(c->turn, turns);
	c->turn = -1;
	wake_up_all(&turns_given);
}

/*
 * Is there a free page of the pool at @pfn, which is aligned for one, that can
 * be pinned where it is? Nobody is kept from taking it while we look.
 */
static bool page_is_free(const struct collection *c, unsigned long pfn, int node)
{
	struct page *page = pfn_to_online_page(pfn);
	struct folio *folio;

	if (!page || !PageHead(page))
		return false;
	folio = page_folio(page);
	return folio_nid(folio) == node && folio_test_hugetlb(folio) &&
	       folio_size(folio) == c->page_size && folio_test_hugetlb_freed(folio) &&
	       hpm_folio_may_stay(folio) && !hpm_folio_is_bad(folio);
}

/*
 * Choose pages on @node. A run that is contiguous is the shortest that will
 * do, so that long ones are left for those who need them.
 */
static bool collection_choose(struct collection *c, int node)
{
	unsigned long step = c->page_size >> PAGE_SHIFT;
	unsigned long end = node_end_pfn(node);
	unsigned long pfn, run = 0, found = 0, best = ULONG_MAX, first, i;

	if (c->place.limit)
		end = min_t(unsigned long, end, PHYS_PFN(c->place.limit));

	for (pfn = ALIGN(node_start_pfn(node), step); pfn + step <= end || run; pfn += step) {
		cond_resched();
		if (pfn + step <= end && page_is_free(c, pfn, node)) {
			run++;
			if (c->contiguous)
				continue;
			c->wanted[found++] = pfn;
			if (found == c->nr)
				return true;
			continue;
		}
		/* A run, if there was one, ends before @pfn. */
		c->longest = max(c->longest, run);
		if (run >= c->nr && run < best) {
			best = run;
			first = pfn - run * step;
		}
		run = 0;
	}
	if (best == ULONG_MAX)
		return false;
	for (i = 0; i < c->nr; i++)
		c->wanted[i] = first + i * step;
	return true;
}

/* Allocate page @index of @file and look which one came. */
static int page_allocate(const struct collection *c, struct file *file, unsigned long index,
			 unsigned long *pfn)
{
	loff_t pos = (loff_t)index * c->page_size;
	struct page *page;
	int ret = hpm_pool_allocate(file, pos, c->page_size, c->page_size);

	if (!ret)
		ret = hpm_fs_pin(file, pos, &page);
	if (ret)
		return ret;
	*pfn = page_to_pfn(page);
	hpm_fs_unpin(page);
	cond_resched();
	return 0;
}

static int pfn_compare(const void *key, const void *element)
{
	unsigned long a = *(const unsigned long *)key, b = *(const unsigned long *)element;

	return (a > b) - (a < b);
}

/* -EAGAIN: others have some of the pages; -ENOBUFS: too many would have to be moved away. */
static int collection_fill(struct collection *c)
{
	unsigned long i, pfn, *found, missing = c->nr;
	int ret;

	memset(c->where, 0xff, c->nr * sizeof(*c->where));
	for (i = 0; i < c->max && missing && !READ_ONCE(c->stop); i++) {
		ret = page_allocate(c, c->scratch, i, &pfn);
		if (ret)
			return ret == -ENOSPC ? -EAGAIN : ret;
		found = bsearch(&pfn, c->wanted, c->nr, sizeof(pfn), pfn_compare);
		if (found) {
			c->where[found - c->wanted] = i;
			missing--;
		}
	}
	for (i = 0; missing && i < c->nr; i++)
		if (c->where[i] == ULONG_MAX && !page_is_free(c, c->wanted[i], c->place.node))
			return -EAGAIN;
	return missing ? -ENOBUFS : 0;
}

/* Give back what nobody wants. */
static void collection_drop_unwanted(const struct collection *c)
{
	unsigned long *wanted = bitmap_zalloc(c->max, GFP_KERNEL);
	unsigned long i, from, to;

	if (!wanted)
		return;
	for (i = 0; i < c->nr; i++)
		__set_bit(c->where[i], wanted);
	for_each_clear_bitrange(from, to, wanted, c->max)
		hpm_fs_punch(c->scratch, (loff_t)from * c->page_size,
			     (loff_t)(to - from) * c->page_size);
	bitmap_free(wanted);
}

/* Fill the scratch file by the same rules as the caller, or it would not get the same pages. */
static int collect_by_policy(struct collection *c)
{
	struct hpm_policy *policy = hpm_policy_enter(&c->place);
	int ret;

	if (IS_ERR(policy))
		return PTR_ERR(policy);
	ret = collection_fill(c);
	hpm_policy_leave(policy);
	return ret;
}

/* The pages are chosen, on @node. On success they, and no others, are in the scratch file. */
static int collect_chosen(struct collection *c, int node)
{
	struct hpm_pool pool, now;
	int ret;

	c->place.policy = HPAGE_MAP_POLICY_STRICT;
	c->place.node = node;
	ret = hpm_pool_look(&pool, &c->place, c->page_size);
	if (ret)
		return ret;
	c->max = c->free_hand ? pool.free :
		 clamp(pool.free / 2, c->nr, c->nr + (unsigned long)(MORE / c->page_size));
	c->scratch = hpm_pool_file(c->page_size, (u64)c->max * c->page_size);
	if (IS_ERR(c->scratch)) {
		ret = PTR_ERR(c->scratch);
		c->scratch = NULL;
		return ret;
	}

	ret = collect_by_policy(c);
	if (hpm_pool_look(&now, &c->place, c->page_size))
		now = (struct hpm_pool){};
	/* What is punched out must come back into the pool; what came back meanwhile was first. */
	if ((!ret && now.surplus) ||
	    (ret == -ENOBUFS && (c->max >= pool.free || now.free + c->max > pool.free)))
		ret = -EAGAIN;
	if (ret) {
		hpm_fs_discard(c->scratch);
		c->scratch = NULL;
	} else {
		collection_drop_unwanted(c);
	}
	return ret;
}

/* On one node after the other. Return: as collect_chosen(); -ENOMEM: there are no such pages. */
static int collect_somewhere(struct collection *c, bool *alone)
{
	struct hpm_nodes nodes = c->nodes;
	int node;

	c->longest = 0;
	*alone = true;
	while ((node = hpm_nodes_next(&nodes)) != NUMA_NO_NODE) {
		*alone &= turn_take(c, node);
		if (collection_choose(c, node))
			return collect_chosen(c, node);
		turn_give(c);
	}
	return -ENOMEM;
}

static void collect_work(struct work_struct *work)
{
	struct collection *c = container_of(work, struct collection, work);
	bool alone;

	c->ret = collect_somewhere(c, &alone);
	if (c->ret == -ENOMEM && !alone) {
		turn_give(c);
		c->patience[0] = LONG_PATIENCE;
		c->patience[1] = LONG_PATIENCE;
		c->ret = collect_somewhere(c, &alone);
	}
	if (c->turn >= 0)
		turn_pass(c);
	complete(&c->collected);
}

/* The worker's part, for which nobody is charged. */
static int collect_uncharged(struct collection *c)
{
	bool stop = false;

	init_completion(&c->collected);
	INIT_WORK_ONSTACK(&c->work, collect_work);
	queue_work(hpm_workqueue, &c->work);
	while (!stop && wait_for_completion_interruptible(&c->collected))
		stop = hpm_signals_pending();
	if (stop) {
		WRITE_ONCE(c->stop, true);
		wake_up_all(&turns_given);
	}
	flush_work(&c->work);
	destroy_work_on_stack(&c->work);
	return stop ? -ERESTARTSYS : c->ret;
}

static int collection_transfer(struct collection *c, struct file *file)
{
	struct hpm_policy *policy = hpm_policy_enter(&c->place);
	int ret = PTR_ERR_OR_ZERO(policy);
	unsigned long i, pfn;

	if (ret)
		return ret;
	for (i = 0; i < c->nr && !ret; i++) {
		hpm_fs_punch(c->scratch, (loff_t)c->where[i] * c->page_size, c->page_size);
		ret = page_allocate(c, file, i, &pfn);
		/* That no page came may also mean that somebody has taken it. */
		if (ret == -ENOSPC && !page_is_free(c, c->wanted[i], c->place.node))
			ret = -EAGAIN;
		else if (!ret && pfn != c->wanted[i])
			ret = -EAGAIN;
	}
	hpm_policy_leave(policy);
	if (ret)
		hpm_fs_punch(file, 0, (loff_t)c->nr * c->page_size);
	return ret;
}

static int collect_once(struct collection *c, struct file *file, const struct hpm_place *place)
{
	int ret;

	hpm_nodes_begin(&c->nodes, place);
	ret = collect_uncharged(c);
	if (!ret)
		ret = collection_transfer(c, file);
	if (c->scratch)
		hpm_fs_discard(c->scratch);
	c->scratch = NULL;
	turn_give(c);
	return ret;
}

static void collect_explain(const struct collection *c, int ret, struct hpm_why *why)
{
	struct hpm_text pages = hpm_text_pages(c->nr, c->page_size);
	char low[32] = "";

	if (c->place.limit)
		snprintf(low, sizeof(low), " below %#llx", c->place.limit);
	if (ret == -EAGAIN) {
		hpm_why(why, "hugetlb: others took the pages in each of %d tries", MAX_TRIES);
		hpm_why_try(why, "again");
	} else if (ret == -ENOBUFS) {
		hpm_why(why, "hugetlb: to get %lu chosen pages more than %lu others had to move",
			c->nr, c->max - c->nr);
		hpm_why_try(why, "as root, or with fewer pages of the pool promised to others");
	} else if (c->contiguous) {
		hpm_why(why, "hugetlb: %s in a row needed%s, at most %lu are", pages.text, low,
			c->longest);
		hpm_why_try(why, "echo 1 > /sys/kernel/mm/hugepages/hugepages-1048576kB/demote");
		hpm_why_try(why, "compact memory and set the pool anew");
	} else {
		hpm_why(why, "hugetlb: fewer than %s are free%s", pages.text, low);
		hpm_why_try(why, "set a larger pool early, at boot");
	}
}

/*
 * Fill a hugetlbfs file with pages chosen by address; it stays empty on failure. The pool has no
 * surplus, or freed pages would leave it. Return: 0; -ENOMEM when there are no such pages or
 * others took them; or as hpm_pool_allocate(), -ENOSPC when a limit holds the caller.
 */
int hpm_collect(struct file *file, const struct hpm_request *r, unsigned long nr,
		unsigned long page_size)
{
	struct collection c = {
		.place = r->place,
		.contiguous = r->flags & HPAGE_MAP_CONTIGUOUS,
		.page_size = page_size,
		.nr = nr,
		.free_hand = ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN),
		.turn = -1,
		.patience = { PATIENCE, LONG_PATIENCE },
		.wanted = kvmalloc_array(nr, sizeof(*c.wanted), GFP_KERNEL),
		.where = kvmalloc_array(nr, sizeof(*c.where), GFP_KERNEL),
	};
	int ret = -ENOMEM, i;

	if (!c.wanted || !c.where)
		goto free;
	for (i = 0, ret = -EAGAIN; i < MAX_TRIES && ret == -EAGAIN; i++)
		ret = collect_once(&c, file, &r->place);

	if (ret == -EAGAIN || ret == -ENOBUFS || ret == -ENOMEM) {
		collect_explain(&c, ret, r->why);
		ret = -ENOMEM;
	}
free:
	kvfree(c.where);
	kvfree(c.wanted);
	return ret;
}
