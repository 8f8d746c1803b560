/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_PAGES_H
#define _HPM_PAGES_H

#include <linux/types.h>
#include <uapi/linux/hpage_map.h>

struct folio;
struct page;

/* The pages of a buffer, see pages.c. They never change from the end of its making. */
struct hpm_pages {
	struct hpm_extent *extents;	/* of the pages, all pinned */
	unsigned long nr_runs;		/* number of extents */
	unsigned long nr;		/* number of pages */
	unsigned long nr_huge;		/* folios that a PMD or more can map */
	unsigned long nr_folios;	/* folios, or parts of folios */
	unsigned int shift;		/* log2 of the page size in bytes */
	int node;			/* of all pages, or HPAGE_MAP_NODE_MIXED */
	u64 end;			/* physical address where the highest page ends */
	u64 starts;			/* all offsets and addresses of extents, by OR */
};

static inline u64 hpm_pages_size(const struct hpm_pages *pages)
{
	return (u64)pages->nr << pages->shift;
}

int hpm_pages_add(struct hpm_pages *pages, struct page *page, u64 bytes);
void hpm_pages_free(struct hpm_pages *pages);

struct page *hpm_pages_page(const struct hpm_pages *pages, u64 pos);
bool hpm_pages_run(const struct hpm_pages *pages, u64 pos, struct hpage_map_run *run);
bool hpm_pages_nth_run(const struct hpm_pages *pages, u64 i, struct hpage_map_run *run);
struct folio *hpm_pages_folio(const struct hpm_pages *pages, u64 *pos, u64 *bytes);
struct folio *hpm_pages_last(const struct hpm_pages *pages);

void hpm_pages_by_node(const struct hpm_pages *pages, int first, unsigned int nr, u64 *counts);

bool hpm_folio_is_bad(struct folio *folio);
const char *hpm_folio_defect(struct folio *folio, u64 len, u64 page_size);
unsigned long hpm_pfn_migratetype(unsigned long pfn);

#endif
