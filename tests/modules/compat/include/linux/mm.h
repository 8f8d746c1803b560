/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_TEST_COMPAT_LINUX_MM_H
#define _HPM_TEST_COMPAT_LINUX_MM_H

#include_next <linux/mm.h>
#include <linux/version.h>

/* Until 6.3 the flags of a VMA were written directly. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

#endif
