/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_FS_H
#define _HPM_FS_H

#include <linux/fs.h>

struct page;

int hpm_fs_init(void);
void hpm_fs_exit(void);

struct file *hpm_fs_create(const char *type, const char *value, loff_t size);
struct file *hpm_fs_open_again(struct file *file, const struct file_operations *fops);
int hpm_fs_allocate(struct file *file, int mode, loff_t pos, loff_t len);
void hpm_fs_punch(struct file *file, loff_t pos, loff_t len);
void hpm_fs_discard(struct file *file);
int hpm_fs_pin(struct file *file, loff_t pos, struct page **page);
void hpm_fs_unpin(struct page *page);
int hpm_fs_seal(struct file *file);
ssize_t hpm_fs_sysfs(const char *path, char *text, size_t size);

#endif
