/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COMPAT_LINUX_FS_H
#define _HPM_COMPAT_LINUX_FS_H

#include_next <linux/fs.h>
#include <linux/version.h>

/* Before 6.17 it had another name. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define vfs_mmap call_mmap
#endif

/* Before 6.7 a file could be had under RCU alone. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
static inline struct file *get_file_active(struct file **f)
{
	return *f && get_file_rcu(*f) ? *f : NULL;
}
#endif

/* Before 6.5 what is read without a page cache was spliced as pages, too. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define copy_splice_read generic_file_splice_read
#endif

/* Before 6.3 a mount mapped ids by a user namespace. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define mnt_idmap user_namespace
#endif

#endif
