// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who can give a run of physical memory, on a machine as it stands?
 *
 *	bench/contig STATE ROUNDS MIB...	(inside a virtual machine; see bench/run)
 *
 * STATE is that of the machine when somebody is asked:
 *
 *	fresh		as it has booted
 *	fragmented	before each request 7/10 of the memory are taken in base pages, of which
 *			three in each four, at random, are given back
 *	load		fresh, and whoever started this has put it under load
 *
 * In each round every provider is asked for each size, one after the other:
 *
 *	hpage_map	HPAGE_MAP_ALLOC with HPAGE_MAP_CONTIGUOUS, and no pool
 *	hugetlb		a pool that is set now, and of it the same
 *	cma		the dma-heap of the CMA area of this boot, where there is one
 *	coherent	dma_alloc_coherent() for a device without an IOMMU, which is what u-dma-buf
 *			calls; where there is a CMA area it takes from that
 *	heap		the dma-heap "system", which promises no more than 1 MiB in a row
 *
 * Prints "STATE PROVIDER MIB GOT ROUNDS MICROSECONDS MOVED": how often it was had, and of these
 * times medians of how long it took and of how many base pages moved, by /proc/vmstat.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "bench.h"
#include "strangers.h"

#define POOL		"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
#define COHERENT	"/dev/hpm_coherent"
#define MAX_ROUNDS	101
#define MIB		(UINT64_C(1) << 20)

static const char *cma_heap(void)
{
	static const char *const names[] = {
		"/dev/dma_heap/default_cma_region", "/dev/dma_heap/reserved",
		"/dev/dma_heap/linux,cma",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!access(names[i], F_OK))
			return names[i];
	return NULL;
}

/* A run of pages of one backing. Return: a descriptor, or -1. */
static int get_run(enum hpage_map_backing backing, uint64_t size)
{
	int door = open_door();
	struct hpage_map_alloc a = {
		.size = sizeof(a), .length = size, .flags = HPAGE_MAP_CONTIGUOUS,
		.page_size = HUGE_PAGE,
	};
	int ret = ioctl(door, HPAGE_MAP_ALLOC, &a);

	close(door);
	if (ret)
		return -1;
	if (a.got_runs != 1)
		errx(1, "hpage_map gave %" PRIu64 " runs", (uint64_t)a.got_runs);
	if (a.got_backing == backing)
		return a.fd;
	/* The pool has none: another backing served, which is not what is asked here. */
	close(a.fd);
	errno = ENOMEM;
	return -1;
}

static int get_ours(uint64_t size)
{
	return get_run(HPAGE_MAP_BACKING_THP, size);
}

static int get_from_pool(uint64_t size)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, size / HUGE_PAGE);
	write_file(POOL, text);
	return get_run(HPAGE_MAP_BACKING_HUGETLB, size);
}

static void empty_pool(void)
{
	write_file(POOL, "0");
}

static int get_cma(uint64_t size)
{
	return get_from_heap(cma_heap(), size);
}

static int get_system(uint64_t size)
{
	return get_from_heap(SYSTEM_HEAP, size);
}

static int get_coherent(uint64_t size)
{
	int fd = open(COHERENT, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, COHERENT);
	if (dprintf(fd, "%" PRIu64, size) > 0)
		return fd;
	close(fd);
	return -1;
}

static bool is_there(const char *path)
{
	return path && !access(path, F_OK);
}

static bool always(void)
{
	return true;
}

static bool has_cma(void)
{
	return is_there(cma_heap());
}

static bool has_coherent(void)
{
	return is_there(COHERENT);
}

static bool has_system(void)
{
	return is_there(SYSTEM_HEAP);
}

static const struct provider {
	const char *name;
	bool (*possible)(void);
	int (*get)(uint64_t size);
	void (*after)(void);
} providers[] = {
	{ "hpage_map", always, get_ours, NULL },
	{ "hugetlb", always, get_from_pool, empty_pool },
	{ "cma", has_cma, get_cma, NULL },
	{ "coherent", has_coherent, get_coherent, NULL },
	{ "heap", has_system, get_system, NULL },
};

#define NR_PROVIDERS	(sizeof(providers) / sizeof(*providers))
#define MAX_SIZES	16

static struct result {
	int got;
	int64_t us[MAX_ROUNDS];
	int64_t moved[MAX_ROUNDS];
} results[NR_PROVIDERS][MAX_SIZES];

static void ask(const struct provider *p, struct result *r, uint64_t size, bool fragmented)
{
	int64_t moved, start;
	int fd;

	if (fragmented)
		strangers_come(7);
	moved = vmstat("pgmigrate_success");
	start = microseconds();
	fd = p->get(size);
	if (fd >= 0) {
		r->us[r->got] = microseconds() - start;
		r->moved[r->got++] = vmstat("pgmigrate_success") - moved;
		close(fd);
	} else if (errno != ENOMEM) {
		err(1, "%s", p->name);
	}
	if (p->after)
		p->after();
	strangers_go();
}

int main(int argc, char **argv)
{
	int rounds = argc > 3 ? atoi(argv[2]) : 0, nr_sizes = argc - 3;

	if (rounds < 1 || rounds > MAX_ROUNDS || nr_sizes > MAX_SIZES)
		errx(2, "usage: contig fresh|fragmented|load ROUNDS MIB...");
	for (int round = 0; round < rounds; round++)
		for (int s = 0; s < nr_sizes; s++) {
			fprintf(stderr, "%s, round %d of %d: %s MiB\n", argv[1], round + 1, rounds,
				argv[3 + s]);
			for (size_t i = 0; i < NR_PROVIDERS; i++)
				if (providers[i].possible())
					ask(&providers[i], &results[i][s],
					    strtoull(argv[3 + s], NULL, 0) * MIB,
					    !strcmp(argv[1], "fragmented"));
		}
	for (size_t i = 0; i < NR_PROVIDERS; i++)
		for (int s = 0; s < nr_sizes && providers[i].possible(); s++) {
			struct result *r = &results[i][s];

			printf("%s %s %s %d %d %" PRId64 " %" PRId64 "\n", argv[1],
			       providers[i].name, argv[3 + s], r->got, rounds,
			       median(r->us, r->got), median(r->moved, r->got));
		}
	return 0;
}
