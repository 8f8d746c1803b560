// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the pages of a buffer come from.
 *
 * A backing is a file that is filled, pinned and sealed. It is made by going
 * down a ladder of rungs until one can serve the whole request:
 *
 *	hugetlb		pages of the kernel's pool of a page size
 *	thp		PMD-sized folios of the page allocator
 *	base		pages of the page allocator, only for those who allow it
 *
 * A caller who asks for the reserve gets pages that are ready, on the first rung
 * whose reserve has enough, or else goes down once more for pages to be made.
 *
 * It is made in the context of whoever asks, so that its cgroups are charged.
 * Only its maker knows it then, and later it never changes: it needs no lock.
 *
 * Pages come from where they may stay, are then pinned for good, so that devices may use their
 * addresses, and only then is the file closed to others.
 */
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include "backing.h"
#include "claim.h"
#include "fs.h"
#include "hugetlb.h"
#include "kind.h"
#include "ladder.h"
#include "limits.h"
#include "pages.h"
#include "policy.h"
#include "pool.h"
#include "request.h"
#include "reserve.h"
#include "room.h"
#include "shmem.h"
#include "signals.h"

/*
 * The size of the pages with which a rung serves a request, or 0 if it does not. A smaller page
 * size than the one that is named will do, unless it is meant exactly.
 */
static unsigned long page_size_asked(const struct hpm_request *r)
{
	return r->page_size == PAGE_SIZE ? 0 : (r->page_size ?: HPM_BEST_SIZE);
}

static unsigned long page_size_below(const struct hpm_request *r)
{
	return r->page_size > PMD_SIZE && !(r->flags & HPAGE_MAP_EXACT) ? PMD_SIZE : 0;
}

static unsigned long page_size_thp(const struct hpm_request *r)
{
	return page_size_asked(r) == PMD_SIZE ? PMD_SIZE : page_size_below(r);
}

static unsigned long page_size_base(const struct hpm_request *r)
{
	bool below = r->flags & HPAGE_MAP_ALLOW_BASE && !(r->flags & HPAGE_MAP_EXACT);

	return below || r->page_size == PAGE_SIZE ? PAGE_SIZE : 0;
}

/*
 * A rung returns a file of exactly size bytes, a multiple of the page size, filled with zeroed
 * pages that are up to date, or an ERR_PTR: -ENOMEM when the pages cannot be had now, with a
 * reason; -ERESTARTSYS: a signal; or another error that no lower rung could mend.
 */
static const struct rung {
	enum hpage_map_backing backing;
	struct file *(*fill)(const struct hpm_request *r, u64 size, unsigned long page_size);
	unsigned long (*page_size)(const struct hpm_request *r);
	bool (*exists)(unsigned long page_size);	/* NULL: on every machine */
} ladder[] = {
	{ HPAGE_MAP_BACKING_HUGETLB, hpm_hugetlb_fill, page_size_asked, hpm_pool_exists },
	{ HPAGE_MAP_BACKING_HUGETLB, hpm_hugetlb_fill, page_size_below, hpm_pool_exists },
	{ HPAGE_MAP_BACKING_THP, hpm_thp_fill, page_size_thp, hpm_thp_exists },
	{ HPAGE_MAP_BACKING_BASE, hpm_base_fill, page_size_base },
};

/* Which rungs this machine has, as bits of enum hpage_map_features. */
u64 hpm_ladder_features(void)
{
	return (IS_ENABLED(CONFIG_HUGETLBFS) ? HPAGE_MAP_FEATURE_HUGETLB : 0) |
	       (hpm_fs_has_thp() ? HPAGE_MAP_FEATURE_THP : 0) |
	       (hpm_claim_exists() ? HPAGE_MAP_FEATURE_CLAIM : 0);
}

