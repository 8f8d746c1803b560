// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does it cost to get memory that is zeroed and wholly there, and to give it back?
 *
 *	bench/make ROUNDS OTHERS MIB...		(inside a virtual machine; see bench/run)
 *
 * Each round goes through all kinds of memory that have a descriptor, one after the other. Prints
 * "KIND BYTES NUMBER ACTION MICROSECONDS MIN MAX" with the median, the least and the most:
 *
 *	get, give	one of that size, and the close() that gives it back; of the rounds. The
 *			pool has its pages before that, and is not measured
 *	each		getting one of 4 KiB or 2 MiB while there are up to NUMBER: the mean of
 *			those from a tenth of NUMBER on, of the rounds; NUMBER goes to OTHERS
 *	give-each	giving NUMBER of them back, for each
 *
 * "contiguous" is one run of memory without a pool. bench/reserve measures the reserve.
 */
#define _GNU_SOURCE
#include <sys/resource.h>

#include "kinds.h"

#define MAX_ROUNDS	99
#define MAX_DECADES	6

/* Return: -1 where there is no such run. */
static int get_contiguous(void)
{
	struct hpage_map_alloc a = {
		.size = sizeof(a), .length = size, .page_size = HUGE_PAGE,
		.flags = HPAGE_MAP_EXACT | HPAGE_MAP_CONTIGUOUS,
	};

	return ioctl(door, HPAGE_MAP_ALLOC, &a) ? -1 : a.fd;
}

static const struct way {
	const char *name;
	int (*get)(void);
	int pool;
	uint64_t small;		/* bytes of the smallest */
} ways[] = {
	{ "hpage_map-hugetlb", get_hugetlb, 1, HUGE_PAGE },
	{ "hpage_map-thp", get_thp, 0, HUGE_PAGE },
	{ "hpage_map-contiguous", get_contiguous, 0, HUGE_PAGE },
	{ "hpage_map-base", get_base, 0, BASE_PAGE },
	{ "memfd-hugetlb", get_memfd_hugetlb, 1, HUGE_PAGE },
	{ "memfd-thp", get_memfd_thp, 0, HUGE_PAGE },
	{ "memfd-base", get_memfd_base, 0, BASE_PAGE },
	{ "dma-heap-system", get_heap, 0, BASE_PAGE },
};

#define NR_WAYS	(sizeof(ways) / sizeof(*ways))

static int64_t get_us[NR_WAYS][MAX_DECADES][MAX_ROUNDS];
static int64_t give_us[NR_WAYS][MAX_DECADES][MAX_ROUNDS];

/* Pages for this way and no other. */
static void set_pages(const struct way *way, uint64_t bytes)
{
	set_pool_pages(way->pool ? bytes / HUGE_PAGE : 0);
}

static void print(const struct way *way, int number, const char *action, int64_t *us, int rounds)
{
	int64_t us_median = median(us, rounds);

	if (us[0] < 0)
		return;
	printf("%s %" PRIu64 " %d %s %" PRId64 " %" PRId64 " %" PRId64 "\n", way->name, size,
	       number, action, us_median, us[0], us[rounds - 1]);
}

/* One of @size. */
static void measure_size(size_t way, int round)
{
	int64_t start;
	int fd;

	set_pages(&ways[way], size);
	start = microseconds();
	fd = ways[way].get();
	get_us[way][0][round] = fd < 0 ? -1 : microseconds() - start;
	start = microseconds();
	if (fd >= 0)
		close(fd);
	give_us[way][0][round] = fd < 0 ? -1 : microseconds() - start;
}

static void measure_sizes(int rounds)
{
	for (int round = 0; round < rounds; round++)
		for (size_t way = 0; way < NR_WAYS; way++)
			measure_size(way, round);
	for (size_t way = 0; way < NR_WAYS; way++) {
		print(&ways[way], 1, "get", get_us[way][0], rounds);
		print(&ways[way], 1, "give", give_us[way][0], rounds);
	}
	fflush(stdout);
}

/* Up to @others; the time is taken at 1, 10, 100, and so on. */
static void measure_many(size_t way, int round, int others, int *fds)
{
	int64_t start = microseconds(), now;

	for (int nr = 0, decade = 0, from = 0, until = 1; nr < others;) {
		fds[nr++] = ways[way].get();
		if (nr < until && nr < others)
			continue;
		now = microseconds();
		get_us[way][decade++][round] = fds[0] < 0 ? -1 : (now - start) / (nr - from);
		start = now;
		from = nr;
		until *= 10;
	}
	start = microseconds();
	for (int nr = 0; nr < others; nr++)
		if (fds[nr] >= 0)
			close(fds[nr]);
	give_us[way][0][round] = fds[0] < 0 ? -1 : (microseconds() - start) / others;
}

static void print_many(size_t way, int rounds, int others)
{
	for (int decade = 0, nr = 1; decade < MAX_DECADES; decade++, nr *= 10) {
		if (nr > others)
			nr = others;
		print(&ways[way], nr, "each", get_us[way][decade], rounds);
		if (nr == others)
			break;
	}
	print(&ways[way], others, "give-each", give_us[way][0], rounds);
	fflush(stdout);
}

/* As many as asked for of the small ones, and a tenth as many of 2 MiB, for they are large. */
static void measure_others(int rounds, int others)
{
	int *fds = calloc(others, sizeof(*fds));

	if (!fds)
		err(1, "calloc");
	for (int round = 0; round < rounds; round++)
		for (size_t way = 0; way < NR_WAYS; way++) {
			int nr = ways[way].small == BASE_PAGE ? others : others / 10;

			size = ways[way].small;
			set_pages(&ways[way], nr * size);
			measure_many(way, round, nr, fds);
		}
	for (size_t way = 0; way < NR_WAYS; way++) {
		size = ways[way].small;
		print_many(way, rounds, size == BASE_PAGE ? others : others / 10);
	}
	free(fds);
}

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	int rounds = argc > 3 ? atoi(argv[1]) : 0, others = argc > 3 ? atoi(argv[2]) : 0;

	if (rounds < 1 || rounds > MAX_ROUNDS || others < 10 || others > 60000)
		errx(2, "usage: bench/make ROUNDS OTHERS MIB...");
	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "setrlimit");
	door = open_door();
	for (int i = 3; i < argc; i++) {
		size = strtoull(argv[i], NULL, 10) << 20;
		if (!size || size % HUGE_PAGE)
			errx(2, "MIB is a multiple of 2");
		measure_sizes(rounds);
	}
	measure_others(rounds, others);
	return 0;
}
