/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_RESERVE_H
#define _HPM_RESERVE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <uapi/linux/hpage_map.h>

#include "why.h"

struct device;
struct file;
struct hpm_place;
struct hpm_reserve_source;

/* Pages of one kind, size and node, see reserve.c. */
struct hpm_reserve {
	struct list_head entry;		/* in hpm_reserves; never changes, nor what follows */
	const struct hpm_reserve_source *source;
	char name[32];			/* in sysfs */
	unsigned long page_size;	/* bytes */
	int node;
	struct file *file;		/* sealed */

	struct device *dev;		/* of reserve_sysfs.c */
	unsigned long asked;		/* pages to keep ready; READ_ONCE() */
	struct delayed_work work;	/* fills and trims */
	struct hpm_why finding;		/* of the worker alone: why it cannot fill */

	struct mutex lock;		/* of what follows */
	u64 head;			/* index in file of the first ready page */
	u64 tail;			/* index of the page behind the last ready one */
	struct hpm_why why;		/* what the worker found when it ended */
};

extern struct list_head hpm_reserves;	/* never changes while anybody else may look */

int hpm_reserve_init(void);
void hpm_reserve_exit(void);

struct hpm_reserve *hpm_reserve_take(enum hpage_map_backing backing, unsigned long page_size,
				     unsigned long nr, const struct hpm_place *place,
				     struct file **file, loff_t *start, struct hpm_why *why);
void hpm_reserve_refill(struct hpm_reserve *r);

int hpm_reserve_ask(struct hpm_reserve *r, unsigned long nr);
unsigned long hpm_reserve_count_good(struct hpm_reserve *r);

int hpm_reserve_sysfs_init(void);
void hpm_reserve_sysfs_exit(void);

#endif
