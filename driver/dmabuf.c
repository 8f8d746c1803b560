// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer as a dma-buf, for other drivers that take those.
 *
 * A dma-buf holds its buffer; dma_buf_export() makes it hold the module. An
 * attachment belongs to a device of an importer and has a table of its own,
 * which is mapped while the importer says so.
 *
 * list_lock protects the list of attachments and what is mapped: an access of
 * the CPU begins and ends for all of them.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "dma.h"
#include "faces.h"
#include "ioctl.h"

/**
 * struct export - the private part of a dma-buf
 * @buf: its buffer; held
 * @list_lock: of what follows
 * @attachments: of importers
 */
struct export {
	struct hpage_map_buffer *buf;
	struct mutex list_lock;
	struct list_head attachments;
};

/**
 * struct attachment - the private part of an attachment
 * @entry: in the list of its dma-buf, under list_lock
 * @dev: the importer's; never changes
 * @sgt: never changes
 * @mapped: under list_lock
 */
struct attachment {
	struct list_head entry;
	struct device *dev;
	struct sg_table *sgt;
	bool mapped;
};

static int export_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct export *export = dmabuf->priv;
	struct attachment *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return -ENOMEM;
	a->dev = attach->dev;
	a->sgt = hpm_dma_table(export->buf, attach->dev);
	if (IS_ERR(a->sgt)) {
		int ret = PTR_ERR(a->sgt);

		kfree(a);
		return ret;
	}
	attach->priv = a;
	mutex_lock(&export->list_lock);
	list_add(&a->entry, &export->attachments);
	mutex_unlock(&export->list_lock);
	return 0;
}

static void export_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct export *export = dmabuf->priv;
	struct attachment *a = attach->priv;

	mutex_lock(&export->list_lock);
	list_del(&a->entry);
	mutex_unlock(&export->list_lock);
	hpm_dma_free_table(a->sgt);
	kfree(a);
}

static struct sg_table *export_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct export *export = attach->dmabuf->priv;
	struct attachment *a = attach->priv;
	int ret = hpm_dma_map(export->buf, a->dev, a->sgt, dir);

	if (ret)
		return ERR_PTR(ret);
	mutex_lock(&export->list_lock);
	a->mapped = true;
	mutex_unlock(&export->list_lock);
	return a->sgt;
}

static void export_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	struct export *export = attach->dmabuf->priv;
	struct attachment *a = attach->priv;

	mutex_lock(&export->list_lock);
	a->mapped = false;
	mutex_unlock(&export->list_lock);
	dma_unmap_sgtable(a->dev, sgt, dir, 0);
}

static int export_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct export *export = dmabuf->priv;
	struct attachment *a;

	mutex_lock(&export->list_lock);
	list_for_each_entry(a, &export->attachments, entry)
		if (a->mapped)
			dma_sync_sgtable_for_cpu(a->dev, a->sgt, dir);
	mutex_unlock(&export->list_lock);
	return 0;
}

static int export_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct export *export = dmabuf->priv;
	struct attachment *a;

	mutex_lock(&export->list_lock);
	list_for_each_entry(a, &export->attachments, entry)
		if (a->mapped)
			dma_sync_sgtable_for_device(a->dev, a->sgt, dir);
	mutex_unlock(&export->list_lock);
	return 0;
}

static int export_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct export *export = dmabuf->priv;

	return hpm_buffer_mmap_anywhere(export->buf, vma);
}

static int export_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct export *export = dmabuf->priv;
	void *vaddr = hpm_dma_vmap(export->buf);

	if (IS_ERR(vaddr))
		return PTR_ERR(vaddr);
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void export_release(struct dma_buf *dmabuf)
{
	struct export *export = dmabuf->priv;

	atomic_dec(&export->buf->exports);
	hpm_buffer_put(export->buf);
	mutex_destroy(&export->list_lock);
	kfree(export);
}

static const struct dma_buf_ops export_ops = {
	.attach = export_attach,
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
 * hpm_dmabuf_export() - make a dma-buf of a buffer
 * @buf: the buffer; the dma-buf gets a reference of its own
 *
 * Context: may sleep.
 * Return: the dma-buf, with a reference for the caller, or an ERR_PTR.
 */
struct dma_buf *hpm_dmabuf_export(struct hpage_map_buffer *buf)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct export *export = kzalloc(sizeof(*export), GFP_KERNEL);
	struct dma_buf *dmabuf;

	if (!export)
		return ERR_PTR(-ENOMEM);
	export->buf = hpm_buffer_get(buf);
	mutex_init(&export->list_lock);
	INIT_LIST_HEAD(&export->attachments);

	info.ops = &export_ops;
	info.size = hpm_backing_size(&buf->backing);
	info.flags = O_RDWR;
	info.priv = export;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		hpm_buffer_put(buf);
		kfree(export);
		return dmabuf;
	}
	/* Nobody else knows it yet, so this is before its release. */
	atomic_inc(&buf->exports);
	return dmabuf;
}

int hpm_ioctl_export(struct file *file, struct hpm_call *call)
{
	struct hpage_map_export *e = &call->export;
	struct dma_buf *dmabuf;

	if (!file->private_data || !(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (e->flags & ~HPAGE_MAP_EXPORT_FLAGS || e->reserved)
		return -EINVAL;

	e->fd = get_unused_fd_flags(O_CLOEXEC);
	if (e->fd < 0)
		return e->fd;
	dmabuf = hpm_dmabuf_export(file->private_data);
	if (IS_ERR(dmabuf)) {
		put_unused_fd(e->fd);
		return PTR_ERR(dmabuf);
	}
	call->file = dmabuf->file;
	call->fd = e->fd;
	return 0;
}

MODULE_IMPORT_NS("DMA_BUF");
