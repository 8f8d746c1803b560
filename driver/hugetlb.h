/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_HUGETLB_H
#define _HPM_HUGETLB_H

#include <linux/types.h>

struct file;
struct hpm_request;
struct hpm_why;

struct file *hpm_hugetlb_fill(const struct hpm_request *r, u64 size, unsigned long page_size);
int hpm_hugetlb_extend(struct file *file, loff_t pos, unsigned long page_size, struct hpm_why *why);

#endif
