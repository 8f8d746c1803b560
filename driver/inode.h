/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_INODE_H
#define _HPM_INODE_H

#include <linux/fs.h>

struct hpage_map_buffer;

int hpm_inode_pin(void);
void hpm_inode_unpin(void);
struct file *hpm_inode_file(struct hpage_map_buffer *buf, const struct file_operations *fops);

#endif
