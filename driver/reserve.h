/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_RESERVE_H
#define _HPM_RESERVE_H

#include "backing.h"

int hpm_reserve_init(void);
void hpm_reserve_exit(void);
int hpm_reserve_take(struct hpm_backing *b, const struct hpm_attr *attr, unsigned long nr,
		     struct hpm_why *why);
void hpm_reserve_return(struct hpm_backing *b);

#endif
