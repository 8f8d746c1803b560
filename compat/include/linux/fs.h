/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COMPAT_LINUX_FS_H
#define _HPM_COMPAT_LINUX_FS_H

#include_next <linux/fs.h>
#include <linux/version.h>

/* Before 6.17 every file had its own .mmap. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
static inline int hpm_vfs_mmap(struct file *file, struct vm_area_struct *vma)
{
	return file->f_op->mmap(file, vma);
}

#define vfs_mmap hpm_vfs_mmap
#endif

#endif
