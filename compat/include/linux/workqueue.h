/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COMPAT_LINUX_WORKQUEUE_H
#define _HPM_COMPAT_LINUX_WORKQUEUE_H

#include_next <linux/workqueue.h>
#include <linux/version.h>

/* Before 6.18 it had another name. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define system_dfl_wq system_unbound_wq
#endif

#endif
