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
 * Nothing is locked here; mmap_lock is taken by mm/.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "backing.h"
#include "kind.h"
#include "limits.h"
#include "pages.h"
#include "request.h"
#include "signals.h"
#include "user.h"
#include "why.h"

#define BATCH	512UL

static bool page_may_be_pinned(struct page *page)
{
	struct folio *folio = page_folio(page);

	return folio_test_anon(folio) || folio_test_hugetlb(folio) ||
	       /* of what is left, only tmpfs and shared memory */
	       (folio_test_swapbacked(folio) && !folio_is_zone_device(folio));
}

/*
 * Add pages that were just pinned, as far as that goes, and charge their folios; neighbours of one
 * folio at once. Return: how many; fewer than @nr when there is an error in @err, and then the rest
 * is still pinned.
 */
static int user_add_batch(struct hpm_backing *b, struct page **pages, int nr, int *err,
			  struct hpm_why *why)
{
	struct folio *folio;
	bool charged;
	int i, next;

	for (i = 0; i < nr; i = next) {
		folio = page_folio(pages[i]);
		next = i + 1;
		while (next < nr && pages[next] == pages[next - 1] + 1 &&
		       page_folio(pages[next]) == folio)
			next++;
		charged = folio != hpm_pages_last(&b->pages);
		*err = charged ? hpm_limit_add_folio(&b->charge, folio, why) : 0;
		if (*err)
			break;
		*err = hpm_pages_add(&b->pages, pages[i], PFN_PHYS(next - i));
		if (!*err)
			continue;
		if (charged)
			hpm_limit_sub_folio(&b->charge, folio);
		break;
	}
	return i;
}

static int user_pin_batch(unsigned long addr, int nr, struct page **pages, struct hpm_why *why)
{
	int got = pin_user_pages_fast(addr, nr, FOLL_WRITE | FOLL_LONGTERM, pages), i;

	if (got == -EINTR || got == -ENOMEM)
		return got;
	if (got <= 0)		/* also, on newer kernels, when it belongs to a file system */
		return hpm_refuse(why, got == -EOPNOTSUPP ? -EINVAL : -EFAULT,
				  "writable memory of mmap(MAP_ANONYMOUS) or memfd_create()",
				  "the memory at %#lx cannot be pinned for writing", addr);
	for (i = 0; i < got; i++) {
		if (page_may_be_pinned(pages[i]))
			continue;
		unpin_user_pages(pages, got);
		return hpm_refuse(why, -EINVAL, "memory of mmap(MAP_ANONYMOUS) or memfd_create()",
				  "the memory at %#lx belongs to a file system or a device",
				  addr + ((unsigned long)i << PAGE_SHIFT));
	}
	return got;
}

/* Pin memory and add it. What was added stays there on failure. */
static int user_pin_all(struct hpm_backing *b, unsigned long addr, unsigned long nr,
			struct hpm_why *why)
{
	struct page **pages __free(kfree) = kmalloc_array(BATCH, sizeof(*pages), GFP_KERNEL);
	unsigned long done;
	int got, added, err = 0;

	if (!pages)
		return -ENOMEM;
	for (done = 0; done < nr && !err; done += got) {
		got = hpm_signals_pending() ? -ERESTARTSYS :
		      user_pin_batch(addr + (done << PAGE_SHIFT), min(nr - done, BATCH), pages,
				     why);
		if (got < 0)
			return got;
		added = user_add_batch(b, pages, got, &err, why);
		unpin_user_pages(pages + added, got - added);
		cond_resched();
	}
	return err;
}

/*
 * Take memory of the calling program, pinned for writing. The pages stay the program's, too, and
 * charged as they are; being pinned they count against its user's RLIMIT_MEMLOCK. The backing has
 * no file to lend. Return: 0; -EFAULT when the memory is not mapped or not writable; -EINVAL when
 * it belongs to a file system or a device, or is not in whole base pages; -ERESTARTSYS when a
 * signal came; -ENOMEM when there is no memory to move it to where it may stay; -EDQUOT when the
 * folios are too much for the user.
 */
int hpm_user_pin(struct hpm_backing *b, const struct hpm_request *r)
{
	unsigned long nr = r->length >> PAGE_SHIFT;
	int ret;

	if (!PAGE_ALIGNED(r->address | r->length) || r->address + r->length < r->address)
		return hpm_why_invalid(r->why, "not multiples of the base page size");
	if (nr > totalram_pages())
		return hpm_refuse(r->why, -ENOMEM, "a smaller size", "this machine has less");
	*b = (struct hpm_backing){ .kind = HPAGE_MAP_BACKING_USER, .pages.shift = PAGE_SHIFT };
	ret = hpm_limit_begin(&b->charge, HPM_LIMIT_MEMLOCK) ?:
	      user_pin_all(b, r->address, nr, r->why);
	if (ret)
		hpm_backing_discard(b, hpm_pages_size(&b->pages));
	return ret;
}
