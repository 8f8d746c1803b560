/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CMD_LIST_H
#define CMD_LIST_H

#include "rows.h"

int list_rows(struct rows *r);

#endif
