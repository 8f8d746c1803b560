/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_DMA_H
#define _HPM_DMA_H

#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/scatterlist.h>

#include "buffer.h"

u64 hpm_dma_limit(struct device *dev);
struct sg_table *hpm_dma_table(const struct hpage_map_buffer *buf, struct device *dev);
int hpm_dma_map(const struct hpage_map_buffer *buf, struct device *dev, struct sg_table *sgt,
		enum dma_data_direction dir);
void hpm_dma_free_table(struct sg_table *sgt);
void *hpm_dma_vmap(struct hpage_map_buffer *buf);

#endif
