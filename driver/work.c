// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workqueue of the module: made first, destroyed last.
 *
 * It is unbound, because its work zeroes pages for seconds, and freezable, because that work
 * must not run while an image of the memory is written.
 */
#include <linux/errno.h>

#include "work.h"

struct workqueue_struct *hpm_workqueue;

int hpm_work_init(void)
{
	hpm_workqueue = alloc_workqueue("hpage_map", WQ_UNBOUND | WQ_FREEZABLE, 0);
	return hpm_workqueue ? 0 : -ENOMEM;
}

void hpm_work_exit(void)
{
	if (hpm_workqueue)
		destroy_workqueue(hpm_workqueue);
}
