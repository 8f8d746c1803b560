/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_BACKING_H
#define _HPM_BACKING_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <uapi/linux/hpage_map.h>

/**
 * struct hpm_why - why something better could not be had, for people
 * @len: bytes used of @text
 * @text: reasons with figures, each with a remedy, separated by semicolons
 */
struct hpm_why {
	size_t len;
	char text[512];
};

/**
 * struct hpm_attr - what is asked for
 * @size: bytes, rounded up to the page size that is got
 * @page_size: exactly this page size in bytes, or 0 for the best, which is at
 *	most what a PMD maps
 * @allow_base: with a @page_size of 0, take base pages rather than fail
 */
struct hpm_attr {
	u64 size;
	u64 page_size;
	bool allow_base;
};

/**
 * struct hpm_backing - the pages of a buffer
 * @file: the file that is lent; holds the pages
 * @folios: @nr pinned folios, one for each page of @shift in the order of
 *	their offsets; one that is larger than a page stands here several times
 * @nr: number of pages
 * @nr_huge: number of different folios that a PMD or more can map
 * @nr_runs: number of physically contiguous runs
 * @shift: log2 of the page size in bytes
 * @node: NUMA node of all pages, or HPAGE_MAP_NODE_MIXED
 * @kind: the rung of the ladder
 * @guarded: among the finished backings, under the lock of offline.c
 *
 * All else is set before anybody sees the backing and never changes.
 */
struct hpm_backing {
	struct file *file;
	struct folio **folios;
	unsigned long nr;
	unsigned long nr_huge;
	unsigned long nr_runs;
	unsigned int shift;
	int node;
	enum hpage_map_backing kind;
	struct list_head guarded;
};

int hpm_backing_make(struct hpm_backing *b, const struct hpm_attr *attr, struct hpm_why *why);
void hpm_backing_free(struct hpm_backing *b);
const char *hpm_backing_name(enum hpage_map_backing kind);
u64 hpm_backing_features(void);
__printf(2, 3) void hpm_why(struct hpm_why *why, const char *fmt, ...);
__printf(2, 3) void hpm_why_try(struct hpm_why *why, const char *fmt, ...);

static inline u64 hpm_backing_size(const struct hpm_backing *b)
{
	return (u64)b->nr << b->shift;
}

int hpm_offline_init(void);
void hpm_offline_exit(void);
void hpm_offline_guard(struct hpm_backing *b);
void hpm_offline_release(struct hpm_backing *b);

/* The base page at byte @pos, which lies within the backing. */
static inline struct page *hpm_backing_page(const struct hpm_backing *b, loff_t pos)
{
	struct folio *folio = b->folios[pos >> b->shift];

	/* A folio stands at a multiple of its size in its file. */
	return folio_page(folio, (pos & (folio_size(folio) - 1)) >> PAGE_SHIFT);
}

/*
 * The rungs. Each returns a file of exactly @size bytes, a multiple of
 * @page_size, filled with zeroed pages that are up to date, or
 *
 *   -EINVAL   this machine has no pages of that size
 *   -ENOMEM   it has, but they are not to be had now; @why says why not
 *   -EINTR    a signal came
 *
 * or another errno that no lower rung could mend.
 */
struct file *hpm_hugetlb_fill(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			      struct hpm_why *why);
struct file *hpm_thp_fill(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			  struct hpm_why *why);
struct file *hpm_base_fill(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			   struct hpm_why *why);

#endif
