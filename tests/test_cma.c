// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a pool that lie in an area of CMA: the kernel takes them for the pool, but they cannot
 * be pinned for good there.
 */
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RUN	8	/* pages that are asked for, in one run */
#define STEP	(pmd_size / base_page)

static uint64_t area, area_end;		/* of CMA, as page frame numbers */

/* What the kernel has reserved at boot, as its log says it. */
static void find_area(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	unsigned long mib, at;
	char line[1024], *text;
	ssize_t len;

	CHECK(log >= 0);
	while ((len = read(log, line, sizeof(line) - 1)) > 0) {
		line[len] = '\0';
		text = strstr(line, "cma: Reserved ");
		if (!text || sscanf(text, "cma: Reserved %lu MiB at 0x%lx", &mib, &at) != 2)
			continue;
		area = at / base_page;
		area_end = area + (mib << 20) / base_page;
	}
	CHECK_LT(area, area_end);
	close(log);
}

static bool in_area(uint64_t pfn)
{
	return pfn >= area && pfn < area_end;
}

static struct hoard all;
static size_t *by_address;	/* pages of the hoard */

static int compare(const void *a, const void *b)
{
	uint64_t x = all.pfn[*(const size_t *)a], y = all.pfn[*(const size_t *)b];

	return x < y ? -1 : x > y;
}

/* Give back a run of @nr pages within the area or outside, which ends where another page is. */
static void drop_run(bool inside, size_t nr)
{
	size_t run = 0;

	for (size_t i = 0; i < all.nr; i++) {
		uint64_t pfn = all.pfn[by_address[i]];
		bool follows = run && pfn == all.pfn[by_address[i - 1]] + STEP;

		run = in_area(pfn) != inside ? 0 : follows ? run + 1 : 1;
		if (run < nr)
			continue;
		for (size_t page = i + 1 - nr; page <= i; page++)
			hoard_drop(&all, by_address[page]);
		return;
	}
	CHECK(!"the pool has such a run");
}

static void check_outside(const struct hpage_map_alloc *a, unsigned int backing)
{
	struct hpage_map_run run;

	CHECK_EQ(a->got_backing, backing);
	CHECK_EQ(runs_of(a->fd, &run, 1), 1);
	CHECK(!in_area(run.address / base_page));
	close(a->fd);
}

static void a_run_of_cma_is_not_chosen(void)
{
	struct hpage_map_alloc a;

	find_area();
	tidy_memory();
	CHECK_EQ(load(""), 0);
	/* More than is outside. */
	set_pool(pmd_size, "nr", 1600);
	hoard(&all, pool_of(pmd_size, "nr"), -1);
	by_address = calloc(all.nr, sizeof(*by_address));
	for (size_t i = 0; i < all.nr; i++)
		by_address[i] = i;
	qsort(by_address, all.nr, sizeof(*by_address), compare);

	/* The shortest run that is long enough is the one to choose, if it could be had. */
	drop_run(true, RUN);
	a = wish_of(HPAGE_MAP_BACKING_HUGETLB, RUN, HPAGE_MAP_CONTIGUOUS);
	/* The page allocator may have one, of what is not the area's. */
	if (!try_alloc(&a))
		check_outside(&a, HPAGE_MAP_BACKING_THP);
	CHECK_SAYS("hugetlb: 8 pages of 2 MiB in a row needed, at most 0 are");
	drop_run(false, RUN + 1);
	CHECK_ALLOC(&a, 0);
	check_outside(&a, HPAGE_MAP_BACKING_HUGETLB);

	hoard_free(&all);
	free(by_address);
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(a_run_of_cma_is_not_chosen, ON_NONE | NEEDS_ROOT),
};

int main(void)
{
	return RUN_TESTS(tests);
}
