/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hpage_map: huge pages for drivers, and for the programs that they serve.
 *
 * A driver creates a buffer, lets its device fill it, and maps it to programs:
 *
 *	buf = hpage_map_create(dev, &(struct hpage_map_attr){ .size = SZ_64M });
 *	sgt = hpage_map_dma_map(buf, dev, DMA_FROM_DEVICE);
 *	...
 *	static int my_mmap(struct file *file, struct vm_area_struct *vma)
 *	{
 *		return hpage_map_mmap(buf, vma, 0, 0);
 *	}
 *	...
 *	hpage_map_dma_unmap(buf, dev, sgt, DMA_FROM_DEVICE);
 *	hpage_map_put(buf);
 *
 * The pages are zeroed and pinned when hpage_map_create() returns, and stay where they are
 * until the last holder of the buffer is gone. Holders are the driver, until hpage_map_put();
 * every mapping for DMA, until hpage_map_dma_unmap(); every mapping of the buffer by a program;
 * and every dma-buf that was exported of it. So a driver may go while programs still have it
 * mapped: they keep the memory, and no more.
 *
 * What must stop before the last of these is given up: DMA of the device, before
 * hpage_map_dma_unmap(); and every use of the address that hpage_map_vmap() gave. Nobody
 * else stops them, and without other holders the pages are somebody else's afterwards.
 *
 * All functions are exported GPL in the namespace HPAGE_MAP; a driver has HPAGE_MAP_IMPORT()
 * once. They may sleep, but for hpage_map_get(), _size(), _page_size(), _page(), _mapped() and
 * those that sync, which do for any context. The API follows semantic versioning with the module:
 * within one major version functions and fields are added, not changed or removed.
 */
#ifndef _LINUX_HPAGE_MAP_H
#define _LINUX_HPAGE_MAP_H

#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include <uapi/linux/hpage_map.h>

struct device;
struct dma_buf;
struct hpage_map_buffer;
struct vm_area_struct;

/* As MODULE_IMPORT_NS(), whose argument has changed, on every kernel. */
#define HPAGE_MAP_IMPORT()	MODULE_INFO(import_ns, "HPAGE_MAP")

/**
 * struct hpage_map_attr - what a driver asks for; all zero but the size will do
 * @size: bytes, rounded up to the page size that is got
 * @page_size: bytes, a power of two; 0 takes the best, which is at most what a PMD maps
 * @flags: bits of enum hpage_map_alloc_flags, as for programs
 * @policy: HPAGE_MAP_POLICY_STRICT insists on the node of the device, and _INTERLEAVE ignores
 *	it; anything else prefers it
 * @name: a tag for people, of letters, digits, '.', '_' and '-', or NULL; copied
 * @charge_user: the pages count against the limits of the calling task's user, as if he had asked
 *	for them himself: for buffers that a driver makes because a program asks. False: against
 *	none, for those of the driver's own. Control groups are charged either way.
 */
struct hpage_map_attr {
	u64 size;
	u64 page_size;
	u32 flags;
	enum hpage_map_policy policy;
	const char *name;
	bool charge_user;
};

struct hpage_map_buffer *hpage_map_create(struct device *dev, const struct hpage_map_attr *attr);
struct hpage_map_buffer *devm_hpage_map_create(struct device *dev,
					       const struct hpage_map_attr *attr);
struct hpage_map_buffer *hpage_map_get(struct hpage_map_buffer *buf);
void hpage_map_put(struct hpage_map_buffer *buf);

u64 hpage_map_size(const struct hpage_map_buffer *buf);
u64 hpage_map_page_size(const struct hpage_map_buffer *buf);
unsigned int hpage_map_mapped(const struct hpage_map_buffer *buf);
struct page *hpage_map_page(const struct hpage_map_buffer *buf, u64 offset);
void *hpage_map_vmap(struct hpage_map_buffer *buf);

int hpage_map_mmap(struct hpage_map_buffer *buf, struct vm_area_struct *vma, u64 start, u64 length);
unsigned long hpage_map_get_unmapped_area(struct hpage_map_buffer *buf, unsigned long addr,
					  unsigned long len, unsigned long pgoff,
					  unsigned long flags, u64 start, u64 length);

struct sg_table *hpage_map_dma_map(struct hpage_map_buffer *buf, struct device *dev,
				   enum dma_data_direction dir);
void hpage_map_dma_unmap(struct hpage_map_buffer *buf, struct device *dev, struct sg_table *sgt,
			 enum dma_data_direction dir);

/*
 * The device has written, the CPU will read; and the CPU has written, or has read what the
 * device is to write again. Free where the device is coherent. These two are for the whole
 * buffer, to which the CPU must not write before the first; with those that follow, for a part.
 */
static inline void hpage_map_sync_for_cpu(struct device *dev, struct sg_table *sgt,
					  enum dma_data_direction dir)
{
	dma_sync_sgtable_for_cpu(dev, sgt, dir);
}

static inline void hpage_map_sync_for_device(struct device *dev, struct sg_table *sgt,
					     enum dma_data_direction dir)
{
	dma_sync_sgtable_for_device(dev, sgt, dir);
}

void hpage_map_sync_range_for_cpu(struct device *dev, struct sg_table *sgt, u64 offset,
				  u64 length, enum dma_data_direction dir);
void hpage_map_sync_range_for_device(struct device *dev, struct sg_table *sgt, u64 offset,
				     u64 length, enum dma_data_direction dir);

struct dma_buf *hpage_map_export(struct hpage_map_buffer *buf);

#endif
