/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COMPAT_LINUX_PAGEMAP_H
#define _HPM_COMPAT_LINUX_PAGEMAP_H

#include_next <linux/pagemap.h>
#include <linux/version.h>

/* hugetlbfs indexed its page cache by huge pages, its blocks, until 6.7. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
static inline struct page *hpm_find_get_page(struct address_space *mapping, pgoff_t offset)
{
	return find_get_page(mapping, offset >> (mapping->host->i_blkbits - PAGE_SHIFT));
}

#define find_get_page hpm_find_get_page

static inline loff_t hpm_folio_pos(struct folio *folio)
{
	return (loff_t)folio->index <<
	       (folio_test_hugetlb(folio) ? folio_shift(folio) : PAGE_SHIFT);
}

#define folio_pos hpm_folio_pos
#endif

/*
 * Before 6.11 there is no pin for the folios of a file. A reference does for a folio that
 * already lies where it may stay: migration and soft offline leave alone what has references
 * that they cannot account for. Folios come one at a time, and are never allocated.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
static inline long memfd_pin_folios(struct file *memfd, loff_t start, loff_t end,
				    struct folio **folios, unsigned int max_folios,
				    pgoff_t *offset)
{
	struct page *page = find_get_page(memfd->f_mapping, start >> PAGE_SHIFT);

	if (!page)
		return -ENOENT;
	folios[0] = page_folio(page);
	*offset = start & (folio_size(folios[0]) - 1);
	return 1;
}

static inline void unpin_folios(struct folio **folios, unsigned long nfolios)
{
	folio_put(folios[0]);
}
#endif

#endif
