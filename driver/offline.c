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
 * sections, with its lock, has the counts; it is a spinlock, and the innermost lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/memory.h>
#include <linux/mmzone.h>
#include <linux/xarray.h>

#include "offline.h"
#include "pages.h"

static DEFINE_XARRAY(sections);		/* pieces of buffers, by section number */

/* A slot once used stays, so that nothing but this needs memory. */
static int section_reserve(unsigned long section, long pieces)
{
	return xa_reserve(&sections, section, GFP_KERNEL);
}

static int section_add(unsigned long section, long pieces)
{
	long old;

	xa_lock(&sections);
	old = xa_to_value(xa_load(&sections, section) ?: xa_mk_value(0));
	__xa_store(&sections, section, xa_mk_value(old + pieces), GFP_NOWAIT);
	xa_unlock(&sections);
	return 0;
}

/* Call for each section @sign times the pieces of @pages in it, until that fails. */
static int sections_walk(const struct hpm_pages *pages, int (*call)(unsigned long, long), int sign)
{
	unsigned long section = 0, at, last;
	struct hpage_map_run run;
	long pieces = 0;
	u64 pos;
	int ret;

	for (pos = 0; hpm_pages_run(pages, pos, &run); pos += run.length) {
		at = pfn_to_section_nr(PHYS_PFN(run.address));
		last = pfn_to_section_nr(PHYS_PFN(run.address + run.length - 1));
		for (; at <= last; section = at++, pieces++) {
			if (!pieces || at == section)
				continue;
			ret = call(section, sign * pieces);
			if (ret)
				return ret;
			pieces = 0;
		}
		cond_resched();
	}
	return pieces ? call(section, sign * pieces) : 0;
}

/* Keep the memory of these pages online. Return: 0, or -ENOMEM. */
int hpm_offline_guard(const struct hpm_pages *pages)
{
	int ret = sections_walk(pages, section_reserve, 1);

	return ret ?: sections_walk(pages, section_add, 1);
}

/* The memory of these pages, which was kept, may go offline again. */
void hpm_offline_release(const struct hpm_pages *pages)
{
	sections_walk(pages, section_add, -1);
}

static int offline_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct memory_notify *memory = data;
	unsigned long at = pfn_to_section_nr(memory->start_pfn);
	unsigned long last = pfn_to_section_nr(memory->start_pfn + memory->nr_pages - 1);

	if (action != MEM_GOING_OFFLINE)
		return NOTIFY_DONE;
	for (; at <= last; at++) {
		if (!xa_to_value(xa_load(&sections, at) ?: xa_mk_value(0)))
			continue;
		pr_info_ratelimited("memory at %#llx stays online, a buffer has pages there\n",
				    (u64)PFN_PHYS(memory->start_pfn));
		return notifier_from_errno(-EBUSY);
	}
	return NOTIFY_OK;
}

static struct notifier_block offline_notifier = {
	.notifier_call = offline_notify,
};

int hpm_offline_init(void)
{
	return register_memory_notifier(&offline_notifier);
}

void hpm_offline_exit(void)
{
	unregister_memory_notifier(&offline_notifier);
	xa_destroy(&sections);
}
