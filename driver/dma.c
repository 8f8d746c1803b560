// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer as devices and the kernel see it.
 *
 * For a device, the pages are entries of a scatter-gather table, as few as possible:
 * adjacent pages are one entry, up to the segment size of the device. The tables belong
 * to whoever mapped them; the buffer keeps no list.
 *
 * For the kernel they are an address. Pages in one run have one in the direct map. Others
 * are mapped together when somebody asks, once, under the buffer's lock; the mapping then
 * stays as long as the buffer, so that nobody has to count its users.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "buffer.h"

/* The first physical address out of a device's reach; 0 for none, as where an IOMMU translates. */
u64 hpm_dma_limit(struct device *dev)
{
	struct iommu_domain *domain;

	if (!dev || !dev->dma_mask || !dma_addressing_limited(dev))
		return 0;
	domain = iommu_get_domain_for_dev(dev);
	if (domain && domain->type & __IOMMU_DOMAIN_PAGING)
		return 0;
	return min_not_zero(dma_get_mask(dev), dev->bus_dma_limit) + 1;
}

/*
 * Cut the runs into entries that the device takes: no longer than its segments, and none across
 * a boundary that it cannot cross. Return: how many; @sg, unless NULL, has got as many.
 */
static unsigned int fill_segments(const struct hpage_map_buffer *buf, struct device *dev,
				  struct scatterlist *sg)
{
	u64 last, within = dma_get_seg_boundary(dev);
	u64 len, max = round_down(dma_get_max_seg_size(dev), PAGE_SIZE);
	struct hpage_map_run run;
	unsigned int nr = 0;
	loff_t pos = 0;

	while (hpm_backing_run(&buf->backing, &pos, &run)) {
		for (; run.length; run.address += len, run.length -= len, nr++) {
			last = within - (run.address & within);
			len = min3(run.length - 1, max - 1, last) + 1;
			if (!sg)
				continue;
			sg_set_page(sg, pfn_to_page(PHYS_PFN(run.address)), len, 0);
			sg = sg_next(sg);
		}
	}
	return nr;
}

/*
 * The DMA API would map without an address what does no DMA, and lend copies in low memory to
 * what does not reach the pages, of which neither side sees the other's until it is synced.
 * Importers walk tables by pages, so an entry is a whole one at least.
 */
static int may_map(const struct hpage_map_buffer *buf, struct device *dev)
{
	u64 limit = hpm_dma_limit(dev);

	if (!dev->dma_mask || dma_get_max_seg_size(dev) < PAGE_SIZE ||
	    dma_get_seg_boundary(dev) < PAGE_SIZE - 1)
		return -EINVAL;
	return limit && buf->backing.end > limit ? -EIO : 0;
}

/**
 * hpage_map_dma_map() - map a buffer for DMA
 * @buf: the buffer
 * @dev: the device
 * @dir: who writes
 *
 * Adjacent pages are one entry, up to the segment size that the driver has set with
 * dma_set_max_seg_size(), 64 KiB if it has not, and to its dma_set_seg_boundary().
 *
 * Return: the table, mapped, for hpage_map_dma_unmap(), or an ERR_PTR: -ENOMEM; -EIO when
 * the device cannot reach the pages; -EINVAL when it does no DMA, or takes no whole page of
 * the base size in one segment.
 */
struct sg_table *hpage_map_dma_map(struct hpage_map_buffer *buf, struct device *dev,
				   enum dma_data_direction dir)
{
	struct sg_table *sgt;
	int ret = may_map(buf, dev);

	if (ret)
		return ERR_PTR(ret);
	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = -ENOMEM;
	if (sg_alloc_table(sgt, fill_segments(buf, dev, NULL), GFP_KERNEL))
		goto free;
	fill_segments(buf, dev, sgt->sgl);
	/* Many may map the same pages, which the DMA API allows to those who sync by themselves. */
	ret = dma_map_sgtable(dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		goto free_table;
	dma_sync_sgtable_for_device(dev, sgt, dir);
	return sgt;

free_table:
	sg_free_table(sgt);
free:
	kfree(sgt);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_dma_map, "HPAGE_MAP");

/**
 * hpage_map_dma_unmap() - end DMA
 * @buf: the buffer
 * @dev: the device; it does not use the addresses any more
 * @sgt: of hpage_map_dma_map(); freed
 * @dir: as it was mapped
 */
void hpage_map_dma_unmap(struct hpage_map_buffer *buf, struct device *dev, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	dma_sync_sgtable_for_cpu(dev, sgt, dir);
	dma_unmap_sgtable(dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(sgt);
	kfree(sgt);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_dma_unmap, "HPAGE_MAP");

static void *map_pages(const struct hpage_map_buffer *buf)
{
	unsigned long nr = hpm_backing_size(&buf->backing) >> PAGE_SHIFT, i;
	struct page **pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL | __GFP_NOWARN);
	void *vaddr;

	if (!pages)
		return NULL;
	for (i = 0; i < nr; i++)
		pages[i] = hpm_backing_page(&buf->backing, (loff_t)i << PAGE_SHIFT);
	vaddr = vmap(pages, nr, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	return vaddr;
}

/**
 * hpage_map_vmap() - the address of a buffer in the kernel
 * @buf: the buffer
 *
 * In the direct map when the pages are one run, else in an area of its own, which the
 * first call makes. What is there may be read and written in any context.
 *
 * Return: the address of the first byte, valid as long as the caller holds the buffer, or
 * an ERR_PTR of -ENOMEM.
 */
void *hpage_map_vmap(struct hpage_map_buffer *buf)
{
	void *vaddr;

	if (buf->backing.nr_runs == 1)
		return page_address(hpm_backing_page(&buf->backing, 0));

	mutex_lock(&buf->lock);
	if (!buf->vaddr)
		buf->vaddr = map_pages(buf);
	vaddr = buf->vaddr;
	mutex_unlock(&buf->lock);
	return vaddr ?: ERR_PTR(-ENOMEM);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_vmap, "HPAGE_MAP");
