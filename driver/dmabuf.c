// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer, or a part of one, as a dma-buf, for other drivers that take those.
 *
 * A dma-buf holds its buffer; dma_buf_export() makes it hold the module. It may be for reading
 * alone: then programs cannot map it for writing, nor importers for a device that writes, and the
 * kernel has no address of it. An attachment belongs to a device of an importer, and has a table
 * for each time that the importer maps it. Those are tables of the buffer like others, see dma.c,
 * which know their attachment.
 *
 * An access of the CPU begins and ends for the tables of all importers that are of the same pages,
 * whichever dma-buf they came by.
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
	struct hpm_dma *t;

	if (dir != DMA_TO_DEVICE && !(attach->dmabuf->file->f_mode & FMODE_WRITE))
		return ERR_PTR(-EACCES);
	t = hpm_dma_map(attach->dmabuf->priv, attach->dev, dir, attach);
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
	const struct hpm_part *part = dmabuf->priv;
	struct hpm_dma *t;
	unsigned long id;

	for (id = 0; (t = hpm_dma_next(part->buf, &id)); id++) {
		if (t->importer == attach)
			export_unmap(attach, &t->sgt, t->dir);
		hpm_dma_put(t);
	}
}

/*
 * All tables that have any of the part. As each was mapped, whatever the CPU does: the DMA API
 * knows one direction a mapping.
 */
static int export_sync(const struct hpm_part *part, bool for_cpu)
{
	struct hpm_dma *t;
	unsigned long id;
	int ret = 0;

	for (id = 0; ret != -EINTR && (t = hpm_dma_next(part->buf, &id)); id++) {
		if (t->importer && t->offset < part->offset + part->length &&
		    part->offset < t->offset + t->length)
			ret = hpm_dma_sync(t, 0, t->length, for_cpu);
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
	const struct hpm_part *part = dmabuf->priv;

	/* An importer may map it by a file of its own. */
	if (vma->vm_flags & VM_SHARED && !(dmabuf->file->f_mode & FMODE_WRITE))
		return -EACCES;
	vma->vm_pgoff += part->offset >> PAGE_SHIFT;
	/* What follows a part is not for who has the dma-buf. */
	if (part->length < hpage_map_size(part->buf))
		vm_flags_mod(vma, VM_DONTEXPAND, 0);
	return hpm_vma_map_anywhere(part->buf, vma);
}

static int export_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	const struct hpm_part *part = dmabuf->priv;
	void *vaddr = hpage_map_vmap(part->buf);

	if (IS_ERR(vaddr))
		return PTR_ERR(vaddr);
	iosys_map_set_vaddr(map, vaddr + part->offset);
	return 0;
}

static void export_release(struct dma_buf *dmabuf)
{
	struct hpm_part *part = dmabuf->priv;

	atomic_dec(&part->buf->exports);
	hpm_buffer_put(part->buf);
	kfree(part);
}

#define EXPORT_OPS(_vmap)			\
{						\
	.detach = export_detach,		\
	.map_dma_buf = export_map,		\
	.unmap_dma_buf = export_unmap,		\
	.begin_cpu_access = export_begin_cpu_access,	\
	.end_cpu_access = export_end_cpu_access,	\
	.mmap = export_mmap,			\
	.vmap = _vmap,				\
	.release = export_release,		\
}

static const struct dma_buf_ops export_ops = EXPORT_OPS(export_vmap);
/* For reading alone: the kernel has no address through which it might write. */
static const struct dma_buf_ops read_only_ops = EXPORT_OPS(NULL);

/**
 * hpage_map_export_part() - make a dma-buf of a part of a buffer
 * @buf: the buffer; the dma-buf holds it, too
 * @offset: bytes, a multiple of the base page size: where the part begins
 * @length: bytes, rounded up to a multiple of the base page size; 0 for all that follows
 * @flags: O_RDWR, or O_RDONLY for a dma-buf through which nobody can write
 *
 * A dma-buf for reading alone is mapped for devices with DMA_TO_DEVICE only, and not by programs
 * for writing, -EACCES; and it has no address in the kernel, dma_buf_vmap() returns -EINVAL.
 *
 * Context: Process context; may sleep.
 * Return: the dma-buf, whose reference is the caller's, for dma_buf_fd() or dma_buf_put();
 * or an ERR_PTR: -EINVAL when the part is not within the buffer, -ENOMEM or -ENFILE.
 */
struct dma_buf *hpage_map_export_part(struct hpage_map_buffer *buf, u64 offset, u64 length,
				      int flags)
{
	u64 rest = hpage_map_size(buf) - min(offset, hpage_map_size(buf));
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;
	struct hpm_part *part;

	if (!rest || length > rest || !PAGE_ALIGNED(offset))
		return ERR_PTR(-EINVAL);
	part = kmalloc(sizeof(*part), GFP_KERNEL_ACCOUNT);
	if (!part)
		return ERR_PTR(-ENOMEM);
	*part = (struct hpm_part){ buf, offset, PAGE_ALIGN(length ?: rest) };
	info.ops = (flags & O_ACCMODE) == O_RDONLY ? &read_only_ops : &export_ops;
	info.size = part->length;
	info.flags = flags;
	info.priv = part;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		kfree(part);
		return dmabuf;
	}
	hpm_buffer_get(buf);
	atomic_inc(&buf->exports);
	return dmabuf;
}
EXPORT_SYMBOL_NS_GPL(hpage_map_export_part, "HPAGE_MAP");

/* Carry out HPAGE_MAP_EXPORT. */
int hpm_dmabuf_export(struct hpm_call *call)
{
	struct hpage_map_export *e = &call->export;
	bool read_only = e->flags & HPAGE_MAP_EXPORT_READ_ONLY;
	struct dma_buf *dmabuf;

	if (e->flags & ~HPAGE_MAP_EXPORT_FLAGS || e->reserved)
		return -EINVAL;
	if (!read_only && !(call->file->f_mode & FMODE_WRITE))
		return -EBADF;
	e->fd = get_unused_fd_flags(O_CLOEXEC);
	if (e->fd < 0)
		return e->fd;
	dmabuf = hpage_map_export_part(call->file->private_data, e->offset, e->length,
				       read_only ? O_RDONLY : O_RDWR);
	return hpm_ioctl_respond_fd(call, e->fd,
				    IS_ERR(dmabuf) ? ERR_CAST(dmabuf) : dmabuf->file);
}

/* As MODULE_IMPORT_NS(), whose argument has changed, on every kernel. */
MODULE_INFO(import_ns, "DMA_BUF");
