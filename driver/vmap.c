// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer as the kernel sees it: an address.
 *
 * Pages in one run have one in the direct map. Others are mapped together when somebody asks,
 * once; the mapping then stays as long as the buffer, so that nobody has to count its users. It
 * is set once, by cmpxchg(), and nothing is locked.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "buffer.h"

static void *buffer_vmap(const struct hpage_map_buffer *buf)
{
	unsigned long nr = hpage_map_size(buf) >> PAGE_SHIFT, i;
	struct page **pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL | __GFP_NOWARN);
	void *vaddr;

	if (!pages)
		return NULL;
	for (i = 0; i < nr; i++) {
		pages[i] = hpm_pages_page(&buf->backing.pages, (u64)i << PAGE_SHIFT);
		cond_resched();
	}
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
 * The first call needs 8 bytes for each page of the base size, for as long as it takes: 2 MiB for
 * each GiB where that is 4 KiB. kvmalloc() gives less than 2 GiB, so a buffer that is not one run
 * has no address from 1 TiB on.
 *
 * Context: Process context; may sleep in the first call.
 * Return: the address of the first byte, valid as long as the caller holds the buffer, or
 * an ERR_PTR of -ENOMEM, also when it is too large.
 */
void *hpage_map_vmap(struct hpage_map_buffer *buf)
{
	void *vaddr;

	if (buf->backing.pages.nr_runs == 1)
		return page_address(hpm_pages_page(&buf->backing.pages, 0));

	if (!READ_ONCE(buf->vaddr)) {
		/* Under no lock: it may take long. Who comes second throws his away. */
		vaddr = buffer_vmap(buf);
		if (cmpxchg(&buf->vaddr, NULL, vaddr))
			vunmap(vaddr);
	}
	return READ_ONCE(buf->vaddr) ?: ERR_PTR(-ENOMEM);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_vmap, "HPAGE_MAP");