/* Get the file of a backing: from the reserve of the rung, or with new pages. */
static int rung_fill(const struct rung *rung, struct hpm_backing *b, const struct hpm_request *r,
		     u64 size, bool ready)
{
	unsigned long page_size = 1UL << b->pages.shift;
	struct hpm_place place = r->place;

	if (ready) {
		b->reserve = hpm_reserve_take(b->kind, page_size, size / page_size, &r->place,
					      &b->file, &b->start, r->why);
		return b->reserve ? 0 : -ENOMEM;
	}
	/*
	 * Bound to a node that is full, whatever small thing mm/ allocates on the way would call
	 * the OOM killer. tmpfs asks for room again and again. Pages of a pool are there, however
	 * full the node gets meanwhile. Where the pages lie is seen when they are pinned.
	 */
	if (place.policy == HPAGE_MAP_POLICY_STRICT &&
	    (hpm_kinds[b->kind].pooled || !hpm_room(&place)))
		place.policy = HPAGE_MAP_POLICY_PREFERRED;
	struct hpm_policy *policy __free(hpm_policy) = hpm_policy_enter(&place);

	if (IS_ERR(policy))
		return PTR_ERR(policy);
	b->file = rung->fill(r, size, page_size);
	return PTR_ERR_OR_ZERO(b->file);
}

/*
 * Pin every page for good. Until then a folio may be split, by memory failure or by migration;
 * what is too small by now is not the page that was asked for. Nor is one that is broken or has
 * moved to where it cannot stay, as may happen in a reserve. Return: 0; -ENOMEM; or -EHWPOISON,
 * when what is left of the reserve may do.
 */
static int backing_pin(struct hpm_backing *b, const struct hpm_request *r, u64 size)
{
	const char *defect = NULL;
	struct folio *folio;
	struct page *page;
	u64 pos = 0, len;
	int ret = 0;

	while (pos < size && !defect && !ret) {
		ret = hpm_fs_pin(b->file, b->start + pos, &page);
		if (ret)
			break;
		folio = page_folio(page);
		len = folio_size(folio) - PFN_PHYS(folio_page_idx(folio, page));
		len = min(len, size - pos);
		defect = hpm_folio_defect(folio, len, 1ULL << b->pages.shift);
		if (!defect)
			ret = hpm_pages_add(&b->pages, page, len);
		if (defect || ret)
			hpm_fs_unpin(folio);
		pos += len;
		cond_resched();
	}
	if (ret == -ENOENT)
		defect = "lost";
	if (defect)
		return hpm_refuse(r->why, b->reserve ? -EHWPOISON : -ENOMEM, "again",
				  "a page was %s while the buffer was made", defect);
	if (!ret)
		return 0;
	hpm_why(r->why, "a page could not be pinned (%pe)", ERR_PTR(ret));
	return hpm_signals_ended(ret) ? ret : -ENOMEM;
}

/* Allocators do what they can; here it is seen whether that was what was asked for. */
static int backing_verify(const struct hpm_backing *b, const struct hpm_request *r)
{
	const struct hpm_pages *pages = &b->pages;
	const struct hpm_place *place = &r->place;
	const char *name = hpm_kinds[b->kind].name;
	u64 on_node = 0;

	if (r->flags & HPAGE_MAP_CONTIGUOUS && pages->nr_runs > 1)
		return hpm_refuse(r->why, -ENOMEM, "a hugetlb pool, of which pages can be chosen",
				  "%s: %lu pages in a row needed, got %lu runs", name, pages->nr,
				  pages->nr_runs);
	if (place->limit && pages->end > place->limit)
		return hpm_refuse(r->why, -ENOMEM, "a larger hugetlb pool, set at boot",
				  "%s: the pages do not all lie below %#llx", name, place->limit);
	if (pages->node == place->node || !hpm_policy_names_node(place->policy))
		return 0;
	hpm_pages_by_node(pages, place->node, 1, &on_node);
	return hpm_refuse(r->why, place->policy == HPAGE_MAP_POLICY_STRICT ? -ENOMEM : 0,
			  "a larger pool or more free memory on that node",
			  "%s: %llu of %lu pages are on node %d", name, on_node, pages->nr,
			  place->node);
}

