// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer as a dma-buf, for other drivers that take those.
 *
 * A dma-buf holds its buffer; dma_buf_export() makes it hold the module. An attachment
 * belongs to a device of an importer, and has a table for each time that the importer maps
 * it. Those are tables of the buffer like others, see dma.c, which know their attachment.
 *
 * An access of the CPU begins and ends for the tables of all importers, since they are all of
 * the same pages, whichever dma-buf they came by.
 */
#include <linux/dma-buf.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/module.h>

#include "buffer.h"
#include "dma.h"
#include "dmabuf.h"
#include "ioctl.h"
#include "vma.h"

static struct sg_table *export_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct hpm_dma *t = hpm_dma_map(attach->dmabuf->priv, attach->dev, dir, attach);

	return IS_ERR(t) ? ERR_CAST(t) : &t->sgt;
}

static void export_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	struct hpm_dma *t = hpm_dma_of(sgt);

	hpm_dma_end(t);
	hpm_dma_put(t);
}

/* What an importer has forgotten to unmap would keep the pages for ever. */
static void export_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct hpm_dma *t;
	unsigned long id;

	for (id = 0; (t = hpm_dma_next(dmabuf->priv, &id)); id++) {
		if (t->importer == attach)
			export_unmap(attach, &t->sgt, t->dir);
		hpm_dma_put(t);
	}
}

/* As each was mapped, whatever the CPU does: the DMA API knows one direction a mapping. */
static int export_sync(struct hpage_map_buffer *buf, bool for_cpu)
{
	struct hpm_dma *t;
	unsigned long id;
	int ret = 0;

	for (id = 0; ret != -EINTR && (t = hpm_dma_next(buf, &id)); id++) {
		if (t->importer)
			ret = hpm_dma_sync(t, 0, hpm_buffer_size(buf), for_cpu);
		hpm_dma_put(t);
	}
	/* One that was unmapped meanwhile needs no sync. */
	return ret == -ENODEV ? 0 : ret;
}

static int export_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return export_sync(dmabuf->priv, true);
}

static int export_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return export_sync(dmabuf->priv, false);
}

static int export_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	return hpm_vma_map_anywhere(dmabuf->priv, vma);
}

static int export_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	void *vaddr = hpage_map_vmap(dmabuf->priv);

	if (IS_ERR(vaddr))
		return PTR_ERR(vaddr);
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void export_release(struct dma_buf *dmabuf)
{
	struct hpage_map_buffer *buf = dmabuf->priv;

	atomic_dec(&buf->exports);
	hpm_buffer_put(buf);
}

static const struct dma_buf_ops export_ops = {
	.detach = export_detach,
	.map_dma_buf = export_map,
	.unmap_dma_buf = export_unmap,
	.begin_cpu_access = export_begin_cpu_access,
	.end_cpu_access = export_end_cpu_access,
	.mmap = export_mmap,
	.vmap = export_vmap,
	.release = export_release,
};

/**
 * hpage_map_export() - make a dma-buf of a buffer
 * @buf: the buffer; the dma-buf holds it, too
 *
 * Context: Process context; may sleep.
 * Return: the dma-buf, whose reference is the caller's, for dma_buf_fd() or dma_buf_put();
 * or an ERR_PTR of -ENOMEM or -ENFILE.
 */
struct dma_buf *hpage_map_export(struct hpage_map_buffer *buf)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &export_ops;
	info.size = hpm_buffer_size(buf);
	info.flags = O_RDWR;
	info.priv = buf;
	dmabuf = dma_buf_export(&info);
	if (!IS_ERR(dmabuf)) {
		hpm_buffer_get(buf);
		atomic_inc(&buf->exports);
	}
	return dmabuf;
}
EXPORT_SYMBOL_NS_GPL(hpage_map_export, "HPAGE_MAP");

/* Carry out HPAGE_MAP_EXPORT. */
int hpm_dmabuf_export(struct hpm_call *call)
{
	struct hpage_map_export *e = &call->export;
	struct dma_buf *dmabuf;

	if (e->flags & ~HPAGE_MAP_EXPORT_FLAGS || e->reserved)
		return -EINVAL;
	e->fd = get_unused_fd_flags(O_CLOEXEC);
	if (e->fd < 0)
		return e->fd;
	dmabuf = hpage_map_export(call->file->private_data);
	return hpm_ioctl_respond_fd(call, e->fd,
				    IS_ERR(dmabuf) ? ERR_CAST(dmabuf) : dmabuf->file);
}

/* As MODULE_IMPORT_NS(), whose argument has changed, on every kernel. */
MODULE_INFO(import_ns, "DMA_BUF");
