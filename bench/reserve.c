// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long does it take to get memory that is zeroed and wholly there?
 *
 *	bench/reserve BYTES ROUNDS	(inside a virtual machine; see bench/run)
 *
 * Four ways, one after the other in each round, so that all see the same machine:
 *
 *	memfd		memfd_create(MFD_HUGETLB) and fallocate()
 *	dma-heap	an allocation from the system heap, where there is one
 *	ordinary	HPAGE_MAP_ALLOC: a pool's pages, zeroed on our time
 *	reserve		HPAGE_MAP_ALLOC with HPAGE_MAP_RESERVE
 *
 * Prints "NAME ALLOCATE MAP" with medians in microseconds: until there is a
 * descriptor of memory, and from then until it is mapped and one byte of each
 * 2 MiB is read. Before a round the reserve is full again.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <sys/mman.h>

#include "bench.h"

#define READY		"/sys/class/hpage_map_reserve/hugetlb-2048kB-node0/ready"
#define MAX_ROUNDS	101

static uint64_t size;

static int get_memfd(void)
{
	int fd = memfd_create("bench", MFD_CLOEXEC | MFD_HUGETLB | 21U << 26);

	if (fd < 0 || ftruncate(fd, size) || fallocate(fd, 0, 0, size))
		err(1, "memfd");
	return fd;
}

static int get_heap(void)
{
	int fd = get_from_heap(SYSTEM_HEAP, size);

	if (fd < 0)
		err(1, "dma-heap");
	return fd;
}

static int get_pages(uint32_t flags, uint32_t attribute)
{
	int door = open_door();
	struct hpage_map_alloc a = get_buffer(door, HPAGE_MAP_BACKING_HUGETLB, size,
					      HPAGE_MAP_EXACT | flags);

	if ((a.got_attributes & attribute) != attribute)
		errx(1, "hpage_map gave other pages");
	close(door);
	return a.fd;
}

static int get_ordinary(void)
{
	return get_pages(0, 0);
}

static int get_reserve(void)
{
	return get_pages(HPAGE_MAP_RESERVE, HPAGE_MAP_ATTR_RESERVE);
}

static bool always(void)
{
	return true;
}

static bool has_heap(void)
{
	return access(SYSTEM_HEAP, F_OK) == 0;
}

static struct way {
	const char *name;
	bool (*possible)(void);
	int (*get)(void);
	int64_t allocate[MAX_ROUNDS];
	int64_t map[MAX_ROUNDS];
} ways[] = {
	{ .name = "memfd", .possible = always, .get = get_memfd },
	{ .name = "dma-heap", .possible = has_heap, .get = get_heap },
	{ .name = "ordinary", .possible = always, .get = get_ordinary },
	{ .name = "reserve", .possible = always, .get = get_reserve },
};

static void measure(struct way *way, int round)
{
	int64_t start = microseconds(), got;
	int fd = way->get();
	volatile char *p;

	got = microseconds();
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		err(1, "%s: mmap", way->name);
	for (uint64_t at = 0; at < size; at += HUGE_PAGE)
		if (p[at])
			errx(1, "%s: not zeroed", way->name);
	way->map[round] = microseconds() - got;
	way->allocate[round] = got - start;
	memset((char *)p, 1, HUGE_PAGE);
	munmap((char *)p, size);
	close(fd);
}

static void wait_for_reserve(void)
{
	unsigned long ready = 0;
	FILE *f;

	for (int polls = 0; polls < 60000; polls++) {
		f = fopen(READY, "re");
		if (!f || fscanf(f, "%lu", &ready) != 1)
			err(1, READY);
		fclose(f);
		if (ready >= size / HUGE_PAGE)
			return;
		usleep(10000);
	}
	errx(1, "the reserve has only %lu pages", ready);
}

int main(int argc, char **argv)
{
	int rounds = argc == 3 ? atoi(argv[2]) : 0;

	if (rounds < 1 || rounds > MAX_ROUNDS)
		errx(2, "usage: reserve BYTES ROUNDS");
	size = strtoull(argv[1], NULL, 0);

	for (int round = 0; round < rounds; round++) {
		wait_for_reserve();
		for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
			if (ways[i].possible())
				measure(&ways[i], round);
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (ways[i].possible())
			printf("%s %" PRId64 " %" PRId64 "\n", ways[i].name,
			       median(ways[i].allocate, rounds), median(ways[i].map, rounds));
	return 0;
}
