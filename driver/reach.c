// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device reaches.
 *
 * A device uses bus addresses. Without an IOMMU they are physical addresses, or those at an
 * offset, by a table of the bus; it reaches those that its mask and its bus have bits for.
 * Where an IOMMU translates, or where the DMA API lends the device copies of all pages, it need
 * not reach the pages themselves. What is asked here never changes while a driver is bound.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/swiotlb.h>

#include "reach.h"

/* The addresses that an IOMMU translates for a device; NULL when none does. */
struct iommu_domain *hpm_reach_domain(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type & __IOMMU_DOMAIN_PAGING ? domain : NULL;
}

/* Does the device itself have to reach the pages? */
bool hpm_reach_is_direct(struct device *dev)
{
	return !hpm_reach_domain(dev) && !is_swiotlb_force_bounce(dev);
}

static u64 reach_last(struct device *dev)
{
	return min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}

/*
 * How much of the memory at a physical address the device reaches, at bus addresses that follow
 * each other as the physical ones do. Return: bytes, whole pages; 0 when it does not.
 */
u64 hpm_reach_length(struct device *dev, u64 address, u64 length)
{
	const struct bus_dma_region *m;
	u64 first = phys_to_dma(dev, address), last = reach_last(dev);

	if (first == DMA_MAPPING_ERROR || first > last)
		return 0;
	length = min(length - 1, last - first) + 1;
	for (m = dev->dma_range_map; m && m->size; m++)
		if (address >= m->cpu_start && address - m->cpu_start < m->size)
			length = min(length, m->size - (address - m->cpu_start));
	return round_down(length, PAGE_SIZE);
}

/*
 * The first physical address out of a device's reach; 0 for none, as where an IOMMU translates.
 * Below it there may be others: hpm_entries_fill() knows.
 */
u64 hpm_reach_limit(struct device *dev)
{
	const struct bus_dma_region *m;
	u64 last, limit = 0;

	if (!dev || !dev->dma_mask || !dma_addressing_limited(dev) || !hpm_reach_is_direct(dev))
		return 0;
	last = reach_last(dev);
	if (!dev->dma_range_map)
		return last + 1;
	for (m = dev->dma_range_map; m->size; m++)
		if (m->dma_start <= last)
			limit = max(limit, m->cpu_start +
				    min(m->size - 1, last - m->dma_start) + 1);
	return limit ?: PAGE_SIZE;
}
