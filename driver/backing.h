/* SPDX-License-Identifier: GPL-2.0-only */
/* The lower storey: where pages come from, and whose they may be. */
#ifndef _HPM_BACKING_H
#define _HPM_BACKING_H

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/signal_types.h>
#include <linux/workqueue.h>
#include <uapi/linux/hpage_map.h>

/* Reasons for people, with figures and a remedy each, separated by semicolons. */
struct hpm_why {
	size_t len;	/* bytes used of text */
	char text[HPAGE_MAP_TEXT_SIZE];
};

/* What is asked for. */
struct hpm_attr {
	u64 size;			/* bytes, rounded up to the page size that is got */
	u64 page_size;			/* bytes; 0 for the best, at most what a PMD maps */
	enum hpage_map_policy policy;	/* how node is meant */
	int node;			/* one that has memory, with a policy that names one */
	u64 limit;			/* the first physical address out of reach; 0 for none */
	bool exact : 1;			/* no smaller page size; none below a PMD if it is 0 */
	bool allow_base : 1;		/* take base pages rather than fail */
	bool contiguous : 1;		/* in one physical run */
	bool reserve : 1;		/* from the reserve, if it has them */
	bool own : 1;			/* the module's or a driver's: no limit of a user */
};

enum hpm_limit {
	HPM_LIMIT_MEMLOCK,	/* RLIMIT_MEMLOCK, with all else that the user has pinned */
	HPM_LIMIT_HUGETLB,	/* the parameter user_hugetlb */
	HPM_LIMIT_RESERVE,	/* the parameter user_reserve */
};

/* Bytes that count against a limit of a user; all zero for none. */
struct hpm_charge {
	struct hpm_user *user;		/* held; NULL: nobody is charged */
	enum hpm_limit limit;
	u64 bytes;
};

/*
 * The pages of a buffer. What says nothing else is set before anybody sees them, and never
 * changes until they are given back.
 */
struct hpm_backing {
	struct file *file;		/* that is lent; NULL for memory of a program */
	loff_t start;			/* of the first page in file; not 0 only in a reserve's */
	struct hpm_reserve *reserve;	/* whose file and pages they are, or NULL */
	struct hpm_charge charge;
	struct hpm_extent *extents;	/* of the pages, all pinned, see pages.c */
	unsigned long nr_runs;		/* number of extents */
	unsigned long nr;		/* number of pages */
	unsigned long nr_huge;		/* folios that a PMD or more can map */
	unsigned int shift;		/* log2 of the page size in bytes */
	int node;			/* of all pages, or HPAGE_MAP_NODE_MIXED */
	u64 end;			/* physical address where the highest page ends */
	enum hpage_map_backing kind;
	bool guarded;			/* against going offline */

	/* Of whoever gives the pages back, see release.c. */
	struct hpm_lingering *lingering;
	unsigned long nr_lingering;	/* pages that others still have; READ_ONCE() */
};

int hpm_backing_make(struct hpm_backing *b, const struct hpm_attr *attr, struct hpm_why *why);
int hpm_backing_pin(struct hpm_backing *b, unsigned long addr, u64 length, struct hpm_why *why);
const char *hpm_backing_name(enum hpage_map_backing kind);
u64 hpm_backing_features(void);

__printf(4, 5) void hpm_why_add(struct hpm_why *why, const char *before, const char *behind,
				const char *fmt, ...);
/* Add a reason; and what a person can do about the last one. */
#define hpm_why(why, ...)	hpm_why_add(why, NULL, "", __VA_ARGS__)
#define hpm_why_try(why, ...)	hpm_why_add(why, " (try: ", ")", __VA_ARGS__)

void hpm_backing_drop(struct hpm_backing *b, u64 size);
void hpm_backing_free(struct hpm_backing *b);
bool hpm_backing_settle(struct hpm_backing *b);
void hpm_backing_abandon(struct hpm_backing *b);

static inline u64 hpm_backing_size(const struct hpm_backing *b)
{
	return (u64)b->nr << b->shift;
}

struct page *hpm_backing_page(const struct hpm_backing *b, loff_t pos);
u64 hpm_backing_address(const struct hpm_backing *b, loff_t pos);
bool hpm_backing_run(const struct hpm_backing *b, loff_t *pos, struct hpage_map_run *run);

int hpm_pages_add(struct hpm_backing *b, struct page *page, u64 bytes);
void hpm_pages_free(struct hpm_backing *b);
struct folio *hpm_pages_last(const struct hpm_backing *b);
struct folio *hpm_pages_folio(const struct hpm_backing *b, u64 *pos, u64 *bytes);
bool hpm_pages_run(const struct hpm_backing *b, u64 i, struct hpage_map_run *run);
void hpm_pages_by_node(const struct hpm_backing *b, int first, unsigned int nr, u64 *pages);
unsigned long hpm_pages_longest(const struct hpm_backing *b);
bool hpm_folio_is_bad(struct folio *folio);

