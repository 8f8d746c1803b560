// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer as devices and the kernel see it.
 *
 * For a device, the pages are entries of a scatter-gather table, as few as possible: adjacent
 * pages are one entry, up to what the device takes in one. Whoever maps the buffer gets a
 * table and gives it back; until then the table holds the buffer, and stands among the
 * buffer's, under the buffer's lock.
 *
 * Where the DMA API lends the device copies of the pages (bounce buffers), what the device
 * writes comes to the pages when they are synced for the CPU, and takes with it whatever stands
 * in the rest of the copy. Two of those, or one and anybody else, would overwrite each other's
 * data with what is old. So a table of such copies is the only one of its buffer.
 *
 * The entries never change. That they are mapped is under the lock of the table, which a sync
 * holds for a small piece at a time: who ends a mapping, as the kernel does before it unbinds a
 * driver, waits for one piece and not for the sync. The lock of the buffer is taken under it.
 *
 * For the kernel they are an address. Pages in one run have one in the direct map. Others
 * are mapped together when somebody asks, once; the mapping then stays as long as the buffer,
 * so that nobody has to count its users.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include <linux/vmalloc.h>

#include "buffer.h"

/* Bytes that are synced before somebody else may have the table. */
#define SYNC_PIECE	SZ_2M

/* --- what a device reaches ----------------------------------------------------- */

/* The addresses that an IOMMU translates for a device; NULL when none does. */
static struct iommu_domain *domain_of(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type & __IOMMU_DOMAIN_PAGING ? domain : NULL;
}

/* Does the device itself have to reach the pages? */
static bool addresses_pages(struct device *dev)
{
	return !domain_of(dev) && !is_swiotlb_force_bounce(dev);
}

static u64 last_bus_address(struct device *dev)
{
	return min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}

/*
 * How much of the memory at a physical address the device reaches, at bus addresses that follow
 * each other as the physical ones do. Return: bytes, whole pages; 0 when it does not.
 */
