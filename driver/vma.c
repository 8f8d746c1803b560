// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings: the lent file's own.
 *
 * mmap() of the device checks the range against the buffer, lets the lent file make its own
 * true hugetlb or shmem mapping, and then puts a file of the same inode into the VMA. From there on
 * everything is the business of mm/; there is no fault handler here.
 *
 * A mapping is a holder: people close the descriptor after mmap() and still expect their pages.
 * What it holds is the lease, one more open file of the lent inode, with a release of ours that
 * drops the buffer. All mappings of a buffer hold one lease, and so do each part of a mapping
 * and each copy that fork() makes: there are as many mappings as it has references. The release
 * runs where the last of them was dropped, but never under mmap_lock.
 *
 * A mapping of tmpfs has the lease as its file. It needs no operations for its beginning and end
 * then, so that mm/ merges what it has split. Those of hugetlbfs have such operations, and are
 * never merged. They keep the lent file, by whose operations kernels before 6.12 know them, and
 * ours count the reference.
 *
 * The VMA's operations are a copy of the file system's, without those for a memory policy. It is
 * made once, at the first mmap() and under the buffer's lock. It is in the buffer and leads back
 * to it: vm_private_data belongs to hugetlb. It is freed after a grace period.
 */
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/module.h>

#include "buffer.h"
#include "fs.h"
#include "kind.h"
#include "log.h"
#include "trace.h"
#include "vma.h"
#include "why.h"

static int lease_release(struct inode *inode, struct file *lease)
{
	struct hpage_map_buffer *buf = lease->private_data;

	/* There may be another by now. */
	scoped_guard(mutex, &buf->lock)
		if (buf->lease == lease)
			WRITE_ONCE(buf->lease, NULL);
	trace_hpage_map_unmap(buf->id, buf->backing.kind, hpage_map_size(buf), 0, ktime_get());
	hpm_buffer_put(buf);
	return 0;
}

/* What mm/ asks the file of a mapping for: msync() asks to write back, mremap() for an address. */
static unsigned long lease_get_unmapped_area(struct file *lease, unsigned long addr,
					     unsigned long len, unsigned long pgoff,
					     unsigned long flags)
{
	const struct hpage_map_buffer *buf = lease->private_data;
	struct file *file = buf->backing.file;

	return file->f_op->get_unmapped_area(file, addr, len, pgoff, flags);
}

static const struct file_operations lease_fops = {
	.owner = THIS_MODULE,
	.release = lease_release,
	.fsync = noop_fsync,
	.get_unmapped_area = lease_get_unmapped_area,
};

/* Return: the lease with a reference, or an ERR_PTR. */
static struct file *lease_get(struct hpage_map_buffer *buf)
{
	struct file *lease;

	guard(mutex)(&buf->lock);
	lease = get_file_active(&buf->lease);
	if (lease)
		return lease;
	lease = hpm_fs_open_again(buf->backing.file, &lease_fops);
	if (IS_ERR(lease))
		return lease;
	lease->private_data = hpm_buffer_get(buf);
	WRITE_ONCE(buf->lease, lease);
	return lease;
}

/* How many mappings a buffer has. It is a snapshot. */
unsigned int hpm_vma_count(const struct hpage_map_buffer *buf)
{
	struct file *lease;

	/* Files are freed after a grace period, or become other files, which does no harm here. */
	guard(rcu)();
	lease = READ_ONCE(buf->lease);
	return lease ? file_count(lease) : 0;
}

static struct hpage_map_buffer *vma_buffer(struct vm_area_struct *vma)
{
	return container_of(vma->vm_ops, struct hpage_map_buffer, vm_ops);
}

/* fork(), or a part of a mapping becomes a mapping of its own. */
static void vma_open(struct vm_area_struct *vma)
{
	struct hpage_map_buffer *buf = vma_buffer(vma);

	get_file(buf->lease);
	buf->lent_vm_ops->open(vma);
}

static void vma_close(struct vm_area_struct *vma)
{
	struct hpage_map_buffer *buf = vma_buffer(vma);

	buf->lent_vm_ops->close(vma);
	fput(buf->lease);
}

/* From now on the VMA has the reference to the lease, by its file or by its operations. */
static void vma_hold_lease(struct hpage_map_buffer *buf, struct vm_area_struct *vma,
			   struct file *lease)
{
	bool by_file = !vma->vm_ops->close;

