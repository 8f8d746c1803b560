/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hpage_map: buffers of huge pages for drivers, and for the programs that use them.
 *
 * A driver creates a buffer, lets its device fill it, and maps it for programs:
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
 * The pages are zeroed and pinned when hpage_map_create() returns. They keep their physical
 * addresses until the last holder of the buffer is gone. Holders are:
 *
 *	the driver, from hpage_map_create() or hpage_map_get() to hpage_map_put()
 *	every mapping for DMA, from hpage_map_dma_map() to hpage_map_dma_unmap()
 *	every mapping of the buffer by a program
 *	every dma-buf of the buffer
 *
 * A driver can therefore be removed while programs have the buffer mapped. They keep the memory.
 *
 * The driver stops the DMA of the device before hpage_map_dma_unmap(). It stops every use of the
 * address of hpage_map_vmap() and of the pages of hpage_map_page() before it gives up its last
 * reference. Nothing else stops them, and without other holders the pages then belong to somebody
 * else.
 *
 * Context of the functions:
 *
 *	hpage_map_create(), devm_hpage_map_create(): process context. May sleep, and may take
 *	seconds. A signal ends the call.
 *
 *	hpage_map_put(), hpage_map_export_part(), hpage_map_dma_map(), hpage_map_dma_unmap(),
 *	hpage_map_vmap(), hpage_map_fd(), hpage_map_get_fd(): process context. May sleep.
 *
 *	hpage_map_mmap(): from .mmap of the driver, under mmap_lock for writing. May sleep.
 *
 *	hpage_map_get_unmapped_area(): from .get_unmapped_area of the driver, under mmap_lock.
 *	May sleep.
 *
 *	hpage_map_get(), hpage_map_size(), hpage_map_page_size(), hpage_map_page(),
 *	hpage_map_mapped(), and the functions that sync: any context. They do not sleep.
 *
 * All sizes and offsets are in bytes. Functions that return a pointer return an ERR_PTR() on
 * failure, except hpage_map_page(), which returns NULL.
 *
 * All functions are exported GPL in the namespace HPAGE_MAP. A driver imports it once with
 * HPAGE_MAP_IMPORT(). The API follows semantic versioning with the module: within one major
 * version, functions and fields are added, but not changed or removed.
 */
#ifndef _LINUX_HPAGE_MAP_H
#define _LINUX_HPAGE_MAP_H

#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include <uapi/linux/hpage_map.h>

struct device;
struct dma_buf;
struct hpage_map_buffer;
struct vm_area_struct;

/* As MODULE_IMPORT_NS(), but the same on every kernel: the argument of that has changed. */
#define HPAGE_MAP_IMPORT()	MODULE_INFO(import_ns, "HPAGE_MAP")

/**
 * struct hpage_map_attr - attributes of a new buffer
 * @size: requested size in bytes, not 0; it is rounded up to a multiple of the page size
 * @page_size: bytes, a power of two; 0 selects the best, as in struct hpage_map_alloc
 * @flags: bits of enum hpage_map_alloc_flags, with the same meaning as for programs
 * @policy: HPAGE_MAP_POLICY_STRICT allows no other node than that of the device;
 *	HPAGE_MAP_POLICY_INTERLEAVE ignores the node of the device; the others prefer it
 * @name: a tag, or NULL for the name of the device; letters and digits, and after the first
 *	character also '.', '_' and '-'; at most 63 characters, which are copied
 * @charge_user: if true, the pages count against the limits of the user of the calling task, as
 *	if the user had requested them; for a buffer that a driver creates on request of a program.
 *	If false, they count against no user. Control groups are charged in both cases.
 *
 * All fields except @size may be 0.
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

/**
 * hpage_map_sync_for_cpu() - pass the whole buffer from the device to the CPU
 * @dev: the device
 * @sgt: the table that hpage_map_dma_map() returned
 * @dir: as for hpage_map_dma_map()
 *
 * Call it after the device has written and before the CPU reads. On a device that is not
 * coherent, and where the DMA API copies, this discards what the CPU has written anywhere in the
 * buffer since the last sync for the device. hpage_map_sync_range_for_cpu() is for a part. If the
 * device is coherent and the DMA API does not copy, the call does nothing.
 *
 * Context: any.
 */
static inline void hpage_map_sync_for_cpu(struct device *dev, struct sg_table *sgt,
					  enum dma_data_direction dir)
{
	dma_sync_sgtable_for_cpu(dev, sgt, dir);
}

/**
 * hpage_map_sync_for_device() - pass the whole buffer from the CPU to the device
 * @dev: the device
 * @sgt: the table that hpage_map_dma_map() returned
 * @dir: as for hpage_map_dma_map()
 *
 * Call it after the CPU has written and before the device reads, and after the CPU has read and
 * before the device writes again. hpage_map_sync_range_for_device() is for a part. If the device
 * is coherent and the DMA API does not copy, the call does nothing.
 *
 * Context: any.
 */
static inline void hpage_map_sync_for_device(struct device *dev, struct sg_table *sgt,
					     enum dma_data_direction dir)
{
	dma_sync_sgtable_for_device(dev, sgt, dir);
}

void hpage_map_sync_range_for_cpu(struct device *dev, struct sg_table *sgt, u64 offset,
				  u64 length, enum dma_data_direction dir);
void hpage_map_sync_range_for_device(struct device *dev, struct sg_table *sgt, u64 offset,
				     u64 length, enum dma_data_direction dir);

int hpage_map_fd(struct hpage_map_buffer *buf, int flags);
struct hpage_map_buffer *hpage_map_get_fd(int fd, fmode_t mode);

struct dma_buf *hpage_map_export_part(struct hpage_map_buffer *buf, u64 offset, u64 length,
				      int flags);

/**
 * hpage_map_export() - make a dma-buf of a buffer
 * @buf: the buffer; the dma-buf holds it, too
 *
 * Context: process context; may sleep.
 * Return: as hpage_map_export_part().
 */
static inline struct dma_buf *hpage_map_export(struct hpage_map_buffer *buf)
{
	return hpage_map_export_part(buf, 0, 0, O_RDWR);
}

#endif
