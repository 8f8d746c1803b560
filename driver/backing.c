// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backing of a buffer: how its pages are given back, and what lingers.
 *
 * The last holder has gone, but the pages may still be in the hands of others whom this module
 * does not know: a pipe that has got one by vmsplice(), a read with O_DIRECT in flight, a buffer
 * registered with io_uring, a memory region of RDMA. mm/ keeps a page for them until they drop
 * it. As long as they do, it counts against the limit that it was taken under: otherwise a user
 * could take pages without end, each held by a pipe.
 *
 * So a page is taken out of its file while we have it pinned, and then looked at. Is our reference
 * the only one, the page is free with it, and what it was charged for is given back. Otherwise it
 * lingers: it stays in an array of the backing with our reference, and is looked at again and again
 * until the others have gone. Nobody waits for them.
 *
 * A page that the hardware has broken is kept by mm/ for ever, and nobody's.
 *
 * Memory of a program does not linger: it is the program's own.
 *
 * Nothing is locked: a backing that is given back belongs to whoever does it.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/xarray.h>

#include "backing.h"
#include "fs.h"
#include "limits.h"
#include "pages.h"
#include "reserve.h"

/* As much is taken out of the file at once; a page at least. */
#define PART		SZ_32M

static void folio_linger(struct hpm_backing *b, struct folio *folio)
{
	/* Without a place to note it the page would be free of charge. */
	xa_store(&b->lingering, b->nr_lingering, folio, GFP_KERNEL | __GFP_NOFAIL);
	WRITE_ONCE(b->nr_lingering, b->nr_lingering + (folio_size(folio) >> b->pages.shift));
}

/*
 * Has nobody the folio but we? What is not on a list of mm/ is on its way there, or is being moved,
 * and mm/ has a reference meanwhile; a page of a pool is on none.
 */
static bool folio_is_ours_alone(struct folio *folio)
{
	bool on_its_way = !folio_test_hugetlb(folio) && !folio_test_lru(folio);

	return folio_ref_count(folio) <= 1 + on_its_way || hpm_folio_is_bad(folio);
}

static void folio_let_go(struct hpm_backing *b, struct folio *folio)
{
	u64 bytes = folio_size(folio);

	folio_put(folio);
	hpm_limit_sub(&b->charge, bytes);
}

static void backing_look_at(struct hpm_backing *b, u64 pos, u64 end)
{
	struct folio *folio;
	u64 bytes;

	while (pos < end && (folio = hpm_pages_folio(&b->pages, &pos, &bytes))) {
		/* The pin becomes a reference of ours. */
		folio_get(folio);
		hpm_fs_unpin(folio);
		if (folio_is_ours_alone(folio))
			folio_let_go(b, folio);
		else
			folio_linger(b, folio);
		cond_resched();
	}
}

static void backing_give_back(struct hpm_backing *b)
{
	u64 part = max_t(u64, PART, 1ULL << b->pages.shift);
	u64 size = hpm_pages_size(&b->pages), pos, end;

	for (pos = 0; pos < size; pos = end) {
		end = min(pos + part, size);
		hpm_fs_punch(b->file, b->start + pos, end - pos);
		backing_look_at(b, pos, end);
	}
}

/*
 * Of pages of a program; devices may have written what swap has to know of. Uncharged as
 * hpm_user_pin() charged them: a folio each time that it differs from the one before.
 */
static void backing_unpin_user(struct hpm_backing *b)
{
	struct folio *folio, *last = NULL;
	u64 pos = 0, bytes;

	for (; (folio = hpm_pages_folio(&b->pages, &pos, &bytes)); last = folio) {
		if (folio != last)
			hpm_limit_sub_folio(&b->charge, folio);
		unpin_user_page_range_dirty_lock(hpm_pages_page(&b->pages, pos - bytes),
						 bytes >> PAGE_SHIFT, true);
		cond_resched();
	}
}

/* When nothing lingers nobody is charged any more. Return: does anything? */
static bool backing_lingers(struct hpm_backing *b)
{
	bool any = !xa_empty(&b->lingering);

	if (!any)
		hpm_limit_end(&b->charge);
	return any;
}

/*
 * Give back the pages of a backing that nobody holds any more. What others still have lingers.
 * May take long: not under a lock that others need. Return: does anything linger?
 */
bool hpm_backing_free(struct hpm_backing *b)
{
	xa_init(&b->lingering);
	if (b->file) {
		backing_give_back(b);
		if (b->reserve)
			hpm_reserve_refill(b->reserve);
		b->reserve = NULL;
		fput(b->file);
	} else {
		backing_unpin_user(b);
	}
	return backing_lingers(b);
}

/* Look again at what lingers. Return: does anything still? */
bool hpm_backing_settle(struct hpm_backing *b)
{
	struct folio *folio;
	unsigned long i;

	xa_for_each(&b->lingering, i, folio) {
		cond_resched();
		if (!folio_is_ours_alone(folio))
			continue;
		xa_erase(&b->lingering, i);
		WRITE_ONCE(b->nr_lingering,
			   b->nr_lingering - (folio_size(folio) >> b->pages.shift));
		folio_let_go(b, folio);
	}
	return backing_lingers(b);
}

/* Give the account up: who still has pages keeps them, and nobody counts them any more. */
void hpm_backing_abandon(struct hpm_backing *b)
{
	struct folio *folio;
	unsigned long i;

	xa_for_each(&b->lingering, i, folio)
		folio_put(folio);
	xa_destroy(&b->lingering);
	hpm_limit_end(&b->charge);
}

/*
 * Give back what a backing has that could not be made: @size bytes, of which the first are pinned.
 * Nobody has had the pages, so only mm/ can have some of them yet.
 */
void hpm_backing_discard(struct hpm_backing *b, u64 size)
{
	u64 pinned = hpm_pages_size(&b->pages);

	/* To punch nothing would split the folio that follows. */
	if (b->file && pinned < size)
		hpm_fs_punch(b->file, b->start + pinned, size - pinned);
	hpm_backing_free(b);
	hpm_backing_abandon(b);
	hpm_pages_free(&b->pages);
}
