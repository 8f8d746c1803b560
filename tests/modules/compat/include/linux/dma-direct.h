/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_TEST_COMPAT_LINUX_DMA_DIRECT_H
#define _HPM_TEST_COMPAT_LINUX_DMA_DIRECT_H

#include_next <linux/dma-direct.h>
#include <linux/version.h>

/* Until 6.8 a region also had how far its two addresses are apart. */
static inline void bus_dma_region_complete(struct bus_dma_region *m)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	m->offset = m->cpu_start - m->dma_start;
#endif
}

#endif
