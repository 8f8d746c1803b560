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

/* Linux 6.17 has renamed it. */
#ifndef PAGEBLOCK_MIGRATETYPE_MASK
#define PAGEBLOCK_MIGRATETYPE_MASK MIGRATETYPE_MASK
#endif

/* Until then MIGRATE_ISOLATE was a type as the others; since then it is a bit of its own. */
#ifndef PAGEBLOCK_ISO_MASK
#define PAGEBLOCK_ISO_MASK 0
#endif

/*
 * Before 7.0 a range was got with a reference to each page. Others who just look at a page may have
 * one for a moment.
 */
#ifndef ACR_FLAGS_NONE
#define ACR_FLAGS_NONE MIGRATE_MOVABLE
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
static inline int alloc_contig_frozen_range(unsigned long start, unsigned long end,
					    unsigned int flags, gfp_t gfp)
{
	int ret = alloc_contig_range(start, end, ACR_FLAGS_NONE, gfp);

	for (; !ret && start < end; start++)
		while (!page_ref_freeze(pfn_to_page(start), 1))
			cond_resched();
	return ret;
}
#endif

#endif
