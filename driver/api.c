// SPDX-License-Identifier: GPL-2.0-only
/*
 * The promise to other drivers; include/linux/hpage_map.h says what it is.
 *
 * A thin face: it turns what a device needs into a request, and calls the
 * buffer. A driver's reference is one like everybody's; it is counted, so that
 * people can see who holds what. Symbols keep our module there while the
 * driver is.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/export.h>
#include <linux/hpage_map.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "dma.h"
#include "faces.h"
#include "policy.h"

/* The node of the device, unless the driver says otherwise. */
static void place(struct hpm_attr *a, struct device *dev, enum hpage_map_policy policy)
{
	a->node = dev ? hpm_policy_near(dev) : NUMA_NO_NODE;
	a->policy = policy;
	if (policy == HPAGE_MAP_POLICY_INTERLEAVE)
		return;
	if (a->node == NUMA_NO_NODE)
		a->policy = HPAGE_MAP_POLICY_DEFAULT;
	else if (policy == HPAGE_MAP_POLICY_DEFAULT)
		a->policy = HPAGE_MAP_POLICY_PREFERRED;
}

static struct hpage_map_buffer *create(struct device *dev, const struct hpage_map_attr *attr,
				       struct hpm_why *why)
{
	const char *name = attr->name ?: dev ? dev_name(dev) : "";
	struct hpm_attr a = {
		.size = attr->size,
		.page_size = attr->page_size,
		.limit = hpm_dma_limit(dev),
		.exact = attr->flags & HPAGE_MAP_EXACT,
		.allow_base = attr->flags & HPAGE_MAP_ALLOW_BASE,
		.contiguous = attr->flags & HPAGE_MAP_CONTIGUOUS,
		.reserve = attr->flags & HPAGE_MAP_RESERVE,
		.own = true,
	};

	if (attr->flags & ~HPAGE_MAP_ALLOC_FLAGS || attr->policy > HPAGE_MAP_POLICY_INTERLEAVE)
		return ERR_PTR(-EINVAL);
	if (attr->name && !hpm_named_valid(attr->name))
		return ERR_PTR(-EINVAL);
	if (attr->flags & HPAGE_MAP_BELOW_4G)
		a.limit = a.limit ? min_t(u64, a.limit, SZ_4G) : SZ_4G;
	place(&a, dev, attr->policy);
	return hpm_buffer_create(&a, 0, name, why);
}

/**
 * hpage_map_create() - make a buffer for a device
 * @dev: the device that will use it, or NULL; its node is preferred, and its
 *	DMA mask, which must be set before, says which addresses will do, unless
 *	an IOMMU translates
 * @attr: what is asked for
 *
 * The pages are charged to the calling task's control groups. When something
 * better than what was got was possible, or nothing was, the reason and a remedy
 * go into the kernel log.
 *
 * Context: may sleep; a signal interrupts it.
 * Return: the buffer, with a reference for the caller, or an ERR_PTR:
 *
 * * -EINVAL: attributes that make no sense, or no page size of this machine
 * * -ENOMEM: the pages cannot be had now, or not where the device reaches them
 * * -EINTR or -ERESTARTNOINTR: interrupted
 */
struct hpage_map_buffer *hpage_map_create(struct device *dev, const struct hpage_map_attr *attr)
{
	struct hpm_why *why = kzalloc(sizeof(*why), GFP_KERNEL);
	struct hpage_map_buffer *buf;

	if (!why)
		return ERR_PTR(-ENOMEM);
	buf = create(dev, attr, why);
	if (!IS_ERR(buf))
		atomic_inc(&buf->drivers);
	if (why->len && !hpm_interrupted(PTR_ERR_OR_ZERO(buf)))
		pr_info("%s asked for %llu kB and got %s: %s\n", dev ? dev_name(dev) : "a driver",
			attr->size >> 10,
			IS_ERR(buf) ? "nothing" : hpm_backing_name(buf->backing.kind), why->text);
	kfree(why);
	return buf;
}
EXPORT_SYMBOL_NS_GPL(hpage_map_create, "HPAGE_MAP");

static void put_action(void *buf)
{
	hpage_map_put(buf);
}

