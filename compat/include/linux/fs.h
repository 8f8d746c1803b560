/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COMPAT_LINUX_FS_H
#define _HPM_COMPAT_LINUX_FS_H

#include_next <linux/fs.h>
#include <linux/version.h>

/* Before 6.17 it had another name. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define vfs_mmap call_mmap
#endif

#endif
