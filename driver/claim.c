// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the page allocator chosen by its physical address, see choose.c.
 *
 * Any part of memory can be had in which nothing lies but free pages and pages that can be moved.
 * A block is what a PMD maps. It is got out of the page allocator, and given to tmpfs by freeing
 * it: so it is the first in the free lists when tmpfs allocates, and the buffer's pages are tmpfs's
 * as all others are, and charged as these.
 *
 * The memory of others is moved, which stays theirs, in their place and charged to them; only of
 * the page cache mm/ drops what is clean. What is locked, pinned or in a pool of huge pages is left
 * alone. A node keeps what room.c leaves to others, and a zone what its lowest watermark keeps.
 *
 * Two neighbours that are emptied at once would merge, of which mm/ warns. So a worker is alone
 * while it has its turn, and a transfer needs none.
 *
 * mm/ zeroes a block when it is taken, if it does so with all memory (init_on_alloc=1), and tmpfs
 * zeroes the page that it allocates. No flag that mm/ heeds here prevents the former.
 */
#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/shmem_fs.h>
#include <linux/vmstat.h>

#include "choose.h"
#include "claim.h"
#include "fs.h"
#include "pages.h"
#include "room.h"
#include "why.h"

#define BLOCK_ORDER	(PMD_SHIFT - PAGE_SHIFT)
#define BLOCK_PAGES	BIT(BLOCK_ORDER)
#define TAKE_GFP	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)
#define READ_GFP	(GFP_USER | __GFP_NORETRY | __GFP_NOWARN)

/* What is in a page. */
enum content {
	FREE,
	MOVABLE,
	KERNEL,		/* memory of the kernel or of a driver, or none that we may have */
	PINNED,		/* or locked */
	POOL,		/* a page of hugetlb */
};

/*
 * What is in a folio, to which we have a reference. mm/ waits without a bound for what is locked,
 * or on its way to or from a disk or a server.
 */
static enum content folio_look(struct folio *folio)
{
	return folio_test_unevictable(folio) || folio_test_mlocked(folio) ||
	       folio_maybe_dma_pinned(folio) || folio_test_locked(folio) ||
	       folio_test_writeback(folio) ? PINNED : MOVABLE;
}

/*
 * Look at a page, of which others may do anything meanwhile. In @step is with how many others it
 * makes a whole.
 */
static enum content page_look(struct page *page, unsigned long *step)
{
	struct folio *folio = page_folio(page);
	enum content content = MOVABLE;

	*step = 1;
	if (PageBuddy(page)) {
		*step = 1UL << min_t(unsigned long, READ_ONCE(page->private), BLOCK_ORDER);
		return FREE;
	}
	if (folio_test_hugetlb(folio))
		return POOL;
	/* What waits to come on the list has a mapping; memory of the kernel has neither. */
	if (page_has_type(&folio->page) || folio_test_slab(folio) ||
	    (folio_ref_count(folio) && !folio_test_lru(folio) && !READ_ONCE(folio->mapping)))
		return KERNEL;
	/* At hand for a processor, or on its way, or a tail of the kernel's, which is in vain. */
	if (!folio_try_get(folio))
		return FREE;
	if (page_folio(page) == folio) {
		content = folio_look(folio);
		*step = folio_nr_pages(folio) - folio_page_idx(folio, page);
	}
	folio_put(folio);
	return content;
}

/* May so many free pages be taken? mm/ looks at no watermark for what is taken in this way. */
static bool zone_spares(struct zone *zone, unsigned long free)
{
	return zone_page_state(zone, NR_FREE_PAGES) > min_wmark_pages(zone) + free;
}

