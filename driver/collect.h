/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COLLECT_H
#define _HPM_COLLECT_H

#include "backing.h"

int hpm_collect(struct file *file, const struct hpm_attr *attr, unsigned long nr,
		unsigned long page_size, unsigned long available, struct hpm_why *why);

#endif
