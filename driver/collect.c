// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a hugetlb pool chosen by their physical address, see choose.c.
 *
 * hugetlbfs gives whatever page comes first in the free list of a node. So a scratch file is filled
 * until it has all of the chosen pages, which holds them. To let one go it is punched out of that
 * file, which puts it first in the free list.
 *
 * While pages are collected the pool looks emptier to others. So no more is collected than needed,
 * all on one node, by ordinary users at most half of what is free in the pool and at most 1 GiB
 * more than they ask for; and what is not wanted goes back before the transfer begins.
 *
 * Somebody who collects on the same node takes each page that is let go. So whoever transfers keeps
 * the turn. The pool has no surplus, or pages that are let go would leave it.
 */
#include <linux/err.h>
#include <linux/hugetlb.h>
#include <linux/pagemap.h>

#include "choose.h"
#include "collect.h"
#include "fs.h"
#include "pages.h"
#include "pool.h"
#include "why.h"

/* A free page of the pool, that can be pinned where it is, costs nothing. */
static u16 pool_page_look(struct hpm_choice *c, struct page *page)
{
	struct folio *folio = page_folio(page);

	return PageHead(page) && folio_test_hugetlb(folio) && folio_size(folio) == c->size &&
	       folio_test_hugetlb_freed(folio) &&
	       !hpm_folio_defect(folio, c->size, c->size) ? 0 : HPM_USELESS;
}

/* The unit of the page at an offset of a file; a number too large for the node if it has none. */
static unsigned long unit_at(const struct hpm_choice *c, struct file *file, loff_t pos)
{
	struct page *page = find_get_page(file->f_mapping, pos >> PAGE_SHIFT);
	unsigned long unit;

	if (!page)
		return ULONG_MAX;
	unit = (page_to_pfn(page) - c->first) / (c->size >> PAGE_SHIFT);
	put_page(page);
	return unit;
}

static bool unit_is_chosen(const struct hpm_choice *c, unsigned long unit)
{
	return unit >= c->from && unit < c->to && c->costs[unit] != HPM_USELESS;
}

/* Until all chosen pages are there, but no more than @max. */
static int scratch_fill(struct hpm_choice *c, unsigned long max)
{
	loff_t end = (loff_t)max * c->size, pos;
	unsigned long unit, missing = c->nr;
	int ret;

	for (pos = 0; pos < end && missing && !READ_ONCE(c->stop); pos += c->size) {
		ret = hpm_pool_allocate(c->scratch, pos, c->size, c->size);
		if (ret)
			return ret == -ENOSPC ? -EAGAIN : ret;
		unit = unit_at(c, c->scratch, pos);
		if (!unit_is_chosen(c, unit))
			continue;
		c->costs[unit] = HPM_HELD;
		missing--;
	}
	return missing ? -EPERM : 0;
}

/* Give back what nobody wants. */
static void scratch_drop_unwanted(const struct hpm_choice *c)
{
	loff_t end = i_size_read(file_inode(c->scratch)), pos;

	for (pos = 0; pos < end; pos += c->size)
		if (!unit_is_chosen(c, unit_at(c, c->scratch, pos)))
			hpm_fs_punch(c->scratch, pos, c->size);
}

static int pool_pages_hold(struct hpm_choice *c)
{
	const struct hpm_place place = { .policy = HPAGE_MAP_POLICY_STRICT, .node = c->node };
	struct hpm_pool pool;
	unsigned long max;
	struct file *file;
	int ret = hpm_pool_look(&pool, &place, c->size);

	/* It is our turn, so the figures are true; what is promised to others is not free. */
	if (ret || pool.surplus || pool.free < c->nr)
		return ret ?: -ENXIO;
	max = pool.free;
	if (c->most < ULONG_MAX) {
		max = clamp(max / 2, c->nr, c->nr + c->most / c->size);
		c->bound = (max - c->nr) * c->size;
	}
	file = hpm_pool_file(c->size, (u64)max * c->size);
	if (IS_ERR(file))
		return PTR_ERR(file);
	c->scratch = file;
	ret = scratch_fill(c, max);
	if (!ret)
		scratch_drop_unwanted(c);
	return ret == -EPERM && max >= pool.free ? -EAGAIN : ret;
}

static int pool_page_give(struct hpm_choice *c, unsigned long unit, loff_t pos)
{
	struct folio *folio = page_folio(pfn_to_page(hpm_choice_pfn(c, unit)));
	int ret;

	hpm_fs_punch(c->scratch, folio_pos(folio), c->size);
	ret = hpm_pool_allocate(c->file, pos, c->size, c->size);
	if (!ret && unit_at(c, c->file, pos) == unit) {
		c->costs[unit] = HPM_GIVEN;
		return 0;
	}
	/* That no page came may also mean that somebody has taken it. */
	c->costs[unit] = 0;
	hpm_choice_look(c, unit);
	return !ret || (ret == -ENOSPC && c->costs[unit]) ? -EAGAIN : ret;
}

static void pool_pages_release(struct hpm_choice *c)
{
	if (c->scratch)
		hpm_fs_discard(c->scratch);
	c->scratch = NULL;
}

static void pool_pages_explain(const struct hpm_choice *c, struct hpm_why *why)
{
	if (c->contiguous)
		hpm_why_try(why, "echo 1 > /sys/kernel/mm/hugepages/hugepages-1048576kB/demote");
	hpm_why_try(why, "compact memory and set the pool anew, or a larger one at boot");
}

const struct hpm_source hpm_pool_pages = {
	.name = "hugetlb",
	.keeps_turn = true,
	.look = pool_page_look,
	.hold = pool_pages_hold,
	.give = pool_page_give,
	.release = pool_pages_release,
	.explain = pool_pages_explain,
};
