/* SPDX-License-Identifier: GPL-2.0-only */
/* The kinds of memory that programs compare: ours, and what else there is. */
#ifndef HPM_BENCH_KINDS_H
#define HPM_BENCH_KINDS_H

#include <linux/udmabuf.h>
#include <sys/mman.h>

#include "bench.h"

#define POOL		"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"

static uint64_t size;		/* bytes of the memory that is measured now */
static int door;

static inline int get_ours(enum hpage_map_backing backing)
{
	return get_buffer(door, backing, size,
			  backing == HPAGE_MAP_BACKING_BASE ? 0 : HPAGE_MAP_EXACT).fd;
}

static inline int get_hugetlb(void)
{
	return get_ours(HPAGE_MAP_BACKING_HUGETLB);
}

static inline int get_thp(void)
{
	return get_ours(HPAGE_MAP_BACKING_THP);
}

static inline int get_base(void)
{
	return get_ours(HPAGE_MAP_BACKING_BASE);
}

/* Filled. Memory of tmpfs gets the pages that its mapping asks for. */
static inline int get_memfd(unsigned int flags, int advice)
{
	int fd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
	void *p;

	if (fd < 0 || ftruncate(fd, size))
		err(1, "memfd");
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || madvise(p, size, advice) ||
	    madvise(p, size, MADV_POPULATE_WRITE))
		err(1, "memfd of %" PRIu64 " bytes", size);
	munmap(p, size);
	return fd;
}

static inline int get_memfd_hugetlb(void)
{
	return get_memfd(MFD_HUGETLB | 21U << 26, MADV_NORMAL);
}

static inline int get_memfd_thp(void)
{
	return get_memfd(0, MADV_HUGEPAGE);
}

static inline int get_memfd_base(void)
{
	return get_memfd(0, MADV_NOHUGEPAGE);
}

/* The kernel's own dma-buf of a memfd. It has a limit for its size, which we raise. */
static inline int get_udmabuf_of(int (*get)(void))
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = size };
	int fd, device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);

	if (device < 0)
		return -1;
	write_file("/sys/module/udmabuf/parameters/size_limit_mb", "65536");
	create.memfd = get();
	if (fcntl(create.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		err(1, "F_ADD_SEALS");
	fd = ioctl(device, UDMABUF_CREATE, &create);
	close(create.memfd);
	close(device);
	return fd;
}

static inline int get_udmabuf(void)
{
	return get_udmabuf_of(get_memfd_hugetlb);
}

static inline int get_udmabuf_base(void)
{
	return get_udmabuf_of(get_memfd_base);
}

static inline int get_heap(void)
{
	return access(SYSTEM_HEAP, F_OK) ? -1 : get_from_heap(SYSTEM_HEAP, size);
}

static const struct kind {
	const char *name;
	int (*get)(void);		/* NULL: anonymous memory */
	int flags, advice;		/* of its mapping */
	int pool;			/* it is made of pages of the pool */
} kinds[] = {
	{ "hpage_map-hugetlb", get_hugetlb, MAP_SHARED, MADV_NORMAL, 1 },
	{ "hpage_map-thp", get_thp, MAP_SHARED, MADV_NORMAL, 0 },
	{ "hpage_map-base", get_base, MAP_SHARED, MADV_NORMAL, 0 },
	{ "memfd-hugetlb", get_memfd_hugetlb, MAP_SHARED, MADV_NORMAL, 1 },
	{ "memfd-thp", get_memfd_thp, MAP_SHARED, MADV_HUGEPAGE, 0 },
	{ "memfd-base", get_memfd_base, MAP_SHARED, MADV_NORMAL, 0 },
	{ "udmabuf-hugetlb", get_udmabuf, MAP_SHARED, MADV_NORMAL, 1 },
	{ "dma-heap-system", get_heap, MAP_SHARED, MADV_NORMAL, 0 },
	{ "anon-hugetlb", NULL, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 21 << MAP_HUGE_SHIFT,
	  MADV_NORMAL, 1 },
	{ "anon-thp", NULL, MAP_PRIVATE | MAP_ANONYMOUS, MADV_HUGEPAGE, 0 },
	{ "anon-base", NULL, MAP_PRIVATE | MAP_ANONYMOUS, MADV_NOHUGEPAGE, 0 },
};

#define NR_KINDS	(sizeof(kinds) / sizeof(*kinds))

static inline uint64_t read_number(const char *path)
{
	FILE *f = fopen(path, "re");
	uint64_t number;

	if (!f || fscanf(f, "%" SCNu64, &number) != 1)
		err(1, "%s", path);
	fclose(f);
	return number;
}

static inline void write_number(const char *path, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	write_file(path, text);
}

/*
 * What was measured before may still be on its way back, or have left the memory in pieces. Pages
 * that come back while a pool is made smaller are surplus, until what there is is set.
 */
static inline void set_pool_pages(uint64_t pages)
{
	write_number(POOL, pages);
	for (int tries = 0; read_number(POOL) != pages; tries++) {
		if (tries == 600)
			errx(1, "the pool has %" PRIu64 " of %" PRIu64 " pages",
			     read_number(POOL), pages);
		usleep(100000);
		if (read_number(POOL) < pages)
			write_file("/proc/sys/vm/compact_memory", "1");
		else
			write_number(POOL, read_number(POOL));
		write_number(POOL, pages);
	}
}

/* The pool has as many pages as this kind of memory takes, and no others have any. */
static inline void set_pool(const struct kind *kind)
{
	set_pool_pages(kind->pool ? size / HUGE_PAGE : 0);
}

static inline void *map(const struct kind *kind, int fd)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, kind->flags, fd, 0);

	if (p == MAP_FAILED)
		err(1, "%s: mmap of %" PRIu64 " bytes", kind->name, size);
	if (kind->advice != MADV_NORMAL && madvise(p, size, kind->advice))
		err(1, "%s: madvise", kind->name);
	return p;
}

#endif
