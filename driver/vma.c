// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings: the lent file's own, with us as witness.
 *
 * mmap() of the device checks the range against the buffer, lets the lent file
 * make its own true hugetlb or shmem mapping, and then puts that file into the
 * VMA. From there on everything is the business of mm/; there is no fault
 * handler here. Only open and close of the VMA's operations are wrapped, as
 * ipc/shm.c wraps them, because a mapping is a holder: people close the
 * descriptor after mmap() and still expect their pages.
 *
 * The wrapped operations are a copy inside the buffer, and lead back to it:
 * vm_private_data belongs to hugetlb, and the inode's i_private to tmpfs. All
 * mappings of one file have the same operations, so the copy is made once, at
 * the first mmap() and under the buffer's lock.
 *
 * open and close run under mmap_lock. close may drop the last reference to the
 * buffer and to the module while it runs; the copy is freed after a grace
 * period, and module exit waits for tasks that are still on their way out.
 */
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "buffer.h"

static struct hpm_buffer *vma_buffer(struct vm_area_struct *vma)
{
	return container_of(vma->vm_ops, struct hpm_buffer, vm_ops);
}

static void hold(struct hpm_buffer *buf)
{
	__module_get(THIS_MODULE);
	hpm_buffer_get(buf);
	atomic_inc(&buf->mappings);
}

/* fork(), or a part of a mapping becomes a mapping of its own. */
static void hpm_vma_open(struct vm_area_struct *vma)
{
	struct hpm_buffer *buf = vma_buffer(vma);

	hold(buf);
	if (buf->fs_vm_ops->open)
		buf->fs_vm_ops->open(vma);
}

static void hpm_vma_close(struct vm_area_struct *vma)
{
	struct hpm_buffer *buf = vma_buffer(vma);

	if (buf->fs_vm_ops->close)
		buf->fs_vm_ops->close(vma);
	atomic_dec(&buf->mappings);
	hpm_buffer_put(buf);
	module_put(THIS_MODULE);
}

/*
 * tmpfs keeps what mbind() says in the file, by offset, for pages to come. A
 * file of the reserve outlives its buffers and uses no offset twice, so it would
 * gather policies without end. Without these two a policy is the mapping's own,
 * as with hugetlb.
 */
static void keep_policy_in_vma(struct hpm_buffer *buf)
{
#if IS_ENABLED(CONFIG_NUMA)
	buf->vm_ops.set_policy = NULL;
	buf->vm_ops.get_policy = NULL;
#endif
}

static void wrap_vm_ops(struct hpm_buffer *buf, struct vm_area_struct *vma)
{
	mutex_lock(&buf->lock);
	if (!buf->fs_vm_ops) {
		buf->vm_ops = *vma->vm_ops;
		buf->vm_ops.open = hpm_vma_open;
		buf->vm_ops.close = hpm_vma_close;
		keep_policy_in_vma(buf);
		buf->fs_vm_ops = vma->vm_ops;
	}
	mutex_unlock(&buf->lock);

	/* All mappings of one file are of one kind. */
	WARN_ON_ONCE(buf->fs_vm_ops != vma->vm_ops);
	vma->vm_ops = &buf->vm_ops;
}

/*
 * Does the buffer have all of this range, in whole pages? The same rule on
 * every rung, so that a program that runs on one runs on all.
 */
static bool has_range(const struct hpm_buffer *buf, unsigned long pgoff, unsigned long len)
{
	unsigned long pages = hpm_backing_size(&buf->backing) >> PAGE_SHIFT;
	unsigned long mask = (1UL << (buf->backing.shift - PAGE_SHIFT)) - 1;
	unsigned long nr = len >> PAGE_SHIFT;

	return !offset_in_page(len) && !((pgoff | nr) & mask) && pgoff <= pages &&
	       nr <= pages - pgoff;
}

/* Do address and offset agree in their bits below @align, a power of two? */
static bool congruent(unsigned long addr, unsigned long pgoff, unsigned long align)
{
	return !((addr - (pgoff << PAGE_SHIFT)) & (align - 1));
}

