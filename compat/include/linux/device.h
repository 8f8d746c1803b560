/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COMPAT_LINUX_DEVICE_H
#define _HPM_COMPAT_LINUX_DEVICE_H

#include_next <linux/device.h>
#include <linux/export.h>
#include <linux/version.h>

/* devnode() got its device as const in 6.2. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
typedef struct device devnode_device;
#else
typedef const struct device devnode_device;
#endif

/* class_create() took the module as well before 6.4. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
static inline struct class *hpm_class_create(const char *name)
{
	return class_create(THIS_MODULE, name);
}

#undef class_create
#define class_create(name) hpm_class_create(name)
#endif

#endif
