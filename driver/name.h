/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_NAME_H
#define _HPM_NAME_H

#include <linux/types.h>

struct hpm_why;

bool hpm_name_valid(const char *name);
int hpm_name_check(const char *name, struct hpm_why *why);

#endif