/* Did a signal end it? mm/ says EINTR to tasks that die. */
static inline bool hpm_interrupted(int err)
{
	return err == -EINTR || err == -ERESTARTSYS;
}

bool hpm_signalled(void);
void hpm_signals_hold(sigset_t *before);
void hpm_signals_release(sigset_t *before);

/* Does this machine have pages of that size, be there none free, on a rung? */
bool hpm_hugetlb_has(unsigned long page_size);
bool hpm_thp_has(unsigned long page_size);

/*
 * The rungs. Each returns a file of exactly size bytes, a multiple of page_size, filled with
 * zeroed pages that are up to date, or an ERR_PTR: -ENOMEM when the pages are not to be had
 * now, and why says why not; -ERESTARTSYS: a signal; or another that no lower rung could mend.
 */
struct file *hpm_hugetlb_fill(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			      struct hpm_why *why);
struct file *hpm_thp_fill(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			  struct hpm_why *why);
struct file *hpm_base_fill(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			   struct hpm_why *why);

/* For the reserve: a file without pages, one page more, some fewer. Errors as above. */
struct file *hpm_hugetlb_file(unsigned long page_size, u64 size);
int hpm_hugetlb_allocate(struct file *file, loff_t pos, loff_t len, unsigned long page_size);
int hpm_hugetlb_extend(struct file *file, loff_t pos, unsigned long page_size, struct hpm_why *why);
void hpm_hugetlb_look(unsigned long page_size, int node, unsigned long *free,
		      unsigned long *surplus);
struct file *hpm_thp_file(unsigned long page_size, u64 size);
int hpm_thp_extend(struct file *file, loff_t pos, unsigned long page_size, struct hpm_why *why);

int hpm_collect(struct file *file, const struct hpm_attr *attr, unsigned long nr,
		unsigned long page_size, struct hpm_why *why);

int hpm_reserve_init(void);
void hpm_reserve_exit(void);
int hpm_reserve_take(struct hpm_backing *b, const struct hpm_attr *attr, unsigned long nr,
		     struct hpm_why *why);
void hpm_reserve_return(struct hpm_backing *b);

int hpm_user_pin(struct hpm_backing *b, unsigned long addr, unsigned long nr, struct hpm_why *why);

int hpm_limit_begin(struct hpm_charge *charge, enum hpm_limit limit);
int hpm_limit_add(struct hpm_charge *charge, u64 bytes, struct hpm_why *why);
void hpm_limit_sub(struct hpm_charge *charge, u64 bytes);
void hpm_limit_end(struct hpm_charge *charge);
int hpm_limit_add_folio(struct hpm_charge *charge, struct folio *folio, struct hpm_why *why);
void hpm_limit_sub_folio(struct hpm_charge *charge, struct folio *folio);

/* Nodes to look at one after the other. */
struct hpm_nodes {
	int first;		/* look here first, if it is among them */
	nodemask_t left;
};

void hpm_nodes_begin(struct hpm_nodes *nodes, const struct hpm_attr *attr);
int hpm_nodes_next(struct hpm_nodes *nodes);
int hpm_policy_near(struct device *dev);
struct hpm_policy *hpm_policy_enter(const struct hpm_attr *attr);
void hpm_policy_leave(struct hpm_policy *policy);
void hpm_policy_exit(void);

bool hpm_room_has(const struct hpm_attr *attr, u64 size, const char *rung, struct hpm_why *why);

int hpm_offline_init(void);
void hpm_offline_exit(void);
int hpm_offline_guard(struct hpm_backing *b);
void hpm_offline_release(struct hpm_backing *b);

int hpm_fs_init(void);
void hpm_fs_exit(void);
struct file *hpm_fs_create(const char *type, const char *value, loff_t size);
int hpm_fs_allocate(struct file *file, loff_t pos, loff_t len);
void hpm_fs_punch(struct file *file, loff_t pos, loff_t len);
void hpm_fs_discard(struct file *file);
int hpm_fs_pin(struct file *file, loff_t pos, struct page **page);
void hpm_fs_unpin(struct page *page);
int hpm_fs_seal(struct file *file);
ssize_t hpm_fs_sysfs(const char *path, char *text, size_t size);

bool hpm_log_may(bool refused);

/* For work that no task is charged for; made first and destroyed last. */
extern struct workqueue_struct *hpm_workqueue;

/* A parameter in bytes, with a suffix: 64M, 1G, or max. */
extern const struct kernel_param_ops hpm_param_ops_bytes;
int hpm_parse_bytes(const char *text, u64 *bytes);

#endif
