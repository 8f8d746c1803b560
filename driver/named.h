/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_NAMED_H
#define _HPM_NAMED_H

#include <linux/types.h>

struct hpage_map_buffer;
struct hpm_request;
struct inode;

struct hpage_map_buffer *hpm_named_create(const struct hpm_request *r);
int hpm_named_destroy(const char *name, u32 id);
struct hpage_map_buffer *hpm_named_get(const struct inode *node);
void hpm_named_exit(void);

#endif
