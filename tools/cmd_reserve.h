/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CMD_RESERVE_H
#define CMD_RESERVE_H

#include "options.h"

int reserve_set(const struct args *a);

#endif
