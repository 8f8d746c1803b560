// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the page allocator chosen by its physical address: a run, or blocks below a limit.
 *
 * The page allocator gives what comes first. But any part of memory can be had in which nothing
 * lies but free pages and pages that can be moved. A block is what a PMD maps, and so many blocks
 * in a row as are wanted make a window:
 *
 *	survey		see in the memory map what each block of a node costs, which is the number
 *			of pages to be moved out of it, and which blocks cannot be had
 *	choose		the window that costs least
 *	take		get its blocks out of the page allocator, the free ones first, as nothing is
 *			moved into what we hold; and hold all of them
 *	transfer	free them one by one, so that each comes first in the free lists, read a
 *			page of the file, which takes it, and look whether it did
 *
 * So the pages are tmpfs's as all others are, and charged as these. What is surveyed is not locked:
 * it is a forecast. A block that cannot be taken is given up, what was held is freed, and the next
 * window is chosen. A block that goes astray while it is transferred is taken once more.
 *
 * The memory of others is moved, which stays theirs, in their place and charged to them; only of
 * the page cache mm/ drops what is clean. This has bounds: so many windows, no new one after some
 * seconds, and by ordinary users no more than 1 GiB for a request. What is locked, pinned or in a
 * pool of huge pages is left alone, and a zone keeps what its lowest watermark keeps.
 *
 * All but the transfer is done by a worker, as in collect.c: as fast as the machine is, however
 * little the caller may use of it. A caller who gets a signal waits for one block at most.
 *
 * mm/ zeroes a block when it is taken, if it does so with all memory (init_on_alloc=1), and tmpfs
 * zeroes the page that it allocates. No flag that mm/ heeds here prevents the former.
 */
#include <linux/bits.h>
#include <linux/capability.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmstat.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "claim.h"
#include "fs.h"
#include "pages.h"
#include "policy.h"
#include "signals.h"
#include "why.h"
#include "work.h"

/* Before 6.12 mm/ gives such a range as single pages, and nothing makes them one. */
#ifdef alloc_contig_frozen_range

#define BLOCK_ORDER	(PMD_SHIFT - PAGE_SHIFT)
#define BLOCK_PAGES	BIT(BLOCK_ORDER)
#define PUD_BLOCKS	(PUD_SIZE / PMD_SIZE)
#define TAKE_GFP	(GFP_KERNEL | __GFP_COMP | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)
/* What is freed lies among the movable pages. Not in ZONE_MOVABLE, which needs __GFP_HIGHMEM. */
#define READ_GFP	(GFP_USER | __GFP_MOVABLE | __GFP_NORETRY | __GFP_NOWARN)
#define MAX_FAILURES	16		/* windows of which a block could not be taken */
#define MAX_ASTRAY	16		/* blocks that others got */
#define LAST_WINDOW	(10 * HZ)	/* no other is begun after that */
#define MORE		SZ_1G		/* bytes that an ordinary user moves, at the most */

/* What a block costs is a number of pages, or one of these. */
#define GIVEN		(U16_MAX - 2)	/* it is in the file */
#define HELD		(U16_MAX - 1)	/* we have taken it */
#define USELESS		U16_MAX		/* it cannot be had */

/* Why a block is useless. */
enum obstacle {
	NONE,
	KERNEL,		/* memory of the kernel, or of a driver */
	PINNED,		/* or locked */
	POOL,		/* a page of hugetlb */
	BUSY,		/* it was tried in vain */
	NR_OBSTACLES
};

struct claim {
	struct work_struct work;	/* the worker's part */
	struct completion done;
	bool stop;			/* the caller does not want it any more */
	bool again;			/* the same window */
	int ret;			/* of the worker */
	const struct hpm_place *place;
	struct hpm_nodes nodes;		/* those to survey yet */
	int node;			/* that of the blocks */
	u16 *costs;			/* of its blocks; NULL before the first survey */
	unsigned long nr_blocks;
	unsigned long first;		/* page frame number of the first block */
	unsigned long window;		/* the first block of the chosen one */
	unsigned long nr;		/* of its blocks */
	unsigned long cost;		/* of all of them */
	unsigned long left;		/* pages that may be moved yet */
	unsigned int failures;		/* windows that could not be taken, one after the other */
	unsigned int astray;		/* blocks that others got */
	unsigned long longest;		/* blocks in a row that may be had */
	unsigned long obstacles[NR_OBSTACLES];	/* useless blocks, by their reason */
};

