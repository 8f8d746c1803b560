/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COMPAT_LINUX_SHMEM_FS_H
#define _HPM_COMPAT_LINUX_SHMEM_FS_H

#include_next <linux/shmem_fs.h>
#include <linux/version.h>

/* Before 6.6 only the page of the folio could be had. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
static inline struct folio *shmem_read_folio_gfp(struct address_space *mapping, pgoff_t index,
						 gfp_t gfp)
{
	struct page *page = shmem_read_mapping_page_gfp(mapping, index, gfp);

	return IS_ERR(page) ? ERR_CAST(page) : page_folio(page);
}
#endif

#endif
