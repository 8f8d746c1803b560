/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_FACES_H
#define _HPM_FACES_H

#include <linux/device.h>
#include <linux/fs.h>

#include "buffer.h"

int hpm_default_init(void);
void hpm_default_exit(void);
struct hpm_buffer *hpm_default_get(void);
struct hpm_buffer *hpm_default_peek(void);

int hpm_chardev_init(void);
void hpm_chardev_exit(void);

long hpm_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

extern const struct attribute_group *hpm_sysfs_groups[];

#endif
