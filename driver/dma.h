/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_DMA_H
#define _HPM_DMA_H

#include <linux/dma-direction.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>

struct device;
struct hpage_map_buffer;
struct hpm_part;

/* A buffer mapped for a device, see dma.c. Fields without a note never change. */
struct hpm_dma {
	struct sg_table sgt;
	struct hpage_map_buffer *buf;	/* held */
	u64 offset, length;		/* of the part that is mapped, bytes */
	struct device *dev;		/* held, or not used when it is not mapped any more */
	enum dma_data_direction dir;
	const void *importer;		/* attachment of a dma-buf: synced when the CPU accesses */
	bool by_name;			/* for a program: dev is held; set under the lock of dev */
	bool copied;			/* the device writes copies, which are written back */
	u32 id;				/* among the buffer's tables */
	refcount_t refs;
	struct mutex lock;		/* of what follows */
	bool mapped;
	bool synced;			/* all of it, once, for the device */
};

static inline struct hpm_dma *hpm_dma_of(const struct sg_table *sgt)
{
	return container_of(sgt, struct hpm_dma, sgt);
}

struct hpm_dma *hpm_dma_begin(const struct hpm_part *part, struct device *dev,
			      enum dma_data_direction dir, const void *importer);
struct hpm_dma *hpm_dma_map(const struct hpm_part *part, struct device *dev,
			    enum dma_data_direction dir, const void *importer);
int hpm_dma_sync(struct hpm_dma *t, u64 offset, u64 length, bool for_cpu);
void hpm_dma_end(struct hpm_dma *t);
struct hpm_dma *hpm_dma_next(struct hpage_map_buffer *buf, unsigned long *id);
void hpm_dma_put(struct hpm_dma *t);

#endif
