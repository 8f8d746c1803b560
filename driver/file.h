/* SPDX-License-Identifier: GPL-2.0-only */
/* An open file of a buffer, and what it does. */
#ifndef _HPM_FILE_H
#define _HPM_FILE_H

#include <linux/fs.h>

struct hpage_map_buffer;
struct hpm_call;

struct file *hpm_file_new(struct hpage_map_buffer *buf);
void hpm_file_refer(struct file *file, struct hpage_map_buffer *buf);

extern const struct file_operations hpm_file_fops;

/* For files that do more. */
int hpm_file_release(struct inode *inode, struct file *file);
int hpm_file_mmap(struct file *file, struct vm_area_struct *vma);
unsigned long hpm_file_get_unmapped_area(struct file *file, unsigned long addr,
					 unsigned long len, unsigned long pgoff,
					 unsigned long flags);
ssize_t hpm_file_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t hpm_file_write_iter(struct kiocb *iocb, struct iov_iter *from);
loff_t hpm_file_llseek(struct file *file, loff_t offset, int whence);
void hpm_file_show_fdinfo(struct seq_file *seq, struct file *file);
long hpm_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif
