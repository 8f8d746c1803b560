/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_BACKING_H
#define _HPM_BACKING_H

#include <linux/xarray.h>
#include <uapi/linux/hpage_map.h>

#include "limits.h"
#include "pages.h"

struct file;
struct hpm_reserve;

/*
 * The pages of a buffer, whose they are, and what they are charged for. Fields without a note are
 * set before anybody sees them, and do not change until the pages are given back.
 */
struct hpm_backing {
	enum hpage_map_backing kind;
	struct hpm_pages pages;
	struct file *file;		/* held; it is lent; NULL for memory of a program */
	loff_t start;			/* of the first page in file; not 0 only in a reserve's */
	struct hpm_reserve *reserve;	/* whose file and pages they are, or NULL */
	struct hpm_charge charge;

	/* Of whoever gives the pages back. */
	struct xarray lingering;	/* folios, each with a reference of ours */
	unsigned long nr_lingering;	/* pages that others still have; READ_ONCE() */
};

bool hpm_backing_free(struct hpm_backing *b);
bool hpm_backing_settle(struct hpm_backing *b);
void hpm_backing_abandon(struct hpm_backing *b);
void hpm_backing_discard(struct hpm_backing *b, u64 size);

#endif
