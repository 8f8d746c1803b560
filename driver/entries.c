// SPDX-License-Identifier: GPL-2.0-only
/*
 * The entries of a scatter-gather table for a device.
 *
 * They are as few as possible: adjacent pages are one entry, up to what the device takes in one.
 * Once mapped, a table has two sides, the pages and the addresses for the device, which an IOMMU
 * may have merged; a cursor goes along both. Who has a table sees to it that nobody else changes
 * it.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/swiotlb.h>

#include "buffer.h"
#include "entries.h"
#include "reach.h"

/*
 * The longest entry: what the device takes, and the DMA API can copy, if it does. It
 * reports copies for devices with few address bits, too, which need none: they reach the pages.
 */
static u64 entry_longest(struct device *dev)
{
	u64 max = dma_get_max_seg_size(dev);

	if (!dma_addressing_limited(dev) || is_swiotlb_force_bounce(dev))
		max = min_t(u64, max, dma_max_mapping_size(dev));
	return round_down(max, PAGE_SIZE);
}

/*
 * Cut the runs into entries that the device takes: no longer than its segments, and none across
 * a boundary that it cannot cross. The DMA API would map without an address what does no DMA.
 * Importers walk tables by pages, so an entry is a whole one at least. Return: how many, and @sg,
 * unless NULL, has got as many; -EIO when the device does not reach the pages; -EINVAL when it
 * does no DMA, or takes no whole page.
 */
long hpm_entries_fill(const struct hpm_part *part, struct device *dev, struct scatterlist *sg)
{
	const struct hpm_pages *pages = &part->buf->backing.pages;
	u64 within = dma_get_seg_boundary(dev), max = entry_longest(dev), pos, len, at;
	bool direct = hpm_reach_is_direct(dev);
	u64 end = part->offset + part->length;
	struct hpage_map_run run;
	long nr = 0;

	if (!dev->dma_mask || !max || within < PAGE_SIZE - 1)
		return -EINVAL;
	for (pos = part->offset; pos < end && hpm_pages_run(pages, pos, &run); pos += len, nr++) {
		len = min(run.length, end - pos);
		len = direct ? hpm_reach_length(dev, run.address, len) : len;
		if (!len)
			return -EIO;
		at = direct ? phys_to_dma(dev, run.address) : run.address;
		len = min3(len - 1, max - 1, within - (at & within)) + 1;
		cond_resched();
		if (!sg)
			continue;
		sg_set_page(sg, pfn_to_page(PHYS_PFN(run.address)), len, 0);
		sg = sg_next(sg);
	}
	return nr;
}

int hpm_entries_make(struct sg_table *sgt, const struct hpm_part *part, struct device *dev)
{
	long nr = hpm_entries_fill(part, dev, NULL);

	if (nr < 0)
		return nr;
	if (nr > UINT_MAX || sg_alloc_table(sgt, nr, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	hpm_entries_fill(part, dev, sgt->sgl);
	return 0;
}

/* Go on by what is in one piece for both, at most @max bytes. Return: how much that is. */
static u64 cursor_step(struct hpm_cursor *at, u64 max)
{
	u64 len = min3(at->page->length - at->in_page, sg_dma_len(at->dma) - at->in_dma, max);

	at->in_page += len;
	if (at->in_page == at->page->length) {
		at->page = sg_next(at->page);
		at->in_page = 0;
	}
	at->in_dma += len;
	if (at->in_dma == sg_dma_len(at->dma)) {
		at->dma = sg_next(at->dma);
		at->in_dma = 0;
	}
	return len;
}

struct hpm_cursor hpm_cursor_at(const struct sg_table *sgt, u64 offset)
{
	struct hpm_cursor at = { .page = sgt->sgl, .dma = sgt->sgl };

	while (offset)
		offset -= cursor_step(&at, offset);
	return at;
}

/* Has the device other addresses than those of the pages, because the DMA API copies? */
bool hpm_entries_are_copied(const struct sg_table *sgt, struct device *dev, u64 size)
{
	struct iommu_domain *domain = hpm_reach_domain(dev);
	struct hpm_cursor at = { .page = sgt->sgl, .dma = sgt->sgl };
	u64 addr, phys;

	if (!dma_dev_need_sync(dev))
		return false;
	for (; size; size -= cursor_step(&at, size)) {
		addr = sg_dma_address(at.dma) + at.in_dma;
		phys = sg_phys(at.page) + at.in_page;
		if ((domain ? iommu_iova_to_phys(domain, addr) : dma_to_phys(dev, addr)) != phys)
			return true;
		cond_resched();
	}
	return false;
}

/* Sync the next @length bytes; a piece is one for the CPU and for the device. */
void hpm_cursor_sync(struct hpm_cursor *at, u64 length, struct device *dev,
		     enum dma_data_direction dir, bool for_cpu)
{
	dma_addr_t addr;
	u64 len;

	for (; length; length -= len) {
		addr = sg_dma_address(at->dma) + at->in_dma;
		len = cursor_step(at, length);
		if (for_cpu)
			dma_sync_single_for_cpu(dev, addr, len, dir);
		else
			dma_sync_single_for_device(dev, addr, len, dir);
	}
}
