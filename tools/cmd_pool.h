/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CMD_POOL_H
#define CMD_POOL_H

#include "rows.h"

int pool_rows(struct rows *r, const struct args *a);
int pool_set(const struct args *a);

#endif
