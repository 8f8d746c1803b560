/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_BACKING_H
#define _HPM_BACKING_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <uapi/linux/hpage_map.h>

#include "limits.h"

struct hpm_window;

/* Why something better could not be had, for people. */
struct hpm_why {
	size_t len;	/* bytes used of @text */
	/* reasons with figures, each with a remedy, separated by semicolons */
	char text[HPAGE_MAP_TEXT_SIZE];
};

/* What is asked for. */
struct hpm_attr {
	u64 size;	/* bytes, rounded up to the page size that is got */
	/* this page size in bytes, or 0 for the best, which is at most what a PMD maps */
	u64 page_size;
	enum hpage_map_policy policy;	/* how @node is meant */
	int node;	/* a node that has memory, with a policy that names one */
	u64 limit;	/* no byte of the pages at this physical address or above; 0 for none */
	bool exact : 1;	/* no smaller page size; with a @page_size of 0, none below a PMD */
	bool allow_base : 1;	/* take base pages rather than fail */
	bool contiguous : 1;	/* in one physical run */
	bool reserve : 1;	/* from the reserve, if it has them */
	bool own : 1;	/* for the module itself, not for a user: no limit of a user applies */
};

/*
 * The pages of a buffer. All else is set before anybody sees the backing and never
 * changes.
 */
struct hpm_backing {
	/* the file that is lent; holds the pages. NULL for memory of a program */
	struct file *file;
	/*
	 * offset of the first page in @file in bytes; not 0 only in a file of the reserve,
	 * which several backings share
	 */
	loff_t start;
	/* of the reserve, through which the pages go back, or NULL */
	struct hpm_window *window;
	struct hpm_charge charge;	/* what they count against */
	/*
	 * the first base page of each of @nr pages of @shift, in the order of their
	 * offsets; each is pinned
	 */
	struct page **pages;
	unsigned long nr;	/* number of pages */
	unsigned long nr_huge;	/* number of different folios that a PMD or more can map */
	unsigned long nr_runs;	/* number of physically contiguous runs */
	unsigned int shift;	/* log2 of the page size in bytes */
	int node;	/* NUMA node of all pages, or HPAGE_MAP_NODE_MIXED */
	u64 end;	/* the physical address where the highest page ends */
	enum hpage_map_backing kind;	/* the rung of the ladder */
	/* among the finished backings, under the lock of offline.c */
	struct list_head guarded;
};

int hpm_backing_pin(struct hpm_backing *b, unsigned long addr, u64 length, struct hpm_why *why);
int hpm_backing_make(struct hpm_backing *b, const struct hpm_attr *attr, struct hpm_why *why);
void hpm_backing_free(struct hpm_backing *b);
unsigned long hpm_backing_pages_on(const struct hpm_backing *b, int node);
bool hpm_backing_run(const struct hpm_backing *b, loff_t *pos, struct hpage_map_run *run);
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
	unsigned long within = pos & ((1UL << b->shift) - 1);

	return b->pages[pos >> b->shift] + (within >> PAGE_SHIFT);
}

/* The physical address of byte @pos, which lies within the backing. */
static inline u64 hpm_backing_address(const struct hpm_backing *b, loff_t pos)
{
	return PFN_PHYS(page_to_pfn(hpm_backing_page(b, pos))) + offset_in_page(pos);
}

/* A maker of pages is interrupted by work of the task, without a signal. */
static inline bool hpm_interrupted(int err)
{
	return err == -EINTR || err == -ERESTARTNOINTR || err == -ERESTARTSYS;
}

/* Memory of the calling program instead; see user.c. */
int hpm_user_pin(unsigned long addr, unsigned long nr, struct page **pages, struct hpm_why *why);
void hpm_user_unpin(struct page **pages, unsigned long nr);

/* Does this machine have pages of that size, be there none free, on a rung? */
bool hpm_hugetlb_has(unsigned long page_size);
bool hpm_thp_has(unsigned long page_size);
bool hpm_base_has(unsigned long page_size);

/*
 * The rungs. Each returns a file of exactly @size bytes, a multiple of
 * @page_size, filled with zeroed pages that are up to date, or
 *
 *   -ENOMEM   the pages are not to be had now; @why says why not
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

/*
 * For the reserve: a file without pages, one page more for it, and some fewer.
 * Errors as above.
 */
unsigned long hpm_hugetlb_surplus(unsigned long page_size);
struct file *hpm_hugetlb_file(unsigned long page_size, u64 size);
int hpm_hugetlb_extend(struct file *file, loff_t pos, unsigned long page_size,
		       struct hpm_why *why);
struct file *hpm_thp_file(unsigned long page_size, u64 size);
int hpm_thp_extend(struct file *file, loff_t pos, unsigned long page_size, struct hpm_why *why);
void hpm_thp_punch(struct file *file, loff_t pos, loff_t len);

#endif