	vma_set_file(vma, by_file ? lease : buf->backing.file);
	if (by_file)
		fput(lease);
	guard(mutex)(&buf->lock);
	if (!buf->lent_vm_ops) {
		buf->vm_ops = *vma->vm_ops;
		if (!by_file) {
			buf->vm_ops.open = vma_open;
			buf->vm_ops.close = vma_close;
		}
#if IS_ENABLED(CONFIG_NUMA)
		/*
		 * mbind() sets the policy of the mapping, which counts for private copies; never
		 * that of the file, which may be a whole reserve's.
		 */
		buf->vm_ops.set_policy = NULL;
		buf->vm_ops.get_policy = NULL;
#endif
		buf->lent_vm_ops = vma->vm_ops;
	}
	/* All mappings of one file are of one kind. */
	WARN_ON_ONCE(buf->lent_vm_ops != vma->vm_ops);
	vma->vm_ops = &buf->vm_ops;
}

/* Does the buffer have all of this range, and are offset and length multiples of @unit? */
static bool buffer_has_range(const struct hpage_map_buffer *buf, unsigned long pgoff,
			     unsigned long len, unsigned long unit)
{
	unsigned long pages = hpage_map_size(buf) >> PAGE_SHIFT;

	return IS_ALIGNED(pgoff << PAGE_SHIFT | len, unit) &&
	       pgoff <= pages && len >> PAGE_SHIFT <= pages - pgoff;
}

/* Do address and offset agree in their bits below @align, a power of two? */
static bool addr_is_congruent(unsigned long addr, unsigned long pgoff, unsigned long align)
{
	return IS_ALIGNED(addr - (pgoff << PAGE_SHIFT), align);
}

/*
 * Mappings of a pool's pages are of whole pages, as hugetlbfs has it; what is of the page allocator
 * maps in base pages, as a memfd does. Bytes.
 */
static unsigned long buffer_unit(const struct hpage_map_buffer *buf)
{
	return hpm_kinds[buf->backing.kind].pooled ? hpage_map_page_size(buf) : PAGE_SIZE;
}

static bool vma_is_in_units(const struct hpage_map_buffer *buf, const struct vm_area_struct *vma)
{
	unsigned long unit = buffer_unit(buf);

	return buffer_has_range(buf, vma->vm_pgoff, vma->vm_end - vma->vm_start, unit) &&
	       addr_is_congruent(vma->vm_start, vma->vm_pgoff, unit);
}

/* Let the lent file make the mapping, which then is that file's and holds the lease. */
static int vma_lend(struct hpage_map_buffer *buf, struct vm_area_struct *vma)
{
	const struct hpm_kind *kind = &hpm_kinds[buf->backing.kind];
	struct file *lease = lease_get(buf);
	ktime_t start = ktime_get();
	int ret;

	if (IS_ERR(lease))
		return PTR_ERR(lease);
	/* Whatever a driver keeps there, hugetlb would take for its own. */
	vma->vm_private_data = NULL;
	/*
	 * Shared mappings use the pages that are there. Private ones reserve a page for each copy
	 * where the kind knows how: a short pool is an errno here and not a SIGBUS later.
	 */
	if (kind->pooled && vma->vm_flags & VM_MAYSHARE)
		vm_flags_mod(vma, VM_NORESERVE, 0);
	else if (kind->pooled)
		vm_flags_mod(vma, 0, VM_NORESERVE);
	/*
	 * A core file would be as large as the buffer. MADV_DODUMP asks for it. What follows in the
	 * file of a reserve is another's.
	 */
	vm_flags_mod(vma, VM_DONTDUMP | (buf->backing.reserve ? VM_DONTEXPAND : 0), 0);

	/* A part of the reserve stands elsewhere in its file. */
	vma->vm_pgoff += buf->backing.start >> PAGE_SHIFT;
	ret = vfs_mmap(buf->backing.file, vma);
	if (ret)
		fput(lease);
	else
		vma_hold_lease(buf, vma, lease);
	trace_hpage_map_map(buf->id, buf->backing.kind, vma->vm_end - vma->vm_start, ret, start);
	return ret;
}

/*
 * Map a part of a buffer, under mmap_lock for writing. On success the VMA is one of the lent inode
 * and holds the lease, which holds the buffer. -ENODEV: it is memory of a program; -EINVAL: offset,
 * length or address is no multiple of the page size, or the part is not within the buffer; -ENOMEM:
 * private, and the hugetlb pool cannot promise pages for its copies, or no memory; -ENFILE.
 */
int hpm_vma_map(struct hpage_map_buffer *buf, struct vm_area_struct *vma)
{
	mmap_assert_write_locked(vma->vm_mm);

	if (!buf->backing.file)
		return -ENODEV;
	return vma_is_in_units(buf, vma) ? vma_lend(buf, vma) : -EINVAL;
}

/*
 * A debugger looks at page frames, which it cannot pin. process_vm_readv(2) does not ask here.
 * Return: bytes, or -EFAULT.
 */
