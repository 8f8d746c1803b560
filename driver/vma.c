// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings: the lent file's own, with us as witness.
 *
 * mmap() of the device checks the range against the buffer, lets the lent file make its own
 * true hugetlb or shmem mapping, and then puts that file into the VMA. From there on
 * everything is the business of mm/; there is no fault handler here. Only open and close of
 * the VMA's operations are wrapped, as ipc/shm.c wraps them, because a mapping is a holder:
 * people close the descriptor after mmap() and still expect their pages.
 *
 * The wrapped operations are a copy inside the buffer, and lead back to it: vm_private_data
 * belongs to hugetlb, and the inode's i_private to tmpfs. All mappings of one file have the
 * same operations, so the copy is made once, at the first mmap() and under the buffer's lock.
 *
 * open and close run under mmap_lock. close may drop the last reference to the buffer and to
 * the module while it runs; the copy is freed after a grace period, and module exit waits for
 * tasks that are still on their way out.
 */
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "buffer.h"
#include "kind.h"
#include "vma.h"

static struct hpage_map_buffer *vma_buffer(struct vm_area_struct *vma)
{
	return container_of(vma->vm_ops, struct hpage_map_buffer, vm_ops);
}

static void vma_hold(struct hpage_map_buffer *buf)
{
	__module_get(THIS_MODULE);
	hpm_buffer_get(buf);
	atomic_inc(&buf->mappings);
}

/* fork(), or a part of a mapping becomes a mapping of its own. */
static void vma_open(struct vm_area_struct *vma)
{
	struct hpage_map_buffer *buf = vma_buffer(vma);

	vma_hold(buf);
	if (buf->fs_vm_ops->open)
		buf->fs_vm_ops->open(vma);
}

static void vma_close(struct vm_area_struct *vma)
{
	struct hpage_map_buffer *buf = vma_buffer(vma);

	if (buf->fs_vm_ops->close)
		buf->fs_vm_ops->close(vma);
	atomic_dec(&buf->mappings);
	hpm_buffer_put(buf);
	module_put(THIS_MODULE);
}

static void vma_wrap_ops(struct hpage_map_buffer *buf, struct vm_area_struct *vma)
{
	mutex_lock(&buf->lock);
	if (!buf->fs_vm_ops) {
		buf->vm_ops = *vma->vm_ops;
		buf->vm_ops.open = vma_open;
		buf->vm_ops.close = vma_close;
#if IS_ENABLED(CONFIG_NUMA)
		/*
		 * mbind() sets the policy of the mapping, which counts for private copies; never
		 * that of the file, which may be a whole reserve's.
		 */
		buf->vm_ops.set_policy = NULL;
		buf->vm_ops.get_policy = NULL;
#endif
		buf->fs_vm_ops = vma->vm_ops;
	}
	mutex_unlock(&buf->lock);

	/* All mappings of one file are of one kind. */
	WARN_ON_ONCE(buf->fs_vm_ops != vma->vm_ops);
	vma->vm_ops = &buf->vm_ops;
}

/* Does the buffer have all of this range, and are offset and length multiples of @unit? */
static bool buffer_has_range(const struct hpage_map_buffer *buf, unsigned long pgoff,
			     unsigned long len, unsigned long unit)
{
	unsigned long pages = hpm_buffer_size(buf) >> PAGE_SHIFT;

	return IS_ALIGNED(pgoff << PAGE_SHIFT | len, unit) &&
	       pgoff <= pages && len >> PAGE_SHIFT <= pages - pgoff;
}

/* Do address and offset agree in their bits below @align, a power of two? */
static bool addr_is_congruent(unsigned long addr, unsigned long pgoff, unsigned long align)
{
	return IS_ALIGNED(addr - (pgoff << PAGE_SHIFT), align);
}

/* Is that in whole pages? The same rule on every rung: what runs on one runs on all. */
static bool vma_is_in_pages(const struct hpage_map_buffer *buf, const struct vm_area_struct *vma)
{
	unsigned long page_size = hpm_buffer_page_size(buf);

	return buffer_has_range(buf, vma->vm_pgoff, vma->vm_end - vma->vm_start, page_size) &&
	       addr_is_congruent(vma->vm_start, vma->vm_pgoff, page_size);
}

