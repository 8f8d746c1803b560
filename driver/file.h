/* SPDX-License-Identifier: GPL-2.0-only */
/* An open file of a buffer, and what it does. */
#ifndef _HPM_FILE_H
#define _HPM_FILE_H

#include <linux/fs.h>

struct hpage_map_buffer;

struct file *hpm_file_new(struct hpage_map_buffer *buf);
void hpm_file_refer(struct file *file, struct hpage_map_buffer *buf);

extern const struct file_operations hpm_file_fops;

long hpm_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif
