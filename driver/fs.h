/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_FS_H
#define _HPM_FS_H

#include <linux/fs.h>
#include <linux/pagemap.h>

struct page;

/* The hidden mounts: each kind of tmpfs by its option "huge", hugetlbfs by its page size. */
enum hpm_fs {
	HPM_FS_ALWAYS,
	HPM_FS_WITHIN_SIZE,
	HPM_FS_NEVER,
	HPM_FS_POOL,			/* and the binary logarithm of the page size */
	HPM_FS_NR = HPM_FS_POOL + BITS_PER_LONG
};

/* Can files of tmpfs have folios of the PMD size? The page cache takes none of 512 MiB (arm64). */
static inline bool hpm_fs_has_thp(void)
{
	return has_transparent_hugepage() && PMD_SHIFT - PAGE_SHIFT < 2 * XA_CHUNK_SHIFT;
}

int hpm_fs_init(void);
void hpm_fs_exit(void);

struct file *hpm_fs_create(enum hpm_fs fs, loff_t size);
struct file *hpm_fs_open_again(struct file *file, const struct file_operations *fops);
int hpm_fs_allocate(struct file *file, int mode, loff_t pos, loff_t len);
void hpm_fs_punch(struct file *file, loff_t pos, loff_t len);
void hpm_fs_discard(struct file *file);
int hpm_fs_pin(struct file *file, loff_t pos, struct page **page);
void hpm_fs_unpin(struct folio *folio);
int hpm_fs_seal(struct file *file);
ssize_t hpm_fs_sysfs(const char *path, char *text, size_t size);

#endif
