// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of a buffer.
 *
 * They are kept as extents: physically contiguous pages at consecutive offsets. A buffer in one
 * run is one extent, whatever its size; the worst is one for each page. So memory goes with what is
 * scattered and not with what is large. The array ends where kvmalloc() does, at 64 Mi extents: 256
 * GiB of base pages of which no two are adjacent.
 *
 * Pages are added in the order of their offsets while a buffer is made, by its maker
 * alone. After that nothing changes, so nothing is locked.
 */
#include <linux/hugetlb.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "pages.h"

#define FIRST_EXTENTS	4UL

/* Physically contiguous pages; they end where the next extent begins. */
struct hpm_extent {
	u64 start;	/* offset in the buffer, bytes */
	u64 address;	/* physical, bytes */
};

/* The extent that has byte @pos, which lies within the buffer. */
static const struct hpm_extent *extent_at(const struct hpm_pages *pages, u64 pos)
{
	unsigned long low = 0, high = pages->nr_runs, middle;

	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (pages->extents[middle].start <= pos)
			low = middle;
		else
			high = middle;
	}
	return &pages->extents[low];
}

/* Room for one extent more. It doubles, so that adding all takes linear time. */
static int extents_grow(struct hpm_pages *pages)
{
	unsigned long room = max(FIRST_EXTENTS, 2 * pages->nr_runs);
	struct hpm_extent *extents;

	/* It was full whenever the number is a power of two. */
	if (pages->nr_runs && (pages->nr_runs < FIRST_EXTENTS || !is_power_of_2(pages->nr_runs)))
		return 0;
	extents = kvmalloc_array(room, sizeof(*extents), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!extents)
		return -ENOMEM;
	if (pages->nr_runs)
		memcpy(extents, pages->extents, pages->nr_runs * sizeof(*extents));
	kvfree(pages->extents);
	pages->extents = extents;
	return 0;
}

/* The folio of the last page that was added, or NULL. */
struct folio *hpm_pages_last(const struct hpm_pages *pages)
{
	u64 size = hpm_pages_size(pages);

	return size ? page_folio(hpm_pages_page(pages, size - PAGE_SIZE)) : NULL;
}

/*
 * Add pinned pages at the end: @bytes from @page on, all of one folio, a multiple of the page
 * size. Return: 0, or -ENOMEM, and then they were not added.
 */
int hpm_pages_add(struct hpm_pages *pages, struct page *page, u64 bytes)
{
	u64 size = hpm_pages_size(pages), address = PFN_PHYS(page_to_pfn(page));
	struct folio *folio = page_folio(page), *last = hpm_pages_last(pages);
	const struct hpm_extent *e = size ? extent_at(pages, size - 1) : NULL;

	if (!e || e->address + (size - e->start) != address) {
		if (extents_grow(pages))
			return -ENOMEM;
		pages->extents[pages->nr_runs++] = (struct hpm_extent){ size, address };
		pages->starts |= size | address;
	}
	if (!last)
		pages->node = folio_nid(folio);
	else if (folio_nid(folio) != pages->node)
		pages->node = HPAGE_MAP_NODE_MIXED;
	pages->nr_huge += folio != last && folio_size(folio) >= PMD_SIZE;
	pages->nr_folios += folio != last;
	pages->end = max(pages->end, address + bytes);
	pages->nr += bytes >> pages->shift;
	return 0;
}

/* Forget all pages, which are not pinned any more. */
void hpm_pages_free(struct hpm_pages *pages)
{
	kvfree(pages->extents);
	*pages = (struct hpm_pages){ .shift = pages->shift };
}

/* The base page at byte pos, which lies within the buffer. */
struct page *hpm_pages_page(const struct hpm_pages *pages, u64 pos)
{
	const struct hpm_extent *e = extent_at(pages, pos);

	return pfn_to_page(PHYS_PFN(e->address + (pos - e->start)));
}