/* How many pages have to be moved out of a block, or HPM_USELESS. */
static u16 block_cost(struct hpm_choice *c, struct page *page)
{
	/* tmpfs cannot ask for the lists of reclaimable memory. */
	bool usable = page_zonenum(page) != ZONE_MOVABLE &&
		      hpm_pfn_migratetype(page_to_pfn(page)) <= MIGRATE_MOVABLE;
	enum content content = usable ? FREE : KERNEL;
	unsigned long i, step, cost = 0;

	for (i = 0; i < BLOCK_PAGES && content <= MOVABLE; i += step) {
		content = page_look(page + i, &step);
		cost += content == MOVABLE ? step : 0;
	}
	c->found[content]++;
	return content > MOVABLE ? HPM_USELESS : min(cost, BLOCK_PAGES);
}

static u16 block_look(struct hpm_choice *c, struct page *page)
{
	u16 cost = block_cost(c, page);

	/* Its buddy may be taken, too. */
	return cost < HPM_USELESS && zone_spares(page_zone(page), 2 * BLOCK_PAGES - cost) ?
	       cost : HPM_USELESS;
}

static int block_take(struct hpm_choice *c, unsigned long unit)
{
	unsigned long pfn = hpm_choice_pfn(c, unit);
	struct page *page = pfn_to_online_page(pfn);
	/* What was seen in the survey may be old. */
	u16 cost = page ? block_cost(c, page) : HPM_USELESS;
	int ret = -ENOMEM;

	if (READ_ONCE(c->stop))
		return -ERESTARTSYS;
	if (cost < HPM_USELESS && zone_spares(page_zone(page), BLOCK_PAGES - cost)) {
		ret = alloc_contig_frozen_range(pfn, pfn + BLOCK_PAGES, ACR_FLAGS_NONE, TAKE_GFP);
		c->moved += cost * PAGE_SIZE;
	}
	c->costs[unit] = ret ? HPM_VAIN : HPM_HELD;
	if (ret)
		return -EAGAIN;
	page_ref_unfreeze(page, 1);
	cond_resched();
	return 0;
}

static bool zone_has_block(struct zone *zone)
{
	unsigned int order, type;

	for (order = BLOCK_ORDER; order < ARRAY_SIZE(zone->free_area); order++)
		for (type = 0; type < MIGRATE_PCPTYPES; type++)
			if (!list_empty(&zone->free_area[order].free_list[type]))
				return true;
	return false;
}

/*
 * Free a block so that the calling task gets it next. Usually it lies among the pages at hand for
 * the processor then. But mm/ does not look there unless the zone has another block, so without one
 * it has to go to the zone, as halves do.
 */
static void block_free(struct page *page)
{
	struct page *half = page + BLOCK_PAGES / 2;

	if (zone_has_block(page_zone(page))) {
		__free_pages(page, BLOCK_ORDER);
	} else {
		page_ref_unfreeze(half, 1);
		__free_pages(page, BLOCK_ORDER - 1);
		__free_pages(half, BLOCK_ORDER - 1);
	}
}

/* With its buddy a block would merge when it is freed, and be hidden: hold that, if it is free. */
static void buddy_take(struct hpm_choice *c, unsigned long unit)
{
	if (unit >= c->nr_units)
		return;
	hpm_choice_look(c, unit);
	if (!c->costs[unit])
		block_take(c, unit);
}

static int blocks_hold(struct hpm_choice *c)
{
	struct hpm_place node = { HPAGE_MAP_POLICY_STRICT, c->node, c->place.limit };
	unsigned long room = hpm_room(&node) / BLOCK_PAGES, wanted = 0, to_move = 0, unit;
	int pass, ret;

	for (unit = c->from; unit < c->to; unit++) {
		wanted += c->costs[unit] < HPM_USELESS;
		to_move += c->costs[unit] < HPM_USELESS ? c->costs[unit] * PAGE_SIZE : 0;
	}
	/* What is moved stays on the node, if it has room. */
	if (wanted > room) {
		c->longest = min(c->longest, room);
		return -ENXIO;
	}
	if (to_move > c->most - min(c->most, c->moved))
		return -EPERM;
	/* The free ones first, as nothing is moved into what we hold. */
	for (pass = 0; pass < 2; pass++) {
		for (unit = c->from; unit < c->to; unit++) {
			if (c->costs[unit] >= HPM_USELESS || (c->costs[unit] && !pass))
				continue;
			ret = block_take(c, unit);
			if (ret)
				return ret;
		}
	}
	buddy_take(c, c->from ^ 1);
	buddy_take(c, (c->to - 1) ^ 1);
	return 0;
}

