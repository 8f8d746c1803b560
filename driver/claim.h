/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_CLAIM_H
#define _HPM_CLAIM_H

#include <linux/mm.h>

struct file;
struct hpm_place;
struct hpm_why;

/* Can it be done with this kernel? */
static inline bool hpm_claim_exists(void)
{
	return IS_ENABLED(CONFIG_CONTIG_ALLOC) && has_transparent_hugepage();
}

int hpm_claim(struct file *file, loff_t pos, loff_t end, const struct hpm_place *place,
	      bool in_a_row, struct hpm_why *why);

#endif
