// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer as devices and the kernel see it.
 *
 * For a device, the pages are entries of a scatter-gather table, as few as
 * possible: adjacent pages are one entry, up to the segment size of the device.
 * The tables belong to whoever mapped them; the buffer keeps no list.
 *
 * For the kernel they are an address. Pages in one run have one in the direct
 * map. Others are mapped together when somebody asks, once, under the buffer's
 * lock; the mapping then stays as long as the buffer, so that nobody has to
 * count its users.
 */
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "dma.h"

/**
 * hpm_dma_limit() - where the addresses end that a device can reach
 * @dev: the device, or NULL
 *
 * Return: the first physical address out of reach, or 0 if there is none; with
 * an IOMMU that translates there is none.
 */
u64 hpm_dma_limit(struct device *dev)
{
	struct iommu_domain *domain;
	u64 mask;

	if (!dev || !dev->dma_mask)
		return 0;
	domain = iommu_get_domain_for_dev(dev);
	mask = min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
	if (domain && domain->type & __IOMMU_DOMAIN_PAGING)
		return 0;
	return mask == U64_MAX ? 0 : mask + 1;
}

/*
 * The longest entry for @dev, in bytes. A device that has said nothing has no
 * limit but that of the field.
 */
static unsigned int max_segment(struct device *dev)
{
	unsigned int max = dev->dma_parms ? dma_get_max_seg_size(dev) : UINT_MAX;

	return max_t(unsigned int, round_down(max, PAGE_SIZE), PAGE_SIZE);
}

static unsigned int count_segments(const struct hpage_map_buffer *buf, unsigned int max)
{
	struct hpage_map_run run;
	unsigned int nr = 0;
	loff_t pos = 0;

	while (hpm_backing_run(&buf->backing, &pos, &run))
		nr += DIV_ROUND_UP_ULL(run.length, max);
	return nr;
}

static void fill_segments(const struct hpage_map_buffer *buf, struct scatterlist *sg,
			  unsigned int max)
{
	struct hpage_map_run run;
	unsigned int len;
	loff_t pos = 0;

	while (hpm_backing_run(&buf->backing, &pos, &run)) {
		while (run.length) {
			len = min_t(u64, run.length, max);
			sg_set_page(sg, pfn_to_page(PHYS_PFN(run.address)), len, 0);
			sg = sg_next(sg);
			run.address += len;
			run.length -= len;
		}
	}
}

/**
 * hpm_dma_table() - make the scatter-gather table of a buffer
 * @buf: the buffer; held as long as the table is used
 * @dev: the device whose segment size counts
 *
 * Context: may sleep.
 * Return: a table that is not mapped, for hpm_dma_free_table(), or an ERR_PTR
 * of -ENOMEM.
 */
struct sg_table *hpm_dma_table(const struct hpage_map_buffer *buf, struct device *dev)
{
	unsigned int max = max_segment(dev);
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, count_segments(buf, max), GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	fill_segments(buf, sgt->sgl, max);
	return sgt;
}

/**
 * hpm_dma_map() - map a table for its device
 * @buf: the buffer
 * @dev: the device
 * @sgt: of hpm_dma_table() for both
 * @dir: who writes
 *
 * The device must reach the pages themselves. Others could be bounced, if in
 * small segments; but then neither side sees what the other writes before it is
 * synced, and the copy ends up over what programs have written meanwhile.
 *
 * Context: may sleep.
 * Return: 0, -EIO when the device does not reach the pages, or what the DMA API
 * says.
 */
int hpm_dma_map(const struct hpage_map_buffer *buf, struct device *dev, struct sg_table *sgt,
		enum dma_data_direction dir)
{
	u64 limit = hpm_dma_limit(dev);

	if (limit && buf->backing.end > limit)
		return -EIO;
	return dma_map_sgtable(dev, sgt, dir, 0);
}

/**
 * hpm_dma_free_table() - free what hpm_dma_table() made
 * @sgt: the table, not mapped
 */
void hpm_dma_free_table(struct sg_table *sgt)
{
	sg_free_table(sgt);
	kfree(sgt);
}

static void *map_pages(const struct hpage_map_buffer *buf)
{
	unsigned long nr = hpm_backing_size(&buf->backing) >> PAGE_SHIFT, i;
	struct page **pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL);
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
 * hpm_dma_vmap() - the address of a buffer in the kernel
 * @buf: the buffer
 *
 * Context: may sleep.
 * Return: the address of its first byte, valid as long as the buffer is held,
 * or an ERR_PTR of -ENOMEM.
 */
void *hpm_dma_vmap(struct hpage_map_buffer *buf)
{
	void *vaddr;

	if (buf->backing.nr_runs == 1)
		return page_address(buf->backing.pages[0]);

	mutex_lock(&buf->lock);
	if (!buf->vaddr)
		buf->vaddr = map_pages(buf);
	vaddr = buf->vaddr;
	mutex_unlock(&buf->lock);
	return vaddr ?: ERR_PTR(-ENOMEM);
}
