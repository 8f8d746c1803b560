// SPDX-License-Identifier: GPL-2.0-only
/*
 * An open file of a buffer, with a node or without.
 *
 * It refers to one buffer and holds it: private_data, set once and never changed, so that nothing
 * needs a lock here. What a file may do is what it was opened for, FMODE_READ and FMODE_WRITE,
 * since that is what permissions, Landlock and other security modules have been asked about.
 */
#include <linux/export.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "buffer.h"
#include "dmabuf.h"
#include "dmamap.h"
#include "file.h"
#include "info.h"
#include "inode.h"
#include "ioctl.h"
#include "kind.h"
#include "vma.h"

/* Let @file refer to @buf, whose reference it takes over. */
void hpm_file_refer(struct file *file, struct hpage_map_buffer *buf)
{
	atomic_inc(&buf->descriptors);
	file->private_data = buf;
}

/* A file without a node is opened again, by its link in /proc/PID/fd. */
static int file_open(struct inode *inode, struct file *file)
{
	int ret;

	/* Access mode 3, as in chardev.c. */
	if (!(file->f_mode & (FMODE_READ | FMODE_WRITE)))
		return -EINVAL;
	ret = hpm_inode_pin();
	if (!ret)
		hpm_file_refer(file, hpm_buffer_get(inode->i_private));
	return ret;
}

static int file_release(struct inode *inode, struct file *file)
{
	struct hpage_map_buffer *buf = file->private_data;

	atomic_dec(&buf->descriptors);
	hpm_buffer_put(buf);
	if (S_ISREG(inode->i_mode))
		hpm_inode_unpin();
	return 0;
}

static int file_mmap(struct file *file, struct vm_area_struct *vma)
{
	return hpm_vma_map(file->private_data, vma);
}

static unsigned long file_get_unmapped_area(struct file *file, unsigned long addr,
					    unsigned long len, unsigned long pgoff,
					    unsigned long flags)
{
	return hpm_vma_choose(file->private_data, addr, len, pgoff, flags);
}

/*
 * Copy between the buffer and user memory page by page: bytes, fewer than asked at the end,
 * after a signal, at a poisoned page or at a fault; 0 at or behind the end; -EIO or -EFAULT
 * when nothing was copied.
 */
static ssize_t file_copy(struct kiocb *iocb, struct iov_iter *iter)
{
	const struct hpage_map_buffer *buf = iocb->ki_filp->private_data;
	loff_t size = hpage_map_size(buf), *pos = &iocb->ki_pos;
	size_t offset, bytes, copied;
	struct page *page;
	ssize_t done = 0;

	while (*pos < size && iov_iter_count(iter)) {
		page = hpm_pages_page(&buf->backing.pages, *pos);
		if (is_page_hwpoison(page))
			return done ?: -EIO;

		offset = offset_in_page(*pos);
		bytes = min_t(loff_t, iov_iter_count(iter), PAGE_SIZE - offset);
		copied = iov_iter_rw(iter) == READ ? copy_page_to_iter(page, offset, bytes, iter) :
						     copy_page_from_iter(page, offset, bytes, iter);
		*pos += copied;
		done += copied;
		if (copied < bytes)
			return done ?: -EFAULT;
		/* Not before: every call makes progress, and none is interrupted. */
		if (task_sigpending(current))
			break;
		cond_resched();
	}
	return done;
}

static ssize_t file_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	const struct hpage_map_buffer *buf = iocb->ki_filp->private_data;

	if (iov_iter_count(from) && iocb->ki_pos >= hpage_map_size(buf))
		return -ENOSPC;
	return file_copy(iocb, from);
}

static loff_t file_llseek(struct file *file, loff_t offset, int whence)
{
	loff_t size = hpage_map_size(file->private_data);

	return generic_file_llseek_size(file, offset, whence, size, size);
}

static void file_show_fdinfo(struct seq_file *seq, struct file *file)
{
	const struct hpage_map_buffer *buf = file->private_data;

	seq_printf(seq, "hpage_map-buffer:\t%s\n",
		   READ_ONCE(buf->role) ? buf->name : "anonymous");
	if (!READ_ONCE(buf->role) && *buf->name)
		seq_printf(seq, "hpage_map-tag:\t%s\n", buf->name);
	seq_printf(seq, "hpage_map-id:\t%u\n", buf->id);
	seq_printf(seq, "hpage_map-size:\t%llu\n", hpage_map_size(buf));
	seq_printf(seq, "hpage_map-page_size:\t%llu\n", hpage_map_page_size(buf));
	seq_printf(seq, "hpage_map-backing:\t%s\n", hpm_kinds[buf->backing.kind].name);
}