static int frames_access(struct vm_area_struct *vma, unsigned long addr, void *text, int len,
			 int write)
{
	const struct hpage_map_buffer *buf = vma->vm_private_data;
	u64 pos = ((u64)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
	struct page *page = hpm_pages_page(&buf->backing.pages, pos);
	void *at = page_address(page) + offset_in_page(pos);

	if (is_page_hwpoison(page) || (write && !(vma->vm_flags & VM_MAYWRITE)))
		return -EFAULT;
	len = min_t(int, len, PAGE_SIZE - offset_in_page(pos));
	memcpy(write ? at : text, write ? text : at, len);
	return len;
}

/* The VMA's file, which is that of the dma-buf, holds the buffer. */
static const struct vm_operations_struct frames_vm_ops = { .access = frames_access };

/* A range of base pages. remap_pfn_range() wants private mappings whole. */
static int vma_map_frames(struct hpage_map_buffer *buf, struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start, len;
	u64 pos = (u64)vma->vm_pgoff << PAGE_SHIFT;
	struct hpage_map_run run;
	int ret = 0;

	if (!(vma->vm_flags & VM_MAYSHARE) && vma->vm_flags & VM_MAYWRITE)
		return -EINVAL;
	vma->vm_private_data = buf;
	vma->vm_ops = &frames_vm_ops;
	while (!ret && addr < vma->vm_end && hpm_pages_run(&buf->backing.pages, pos, &run)) {
		len = min_t(u64, run.length, vma->vm_end - addr);
		ret = remap_pfn_range(vma, addr, PHYS_PFN(run.address), len, vma->vm_page_prot);
		addr += len;
		pos += len;
	}
	return ret;
}

/*
 * As hpm_vma_map(), at whatever address, for files that do not choose it themselves.
 * Where hugetlb pages do not fit, the VMA gets page frames instead, which programs can use
 * and the kernel cannot pin, and which cannot be private and writable, -EINVAL; pages of the
 * page allocator fit everywhere, if not as huge ones.
 */
int hpm_vma_map_anywhere(struct hpage_map_buffer *buf, struct vm_area_struct *vma)
{
	unsigned long len = vma->vm_end - vma->vm_start;
	bool frames = buf->backing.file && !vma_is_in_units(buf, vma) &&
		      buffer_has_range(buf, vma->vm_pgoff, len, PAGE_SIZE);

	return frames ? vma_map_frames(buf, vma) : hpm_vma_map(buf, vma);
}

/*
 * Refuse a mapping. Programs do not report why, so the log does if one of @bytes, which are or-ed
 * together, is no multiple of the unit.
 */
static int part_refuse(const struct hpage_map_buffer *buf, unsigned long bytes)
{
	unsigned long unit = buffer_unit(buf);

	if (!IS_ALIGNED(bytes, unit))
		hpm_log(true, "may map whole pages only, in multiples of %s; QEMU: align=%lu",
			hpm_text_size(unit).text, unit);
	return -EINVAL;
}

/*
 * Choose an address for a mapping, under mmap_lock. It has the alignment of the offset, for the
 * largest page table entry that the mapping can use: that is a PMD. A mapping as large as a PUD is
 * aligned for one, since the architecture may share page tables of that size. A hint that cannot
 * work is ignored. MAP_FIXED is checked here already, before it replaces what is there. Errors as
 * of hpm_vma_map().
 */
unsigned long hpm_vma_choose(struct hpage_map_buffer *buf, unsigned long addr, unsigned long len,
			     unsigned long pgoff, unsigned long flags)
{
	unsigned long unit = buffer_unit(buf), align, area, padded;
	struct file *file = buf->backing.file;

	if (!file)
		return -ENODEV;
	if (!buffer_has_range(buf, pgoff, len, unit))
		return part_refuse(buf, pgoff << PAGE_SHIFT | len);
	if (!addr_is_congruent(addr, pgoff, unit)) {
		if (flags & MAP_FIXED)
			return part_refuse(buf, addr);
		addr = 0;
	}

	area = file->f_op->get_unmapped_area(file, addr, len, pgoff, flags);
	if (IS_ERR_VALUE(area) || flags & MAP_FIXED || (addr && area == addr))
		return area;

	align = max(unit, len >= PUD_SIZE ? PUD_SIZE : len >= PMD_SIZE ? PMD_SIZE : PAGE_SIZE);
	if (addr_is_congruent(area, pgoff, align))
		return area;

	padded = file->f_op->get_unmapped_area(file, 0, len + align, pgoff, flags);
	if (IS_ERR_VALUE(padded))
		return addr_is_congruent(area, pgoff, unit) ? area : padded;
	return padded + (((pgoff << PAGE_SHIFT) - padded) & (align - 1));
}
