// SPDX-License-Identifier: GPL-2.0-only
/*
 * The promise to other drivers; include/linux/hpage_map.h says what it is.
 *
 * A thin face: it turns what a device needs into a request, and calls the buffer. The rest of
 * it stands in dma.c and dmabuf.c, where the module needs it, too. A driver's reference is one
 * like everybody's, and counted; symbols keep our module there while the driver is.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/export.h>
#include <linux/slab.h>

#include "faces.h"

/* The node of the device, unless the driver says otherwise; refused as programs are. */
static int place(struct hpm_attr *a, struct device *dev, enum hpage_map_policy policy)
{
	a->node = dev ? hpm_policy_near(dev) : NUMA_NO_NODE;
	a->policy = policy;
	if (policy == HPAGE_MAP_POLICY_INTERLEAVE)
		return a->contiguous || a->limit ? -EINVAL : 0;
	if (a->node == NUMA_NO_NODE && policy == HPAGE_MAP_POLICY_STRICT)
		return -EINVAL;
	if (a->node == NUMA_NO_NODE)
		a->policy = HPAGE_MAP_POLICY_DEFAULT;
	else if (policy == HPAGE_MAP_POLICY_DEFAULT)
		a->policy = HPAGE_MAP_POLICY_PREFERRED;
	return 0;
}

static struct hpage_map_buffer *create(struct device *dev, const struct hpage_map_attr *attr,
				       struct hpm_why *why)
{
	const char *name = attr->name ?: dev ? dev_name(dev) : "";
	struct hpm_attr a = hpm_buffer_attr(attr->size, attr->page_size, attr->flags);

	if (attr->flags & ~HPAGE_MAP_ALLOC_FLAGS || attr->policy > HPAGE_MAP_POLICY_INTERLEAVE ||
	    (a.exact && a.allow_base) || (attr->name && !hpm_named_valid(attr->name)))
		return ERR_PTR(-EINVAL);
	a.own = true;
	a.limit = min_not_zero(a.limit, hpm_dma_limit(dev));
	if (place(&a, dev, attr->policy))
		return ERR_PTR(-EINVAL);
	return hpm_buffer_create(&a, 0, name, why);
}

/**
 * hpage_map_create() - make a buffer for a device
 * @dev: the device that will use it, or NULL; its node is preferred, and its DMA mask, which
 *	must be set before, says which addresses will do, unless an IOMMU translates
 * @attr: what is asked for
 *
 * The pages are charged to the calling task's control groups. When something better than what
 * was got was possible, or nothing was, the reason and a remedy go into the kernel log.
 *
 * Return: the buffer, with a reference for the caller, or an ERR_PTR: -EINVAL for attributes
 * that make no sense, or no page size of this machine; -ENOMEM when the pages cannot be had
 * now, or not where the device reaches them; -EINTR or -ERESTARTNOINTR when interrupted.
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
	if (why->len && !hpm_interrupted(PTR_ERR_OR_ZERO(buf)) && hpm_log_may(IS_ERR(buf)))
		pr_info("%s asked for %llu kB and got %s: %s\n",
			dev ? dev_name(dev) : "a driver",
			attr->size >> 10, IS_ERR(buf) ? "nothing" :
			hpm_backing_name(buf->backing.kind), why->text);
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
 * @dev: as for hpage_map_create(); when its driver is unbound, hpage_map_put() is called
 *	after remove(), which must have stopped DMA
 * @attr: as for hpage_map_create()
 *
 * Return: the buffer, whose reference is the device's, or an ERR_PTR as above.
 */
struct hpage_map_buffer *devm_hpage_map_create(struct device *dev,
					       const struct hpage_map_attr *attr)
{
	struct hpage_map_buffer *buf = hpage_map_create(dev, attr);
	int ret = IS_ERR(buf) ? 0 : devm_add_action_or_reset(dev, put_action, buf);

	return ret ? ERR_PTR(ret) : buf;
}
EXPORT_SYMBOL_NS_GPL(devm_hpage_map_create, "HPAGE_MAP");

