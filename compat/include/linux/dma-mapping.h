/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COMPAT_LINUX_DMA_MAPPING_H
#define _HPM_COMPAT_LINUX_DMA_MAPPING_H

#include_next <linux/dma-mapping.h>
#include <linux/version.h>

/* Before 6.10 the DMA API did not report for which devices syncing does nothing. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
static inline bool dma_dev_need_sync(const struct device *dev)
{
	return true;
}
#endif

#endif