static const struct hpm_ioctl file_ioctls[] = {
	HPM_IOCTL(HPAGE_MAP_INFO, HPM_FOR_ANY, hpm_info_info, hpage_map_info, name),
	HPM_IOCTL(HPAGE_MAP_NODES, HPM_FOR_ANY, hpm_info_nodes, hpage_map_nodes, reserved),
	HPM_IOCTL(HPAGE_MAP_RUNS, HPM_FOR_ANY, hpm_info_runs, hpage_map_runs, reserved),
	/* What else it must be open for depends on what others may do then. */
	HPM_IOCTL(HPAGE_MAP_EXPORT, FMODE_READ, hpm_dmabuf_export, hpage_map_export, reserved),
	HPM_IOCTL(HPAGE_MAP_DMA_MAP, HPM_FOR_ANY, hpm_dmamap_map, hpage_map_dma_map, reserved),
};

long hpm_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return hpm_ioctl_call(hpm_ioctl_find(file_ioctls, ARRAY_SIZE(file_ioctls), cmd), file,
			      cmd, arg);
}

const struct file_operations hpm_file_fops = {
	.owner = THIS_MODULE,
	.open = file_open,
	.release = file_release,
	.mmap = file_mmap,
	.get_unmapped_area = file_get_unmapped_area,
	.read_iter = file_copy,
	.write_iter = file_write_iter,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
	.llseek = file_llseek,
	.fsync = noop_fsync,
	.unlocked_ioctl = hpm_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = file_show_fdinfo,
};

/*
 * A file without a node, open for reading and writing. Takes the reference over, in any case.
 * Return: the file, or an ERR_PTR, -ENFILE or -ENOMEM.
 */
struct file *hpm_file_new(struct hpage_map_buffer *buf)
{
	struct file *file = hpm_inode_file(buf, &hpm_file_fops);

	if (IS_ERR(file))
		hpm_buffer_put(buf);
	else
		hpm_file_refer(file, buf);
	return file;
}

/**
 * hpage_map_fd() - make a descriptor of a buffer, for a program
 * @buf: the buffer; the descriptor holds it, too
 * @flags: O_CLOEXEC or 0
 *
 * The descriptor is as one of HPAGE_MAP_ALLOC, open for reading and writing. The calling task has
 * it at once, so this comes last, when the call cannot fail any more.
 *
 * Context: Process context; may sleep.
 * Return: the descriptor, or -EMFILE, -ENFILE or -ENOMEM.
 */
int hpage_map_fd(struct hpage_map_buffer *buf, int flags)
{
	int fd = get_unused_fd_flags(flags);
	struct file *file;

	if (fd < 0)
		return fd;
	file = hpm_file_new(hpm_buffer_get(buf));
	if (IS_ERR(file))
		put_unused_fd(fd);
	else
		fd_install(fd, file);
	return PTR_ERR_OR_ZERO(file) ?: fd;
}
EXPORT_SYMBOL_NS_GPL(hpage_map_fd, "HPAGE_MAP");

/**
 * hpage_map_get_fd() - become a holder of the buffer that a program passes by a descriptor
 * @fd: a descriptor of the calling task
 * @mode: what it must be open for: FMODE_READ where the driver or its device reads the buffer,
 *	FMODE_WRITE where they write to it, both or'ed together, or 0
 *
 * Context: Process context; may sleep.
 * Return: the buffer, for hpage_map_put(), or an ERR_PTR: -EBADF when there is no such descriptor
 * or it is not open for @mode; -EINVAL when it has no buffer.
 */
struct hpage_map_buffer *hpage_map_get_fd(int fd, fmode_t mode)
{
	struct hpage_map_buffer *buf = ERR_PTR(-EBADF);
	struct file *file = fget(fd);

	if (!file)
		return buf;
	/* The door with the default buffer has other operations, but this one. */
	if (file->f_op->mmap != file_mmap)
		buf = ERR_PTR(-EINVAL);
	else if (!(mode & ~file->f_mode))
		buf = hpage_map_get(file->private_data);
	fput(file);
	return buf;
}
EXPORT_SYMBOL_NS_GPL(hpage_map_get_fd, "HPAGE_MAP");
