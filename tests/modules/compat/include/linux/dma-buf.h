/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_TEST_COMPAT_LINUX_DMA_BUF_H
#define _HPM_TEST_COMPAT_LINUX_DMA_BUF_H

#include_next <linux/dma-buf.h>
#include <linux/version.h>

/* Since 6.2 these names mean that the caller does not hold the lock. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define dma_buf_vmap_unlocked			dma_buf_vmap
#define dma_buf_vunmap_unlocked			dma_buf_vunmap
#endif

#endif