/**
 * devm_hpage_map_create() - make a buffer that goes with a driver's binding
 * @dev: as for hpage_map_create()
 * @attr: likewise
 *
 * hpage_map_put() is called when the driver is unbound from @dev, after its
 * remove(), which must have stopped DMA.
 *
 * Context: may sleep.
 * Return: the buffer, whose reference is the device's, or an ERR_PTR.
 */
struct hpage_map_buffer *devm_hpage_map_create(struct device *dev,
					       const struct hpage_map_attr *attr)
{
	struct hpage_map_buffer *buf = hpage_map_create(dev, attr);
	int ret;

	if (IS_ERR(buf))
		return buf;
	ret = devm_add_action_or_reset(dev, put_action, buf);
	return ret ? ERR_PTR(ret) : buf;
}
EXPORT_SYMBOL_NS_GPL(devm_hpage_map_create, "HPAGE_MAP");

/**
 * hpage_map_get() - become a holder
 * @buf: a buffer that the caller knows to live
 *
 * Context: any.
 * Return: @buf, with one more reference.
 */
struct hpage_map_buffer *hpage_map_get(struct hpage_map_buffer *buf)
{
	atomic_inc(&buf->drivers);
	return hpm_buffer_get(buf);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_get, "HPAGE_MAP");

/**
 * hpage_map_put() - cease to be a holder
 * @buf: the buffer; the caller's DMA into it has stopped
 *
 * Programs that have mapped it keep it until they unmap.
 *
 * Context: may sleep.
 */
void hpage_map_put(struct hpage_map_buffer *buf)
{
	atomic_dec(&buf->drivers);
	hpm_buffer_put(buf);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_put, "HPAGE_MAP");

/**
 * hpage_map_size() - the size that was got
 * @buf: the buffer
 *
 * Context: any.
 * Return: bytes, a multiple of the page size; at least what was asked for.
 */
u64 hpage_map_size(const struct hpage_map_buffer *buf)
{
	return hpm_backing_size(&buf->backing);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_size, "HPAGE_MAP");

/**
 * hpage_map_page_size() - the page size that was got
 * @buf: the buffer
 *
 * Context: any.
 * Return: bytes, a power of two.
 */
u64 hpage_map_page_size(const struct hpage_map_buffer *buf)
{
	return 1ULL << buf->backing.shift;
}
EXPORT_SYMBOL_NS_GPL(hpage_map_page_size, "HPAGE_MAP");

/**
 * hpage_map_page() - the base page at an offset
 * @buf: the buffer
 * @offset: bytes, within the buffer
 *
 * Context: any.
 * Return: the page, which is the caller's as long as the buffer is.
 */
struct page *hpage_map_page(const struct hpage_map_buffer *buf, u64 offset)
{
	return hpm_backing_page(&buf->backing, offset);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_page, "HPAGE_MAP");

/**
 * hpage_map_vmap() - the address of a buffer in the kernel
 * @buf: the buffer
 *
 * In the direct map when the pages are one run, else in an area of its own,
 * which is made by the first call. Reading and writing there may be done in
 * any context, interrupts included.
 *
 * Context: may sleep.
 * Return: the address of the first byte, valid as long as the caller holds the
 * buffer, or an ERR_PTR of -ENOMEM.
 */
void *hpage_map_vmap(struct hpage_map_buffer *buf)
{
	return hpm_dma_vmap(buf);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_vmap, "HPAGE_MAP");

/* Is [@pgoff, + @len) of a window within it, and the window within the buffer? */
static bool in_window(const struct hpage_map_buffer *buf, unsigned long pgoff, unsigned long len,
		      u64 start, u64 length)
{
	u64 size = hpm_backing_size(&buf->backing);
	unsigned long pages = length >> PAGE_SHIFT;

	return IS_ALIGNED(start | length, 1ULL << buf->backing.shift) && start <= size &&
	       length <= size - start && pgoff <= pages && len >> PAGE_SHIFT <= pages - pgoff;
}

