// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a program has got itself, pinned where it is.
 *
 * The program goes on using it, and so may others that share it; the buffer
 * holds the pages beyond the program's munmap() and end. They are pinned for
 * writing, so that copy-on-write has happened and the program sees what a
 * device writes, and as long-term pins, so that they lie where they may stay.
 *
 * Only memory that belongs to nobody but programs is taken: anonymous, shared
 * and hugetlb memory. A file system may want to write back or truncate pages of
 * its files, and not every kernel refuses to pin those.
 *
 * Nothing here is shared, so nothing is locked; mmap_lock is taken by mm/.
 */
#include <linux/backing-dev.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "backing.h"

#define BATCH	512

static bool may_pin(struct page *page)
{
	struct folio *folio = page_folio(page);

	return folio_test_anon(folio) || folio_test_hugetlb(folio) ||
	       /* of what is left, only tmpfs and shared memory */
	       (folio_test_swapbacked(folio) && !folio_is_zone_device(folio));
}

/* Newer kernels do not pin such memory at all, and say no more than EFAULT. */
static bool is_others(unsigned long addr)
{
	struct vm_area_struct *vma;
	bool others = false;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	if (vma && vma->vm_flags & VM_WRITE)
		others = vma->vm_flags & (VM_IO | VM_PFNMAP) ||
			 (vma->vm_flags & VM_SHARED && vma->vm_file &&
			  mapping_can_writeback(vma->vm_file->f_mapping));
	mmap_read_unlock(current->mm);
	return others;
}

static int refuse(unsigned long addr, struct hpm_why *why)
{
	hpm_why(why, "the memory at %#lx belongs to a file system or a device", addr);
	hpm_why_try(why, "memory of mmap(MAP_ANONYMOUS), memfd_create() or shmget()");
	return -EINVAL;
}

static int pin_batch(unsigned long addr, int nr, struct page **pages, struct hpm_why *why)
{
	int got = pin_user_pages_fast(addr, nr, FOLL_WRITE | FOLL_LONGTERM, pages), i;

	if ((!got || got == -EFAULT) && is_others(addr))
		return refuse(addr, why);
	if (got <= 0) {
		hpm_why(why, "the memory at %#lx cannot be pinned for writing", addr);
		return got ?: -EFAULT;
	}
	for (i = 0; i < got; i++) {
		if (may_pin(pages[i]))
			continue;
		unpin_user_pages(pages, got);
		return refuse(addr + ((unsigned long)i << PAGE_SHIFT), why);
	}
	return got;
}

/**
 * hpm_user_pin() - pin memory of the calling program for writing
 * @addr: where it begins, a multiple of the base page size
 * @nr: base pages
 * @pages: room for @nr of them
 * @why: told why it could not be had
 *
 * Context: may sleep; a signal interrupts it.
 * Return: 0, or
 *
 * * -EFAULT: it is not mapped, or not writable
 * * -EINVAL: it belongs to a file system or a device
 * * -EINTR: a signal came
 * * -ENOMEM: there is no memory to move it to where it may stay
 */
int hpm_user_pin(unsigned long addr, unsigned long nr, struct page **pages, struct hpm_why *why)
{
	unsigned long done = 0;
	int got = 0;

	while (done < nr) {
		got = signal_pending(current) ? -EINTR :
			pin_batch(addr + (done << PAGE_SHIFT), min_t(unsigned long, nr - done, BATCH),
				  pages + done, why);
		if (got < 0) {
			hpm_user_unpin(pages, done);
			return got;
		}
		done += got;
		cond_resched();
	}
	return 0;
}

/**
 * hpm_user_unpin() - give back what hpm_user_pin() pinned
 * @pages: the pages; a device may have written to them
 * @nr: how many
 *
 * Context: may sleep.
 */
void hpm_user_unpin(struct page **pages, unsigned long nr)
{
	unpin_user_pages_dirty_lock(pages, nr, true);
}