/* Let the lent file make the mapping, and put it in the place of the VMA's own. */
static int vma_lend(struct hpage_map_buffer *buf, struct vm_area_struct *vma)
{
	const struct hpm_kind *kind = hpm_kind(buf->backing.kind);
	int ret;

	/* Whatever a driver keeps there, hugetlb would take for its own. */
	vma->vm_private_data = NULL;
	/*
	 * Shared mappings use the pages that are there. Private ones reserve a page for each copy
	 * where the kind knows how: a short pool is an errno here and not a SIGBUS later.
	 */
	if (kind->promises_copies && vma->vm_flags & VM_MAYSHARE)
		vm_flags_mod(vma, VM_NORESERVE, 0);
	else if (kind->promises_copies)
		vm_flags_mod(vma, 0, VM_NORESERVE);
	if (!kind->checks_mremap)
		vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, 0);

	/* A part of the reserve stands elsewhere in its file. */
	vma->vm_pgoff += buf->backing.start >> PAGE_SHIFT;
	ret = vfs_mmap(buf->backing.file, vma);
	if (ret)
		return ret;

	vma_set_file(vma, buf->backing.file);
	vma_wrap_ops(buf, vma);
	vma_hold(buf);
	return 0;
}

/*
 * Map a part of a buffer, under mmap_lock for writing. On success the VMA refers to the lent
 * file instead, and holds the buffer. -ENODEV: it is memory of a program; -EINVAL: offset,
 * length or address is no multiple of the page size, or the part is not within the buffer;
 * -ENOMEM: private, and the hugetlb pool cannot promise pages for its copies.
 */
int hpm_vma_map(struct hpage_map_buffer *buf, struct vm_area_struct *vma)
{
	mmap_assert_write_locked(vma->vm_mm);

	if (!hpm_kind(buf->backing.kind)->lent)
		return -ENODEV;
	return vma_is_in_pages(buf, vma) ? vma_lend(buf, vma) : -EINVAL;
}

static const struct vm_operations_struct frames_vm_ops = {};

/*
 * A range of base pages. remap_pfn_range() wants private mappings whole. Nothing of the driver
 * whose file it was works on them.
 */
static int vma_map_frames(struct hpage_map_buffer *buf, struct vm_area_struct *vma)
{
	unsigned long addr = vma->vm_start, len;
	struct hpage_map_run run;
	u64 pos = 0, from = (u64)vma->vm_pgoff << PAGE_SHIFT, skip;
	int ret = 0;

	if (!(vma->vm_flags & VM_MAYSHARE) && vma->vm_flags & VM_MAYWRITE)
		return -EINVAL;
	vma->vm_private_data = NULL;
	vma->vm_ops = &frames_vm_ops;
	while (!ret && addr < vma->vm_end && hpm_pages_run(&buf->backing.pages, &pos, &run)) {
		if (pos <= from)
			continue;
		skip = from - (pos - run.length);
		len = min_t(u64, run.length - skip, vma->vm_end - addr);
		ret = remap_pfn_range(vma, addr, PHYS_PFN(run.address + skip), len,
				      vma->vm_page_prot);
		addr += len;
		from += len;
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
	mmap_assert_write_locked(vma->vm_mm);

	if (!hpm_kind(buf->backing.kind)->lent)
		return -ENODEV;
	if (!buffer_has_range(buf, vma->vm_pgoff, vma->vm_end - vma->vm_start, PAGE_SIZE))
		return -EINVAL;
	if (!hpm_kind(buf->backing.kind)->whole_pages || vma_is_in_pages(buf, vma))
		return vma_lend(buf, vma);
	return vma_map_frames(buf, vma);
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
	unsigned long page_size = hpm_buffer_page_size(buf);
	unsigned long align = page_size, area, padded;
	struct file *file = buf->backing.file;

	if (!hpm_kind(buf->backing.kind)->lent)
		return -ENODEV;
	if (!buffer_has_range(buf, pgoff, len, page_size))
		return -EINVAL;
	if (!addr_is_congruent(addr, pgoff, page_size)) {
		if (flags & MAP_FIXED)
			return -EINVAL;
		addr = 0;
	}

	area = file->f_op->get_unmapped_area(file, addr, len, pgoff, flags);
	if (IS_ERR_VALUE(area) || flags & MAP_FIXED || (addr && area == addr))
		return area;

	if (len >= PUD_SIZE)
		align = max(align, PUD_SIZE);
	else if (len >= PMD_SIZE)
		align = max(align, PMD_SIZE);
	if (addr_is_congruent(area, pgoff, align))
		return area;

	padded = file->f_op->get_unmapped_area(file, 0, len + align, pgoff, flags);
	if (IS_ERR_VALUE(padded))
		return addr_is_congruent(area, pgoff, page_size) ? area : padded;
	return padded + (((pgoff << PAGE_SHIFT) - padded) & (align - 1));
}