/**
 * hpage_map_get() - become a holder
 * @buf: a buffer that the caller knows to live
 *
 * Return: @buf, with one more reference.
 */
struct hpage_map_buffer *hpage_map_get(struct hpage_map_buffer *buf)
{
	atomic_inc(&buf->drivers);
	return hpm_buffer_get(buf);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_get, "HPAGE_MAP");

/**
 * hpage_map_put() - cease to be a holder; programs that have mapped the buffer keep it
 * @buf: the buffer; the caller's DMA into it has stopped
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
 * Return: the page, which is the caller's as long as the buffer is.
 */
struct page *hpage_map_page(const struct hpage_map_buffer *buf, u64 offset)
{
	return hpm_backing_page(&buf->backing, offset);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_page, "HPAGE_MAP");

/* Where a window begins, in base pages, if it has all of the range and the buffer all of it. */
static long window(const struct hpage_map_buffer *buf, unsigned long pgoff, unsigned long len,
		   u64 start, u64 length)
{
	u64 size = hpm_backing_size(&buf->backing);
	unsigned long pages;

	if (start > size || length > size - start ||
	    !IS_ALIGNED(start | length, 1ULL << buf->backing.shift))
		return -EINVAL;
	pages = (length ?: size - start) >> PAGE_SHIFT;
	if (pgoff > pages || len >> PAGE_SHIFT > pages - pgoff)
		return -EINVAL;
	return start >> PAGE_SHIFT;
}

/**
 * hpage_map_mmap() - map a buffer, or a window of it; for .mmap of a driver
 * @buf: the buffer
 * @vma: the VMA that .mmap was given; its offset counts from @start
 * @start: bytes, a multiple of the page size: where the program's offset 0 is
 * @length: bytes, a multiple of the page size: how much it may map; 0 for all that follows
 *
 * The VMA then is one of the file that hpage_map lends, holds the buffer, and refers to the
 * driver no more. For a window that programs may only read, the driver beforehand refuses
 * VM_WRITE together with VM_SHARED, and clears VM_MAYWRITE.
 *
 * Context: under mmap_lock for writing, as .mmap is called.
 * Return: 0; -EINVAL when offset,
 * length or address is no multiple of the page size or the part is not within the window;
 * -ENOMEM when a hugetlb pool cannot promise pages for private copies.
 */
int hpage_map_mmap(struct hpage_map_buffer *buf, struct vm_area_struct *vma, u64 start, u64 length)
{
	long first = window(buf, vma->vm_pgoff, vma->vm_end - vma->vm_start, start, length);

	if (first < 0)
		return first;
	vma->vm_pgoff += first;
	return hpm_buffer_mmap(buf, vma);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_mmap, "HPAGE_MAP");

/**
 * hpage_map_get_unmapped_area() - choose an address; for .get_unmapped_area of a driver,
 * without which addresses are not aligned and hpage_map_mmap() fails
 * @buf: the buffer
 * @addr: as .get_unmapped_area was given it, like the three that follow
 * @len: bytes
 * @pgoff: base pages
 * @flags: MAP_FIXED and the like
 * @start: as for hpage_map_mmap()
 * @length: as for hpage_map_mmap()
 *
 * Context: under mmap_lock.
 * Return: the address, or -EINVAL or -ENOMEM.
 */
unsigned long hpage_map_get_unmapped_area(struct hpage_map_buffer *buf, unsigned long addr,
					  unsigned long len, unsigned long pgoff,
					  unsigned long flags, u64 start, u64 length)
{
	long first = window(buf, pgoff, len, start, length);

	if (first < 0)
		return first;
	return hpm_buffer_get_unmapped_area(buf, addr, len, pgoff + first, flags);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_get_unmapped_area, "HPAGE_MAP");
