/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_ENTRIES_H
#define _HPM_ENTRIES_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct device;
struct hpm_part;
struct scatterlist;
struct sg_table;

/* A place in a table, by the pages and by the addresses, which an IOMMU may have merged. */
struct hpm_cursor {
	struct scatterlist *page, *dma;
	u64 in_page, in_dma;		/* bytes behind where the entry begins */
};

long hpm_entries_fill(const struct hpm_part *part, struct device *dev, struct scatterlist *sg);
int hpm_entries_make(struct sg_table *sgt, const struct hpm_part *part, struct device *dev);
bool hpm_entries_are_copied(const struct sg_table *sgt, struct device *dev, u64 size);

struct hpm_cursor hpm_cursor_at(const struct sg_table *sgt, u64 offset);
void hpm_cursor_sync(struct hpm_cursor *at, u64 length, struct device *dev,
		     enum dma_data_direction dir, bool for_cpu);

#endif