static u64 reach(struct device *dev, u64 address, u64 length)
{
	const struct bus_dma_region *m;
	u64 first = phys_to_dma(dev, address), last = last_bus_address(dev);

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
 * Below it there may be others: hpm_dma_reaches() knows.
 */
u64 hpm_dma_limit(struct device *dev)
{
	const struct bus_dma_region *m;
	u64 last, limit = 0;

	if (!dev || !dev->dma_mask || !dma_addressing_limited(dev) || !addresses_pages(dev))
		return 0;
	last = last_bus_address(dev);
	if (!dev->dma_range_map)
		return last + 1;
	for (m = dev->dma_range_map; m->size; m++)
		if (m->dma_start <= last)
			limit = max(limit, m->cpu_start +
				    min(m->size - 1, last - m->dma_start) + 1);
	return limit ?: PAGE_SIZE;
}

/* Does the device reach all pages, at once or by an IOMMU? True when there is none. */
bool hpm_dma_reaches(const struct hpage_map_buffer *buf, struct device *dev)
{
	struct hpage_map_run run;
	loff_t pos = 0;
	u64 len;

	if (!dev || !dev->dma_mask || !addresses_pages(dev))
		return true;
	while (hpm_backing_run(&buf->backing, &pos, &run))
		for (; run.length; run.address += len, run.length -= len) {
			len = reach(dev, run.address, run.length);
			if (!len)
				return false;
		}
	return true;
}

/* --- the entries --------------------------------------------------------------- */

/*
 * The longest entry: what the device takes, and the DMA API can copy, if it does. It tells of
 * copies for devices with few address bits, too, which need none: they reach the pages.
 */
static u64 longest_entry(struct device *dev)
{
	u64 max = dma_get_max_seg_size(dev);

	if (!dma_addressing_limited(dev) || is_swiotlb_force_bounce(dev))
		max = min_t(u64, max, dma_max_mapping_size(dev));
	return round_down(max, PAGE_SIZE);
}

/*
 * Cut the runs into entries that the device takes: no longer than its segments, and none across
 * a boundary that it cannot cross. Return: how many, and @sg, unless NULL, has got as many; or
 * -EIO when the device does not reach the pages.
 */
static long fill_entries(const struct hpage_map_buffer *buf, struct device *dev,
			 struct scatterlist *sg)
{
	u64 within = dma_get_seg_boundary(dev), max = longest_entry(dev), len, at;
	bool direct = addresses_pages(dev);
	struct hpage_map_run run;
	loff_t pos = 0;
	long nr = 0;

	while (hpm_backing_run(&buf->backing, &pos, &run)) {
		for (; run.length; run.address += len, run.length -= len, nr++) {
			len = direct ? reach(dev, run.address, run.length) : run.length;
			if (!len)
				return -EIO;
			at = direct ? phys_to_dma(dev, run.address) : run.address;
			len = min3(len - 1, max - 1, within - (at & within)) + 1;
			if (!sg)
				continue;
			sg_set_page(sg, pfn_to_page(PHYS_PFN(run.address)), len, 0);
			sg = sg_next(sg);
		}
	}
	return nr;
}

/*
 * The DMA API would map without an address what does no DMA. Importers walk tables by pages,
 * so an entry is a whole one at least.
 */
static int make_entries(struct sg_table *sgt, const struct hpage_map_buffer *buf,
			struct device *dev)
{
	long nr;

	if (!dev->dma_mask || !longest_entry(dev) || dma_get_seg_boundary(dev) < PAGE_SIZE - 1)
		return -EINVAL;
	nr = fill_entries(buf, dev, NULL);
	if (nr < 0)
		return nr;
	if (nr > UINT_MAX || sg_alloc_table(sgt, nr, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	fill_entries(buf, dev, sgt->sgl);
	return 0;
}

/* A place in a table, by the pages and by the addresses, which an IOMMU may have merged. */
struct place {
	struct scatterlist *page, *dma;
	u64 in_page, in_dma;		/* bytes behind where the entry begins */
};

/* Go on by what is in one piece for both, at most @max bytes. Return: how much that is. */
static u64 place_step(struct place *at, u64 max)
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

static struct place place_at(const struct sg_table *sgt, u64 offset)
{
	struct place at = { .page = sgt->sgl, .dma = sgt->sgl };

	while (offset)
		offset -= place_step(&at, offset);
	return at;
}

/* Has the device other addresses than those of the pages, because the DMA API copies? */
static bool is_copied(struct device *dev, const struct sg_table *sgt, u64 size)
{
	struct iommu_domain *domain = domain_of(dev);
	struct place at = { .page = sgt->sgl, .dma = sgt->sgl };
	u64 addr, phys, len;

	if (!dma_dev_need_sync(dev))
		return false;
	for (; size; size -= len) {
		addr = sg_dma_address(at.dma) + at.in_dma;
		phys = sg_phys(at.page) + at.in_page;
		if ((domain ? iommu_iova_to_phys(domain, addr) : dma_to_phys(dev, addr)) != phys)
			return true;
		len = place_step(&at, size);
		cond_resched();
	}
	return false;
}

/* Sync the next @length bytes; a piece is one for the CPU and for the device. */
static void sync_from(struct place *at, u64 length, struct device *dev,
		      enum dma_data_direction dir, bool for_cpu)
{
	dma_addr_t addr;
	u64 len;

	for (; length; length -= len) {
		addr = sg_dma_address(at->dma) + at->in_dma;
		len = place_step(at, length);
		if (for_cpu)
			dma_sync_single_for_cpu(dev, addr, len, dir);
		else
			dma_sync_single_for_device(dev, addr, len, dir);
	}
}

/* --- tables -------------------------------------------------------------------- */

/* Show a table that is mapped among the buffer's, or refuse it. */
static int table_publish(struct hpm_dma *t)
{
	struct hpage_map_buffer *buf = t->buf;
	int ret;

	mutex_lock(&buf->lock);
	if (buf->copied || (t->copied && !xa_empty(&buf->tables)))
		ret = -EBUSY;
	else
		ret = xa_alloc(&buf->tables, &t->id, t, xa_limit_31b, GFP_KERNEL_ACCOUNT);
	if (!ret)
		WRITE_ONCE(buf->copied, t->copied);
	mutex_unlock(&buf->lock);
	return ret;
}

static void table_withdraw(struct hpm_dma *t)
{
	mutex_lock(&t->buf->lock);
	xa_erase(&t->buf->tables, t->id);
	if (t->copied)
		WRITE_ONCE(t->buf->copied, false);
	mutex_unlock(&t->buf->lock);
}

/* The buffer's first table from *@id on, with a reference for the caller, or NULL. */
struct hpm_dma *hpm_dma_next(struct hpage_map_buffer *buf, unsigned long *id)
{
	struct hpm_dma *t;

	mutex_lock(&buf->lock);
	t = xa_find(&buf->tables, id, ULONG_MAX, XA_PRESENT);
	if (t)
		refcount_inc(&t->refs);
	mutex_unlock(&buf->lock);
	return t;
}

/* Give up a reference; the mapping has ended, if it is the last. */
void hpm_dma_put(struct hpm_dma *t)
{
	if (!refcount_dec_and_test(&t->refs))
		return;
	sg_free_table(&t->sgt);
	hpm_buffer_put(t->buf);
	mutex_destroy(&t->lock);
	kfree(t);
}

/*
 * Sync a part, which lies within the buffer, piece by piece. Return: 0; -ENODEV when the mapping
 * has ended; -EINTR: the task is being killed, if @killable.
 */
int hpm_dma_sync(struct hpm_dma *t, u64 offset, u64 length, bool for_cpu, bool killable)
{
	struct place at;
	u64 len;
	int ret = 0;

	mutex_lock(&t->lock);
	if (!t->mapped)
		ret = -ENODEV;
	else if (!dma_dev_need_sync(t->dev))
		length = 0;
	mutex_unlock(&t->lock);
	if (ret || !length)
		return ret;

	at = place_at(&t->sgt, offset);
	for (; !ret && length; length -= len) {
		if (killable && fatal_signal_pending(current))
			return -EINTR;
		len = min_t(u64, length, SYNC_PIECE);
		mutex_lock(&t->lock);
		if (t->mapped)
			sync_from(&at, len, t->dev, t->dir, for_cpu);
		else
			ret = -ENODEV;
		mutex_unlock(&t->lock);
		cond_resched();
	}
	return ret;
}

/*
 * Map a buffer for a device, but sync nothing yet: that may take long, and the caller may have
 * a lock. Return: the table, whose reference is the caller's, or an ERR_PTR as of
 * hpage_map_dma_map().
 */
struct hpm_dma *hpm_dma_begin(struct hpage_map_buffer *buf, struct device *dev,
			      enum dma_data_direction dir, bool imported)
{
	struct hpm_dma *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!t)
		return ERR_PTR(-ENOMEM);
	*t = (struct hpm_dma){ .dev = dev, .dir = dir, .imported = imported, .mapped = true };
	refcount_set(&t->refs, 1);
	mutex_init(&t->lock);
	INIT_LIST_HEAD(&t->sibling);
	t->buf = hpm_buffer_get(buf);
	ret = READ_ONCE(buf->copied) ? -EBUSY : make_entries(&t->sgt, buf, dev);
	if (ret)
		goto put;
	/* Many may map the same pages, which the DMA API allows to those who sync by themselves. */
	ret = dma_map_sgtable(dev, &t->sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		goto put;
	/* What a device only reads is never copied back. */
	if (dir != DMA_TO_DEVICE)
		t->copied = is_copied(dev, &t->sgt, hpm_backing_size(&buf->backing));
	ret = table_publish(t);
	if (ret)
		goto unmap;
	return t;

unmap:
	dma_unmap_sgtable(dev, &t->sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
put:
	hpm_dma_put(t);
	return ERR_PTR(ret);
}

/* End a mapping, be it for the second time. The device does not use the addresses any more. */
void hpm_dma_end(struct hpm_dma *t)
{
	hpm_dma_sync(t, 0, hpm_backing_size(&t->buf->backing), true, false);
	mutex_lock(&t->lock);
	if (t->mapped) {
		dma_unmap_sgtable(t->dev, &t->sgt, t->dir, DMA_ATTR_SKIP_CPU_SYNC);
		table_withdraw(t);
	}
	WRITE_ONCE(t->mapped, false);
	mutex_unlock(&t->lock);
}

/* Map and sync, for who has no lock. Errors as of hpage_map_dma_map(). */
struct hpm_dma *hpm_dma_map(struct hpage_map_buffer *buf, struct device *dev,
			    enum dma_data_direction dir, bool imported)
{
	struct hpm_dma *t = hpm_dma_begin(buf, dev, dir, imported);
	int ret;

	if (IS_ERR(t))
		return t;
	ret = hpm_dma_sync(t, 0, hpm_backing_size(&buf->backing), false, true);
	if (!ret)
		return t;
	hpm_dma_end(t);
	hpm_dma_put(t);
	return ERR_PTR(ret);
}

/**
 * hpage_map_dma_map() - map a buffer for DMA
 * @buf: the buffer, which the mapping holds
 * @dev: the device
 * @dir: who writes
 *
 * Adjacent pages are one entry, up to the segment size that the driver has set with
 * dma_set_max_seg_size(), 64 KiB if it has not, and to its dma_set_seg_boundary(); and, where
 * the DMA API copies (swiotlb=force, encrypted virtual machines), to dma_max_mapping_size().
 *
 * Return: the table, mapped, for hpage_map_dma_unmap(), or an ERR_PTR: -ENOMEM; -EIO when
 * the device cannot reach the pages, or the DMA API has no room for a copy of them; -EBUSY when
 * the DMA API copies what this device writes, or another for which the buffer is mapped: only
 * one mapping can be right then; -EINVAL when it does no DMA, or takes no whole page of
 * the base size in one segment; -EINTR when the calling task is being killed.
 */
struct sg_table *hpage_map_dma_map(struct hpage_map_buffer *buf, struct device *dev,
				   enum dma_data_direction dir)
{
	struct hpm_dma *t = hpm_dma_map(buf, dev, dir, false);

	if (IS_ERR(t))
		return ERR_CAST(t);
	atomic_inc(&buf->drivers);
	return &t->sgt;
}
EXPORT_SYMBOL_NS_GPL(hpage_map_dma_map, "HPAGE_MAP");

/**
 * hpage_map_dma_unmap() - end DMA
 * @buf: the buffer, which this holds no more
 * @dev: the device; it does not use the addresses any more
 * @sgt: of hpage_map_dma_map(); freed
 * @dir: as it was mapped
 */
void hpage_map_dma_unmap(struct hpage_map_buffer *buf, struct device *dev, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	struct hpm_dma *t = hpm_dma_of(sgt);

	hpm_dma_end(t);
	atomic_dec(&t->buf->drivers);
	hpm_dma_put(t);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_dma_unmap, "HPAGE_MAP");

static void sync_range(struct device *dev, const struct sg_table *sgt, u64 offset, u64 length,
		       enum dma_data_direction dir, bool for_cpu)
{
	u64 size = hpm_backing_size(&hpm_dma_of(sgt)->buf->backing);
	struct place at;

	if (!dma_dev_need_sync(dev) || offset >= size)
		return;
	at = place_at(sgt, offset);
	sync_from(&at, min(length, size - offset), dev, dir, for_cpu);
}

/**
 * hpage_map_sync_range_for_cpu() - the device has written a part, the CPU will read it
 * @dev: the device
 * @sgt: of hpage_map_dma_map()
 * @offset: bytes, where in the buffer the part begins
 * @length: bytes; what lies behind the end of the buffer is left out
 * @dir: as it was mapped
 *
 * Everything outside of the part stays as it is. That matters where the CPU writes there
 * meanwhile, and the device is not coherent or the DMA API copies: syncing the whole table
 * would discard what the CPU wrote. The ends of the part are to be multiples of a cache line.
 * Finding the part takes as long as the table has entries before it.
 *
 * Context: any.
 */
void hpage_map_sync_range_for_cpu(struct device *dev, struct sg_table *sgt, u64 offset,
				  u64 length, enum dma_data_direction dir)
{
	sync_range(dev, sgt, offset, length, dir, true);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_sync_range_for_cpu, "HPAGE_MAP");

/**
 * hpage_map_sync_range_for_device() - the CPU has done with a part, the device may use it
 * @dev: the device
 * @sgt: of hpage_map_dma_map()
 * @offset: bytes, as above
 * @length: bytes, as above
 * @dir: as it was mapped
 *
 * Context: any.
 */
void hpage_map_sync_range_for_device(struct device *dev, struct sg_table *sgt, u64 offset,
				     u64 length, enum dma_data_direction dir)
{
	sync_range(dev, sgt, offset, length, dir, false);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_sync_range_for_device, "HPAGE_MAP");

/* --- the kernel ---------------------------------------------------------------- */

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
	void *vaddr, *other;

	if (buf->backing.nr_runs == 1)
		return page_address(hpm_backing_page(&buf->backing, 0));

	vaddr = READ_ONCE(buf->vaddr);
	if (vaddr)
		return vaddr;
	/* Under no lock: it may take long. Who comes second throws his away. */
	vaddr = map_pages(buf);
	if (!vaddr)
		return ERR_PTR(-ENOMEM);
	other = cmpxchg(&buf->vaddr, NULL, vaddr);
	if (!other)
		return vaddr;
	vunmap(vaddr);
	return other;
}
EXPORT_SYMBOL_NS_GPL(hpage_map_vmap, "HPAGE_MAP");
