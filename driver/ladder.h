/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_LADDER_H
#define _HPM_LADDER_H

#include <linux/types.h>

struct hpm_backing;
struct hpm_request;

int hpm_ladder_make(struct hpm_backing *b, const struct hpm_request *r);
u64 hpm_ladder_features(void);

#endif
