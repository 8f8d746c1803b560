/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_WORK_H
#define _HPM_WORK_H

#include <linux/workqueue.h>

#define HPM_QUEUES_CHOOSE	8	/* if there are more nodes, some share one */

/* The queues, see work.c. */
enum hpm_queue {
	HPM_QUEUE_RESERVE,
	HPM_QUEUE_RETURN,	/* pages that are given back */
	HPM_QUEUE_CHOOSE,	/* that of node 0, and those of others follow */
	HPM_QUEUE_NR = HPM_QUEUE_CHOOSE + HPM_QUEUES_CHOOSE,
};

extern struct workqueue_struct *hpm_queues[HPM_QUEUE_NR];

int hpm_work_init(void);
void hpm_work_exit(void);

#endif
