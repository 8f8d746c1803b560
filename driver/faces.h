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

/* The minor number of the default buffer and the door; named buffers have the others. */
#define HPM_MINOR_DEFAULT	0
#define HPM_MINORS		(1U << 16)

extern struct class hpm_class;
int hpm_chardev_init(void);
int hpm_chardev_publish(void);
void hpm_chardev_exit(void);
dev_t hpm_chardev_devt(unsigned int minor);
bool hpm_chardev_is_door(const struct file *file);
struct file *hpm_chardev_file(struct hpm_buffer *buf);

bool hpm_named_valid(const char *name);
int hpm_named_create(const char *name, umode_t mode, kuid_t uid, kgid_t gid,
		     const struct hpm_attr *attr, struct hpm_why *why, struct hpm_buffer **buf);
int hpm_named_destroy(const char *name, u32 id);
struct hpm_buffer *hpm_named_get(const struct inode *node);
int hpm_named_init(void);
int hpm_named_publish(void);
void hpm_named_exit(void);

long hpm_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

extern const struct attribute_group *hpm_sysfs_groups[];

#endif
