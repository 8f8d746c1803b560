/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COMPAT_LINUX_FS_CONTEXT_H
#define _HPM_COMPAT_LINUX_FS_CONTEXT_H

#include_next <linux/fs_context.h>
#include <linux/string.h>
#include <linux/version.h>

/* Before 6.18 the caller had to give the length of the value. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
static inline int hpm_vfs_parse_fs_string(struct fs_context *fc, const char *key,
					  const char *value)
{
	return vfs_parse_fs_string(fc, key, value, strlen(value));
}

#define vfs_parse_fs_string hpm_vfs_parse_fs_string
#endif

#endif
