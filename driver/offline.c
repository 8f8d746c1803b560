// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory under lent pages does not go offline.
 *
 * Taking memory offline migrates what lies on it, and tries again for as long as something is
 * pinned, which here may be forever. So the attempt is refused before it begins, with a line in
 * the log. A buffer that is being made is not known here yet: the attempt then goes on until
 * somebody ends it.
 *
 * Each section of memory, the smallest that goes offline, has a count of the pieces of buffers
 * in it. So a look takes the same time however many buffers there are and however large.
 *
 * sections has the counts. Its lock is a spinlock, and the innermost lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/memory.h>
#include <linux/mmzone.h>
#include <linux/xarray.h>

#include "offline.h"
#include "pages.h"

static DEFINE_XARRAY(sections);		/* pieces of buffers, by section number */

/* A slot once used stays, so that only the first piece in a section needs memory. */
static void section_add(unsigned long section, long pieces)
{
	void *old = xa_load(&sections, section), *seen;

	while ((seen = xa_cmpxchg(&sections, section, old, xa_mk_value(xa_to_value(old) + pieces),
				  GFP_KERNEL | __GFP_NOFAIL)) != old)
		old = seen;
}

/*
 * Each run of @pages becomes a piece more (1) or fewer (-1) in each section that it touches, whose
 * memory stays online while it has pieces.
 */
void hpm_offline_count(const struct hpm_pages *pages, long pieces)
{
	unsigned long at, last;
	struct hpage_map_run run;
	u64 pos;

	for (pos = 0; hpm_pages_run(pages, pos, &run); pos += run.length) {
		last = pfn_to_section_nr(PHYS_PFN(run.address + run.length - 1));
		for (at = pfn_to_section_nr(PHYS_PFN(run.address)); at <= last; at++)
			section_add(at, pieces);
		cond_resched();
	}
}

static int offline_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct memory_notify *memory = data;
	unsigned long at = pfn_to_section_nr(memory->start_pfn);
	unsigned long last = pfn_to_section_nr(memory->start_pfn + memory->nr_pages - 1);

	if (action != MEM_GOING_OFFLINE)
		return NOTIFY_DONE;
	for (; at <= last; at++) {
		if (!xa_to_value(xa_load(&sections, at)))
			continue;
		pr_info_ratelimited("memory at %#llx stays online, a buffer has pages there\n",
				    (u64)PFN_PHYS(memory->start_pfn));
		return notifier_from_errno(-EBUSY);
	}
	return NOTIFY_OK;
}

static struct notifier_block offline_notifier = { .notifier_call = offline_notify };

int hpm_offline_init(void)
{
	return register_memory_notifier(&offline_notifier);
}

void hpm_offline_exit(void)
{
	unregister_memory_notifier(&offline_notifier);
	xa_destroy(&sections);
}
