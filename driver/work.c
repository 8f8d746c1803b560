// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workqueues of the module, for work that no task is charged for.
 *
 * They are unbound, because their work takes seconds. The reserve and what is given back stop for
 * hibernation, since memory must not change while an image of it is written. Pages that are given
 * back have a queue of their own with a worker in reserve: that is memory for others, and must not
 * wait for memory to start a worker. Who chooses memory waits for his turn in that of a node, see
 * choose.c.
 *
 * They end before whatever their work needs.
 */
#include <linux/errno.h>

#include "work.h"

struct workqueue_struct *hpm_queues[HPM_QUEUE_NR];

int hpm_work_init(void)
{
	int i;

	hpm_queues[HPM_QUEUE_RESERVE] = alloc_workqueue("hpage_map_reserve",
							WQ_UNBOUND | WQ_FREEZABLE, 0);
	hpm_queues[HPM_QUEUE_RETURN] = alloc_workqueue("hpage_map_return", WQ_UNBOUND |
						       WQ_FREEZABLE | WQ_MEM_RECLAIM, 0);
	for (i = HPM_QUEUE_CHOOSE; i < HPM_QUEUE_NR; i++)
		hpm_queues[i] = alloc_ordered_workqueue("hpage_map_choose%d", 0,
							i - HPM_QUEUE_CHOOSE);
	while (i && hpm_queues[i - 1])
		i--;
	return i ? -ENOMEM : 0;
}

void hpm_work_exit(void)
{
	int i;

	for (i = 0; i < HPM_QUEUE_NR; i++)
		if (hpm_queues[i])
			destroy_workqueue(hpm_queues[i]);
}
