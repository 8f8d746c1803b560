/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_USER_H
#define _HPM_USER_H

#include <linux/types.h>

struct hpm_backing;
struct hpm_why;

int hpm_user_pin(struct hpm_backing *b, unsigned long addr, u64 length, struct hpm_why *why);

#endif
