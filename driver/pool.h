/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_POOL_H
#define _HPM_POOL_H

#include <linux/types.h>

struct file;
struct hpm_place;

/* What can be had of one page size on the machine or on a node, in pages. */
struct hpm_pool {
	char place[40];			/* of the figures in sysfs */
	char where[20];			/* in words, or empty for the machine */
	unsigned long page_size;	/* bytes */
	unsigned long nr;
	unsigned long free;		/* and promised to nobody */
	unsigned long surplus;		/* of nr, leave the pool when they are freed */
	unsigned long growth;		/* that overcommit still allows */
};

bool hpm_pool_exists(unsigned long page_size);
int hpm_pool_look(struct hpm_pool *pool, const struct hpm_place *place, unsigned long page_size);

struct file *hpm_pool_file(unsigned long page_size, u64 size);
int hpm_pool_allocate(struct file *file, loff_t pos, loff_t len, unsigned long page_size);

#endif