/*
 * Surveying and taking is done by one at a time: two would take windows from under each other, and
 * blocks that are neighbours would merge when both are emptied, of which mm/ warns.
 */
static unsigned long claiming;	/* bit 0: somebody does */
static DECLARE_WAIT_QUEUE_HEAD(claimed);

/* Return: false when the caller does not want it any more. */
static bool claim_begin(struct claim *c)
{
	bool begun = false;

	wait_event(claimed, READ_ONCE(c->stop) ||
		   (begun = !test_and_set_bit_lock(0, &claiming)));
	return begun;
}

static void claim_end(void)
{
	clear_bit_unlock(0, &claiming);
	wake_up_all(&claimed);
}

static struct page *block_page(const struct claim *c, unsigned long i)
{
	return pfn_to_page(c->first + i * BLOCK_PAGES);
}

/* What keeps a folio, to which we have a reference, where it is. */
static enum obstacle folio_obstacle(struct folio *folio)
{
	if (folio_test_unevictable(folio) || folio_test_mlocked(folio) ||
	    folio_maybe_dma_pinned(folio))
		return PINNED;
	/* What waits to come on the list has a mapping; memory of the kernel has neither. */
	return folio_test_lru(folio) || READ_ONCE(folio->mapping) ? NONE : KERNEL;
}

/*
 * Look at a page, of which others may do anything meanwhile. Return: what keeps it where it is; in
 * @step with how many others it makes a whole, in @cost how many of them are to be moved.
 */
static enum obstacle page_look(struct page *page, unsigned long *step, unsigned long *cost)
{
	struct folio *folio = page_folio(page);
	enum obstacle obstacle = NONE;

	*step = 1;
	*cost = 0;
	if (PageBuddy(page)) {
		*step = 1UL << min_t(unsigned long, READ_ONCE(page->private), MAX_PAGE_ORDER);
		return NONE;
	}
	if (folio_test_hugetlb(folio))
		return POOL;
	if (page_has_type(&folio->page))
		return KERNEL;
	/* At hand for a processor, or on its way. */
	if (!folio_try_get(folio))
		return NONE;
	*cost = 1;
	if (page_folio(page) == folio) {
		obstacle = folio_obstacle(folio);
		*step = folio_nr_pages(folio) - folio_page_idx(folio, page);
		*cost = *step;
	}
	folio_put(folio);
	return obstacle;
}

static u16 block_cost(struct claim *c, unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);
	unsigned long i, step, cost, sum = 0;
	enum obstacle obstacle;

	if (!page || page_to_nid(page) != c->node || !hpm_pfn_is_movable(pfn))
		return USELESS;
	for (i = 0; i < BLOCK_PAGES; i += step) {
		obstacle = page_look(page + i, &step, &cost);
		if (obstacle != NONE) {
			c->obstacles[obstacle]++;
			return USELESS;
		}
		sum += cost;
	}
	return min(sum, BLOCK_PAGES);
}

/* Look what blocks cost, at first or, as that may be old, again. */
static void blocks_survey(struct claim *c, unsigned long i, unsigned long nr)
{
	for (; nr && i < c->nr_blocks && !READ_ONCE(c->stop); i++, nr--) {
		if (c->costs[i] < GIVEN)
			c->costs[i] = block_cost(c, c->first + i * BLOCK_PAGES);
		cond_resched();
	}
}

