// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory under lent pages does not go offline.
 *
 * Taking memory offline migrates what lies on it, and tries again for as long as something is
 * pinned, which here may be forever. So the attempt is refused before it begins, and the log
 * says by whom.
 * One that is being made is not known here yet: the attempt then goes on until it is ended.
 * All finished backings stand in one list, under one mutex, which is the innermost lock: it is
 * taken under the locks of memory hotplug, and under mmap_lock when a mapping was the last
 * holder.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/memory.h>
#include <linux/mutex.h>

#include "backing.h"

static LIST_HEAD(backings);
static DEFINE_MUTEX(backings_lock);

/* Keep the memory of a backing online. */
void hpm_offline_guard(struct hpm_backing *b)
{
	mutex_lock(&backings_lock);
	list_add(&b->guarded, &backings);
	mutex_unlock(&backings_lock);
}

/* The memory of a backing may go offline again. Legal under mmap_lock. */
void hpm_offline_release(struct hpm_backing *b)
{
	mutex_lock(&backings_lock);
	list_del(&b->guarded);
	mutex_unlock(&backings_lock);
}

/* Does a page of @b lie in the physical addresses [@start, @end)? */
static bool lies_in(const struct hpm_backing *b, u64 start, u64 end)
{
	struct hpage_map_run run;
	loff_t pos = 0;

	while (hpm_backing_run(b, &pos, &run))
		if (run.address < end && run.address + run.length > start)
			return true;
	return false;
}

static int going_offline(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct memory_notify *memory = data;
	u64 start = PFN_PHYS(memory->start_pfn);
	const struct hpm_backing *b;
	int ret = NOTIFY_OK;

	if (action != MEM_GOING_OFFLINE)
		return NOTIFY_DONE;

	mutex_lock(&backings_lock);
	list_for_each_entry(b, &backings, guarded) {
		if (!lies_in(b, start, start + PFN_PHYS(memory->nr_pages)))
			continue;
		pr_info_ratelimited("memory at %#llx stays online, a buffer has pages there\n",
				    start);
		ret = notifier_from_errno(-EBUSY);
		break;
	}
	mutex_unlock(&backings_lock);
	return ret;
}

static struct notifier_block offline_notifier = {
	.notifier_call = going_offline,
};

int hpm_offline_init(void)
{
	return register_memory_notifier(&offline_notifier);
}

void hpm_offline_exit(void)
{
	unregister_memory_notifier(&offline_notifier);
}