/**
 * hpage_map_mmap_window() - map a part of a buffer
 * @buf: the buffer
 * @vma: the VMA that .mmap was given; its offset counts from @start
 * @start: bytes, a multiple of the page size: where the program's offset 0 is
 * @length: bytes, a multiple of the page size: how much it may map
 *
 * The VMA then is one of the file that hpage_map lends, holds the buffer, and
 * refers to the driver no more. For a window that programs may only read, the
 * driver refuses VM_WRITE together with VM_SHARED beforehand, and clears
 * VM_MAYWRITE.
 *
 * Context: under mmap_lock for writing, as .mmap is called.
 * Return: 0, or -EINVAL when offset, length or address is no multiple of the
 * page size or the part is not within the window, or -ENOMEM when a hugetlb
 * pool cannot promise pages for private copies.
 */
int hpage_map_mmap_window(struct hpage_map_buffer *buf, struct vm_area_struct *vma, u64 start,
			  u64 length)
{
	if (!in_window(buf, vma->vm_pgoff, vma->vm_end - vma->vm_start, start, length))
		return -EINVAL;
	vma->vm_pgoff += start >> PAGE_SHIFT;
	return hpm_buffer_mmap(buf, vma);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_mmap_window, "HPAGE_MAP");

/**
 * hpage_map_get_unmapped_area_window() - choose an address for a mapping of a
 *	part of a buffer
 * @buf: the buffer
 * @addr: as .get_unmapped_area was given it
 * @len: likewise
 * @pgoff: likewise
 * @flags: likewise
 * @start: as for hpage_map_mmap_window()
 * @length: likewise
 *
 * A driver that has no .get_unmapped_area of this kind gets addresses that are
 * not aligned for huge pages, and its mmap() then fails with -EINVAL.
 *
 * Context: under mmap_lock.
 * Return: the address, or -EINVAL or -ENOMEM.
 */
unsigned long hpage_map_get_unmapped_area_window(struct hpage_map_buffer *buf,
						 unsigned long addr, unsigned long len,
						 unsigned long pgoff, unsigned long flags,
						 u64 start, u64 length)
{
	if (!in_window(buf, pgoff, len, start, length))
		return -EINVAL;
	return hpm_buffer_get_unmapped_area(buf, addr, len, pgoff + (start >> PAGE_SHIFT), flags);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_get_unmapped_area_window, "HPAGE_MAP");

/**
 * hpage_map_dma_map() - map a buffer for DMA
 * @buf: the buffer
 * @dev: the device
 * @dir: who writes
 *
 * Adjacent pages are one entry, up to the segment size that the driver has set
 * with dma_set_max_seg_size(); PCI devices start with 64 KiB.
 *
 * Context: may sleep.
 * Return: the table, mapped, or an ERR_PTR: -ENOMEM, or -EIO when the device
 * cannot reach the pages.
 */
struct sg_table *hpage_map_dma_map(struct hpage_map_buffer *buf, struct device *dev,
				   enum dma_data_direction dir)
{
	struct sg_table *sgt = hpm_dma_table(buf, dev);
	int ret;

	if (IS_ERR(sgt))
		return sgt;
	ret = hpm_dma_map(buf, dev, sgt, dir);
	if (ret) {
		hpm_dma_free_table(sgt);
		return ERR_PTR(ret);
	}
	return sgt;
}
EXPORT_SYMBOL_NS_GPL(hpage_map_dma_map, "HPAGE_MAP");

/**
 * hpage_map_dma_unmap() - end DMA
 * @buf: the buffer
 * @dev: the device; it does not use the addresses any more
 * @sgt: of hpage_map_dma_map(); freed
 * @dir: as it was mapped
 *
 * Context: may sleep.
 */
void hpage_map_dma_unmap(struct hpage_map_buffer *buf, struct device *dev, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	dma_unmap_sgtable(dev, sgt, dir, 0);
	hpm_dma_free_table(sgt);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_dma_unmap, "HPAGE_MAP");

/**
 * hpage_map_export() - make a dma-buf of a buffer
 * @buf: the buffer; the dma-buf holds it, too
 *
 * Context: may sleep.
 * Return: the dma-buf, whose reference is the caller's, for dma_buf_fd() or
 * dma_buf_put(); or an ERR_PTR.
 */
struct dma_buf *hpage_map_export(struct hpage_map_buffer *buf)
{
	return hpm_dmabuf_export(buf);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_export, "HPAGE_MAP");