/**
 * hpm_buffer_mmap() - map a part of a buffer
 * @buf: the buffer, held by the caller for the length of the call
 * @vma: a new VMA of any file; offset and length say which part
 *
 * On success the VMA refers to the lent file instead, and holds the buffer.
 *
 * Context: under mmap_lock for writing.
 * Return: 0, or
 *
 * * -EINVAL: offset, length or address is no multiple of the page size, or the
 *   part is not within the buffer
 * * -ENOMEM: private, and the hugetlb pool cannot promise pages for its copies
 *
 * Private writable mappings also count against the commit limit, on every rung:
 * mm/ charged them before this call, and refuses what is too much itself.
 */
int hpm_buffer_mmap(struct hpm_buffer *buf, struct vm_area_struct *vma)
{
	unsigned long len = vma->vm_end - vma->vm_start;
	int ret;

	mmap_assert_write_locked(vma->vm_mm);

	if (!has_range(buf, vma->vm_pgoff, len) ||
	    !congruent(vma->vm_start, vma->vm_pgoff, 1UL << buf->backing.shift))
		return -EINVAL;

	if (buf->backing.kind == HPAGE_MAP_BACKING_HUGETLB) {
		/*
		 * Shared mappings use the pages that are there. Private ones
		 * reserve a page for each copy, so that a short pool is an
		 * errno here and not a SIGBUS later.
		 */
		if (vma->vm_flags & VM_MAYSHARE)
			vm_flags_set(vma, VM_NORESERVE);
		else
			vm_flags_clear(vma, VM_NORESERVE);
	} else {
		/* mremap() must not grow it past the end, as hugetlb sees to itself. */
		vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	}

	/* A part of the reserve stands elsewhere in its file. */
	vma->vm_pgoff += buf->backing.start >> PAGE_SHIFT;
	ret = vfs_mmap(buf->backing.file, vma);
	if (ret)
		return ret;

	vma_set_file(vma, buf->backing.file);
	wrap_vm_ops(buf, vma);
	hold(buf);
	return 0;
}

static unsigned long fs_area(struct hpm_buffer *buf, unsigned long addr, unsigned long len,
			     unsigned long pgoff, unsigned long flags)
{
	struct file *file = buf->backing.file;

	return file->f_op->get_unmapped_area(file, addr, len, pgoff, flags);
}

/**
 * hpm_buffer_get_unmapped_area() - choose an address for a mapping
 * @buf: the buffer
 * @addr: hint, or the address with MAP_FIXED
 * @len: length in bytes
 * @pgoff: offset in base pages
 * @flags: MAP_*
 *
 * The address is aligned like the offset for the largest page table entry that
 * the mapping can use: a PMD on every rung, and a PUD from there on, where the
 * architecture may share page tables. A hint that cannot work is ignored.
 * MAP_FIXED is checked here already, before it replaces what is there.
 *
 * Context: under mmap_lock.
 * Return: the address, or -EINVAL as for hpm_buffer_mmap(), or -ENOMEM.
 */
unsigned long hpm_buffer_get_unmapped_area(struct hpm_buffer *buf, unsigned long addr,
					   unsigned long len, unsigned long pgoff,
					   unsigned long flags)
{
	unsigned long page_size = 1UL << buf->backing.shift;
	unsigned long align = page_size, area, padded;

	if (!has_range(buf, pgoff, len))
		return -EINVAL;
	if (!congruent(addr, pgoff, page_size)) {
		if (flags & MAP_FIXED)
			return -EINVAL;
		addr = 0;
	}

	area = fs_area(buf, addr, len, pgoff, flags);
	if (IS_ERR_VALUE(area) || flags & MAP_FIXED || (addr && area == addr))
		return area;

	if (len >= PUD_SIZE)
		align = max(align, PUD_SIZE);
	else if (len >= PMD_SIZE)
		align = max(align, PMD_SIZE);
	if (congruent(area, pgoff, align))
		return area;

	padded = fs_area(buf, 0, len + align, pgoff, flags);
	if (IS_ERR_VALUE(padded))
		return congruent(area, pgoff, page_size) ? area : padded;
	return padded + (((pgoff << PAGE_SHIFT) - padded) & (align - 1));
}
