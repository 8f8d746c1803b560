/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COMPAT_LINUX_MM_H
#define _HPM_COMPAT_LINUX_MM_H

#include_next <linux/mm.h>
#include <linux/version.h>

/* Until 6.3 the flags of a VMA were written directly. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set, vm_flags_t clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

/* Linux 6.17 has renamed it, and made MIGRATE_ISOLATE, till then a type, a bit of its own. */
#ifndef PAGEBLOCK_MIGRATETYPE_MASK
#define PAGEBLOCK_MIGRATETYPE_MASK MIGRATETYPE_MASK
#define PAGEBLOCK_ISO_MASK 0
#endif

/*
 * Before 7.0 a range was got with a reference to each page. Others who just look at a page may have
 * one, too, for as long as they do not run. Nobody waits for that: the range is given back, and
 * that page when they are done.
 */
#ifndef ACR_FLAGS_NONE
#define ACR_FLAGS_NONE MIGRATE_MOVABLE
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
static inline int alloc_contig_frozen_range(unsigned long start, unsigned long end,
					    unsigned int flags, gfp_t gfp)
{
	int ret = alloc_contig_range(start, end, ACR_FLAGS_NONE, gfp);
	unsigned long pfn = start;

	if (ret)
		return ret;
	while (pfn < end && page_ref_freeze(pfn_to_page(pfn), 1))
		pfn++;
	if (pfn == end)
		return 0;
	while (pfn-- > start)
		page_ref_unfreeze(pfn_to_page(pfn), 1);
	for (pfn = start; pfn < end; pfn++)
		__free_page(pfn_to_page(pfn));
	return -EBUSY;
}
#endif

#endif
