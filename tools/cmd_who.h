/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CMD_WHO_H
#define CMD_WHO_H

#include "rows.h"

int who_rows(struct rows *r, const struct args *a);

#endif
