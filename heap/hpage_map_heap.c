// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of hpage_map as dma-heaps.
 *
 * Programs that allocate dma-bufs from a heap in /dev/dma_heap, as libcamera, GStreamer and v4l2
 * tools do, get huge pages without a change:
 *
 *	hpage_map		huge pages, or base pages where there are none
 *	hpage_map_contiguous	one physical run
 *	hpage_map_contiguous_4g	one below 4 GiB, for devices that reach no more
 *
 * A dma-buf has the length that was asked for, rounded up to base pages; its buffer may be longer.
 * One that is asked for with O_RDONLY is for devices that read alone.
 * The pages count against the limits of the user who asks, as those of HPAGE_MAP_ALLOC do.
 *
 * The kernel has no way to remove a heap. So this module stays until the machine reboots, and
 * hpage_map with it, which is why it is a module of its own. Nothing is shared, so nothing is
 * locked.
 */
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>

#include <linux/hpage_map.h>

/* What a heap asks for, as bits of enum hpage_map_alloc_flags. */
static const struct heap {
	const char *name;
	u32 flags;
} heaps[] = {
	{ "hpage_map", HPAGE_MAP_ALLOW_BASE },
	{ "hpage_map_contiguous", HPAGE_MAP_CONTIGUOUS },
	{ "hpage_map_contiguous_4g", HPAGE_MAP_CONTIGUOUS | HPAGE_MAP_BELOW_4G },
};

/* The core has checked both kinds of flags. Of the second there is none yet. */
static struct dma_buf *heap_allocate(struct dma_heap *dma_heap, unsigned long len, u32 fd_flags,
				     u64 heap_flags)
{
	const struct heap *heap = dma_heap_get_drvdata(dma_heap);
	const struct hpage_map_attr attr = {
		.size = len,
		.flags = heap->flags,
		.name = heap->name,
		.charge_user = true,
	};
	struct hpage_map_buffer *buf = hpage_map_create(NULL, &attr);
	struct dma_buf *dmabuf;

	if (IS_ERR(buf))
		return ERR_CAST(buf);
	dmabuf = hpage_map_export_part(buf, 0, len, fd_flags);
	/* From here on the dma-buf holds the buffer. */
	hpage_map_put(buf);
	return dmabuf;
}

static const struct dma_heap_ops heap_ops = { .allocate = heap_allocate };

/* A heap that is there stays, so that with one of them the module has to stay, too. */
static int __init heap_init(void)
{
	struct dma_heap_export_info info = { .ops = &heap_ops };
	struct dma_heap *heap;
	int i;

	for (i = 0; i < ARRAY_SIZE(heaps); i++) {
		info.name = heaps[i].name;
		info.priv = (void *)&heaps[i];
		heap = dma_heap_add(&info);
		if (!IS_ERR(heap))
			continue;
		pr_err("hpage_map_heap: no heap %s (%pe)\n", heaps[i].name, heap);
		if (!i)
			return PTR_ERR(heap);
	}
	return 0;
}
module_init(heap_init);

HPAGE_MAP_IMPORT();
MODULE_INFO(import_ns, "DMA_BUF");
MODULE_INFO(import_ns, "DMA_BUF_HEAP");
MODULE_DESCRIPTION("Huge pages as dma-heaps");
MODULE_AUTHOR("hpage_map developers");
MODULE_LICENSE("GPL");
