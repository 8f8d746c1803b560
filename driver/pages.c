// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of a backing.
 *
 * They are kept as extents: physically contiguous pages at consecutive offsets. A buffer in
 * one run is one extent, whatever its size; the worst is one for each page. So memory goes with
 * what is scattered and not with what is large, and no array grows past what kvmalloc() gives.
 *
 * Pages are added in the order of their offsets while the backing is made, by its maker alone.
 * After that nothing changes, and nothing is locked.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>

#include "backing.h"

#define FIRST_EXTENTS	4UL

/* Physically contiguous pages; they end where the next extent begins. */
struct hpm_extent {
	u64 start;	/* offset in the backing, bytes */
	u64 address;	/* physical, bytes */
};

/* The extent that has byte @pos, which lies within the backing. */
static const struct hpm_extent *extent_at(const struct hpm_backing *b, u64 pos)
{
	unsigned long low = 0, high = b->nr_runs, middle;

	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (b->extents[middle].start <= pos)
			low = middle;
		else
			high = middle;
	}
	return &b->extents[low];
}

static u64 extent_end(const struct hpm_backing *b, const struct hpm_extent *e)
{
	return e + 1 < b->extents + b->nr_runs ? e[1].start : hpm_backing_size(b);
}

/* Room for one extent more. It doubles, so that adding all takes linear time. */
static int extents_grow(struct hpm_backing *b)
{
	unsigned long room = max(FIRST_EXTENTS, 2 * b->nr_runs);
	struct hpm_extent *extents;

	/* It was full whenever the number is a power of two. */
	if (b->nr_runs && (b->nr_runs < FIRST_EXTENTS || !is_power_of_2(b->nr_runs)))
		return 0;
	extents = kvmalloc_array(room, sizeof(*extents), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!extents)
		return -ENOMEM;
	if (b->nr_runs)
		memcpy(extents, b->extents, b->nr_runs * sizeof(*extents));
	kvfree(b->extents);
	b->extents = extents;
	return 0;
}

/* The folio of the last page that was added, or NULL. */
struct folio *hpm_pages_last(const struct hpm_backing *b)
{
	u64 size = hpm_backing_size(b);

	return size ? page_folio(hpm_backing_page(b, size - PAGE_SIZE)) : NULL;
}

/*
 * Add pinned pages at the end: @bytes from @page on, all of one folio, a multiple of the page
 * size of the backing. Return: 0, or -ENOMEM, and then they were not added.
 */
int hpm_pages_add(struct hpm_backing *b, struct page *page, u64 bytes)
{
	u64 size = hpm_backing_size(b), address = PFN_PHYS(page_to_pfn(page));
	struct folio *folio = page_folio(page), *last = hpm_pages_last(b);
	const struct hpm_extent *e = size ? extent_at(b, size - 1) : NULL;

	if (!e || e->address + (size - e->start) != address) {
		if (extents_grow(b))
			return -ENOMEM;
		b->extents[b->nr_runs++] = (struct hpm_extent){ size, address };
	}
	if (!last)
		b->node = folio_nid(folio);
	else if (folio_nid(folio) != b->node)
		b->node = HPAGE_MAP_NODE_MIXED;
	b->nr_huge += folio != last && folio_size(folio) >= PMD_SIZE;
	b->end = max(b->end, address + bytes);
	b->nr += bytes >> b->shift;
	return 0;
}

/* Forget all pages, which are not pinned any more. */
void hpm_pages_free(struct hpm_backing *b)
{
	kvfree(b->extents);
	b->extents = NULL;
	b->nr_runs = 0;
	b->nr = 0;
	b->nr_huge = 0;
	b->end = 0;
}

/* The physical address of byte pos, which lies within the backing. */
u64 hpm_backing_address(const struct hpm_backing *b, loff_t pos)
{
	const struct hpm_extent *e = extent_at(b, pos);

	return e->address + (pos - e->start);
}

/* The base page at byte pos, which lies within the backing. */
struct page *hpm_backing_page(const struct hpm_backing *b, loff_t pos)
{
	return pfn_to_page(PHYS_PFN(hpm_backing_address(b, pos)));
}

/* What is contiguous from an offset on, which moves behind it. Return: false at the end. */
bool hpm_backing_run(const struct hpm_backing *b, loff_t *pos, struct hpage_map_run *run)
{
	const struct hpm_extent *e;
	u64 end;

	if (*pos >= hpm_backing_size(b))
		return false;
	e = extent_at(b, *pos);
	end = extent_end(b, e);
	*run = (struct hpage_map_run){ e->address + (*pos - e->start), end - *pos };
	*pos = end;
	return true;
}

/* Run number @i, from 0. Return: false when there are not as many. */
bool hpm_pages_run(const struct hpm_backing *b, u64 i, struct hpage_map_run *run)
{
	loff_t pos;

	if (i >= b->nr_runs)
		return false;
	pos = b->extents[i].start;
	return hpm_backing_run(b, &pos, run);
}

/*
 * The part of a folio at an offset, which moves behind it: as far as the folio, and what is
 * contiguous, reaches. Return: the folio, and in @bytes how much of it; NULL at the end.
 */
struct folio *hpm_pages_folio(const struct hpm_backing *b, u64 *pos, u64 *bytes)
{
	const struct hpm_extent *e;
	struct folio *folio;
	u64 address;

	if (*pos >= hpm_backing_size(b))
		return NULL;
	e = extent_at(b, *pos);
	address = e->address + (*pos - e->start);
	folio = page_folio(pfn_to_page(PHYS_PFN(address)));
	*bytes = min(PFN_PHYS(folio_pfn(folio)) + folio_size(folio) - address,
		     extent_end(b, e) - *pos);
	*pos += *bytes;
	return folio;
}

/* Count the pages on @nr nodes from @first on, in pages of the backing's page size. */
void hpm_pages_by_node(const struct hpm_backing *b, int first, unsigned int nr, u64 *pages)
{
	struct folio *folio;
	u64 pos = 0, bytes;
	int node;

	while ((folio = hpm_pages_folio(b, &pos, &bytes))) {
		node = folio_nid(folio) - first;
		if (node >= 0 && node < nr)
			pages[node] += bytes >> b->shift;
		cond_resched();
	}
}

/* The length of the longest run, in pages of the backing's page size. */
unsigned long hpm_pages_longest(const struct hpm_backing *b)
{
	struct hpage_map_run run;
	u64 longest = 0;
	loff_t pos = 0;

	while (hpm_backing_run(b, &pos, &run)) {
		longest = max(longest, run.length);
		cond_resched();
	}
	return longest >> b->shift;
}

/* Has the hardware reported a page of it as broken? */
bool hpm_folio_is_bad(struct folio *folio)
{
	return folio_test_hwpoison(folio) ||
	       (folio_test_large(folio) && !folio_test_hugetlb(folio) &&
		folio_test_has_hwpoisoned(folio));
}
