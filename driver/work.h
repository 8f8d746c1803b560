/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_WORK_H
#define _HPM_WORK_H

#include <linux/workqueue.h>

/* For work that no task is charged for. It stops for hibernation. */
extern struct workqueue_struct *hpm_workqueue;

int hpm_work_init(void);
void hpm_work_exit(void);

#endif