/* Pin, verify and seal what was got. On failure it goes back, and what it was charged for. */
static int backing_finish(struct hpm_backing *b, const struct hpm_request *r, u64 size)
{
	int ret = backing_pin(b, r, size);

	if (!ret)
		ret = backing_verify(b, r);
	if (!ret && !b->reserve)
		ret = hpm_fs_seal(b->file);
	if (ret)
		hpm_backing_discard(b, size);
	return ret;
}

/* Make @b on one rung, from its reserve or with new pages. Return: -EINVAL when it cannot serve. */
static int rung_make(const struct rung *rung, struct hpm_backing *b, const struct hpm_request *r,
		     bool ready)
{
	const struct hpm_kind *kind = &hpm_kinds[rung->backing];
	unsigned long page_size = rung->page_size(r);
	u64 size;
	int ret;

	if (!page_size || (ready && !kind->reservable))
		return -EINVAL;
	if (rung->exists && !rung->exists(page_size))
		return hpm_refuse(r->why, -EINVAL, "ls /sys/kernel/mm/hugepages",
				  "%s: no pages of %s on this machine", kind->name,
				  hpm_text_size(page_size).text);
	size = round_up(r->length, page_size);
	/* What of the reserve turns out to be broken is given up, and the next is taken. */
	do {
		*b = (struct hpm_backing){ .kind = rung->backing, .pages.shift = ilog2(page_size) };
		ret = r->charge_user ? hpm_limit_begin(&b->charge, ready ? HPM_LIMIT_RESERVE :
						       kind->pooled ? HPM_LIMIT_HUGETLB :
						       HPM_LIMIT_MEMLOCK) : 0;
		ret = ret ?: hpm_limit_add(&b->charge, size, r->why);
		ret = ret ?: rung_fill(rung, b, r, size, ready);
		ret = ret ?: backing_finish(b, r, size);
	} while (ret == -EHWPOISON);
	if (ret)
		hpm_limit_end(&b->charge);
	return ret;
}

/* Down the ladder, once. */
static int ladder_descend(struct hpm_backing *b, const struct hpm_request *r, bool ready)
{
	int ret = -EINVAL, i, err;

	for (i = 0; i < ARRAY_SIZE(ladder); i++) {
		err = rung_make(&ladder[i], b, r, ready);
		if (!err)
			return 0;
		if (err != -EINVAL && err != -ENOMEM && err != -EDQUOT)
			return err;
		/* A limit may be all that stands against it, so that is what is returned. */
		if (err == -EDQUOT || (err == -ENOMEM && ret == -EINVAL))
			ret = err;
	}
	return ret;
}

/*
 * Get pages from the best rung that has them, for a request that was checked. Return: 0; -EINVAL
 * when this machine has no pages of that size; -ENOMEM when no rung has the pages now; -EDQUOT
 * when a limit of the user refuses them, even if only on one rung; -ERESTARTSYS when a signal came.
 */
int hpm_ladder_make(struct hpm_backing *b, const struct hpm_request *r)
{
	bool chosen = r->flags & HPAGE_MAP_CONTIGUOUS || r->place.limit ||
		      r->place.policy == HPAGE_MAP_POLICY_INTERLEAVE;
	int ret = -ENOMEM;

	if (r->length >> PAGE_SHIFT > totalram_pages())
		return hpm_refuse(r->why, -ENOMEM, "a smaller size",
				  "more than this machine's memory");
	if (r->flags & HPAGE_MAP_RESERVE && chosen)
		hpm_why(r->why, "reserve: its pages are not chosen by address, nor interleaved");
	else if (r->flags & HPAGE_MAP_RESERVE)
		ret = ladder_descend(b, r, true);
	if (!ret || hpm_signals_ended(ret))
		return ret;
	return ladder_descend(b, r, false);
}