static int node_survey(struct claim *c)
{
	unsigned long end = node_end_pfn(c->node);

	if (c->place->limit)
		end = min_t(unsigned long, end, PHYS_PFN(c->place->limit));
	c->first = ALIGN(node_start_pfn(c->node), BLOCK_PAGES);
	c->nr_blocks = end > c->first ? (end - c->first) / BLOCK_PAGES : 0;
	c->costs = kvcalloc(c->nr_blocks, sizeof(*c->costs), GFP_KERNEL);
	if (!c->costs)
		return -ENOMEM;
	blocks_survey(c, 0, c->nr_blocks);
	return 0;
}

/*
 * The window that costs least, the highest of these, among those that begin at a multiple of @align
 * blocks and lie at @lowest or above, a page frame number.
 */
static bool window_choose_from(struct claim *c, unsigned long align, unsigned long lowest)
{
	unsigned long i, run = 0, cost = 0, first = c->first / BLOCK_PAGES;

	c->cost = ULONG_MAX;
	for (i = c->nr_blocks; i-- && (first + i) * BLOCK_PAGES >= lowest;) {
		if (c->costs[i] >= GIVEN) {
			run = 0;
			cost = 0;
			continue;
		}
		cost += c->costs[i];
		if (++run > c->nr)
			cost -= c->costs[i + c->nr];
		c->longest = max(c->longest, run);
		if (run < c->nr || cost >= c->cost || !IS_ALIGNED(first + i, align))
			continue;
		c->cost = cost;
		c->window = i;
	}
	return c->cost < ULONG_MAX;
}

/*
 * What is as long as a PUD maps begins where a PUD can map it, if there is such a window; and what
 * others may need, to be below 4 GiB, comes last.
 */
static bool window_choose(struct claim *c)
{
	unsigned long low = c->place->limit ? 0 : PHYS_PFN(SZ_4G);
	bool long_one = c->nr >= PUD_BLOCKS;

	return (long_one && window_choose_from(c, PUD_BLOCKS, low)) ||
	       window_choose_from(c, 1, low) ||
	       (long_one && window_choose_from(c, PUD_BLOCKS, 0)) ||
	       window_choose_from(c, 1, 0);
}

/* Free what is held of the window, and of its neighbours. */
static void window_release(struct claim *c)
{
	unsigned long end = min(c->window + c->nr + 1, c->nr_blocks), i;

	for (i = c->window - !!c->window; i < end; i++) {
		if (c->costs[i] != HELD)
			continue;
		__free_pages(block_page(c, i), BLOCK_ORDER);
		c->costs[i] = 0;
	}
}

static int block_take(struct claim *c, unsigned long i)
{
	struct page *page = block_page(c, i);
	unsigned long pfn = page_to_pfn(page), free = BLOCK_PAGES - c->costs[i];
	struct zone *zone = page_zone(page);
	int ret = -ENOMEM;

	if (READ_ONCE(c->stop))
		return -ERESTARTSYS;
	/* mm/ looks at no watermark for free pages that are taken in this way. */
	if (zone_page_state(zone, NR_FREE_PAGES) > min_wmark_pages(zone) + free)
		ret = alloc_contig_frozen_range(pfn, pfn + BLOCK_PAGES, ACR_FLAGS_NONE, TAKE_GFP);
	c->left -= min(c->left, c->costs[i]);
	if (ret) {
		c->costs[i] = USELESS;
		c->obstacles[BUSY]++;
		return -EBUSY;
	}
	page_ref_unfreeze(page, 1);
	c->costs[i] = HELD;
	return 0;
}

/* What is free beside a block would merge with it when that is freed, and hide it: hold it, too. */
static void neighbour_take(struct claim *c, unsigned long i)
{
	blocks_survey(c, i, 1);
	if (i < c->nr_blocks && !c->costs[i])
		block_take(c, i);
}

/* All of its blocks or none. */
static int window_take(struct claim *c)
{
	unsigned long i;
	int pass, ret;

	for (pass = 0; pass < 2; pass++) {
		for (i = c->window; i < c->window + c->nr; i++) {
			if (c->costs[i] >= GIVEN || (c->costs[i] && !pass))
				continue;
			ret = block_take(c, i);
			if (ret) {
				window_release(c);
				return ret;
			}
			cond_resched();
		}
	}
	neighbour_take(c, c->window - 1);
	neighbour_take(c, c->window + c->nr);
	return 0;
}

