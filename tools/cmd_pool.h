/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CMD_POOL_H
#define CMD_POOL_H

#include "options.h"

int pool_set(const struct args *a);

#endif
