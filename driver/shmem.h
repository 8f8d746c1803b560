/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_SHMEM_H
#define _HPM_SHMEM_H

#include <linux/types.h>

struct file;
struct hpm_request;
struct hpm_why;

bool hpm_thp_exists(unsigned long page_size);
struct file *hpm_thp_fill(const struct hpm_request *r, u64 size, unsigned long page_size);
struct file *hpm_base_fill(const struct hpm_request *r, u64 size, unsigned long page_size);

/* For the reserve. */
struct file *hpm_thp_file(unsigned long page_size, u64 size);
int hpm_thp_extend(struct file *file, loff_t pos, unsigned long page_size, struct hpm_why *why);

#endif