/* -ENOMEM: there is no such window; -EBUSY: there was none in time; -EPERM: too much to move. */
static int claim_window(struct claim *c)
{
	unsigned long last = jiffies + LAST_WINDOW;
	int ret;

	c->failures = 0;
	for (;;) {
		while (c->costs && window_choose(c)) {
			if (c->cost > c->left)
				return -EPERM;
			if (c->failures == MAX_FAILURES || time_after(jiffies, last))
				return -EBUSY;
			ret = window_take(c);
			if (ret != -EBUSY)
				return ret;
			blocks_survey(c, c->window, c->nr);
			c->failures++;
		}
		kvfree(c->costs);
		c->costs = NULL;
		c->node = hpm_nodes_next(&c->nodes);
		if (c->node == NUMA_NO_NODE)
			return -ENOMEM;
		ret = node_survey(c);
		if (ret)
			return ret;
	}
}

static int claim_in_turn(struct claim *c)
{
	int ret;

	if (!claim_begin(c))
		return -ERESTARTSYS;
	ret = c->again ? window_take(c) : claim_window(c);
	claim_end();
	return ret;
}

static void claim_work(struct work_struct *work)
{
	struct claim *c = container_of(work, struct claim, work);

	c->ret = claim_in_turn(c);
	complete(&c->done);
}

/* Have a window taken, or again what went astray of it. */
static int claim_by_worker(struct claim *c, bool again)
{
	bool stop = false;

	c->again = again;
	/* The reserve's worker cannot wait for others, which may not begin before it ends. */
	if (current->flags & PF_WQ_WORKER)
		return claim_in_turn(c);
	init_completion(&c->done);
	INIT_WORK_ONSTACK(&c->work, claim_work);
	queue_work(hpm_workqueue, &c->work);
	while (!stop && wait_for_completion_interruptible(&c->done))
		stop = hpm_signals_pending();
	if (stop) {
		WRITE_ONCE(c->stop, true);
		wake_up_all(&claimed);
	}
	flush_work(&c->work);
	destroy_work_on_stack(&c->work);
	return stop ? -ERESTARTSYS : c->ret;
}

/* Allocations begin in the zone that they name. */
static gfp_t page_gfp(const struct page *page)
{
	switch (page_zonenum(page)) {
#ifdef CONFIG_ZONE_DMA
	case ZONE_DMA:
		return READ_GFP | __GFP_DMA;
#endif
#ifdef CONFIG_ZONE_DMA32
	case ZONE_DMA32:
		return READ_GFP | __GFP_DMA32;
#endif
	default:
		return READ_GFP;
	}
}

/* Return: 0; -EAGAIN: others have it, or tmpfs takes no page of that size; or as reading. */
static int block_transfer(struct claim *c, unsigned long i, struct file *file, loff_t pos)
{
	struct page *page = block_page(c, i);
	struct folio *folio;
	bool same;

	c->costs[i] = GIVEN;
	__free_pages(page, BLOCK_ORDER);
	folio = shmem_read_folio_gfp(file->f_mapping, pos >> PAGE_SHIFT, page_gfp(page));
	if (IS_ERR(folio)) {
		c->costs[i] = 0;
		/* The block is there: so it is a limit, or somebody had it first. */
		return PTR_ERR(folio) == -ENOMEM ? -EAGAIN : PTR_ERR(folio);
	}
	same = folio_page(folio, 0) == page && folio_size(folio) == PMD_SIZE;
	/* As in shmem.c: what is clean is a cache. */
	folio_mark_dirty(folio);
	folio_put(folio);
	if (same)
		return 0;
	hpm_fs_punch(file, pos, PMD_SIZE);
	c->costs[i] = 0;
	return -EAGAIN;
}

