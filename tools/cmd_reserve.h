/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CMD_RESERVE_H
#define CMD_RESERVE_H

#include "rows.h"

int reserve_rows(struct rows *r, const struct args *a);
int reserve_set(const struct args *a);

#endif
