/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers by ioctl: what the tests of HPAGE_MAP_ALLOC share. Where their pages
 * are is asked of the driver and of mm/, and both must say the same.
 */
#ifndef HPM_BUFFERS_H
#define HPM_BUFFERS_H

#include "fixture.h"

#include <linux/hpage_map.h>

#define RW	(PROT_READ | PROT_WRITE)
#define PARAMS	"/sys/module/hpage_map/parameters/"
#define NOBODY	65534
/* A condition that must come has not come, if the machine did nothing for so long. */
#define COMES_MS	60000

/* Ask for @length bytes; what else is wanted is set in what this returns. */
struct hpage_map_alloc wish(uint64_t length, uint64_t page_size, uint32_t flags);
struct hpage_map_alloc wish_on(struct hpage_map_alloc a, uint32_t policy, int node);

/* The answer is in *a, its text in answer. The first returns 0 or -errno. */
extern char answer[HPAGE_MAP_TEXT_SIZE];
int try_alloc(struct hpage_map_alloc *a);
void check_alloc(const char *file, int line, struct hpage_map_alloc *a, int want);
#define CHECK_ALLOC(a, want)	check_alloc(__FILE__, __LINE__, a, want)
void check_says(const char *file, int line, const char *what);
#define CHECK_SAYS(what)	check_says(__FILE__, __LINE__, what)

/* An ordinary buffer that must be had; returns its descriptor. */
int alloc_on(enum hpage_map_backing backing, size_t nr_pages, uint32_t flags);
/* A request that only this rung serves, or one below it. */
struct hpage_map_alloc wish_of(enum hpage_map_backing backing, size_t nr_pages,
				  uint32_t flags);
size_t page_of(enum hpage_map_backing backing);
char *map_answer(const struct hpage_map_alloc *a);

/* Nodes. */
int nr_nodes(void);
/* Bytes of a figure of a node's meminfo, "MemFree:" for example. */
uint64_t node_memory(int node, const char *name);
uint64_t pages_on(int fd, int node);
void check_nodes(const struct hpage_map_alloc *a, uint64_t on_0, uint64_t on_1);
int node_of(const void *addr);
uint64_t node_pool(int node, const char *name);
/* Ask for so many pages of a node; returns how many there are. Or else exactly so many. */
uint64_t ask_node_pool(int node, uint64_t pages);
void set_node_pool(int node, uint64_t pages);
/* The number behind a key of /proc/vmstat, which begins with a line feed and ends with a space. */
uint64_t vmstat(const char *key);
/* So that it has large pieces, side by side. */
void tidy_memory(void);

/* Runs: all of them, whose number is returned; room for max. */
size_t runs_of(int fd, struct hpage_map_run *runs, size_t max);
/* Mapped and from first to last where the runs say. */
void check_addresses(const struct hpage_map_alloc *a);

/* For what comes by itself but not at once. */
#define CHECK_COMES(cond)						\
	do {								\
		struct polls polls_ = {};				\
									\
		while (!(cond) && poll_again(&polls_, COMES_MS))	\
			;						\
		CHECK(cond);						\
	} while (0)

/* A hugetlb file with pages of the pool, each of which can be given back. */
struct hoard {
	int fd;
	size_t nr;
	char *p;
	uint64_t *pfn;
};

void hoard(struct hoard *h, size_t nr, int node);	/* node -1: from anywhere */
void hoard_drop(struct hoard *h, size_t page);
void hoard_free(struct hoard *h);

/* Become an ordinary user with this much RLIMIT_MEMLOCK. */
void become(uid_t uid, size_t memlock);
/* Become root without one of its capabilities. */
void drop_capability(int cap);

/* A control group of its own. */
#define GROUP_ROOT	"/sys/fs/cgroup/"
#define GROUP		GROUP_ROOT "hpage_map-test/"
void make_group(const char *controllers);
void enter_group(void);
void leave_group(void);
void remove_group(void);

#endif
