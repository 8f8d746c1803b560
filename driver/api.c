// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions for other drivers, which include/linux/hpage_map.h describes.
 *
 * A thin face: it turns what a device needs into a request, and calls the buffer. The other
 * functions are in buffer.c, dma.c, dmabuf.c, file.c and vmap.c, where the module needs them, too.
 * A driver's reference is one like everybody's, and counted; symbols keep our module there while
 * the driver is.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/export.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "buffer.h"
#include "entries.h"
#include "kind.h"
#include "log.h"
#include "name.h"
#include "reach.h"
#include "request.h"
#include "signals.h"
#include "vma.h"

/* Let a request ask for what a driver asks for, near its device. */
static int request_from_driver(struct hpm_request *r, struct device *dev,
			       const struct hpage_map_attr *attr)
{
	r->length = attr->size;
	r->page_size = attr->page_size;
	r->flags = attr->flags;
	r->charge_user = attr->charge_user;
	r->name = attr->name ?: dev ? dev_name(dev) : "";
	r->place.policy = attr->policy;
	r->place.limit = min_not_zero(attr->flags & HPAGE_MAP_BELOW_4G ? SZ_4G : 0,
				      hpm_reach_limit(dev));
	return attr->name && !hpm_name_valid(attr->name) ? -EINVAL : hpm_request_near(r, dev);
}

static struct hpage_map_buffer *driver_create(struct device *dev, struct hpm_request *r)
{
	struct hpage_map_buffer *buf = hpm_buffer_create(r);
	struct hpm_part whole;

	if (IS_ERR(buf) || !dev)
		return buf;
	/* What was chosen by one limit may lie where the device's window on memory does not. */
	whole = hpm_buffer_whole(buf);
	if (hpm_entries_fill(&whole, dev, NULL) != -EIO)
		return buf;
	hpm_why(r->why, "the device does not reach all of the pages that were got");
	hpm_buffer_put(buf);
	return ERR_PTR(-ENOMEM);
}

/**
 * hpage_map_create() - make a buffer for a device
 * @dev: the device that will use it, or NULL; its node is preferred, and its DMA mask, which
 *	must be set before, limits the addresses, unless an IOMMU translates
 * @attr: what is asked for
 *
 * The pages are charged to the calling task's control groups. When something better than what
 * was got was possible, or nothing was, the reason and a remedy go into the kernel log.
 *
 * Context: Process context; may sleep, for as long as filling the pages takes.
 * Return: the buffer, with a reference for the caller, or an ERR_PTR: -EINVAL for attributes
 * that make no sense, or when this machine has none of the page sizes that will do; -ENOMEM when
 * the pages cannot be had now, or not where the device reaches them; -EDQUOT when they are charged
 * to the user and a limit of his refuses them; -ENFILE when the system has too many open files;
 * -ERESTARTSYS when a signal came.
 */
struct hpage_map_buffer *hpage_map_create(struct device *dev, const struct hpage_map_attr *attr)
{
	struct hpm_why *why __free(kfree) = kzalloc(sizeof(*why), GFP_KERNEL);
	struct hpm_request r = { .why = why };
	struct hpage_map_buffer *buf;
	int ret;

	if (!why)
		return ERR_PTR(-ENOMEM);
	ret = request_from_driver(&r, dev, attr);
	buf = ret ? ERR_PTR(ret) : driver_create(dev, &r);
	if (!IS_ERR(buf))
		atomic_inc(&buf->drivers);
	if (why->len && !hpm_signals_ended(PTR_ERR_OR_ZERO(buf)) && hpm_log_may(IS_ERR(buf)))
		pr_info("%s asked for %s and got %s: %s\n", dev ? dev_name(dev) : "a driver",
			hpm_text_size(attr->size).text, IS_ERR(buf) ? "nothing" :
			hpm_kinds[buf->backing.kind].name, why->text);
	return buf;
}
EXPORT_SYMBOL_NS_GPL(hpage_map_create, "HPAGE_MAP");

static void driver_put_action(void *buf)
{
	hpage_map_put(buf);
}

