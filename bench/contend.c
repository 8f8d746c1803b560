// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long does it take to get 2 MiB, and to give them back, while others do the same?
 *
 *	bench/contend CALLS		(inside a virtual machine; see bench/run)
 *
 * 1, 2, 4, 8 and 16 processes get zeroed memory and close it, one after the other, until they have
 * done so CALLS times together. All kinds of memory take their turn for each number of processes;
 * the pool and the reserve have as many pages as there are processes, and as many again. Prints
 * "KIND CALLERS ACTION P50 P99 P99.9 MAX CALLS MS": microseconds that half of the calls take at
 * most, 99 of 100, 999 of 1000, and all; and the milliseconds until all processes were done.
 */
#define _GNU_SOURCE
#include <sys/wait.h>

#include "kinds.h"

#define MAX_CALLS	100000
#define MAX_CALLERS	16
#define RESERVE		"/sys/class/hpage_map_reserve/hugetlb-2048kB-node0/"

enum { GET, GIVE, NR_ACTIONS };

static const char *const actions[] = { "get", "give" };

static int get_reserve(void)
{
	return get_buffer(door, HPAGE_MAP_BACKING_HUGETLB, size,
			  HPAGE_MAP_EXACT | HPAGE_MAP_RESERVE).fd;
}

static const struct way {
	const char *name;
	int (*get)(void);
	int pool, reserve;
} ways[] = {
	{ "hpage_map-hugetlb", get_hugetlb, 1, 0 },
	{ "hpage_map-reserve", get_reserve, 1, 1 },
	{ "hpage_map-thp", get_thp, 0, 0 },
	{ "memfd-hugetlb", get_memfd_hugetlb, 1, 0 },
	{ "memfd-thp", get_memfd_thp, 0, 0 },
	{ "dma-heap-system", get_heap, 0, 0 },
};

#define NR_WAYS	(sizeof(ways) / sizeof(*ways))

/* Shared with the callers: a place for each call. */
static struct log {
	int64_t us[NR_ACTIONS][MAX_CALLS];
} *calls;

/* Pages for this way and no other: twice as many as callers, since some are on their way back. */
static void set_pages(const struct way *way, int callers)
{
	int nr = 2 * callers;

	write_number(RESERVE "pages", 0);
	set_pool_pages(way->pool ? nr * (1 + way->reserve) : 0);
	write_number(RESERVE "pages", way->reserve ? nr : 0);
	for (int tries = 0; way->reserve && read_number(RESERVE "ready") < (uint64_t)nr; tries++) {
		if (tries == 600)
			errx(1, "the reserve does not fill");
		usleep(100000);
	}
}

/* Begins when @start is at its end. */
static void call(const struct way *way, int start, int from, int nr)
{
	int64_t then, now;
	char none;
	int fd;

	if (read(start, &none, 1))
		_exit(1);
	for (int i = from; i < from + nr; i++) {
		then = microseconds();
		fd = way->get();
		now = microseconds();
		close(fd);
		calls->us[GET][i] = now - then;
		calls->us[GIVE][i] = microseconds() - now;
	}
	_exit(0);
}

/* Return: microseconds until all were done. */
static int64_t run(const struct way *way, int callers, int nr)
{
	int64_t then;
	int start[2], status, failed = 0;

	if (pipe(start))
		err(1, "pipe");
	for (int i = 0; i < callers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid)
			continue;
		close(start[1]);
		call(way, start[0], i * nr, nr);
	}
	close(start[0]);
	then = microseconds();
	close(start[1]);
	while (wait(&status) > 0)
		failed += status != 0;
	if (failed)
		errx(1, "%s: %d of %d callers failed", way->name, failed, callers);
	return microseconds() - then;
}

static int64_t quantile(const int64_t *sorted, int nr, int of_thousand)
{
	return sorted[(int)((int64_t)(nr - 1) * of_thousand / 1000)];
}

static void measure(const struct way *way, int callers, int nr)
{
	int64_t us, *each;

	set_pages(way, callers);
	us = run(way, callers, nr / callers);
	nr -= nr % callers;
	for (int action = 0; action < NR_ACTIONS; action++) {
		each = calls->us[action];
		qsort(each, nr, sizeof(*each), compare);
		printf("%s %d %s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d %" PRId64 "\n",
		       way->name, callers, actions[action], quantile(each, nr, 500),
		       quantile(each, nr, 990), quantile(each, nr, 999), each[nr - 1], nr,
		       us / 1000);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int nr = argc == 2 ? atoi(argv[1]) : 0;

	if (nr < MAX_CALLERS || nr > MAX_CALLS)
		errx(2, "usage: bench/contend CALLS");
	calls = mmap(NULL, sizeof(*calls), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (calls == MAP_FAILED)
		err(1, "mmap");
	size = HUGE_PAGE;
	door = open_door();
	for (int callers = 1; callers <= MAX_CALLERS; callers *= 2)
		for (size_t way = 0; way < NR_WAYS; way++)
			if (ways[way].get != get_heap || !access(SYSTEM_HEAP, F_OK))
				measure(&ways[way], callers, nr);
	set_pages(&ways[0], 0);
	return 0;
}