static int window_transfer(struct claim *c, struct file *file, loff_t pos)
{
	const struct hpm_place near = { .policy = HPAGE_MAP_POLICY_PREFERRED, .node = c->node };
	struct hpm_policy *policy = hpm_policy_enter(&near);
	int ret = PTR_ERR_OR_ZERO(policy);
	unsigned long i = c->window;

	if (ret)
		return ret;
	while (i < c->window + c->nr && !ret) {
		ret = hpm_signals_pending() ? -ERESTARTSYS : block_transfer(c, i, file, pos);
		if (!ret) {
			pos += PMD_SIZE;
			i++;
		} else if (ret == -EAGAIN && c->astray++ < MAX_ASTRAY) {
			ret = claim_by_worker(c, true);
		}
		cond_resched();
	}
	hpm_policy_leave(policy);
	return ret;
}

static void claim_explain(const struct claim *c, int ret, u64 size, u64 got, struct hpm_why *why)
{
	struct hpm_text most = hpm_text_size(c->nr > 1 ? (u64)c->longest * PMD_SIZE : got);
	const unsigned long *nr = c->obstacles;
	char what[96], low[32] = "";

	if (c->place->limit)
		snprintf(low, sizeof(low), " below %#llx", c->place->limit);
	snprintf(what, sizeof(what), "thp: %s%s%s", hpm_text_size(size).text,
		 c->nr > 1 ? " in a row" : "", low);
	if (ret == -ENOMEM) {
		hpm_why(why, "%s needed, at most %s can be had", what, most.text);
		hpm_why(why, "blocks held: %lu by the kernel, %lu pinned, %lu by pools, %lu busy",
			nr[KERNEL], nr[PINNED], nr[POOL], nr[BUSY]);
		hpm_why_try(why, "a smaller size, or a hugetlb pool, set at boot");
	} else if (ret == -EPERM) {
		hpm_why(why, "%s: more than 1 GiB of others had to be moved", what);
		hpm_why_try(why, "as root, or a smaller size");
	} else if (ret == -EBUSY) {
		hpm_why(why, "%s: memory was in use at each place tried", what);
		hpm_why_try(why, "again");
	} else {
		hpm_why(why, "%s: the caller gets no huge pages (%pe)", what, ERR_PTR(ret));
		hpm_why_try(why, "again, or a larger memory.max for the caller's cgroup");
	}
}

/* Can it be done on this kernel? */
bool hpm_claim_exists(void)
{
	return has_transparent_hugepage();
}

/*
 * Fill a part of a tmpfs file that has PMD-sized pages, in one run or with blocks from anywhere;
 * what of it was filled stays on failure. Not under memalloc_pin_save(). Return: 0; -ENOMEM, with
 * a reason; -ERESTARTSYS; or -errno.
 */
int hpm_claim_fill(struct file *file, loff_t pos, loff_t end, const struct hpm_place *place,
		   bool in_a_row, struct hpm_why *why)
{
	bool free_hand = ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
	struct claim c = {
		.place = place,
		.nr = in_a_row ? (end - pos) / PMD_SIZE : 1,
		.left = free_hand ? ULONG_MAX : MORE >> PAGE_SHIFT,
	};
	loff_t start = pos;
	int ret = 0;

	hpm_nodes_begin(&c.nodes, place);
	for (; !ret && pos < end; pos += ret ? 0 : (loff_t)c.nr * PMD_SIZE) {
		ret = claim_by_worker(&c, false) ?: window_transfer(&c, file, pos);
		/* A signal may come when all has been taken. */
		if (c.costs)
			window_release(&c);
	}
	kvfree(c.costs);
	if (!ret || hpm_signals_ended(ret))
		return ret;
	claim_explain(&c, ret, end - start, pos - start, why);
	return -ENOMEM;
}

#else

bool hpm_claim_exists(void)
{
	return false;
}

int hpm_claim_fill(struct file *file, loff_t pos, loff_t end, const struct hpm_place *place,
		   bool in_a_row, struct hpm_why *why)
{
	return -ENOMEM;
}

#endif
