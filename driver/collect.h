/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COLLECT_H
#define _HPM_COLLECT_H

struct file;
struct hpm_request;

int hpm_collect(struct file *file, const struct hpm_request *r, unsigned long nr,
		unsigned long page_size);

#endif