static void blocks_release(struct hpm_choice *c)
{
	unsigned long unit, end = min(round_up(c->to, 2), c->nr_units);

	for (unit = round_down(c->from, 2); unit < end; unit++) {
		if (c->costs[unit] != HPM_HELD)
			continue;
		__free_pages(pfn_to_page(hpm_choice_pfn(c, unit)), BLOCK_ORDER);
		c->costs[unit] = 0;
	}
}

/* Allocate from the zone and the free lists to which a block goes when it is freed. */
static gfp_t block_gfp(struct page *page)
{
	bool movable = hpm_pfn_migratetype(page_to_pfn(page)) == MIGRATE_MOVABLE;
	gfp_t gfp = READ_GFP | (movable ? __GFP_MOVABLE : 0);

	/* Allocations begin in the zone that they name. */
	if (page_zonenum(page) == gfp_zone(GFP_DMA))
		return gfp | __GFP_DMA;
	return page_zonenum(page) == gfp_zone(GFP_DMA32) ? gfp | __GFP_DMA32 : gfp;
}

static int block_give(struct hpm_choice *c, unsigned long unit, loff_t pos)
{
	struct page *page = pfn_to_page(hpm_choice_pfn(c, unit));
	gfp_t gfp = block_gfp(page);
	struct folio *folio;
	bool same;

	c->costs[unit] = 0;
	block_free(page);
	folio = shmem_read_folio_gfp(c->file->f_mapping, pos >> PAGE_SHIFT, gfp);
	/* The block is there: so it is a limit, or somebody had it first. */
	if (IS_ERR(folio))
		return -EBUSY;
	same = folio_page(folio, 0) == page && folio_size(folio) == PMD_SIZE;
	/* As in shmem.c: what is clean is a cache. */
	folio_mark_dirty(folio);
	folio_put(folio);
	if (same)
		c->costs[unit] = HPM_GIVEN;
	else
		hpm_fs_punch(c->file, pos, PMD_SIZE);
	return same ? 0 : -EBUSY;
}

static void blocks_explain(const struct hpm_choice *c, struct hpm_why *why)
{
	hpm_why_or(why, "a smaller size, or a hugetlb pool, set at boot",
		   "blocks held: %lu by the kernel, %lu pinned, %lu by pools",
		   c->found[KERNEL], c->found[PINNED], c->found[POOL]);
}

const struct hpm_source hpm_blocks = {
	.name = "thp",
	.look = block_look,
	.hold = blocks_hold,
	.give = block_give,
	.release = blocks_release,
	.explain = blocks_explain,
};

/*
 * The longest run that a request could be given on one node now, as far as can be seen. Return: 0,
 * or -ENOMEM.
 */
int hpm_claim_forecast(const struct hpm_place *place, struct hpage_map_forecast *forecast)
{
	struct hpm_choice c = {
		.source = &hpm_blocks,
		.place = *place,
		.contiguous = true,
		.size = PMD_SIZE,
		.nr = hpm_room(place) / BLOCK_PAGES,
	};
	int ret = hpm_choose_forecast(&c);

	forecast->length = (c.to - c.from) * PMD_SIZE;
	forecast->moved = c.moved;
	forecast->kernel = c.found[KERNEL] * PMD_SIZE;
	forecast->pinned = c.found[PINNED] * PMD_SIZE;
	forecast->pooled = c.found[POOL] * PMD_SIZE;
	return ret;
}
