// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer as a dma-buf, for other drivers that take those.
 *
 * A dma-buf holds its buffer; dma_buf_export() makes it hold the module. An attachment
 * belongs to a device of an importer, and has one table while the importer has it mapped.
 *
 * The tables stand in a list of the buffer, under its lock: an access of the CPU begins
 * and ends for all of them, since all are of the same pages.
 */
#include <linux/dma-buf.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "faces.h"

/* The private part of an attachment that is mapped. */
struct table {
	struct list_head entry;		/* in the buffer's tables, under its lock */
	struct device *dev;		/* the importer's; never changes, nor does what follows */
	struct sg_table *sgt;
	enum dma_data_direction dir;
};

static struct sg_table *export_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct hpage_map_buffer *buf = attach->dmabuf->priv;
	struct table *t = kzalloc(sizeof(*t), GFP_KERNEL);
	struct sg_table *sgt;

	if (!t)
		return ERR_PTR(-ENOMEM);
	sgt = hpage_map_dma_map(buf, attach->dev, dir);
	if (IS_ERR(sgt)) {
		kfree(t);
		return sgt;
	}
	*t = (struct table){ .dev = attach->dev, .sgt = sgt, .dir = dir };
	attach->priv = t;
	mutex_lock(&buf->lock);
	list_add(&t->entry, &buf->tables);
	mutex_unlock(&buf->lock);
	return sgt;
}

static void export_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	struct hpage_map_buffer *buf = attach->dmabuf->priv;
	struct table *t = attach->priv;

	mutex_lock(&buf->lock);
	list_del(&t->entry);
	mutex_unlock(&buf->lock);
	kfree(t);
	hpage_map_dma_unmap(buf, attach->dev, sgt, dir);
}

/* As each was mapped, whatever the CPU does: the DMA API knows one direction a mapping. */
static int sync(struct hpage_map_buffer *buf, bool for_cpu)
{
	struct table *t;

	mutex_lock(&buf->lock);
	list_for_each_entry(t, &buf->tables, entry) {
		if (for_cpu)
			dma_sync_sgtable_for_cpu(t->dev, t->sgt, t->dir);
		else
			dma_sync_sgtable_for_device(t->dev, t->sgt, t->dir);
	}
	mutex_unlock(&buf->lock);
	return 0;
}

static int export_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return sync(dmabuf->priv, true);
}

static int export_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return sync(dmabuf->priv, false);
}

static int export_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	return hpm_buffer_mmap_anywhere(dmabuf->priv, vma);
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
 * Return: the dma-buf, whose reference is the caller's, for dma_buf_fd() or dma_buf_put();
 * or an ERR_PTR of -ENOMEM or -ENFILE.
 */
struct dma_buf *hpage_map_export(struct hpage_map_buffer *buf)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &export_ops;
	info.size = hpm_backing_size(&buf->backing);
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

int hpm_ioctl_export(struct file *file, struct hpm_call *call)
{
	struct hpage_map_export *e = &call->export;
	struct dma_buf *dmabuf;

	if (e->flags & ~HPAGE_MAP_EXPORT_FLAGS || e->reserved)
		return -EINVAL;

	call->fd = get_unused_fd_flags(O_CLOEXEC);
	if (call->fd < 0)
		return call->fd;
	dmabuf = hpage_map_export(file->private_data);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	call->file = dmabuf->file;
	e->fd = call->fd;
	return 0;
}

/* As MODULE_IMPORT_NS(), whose argument has changed, on every kernel. */
MODULE_INFO(import_ns, "DMA_BUF");
