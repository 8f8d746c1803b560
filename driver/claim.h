/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_CLAIM_H
#define _HPM_CLAIM_H

#include <linux/types.h>

struct file;
struct hpm_place;
struct hpm_why;

bool hpm_claim_exists(void);
int hpm_claim_fill(struct file *file, loff_t pos, loff_t end, const struct hpm_place *place,
		   bool in_a_row, struct hpm_why *why);

#endif