/**
 * devm_hpage_map_create() - make a buffer that goes with a driver's binding
 * @dev: as for hpage_map_create(); when its driver is unbound, hpage_map_put() is called
 *	after remove(), which must have stopped DMA
 * @attr: as for hpage_map_create()
 *
 * Context: Process context; may sleep.
 * Return: the buffer, whose reference is the device's, or an ERR_PTR as above.
 */
struct hpage_map_buffer *devm_hpage_map_create(struct device *dev,
					       const struct hpage_map_attr *attr)
{
	struct hpage_map_buffer *buf = hpage_map_create(dev, attr);
	int ret = IS_ERR(buf) ? 0 : devm_add_action_or_reset(dev, driver_put_action, buf);

	return ret ? ERR_PTR(ret) : buf;
}
EXPORT_SYMBOL_NS_GPL(devm_hpage_map_create, "HPAGE_MAP");

/**
 * hpage_map_get() - become a holder
 * @buf: a buffer that the caller knows to live
 *
 * Context: Any.
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
 *
 * Context: Process context; may sleep. Under any lock that allows that, also mmap_lock.
 */
void hpage_map_put(struct hpage_map_buffer *buf)
{
	atomic_dec(&buf->drivers);
	hpm_buffer_put_locked(buf);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_put, "HPAGE_MAP");

/**
 * hpage_map_page() - the base page at an offset
 * @buf: the buffer
 * @offset: bytes
 *
 * Context: Any.
 * Return: the page, which is the caller's as long as the buffer is; NULL behind the end.
 */
struct page *hpage_map_page(const struct hpage_map_buffer *buf, u64 offset)
{
	return offset < hpage_map_size(buf) ? hpm_pages_page(&buf->backing.pages, offset) : NULL;
}
EXPORT_SYMBOL_NS_GPL(hpage_map_page, "HPAGE_MAP");

/**
 * hpage_map_mapped() - do programs still have a way to the buffer?
 * @buf: the buffer
 *
 * For a driver that would lend the same buffer to the next program: what is not 0 now may
 * show it what it should not see. The driver must see to it that no new mappings are made,
 * else the answer is old. Pages that a program has pinned (O_DIRECT under way, io_uring, RDMA,
 * vmsplice) are not counted: see docs/drivers.md.
 *
 * Context: Any.
 * Return: the number of mappings by programs, and of dma-bufs that were exported.
 */
unsigned int hpage_map_mapped(const struct hpage_map_buffer *buf)
{
	return hpm_vma_count(buf) + atomic_read(&buf->exports);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_mapped, "HPAGE_MAP");

/* Where a window begins, in base pages, if it has all of the range and the buffer all of it. */
static long window_begin(const struct hpage_map_buffer *buf, unsigned long pgoff,
			 unsigned long len, u64 start, u64 length)
{
	u64 size = hpage_map_size(buf);
	unsigned long pages;

	if (start > size || length > size - start ||
	    !IS_ALIGNED(start | length, hpage_map_page_size(buf)))
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
 * Return: 0; -EINVAL when the part is not within the window, or is of a pool's pages and not of
 * whole ones; -ENODEV when the buffer is pinned memory of a program; -ENOMEM when a hugetlb pool
 * cannot promise pages for private copies; -ENFILE.
 */
int hpage_map_mmap(struct hpage_map_buffer *buf, struct vm_area_struct *vma, u64 start, u64 length)
{
	long first = window_begin(buf, vma->vm_pgoff, vma->vm_end - vma->vm_start, start, length);

	if (first < 0)
		return first;
	vma->vm_pgoff += first;
	/* What follows a window is not for its program. */
	if (length)
		vm_flags_mod(vma, VM_DONTEXPAND, 0);
	return hpm_vma_map(buf, vma);
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
 * Return: the address, or -EINVAL, -ENODEV or -ENOMEM.
 */
unsigned long hpage_map_get_unmapped_area(struct hpage_map_buffer *buf, unsigned long addr,
					  unsigned long len, unsigned long pgoff,
					  unsigned long flags, u64 start, u64 length)
{
	long first = window_begin(buf, pgoff, len, start, length);

	return first < 0 ? first : hpm_vma_choose(buf, addr, len, pgoff + first, flags);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_get_unmapped_area, "HPAGE_MAP");