/* What is contiguous from an offset on. Return: false at the end. */
bool hpm_pages_run(const struct hpm_pages *pages, u64 pos, struct hpage_map_run *run)
{
	const struct hpm_extent *e;
	u64 end;

	if (pos >= hpm_pages_size(pages))
		return false;
	e = extent_at(pages, pos);
	end = e + 1 < pages->extents + pages->nr_runs ? e[1].start : hpm_pages_size(pages);
	*run = (struct hpage_map_run){ e->address + (pos - e->start), end - pos };
	return true;
}

/* Run number @i, from 0. Return: false when there are not as many. */
bool hpm_pages_nth_run(const struct hpm_pages *pages, u64 i, struct hpage_map_run *run)
{
	return i < pages->nr_runs && hpm_pages_run(pages, pages->extents[i].start, run);
}

/*
 * The part of a folio at an offset, which moves behind it: as far as the folio, and what is
 * contiguous, reaches. Return: the folio, and in @bytes how much of it; NULL at the end.
 */
struct folio *hpm_pages_folio(const struct hpm_pages *pages, u64 *pos, u64 *bytes)
{
	struct hpage_map_run run;
	struct folio *folio;

	if (!hpm_pages_run(pages, *pos, &run))
		return NULL;
	folio = page_folio(pfn_to_page(PHYS_PFN(run.address)));
	*bytes = min(PFN_PHYS(folio_pfn(folio)) + folio_size(folio) - run.address, run.length);
	*pos += *bytes;
	return folio;
}

/* Count the pages on @nr nodes from @first on, in pages of the buffer's page size. */
void hpm_pages_by_node(const struct hpm_pages *pages, int first, unsigned int nr, u64 *counts)
{
	struct folio *folio;
	u64 pos = 0, bytes;
	int node;

	while ((folio = hpm_pages_folio(pages, &pos, &bytes))) {
		node = folio_nid(folio) - first;
		if (node >= 0 && node < nr)
			counts[node] += bytes >> pages->shift;
		cond_resched();
	}
}

/* Has the hardware reported a page of it as broken? */
bool hpm_folio_is_bad(struct folio *folio)
{
	return folio_test_hwpoison(folio) ||
	       (folio_test_large(folio) && !folio_test_hugetlb(folio) &&
		folio_test_has_hwpoisoned(folio));
}

/*
 * The kind of pages that a pageblock is for. What tells pageblocks apart is not exported, so the
 * bits are read in the memory map.
 */
unsigned long hpm_pfn_migratetype(unsigned long pfn)
{
	unsigned long bit = ((pfn & (PAGES_PER_SECTION - 1)) >> pageblock_order) *
			    NR_PAGEBLOCK_BITS;
	struct mem_section_usage *usage;
	unsigned long *words;

	guard(rcu)();
	usage = READ_ONCE(__pfn_to_section(pfn)->usage);
	/* The section is being removed. */
	if (!usage)
		return MIGRATE_TYPES;
	words = usage->pageblock_flags;		/* declared with no element, so not indexed there */
	return READ_ONCE(words[bit / BITS_PER_LONG]) >> (bit % BITS_PER_LONG) &
	       (PAGEBLOCK_MIGRATETYPE_MASK | PAGEBLOCK_ISO_MASK);
}

/*
 * What keeps @len bytes of a folio out of a buffer with pages of @page_size, or NULL. A folio has
 * moved when it is where it may not be pinned for good: in ZONE_MOVABLE, from which memory goes
 * offline, or in an area that CMA has to empty for others, or has emptied just now. mm/ allocates
 * nothing there for us, but it may migrate there what is not pinned yet.
 */
const char *hpm_folio_defect(struct folio *folio, u64 len, u64 page_size)
{
	if (hpm_folio_is_bad(folio))
		return "broken";
	if (len < page_size)
		return "split";
	return folio_zonenum(folio) == ZONE_MOVABLE ||
	       hpm_pfn_migratetype(folio_pfn(folio)) > MIGRATE_HIGHATOMIC ? "moved" : NULL;
}
