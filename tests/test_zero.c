// SPDX-License-Identifier: GPL-2.0-only
/* A new buffer shows nothing of who had its pages before, however that one ended. */
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define NR		4
/* The page allocator often gives the same pages again, and not always at once. */
#define TRIES		10

#define RESERVE_FILES	"/sys/class/hpage_map_reserve/"

/* Where the last owner was, told by it before it died. */
static struct hpage_map_run *last;
static size_t nr_last;
static struct hpage_map_alloc wanted;

static void write_and_die(void *arg)
{
	struct hpage_map_alloc a = wanted;
	char *p;

	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, *(uint32_t *)arg);
	CHECK_EQ(runs_of(a.fd, last + 1, 512), a.got_runs);
	last[0].length = a.got_runs;
	p = map_answer(&a);
	CHECK(zeroed(p, a.got_length));
	fill(p, a.got_length, 3);
	raise(SIGKILL);
}

static bool was_there_before(const struct hpage_map_run *run)
{
	for (size_t i = 1; i <= nr_last; i++)
		if (run->address < last[i].address + last[i].length &&
		    last[i].address < run->address + run->length)
			return true;
	return false;
}

/* Let one write everywhere and die, and look at all that the next one gets. */
static bool next_owner_has_the_same(uint32_t backing)
{
	struct hpage_map_run runs[512];
	struct hpage_map_alloc a = wanted;
	bool same = false;
	size_t nr;
	char *p;

	CHECK_KILLED(spawn(write_and_die, &backing), SIGKILL);
	nr_last = last[0].length;
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, backing);
	nr = runs_of(a.fd, runs, 512);
	for (size_t i = 0; i < nr; i++)
		same = same || was_there_before(&runs[i]);
	p = map_answer(&a);
	CHECK(zeroed(p, a.got_length));
	munmap(p, a.got_length);
	close(a.fd);
	return same;
}

/* Was any page the same? */
static bool check_zero(uint32_t backing, struct hpage_map_alloc a)
{
	bool same = false;

	wanted = a;
	last = mmap(NULL, 513 * sizeof(*last), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK_NE(last, MAP_FAILED);
	for (int i = 0; i < TRIES && !same; i++)
		same = next_owner_has_the_same(backing);
	printf("# %s\n", same ? "with the same pages" : "not one page was the same");
	return same;
}

static void pages_of_a_pool_are_zeroed(void)
{
	CHECK_EQ(load(""), 0);
	CHECK_EQ(set_pool(pmd_size, "nr", NR), 0);
	CHECK(check_zero(HPAGE_MAP_BACKING_HUGETLB,
			 wish_of(HPAGE_MAP_BACKING_HUGETLB, NR, 0)));
	CHECK_EQ(unload(), 0);
}

/* On one node the same run is chosen again. */
static void chosen_pages_are_zeroed(void)
{
	struct hpage_map_alloc a;

	a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 2, HPAGE_MAP_CONTIGUOUS);
	CHECK_EQ(load(""), 0);
	set_node_pool(0, 8 * NR);
	CHECK(check_zero(HPAGE_MAP_BACKING_HUGETLB, wish_on(a, HPAGE_MAP_POLICY_STRICT, 0)));
	CHECK_EQ(unload(), 0);
}

static void huge_folios_are_zeroed(void)
{
	CHECK_EQ(load(""), 0);
	check_zero(HPAGE_MAP_BACKING_THP, wish_of(HPAGE_MAP_BACKING_THP, NR, 0));
	CHECK_EQ(unload(), 0);
}

static void base_pages_are_zeroed(void)
{
	CHECK_EQ(load(""), 0);
	check_zero(HPAGE_MAP_BACKING_BASE, wish_of(HPAGE_MAP_BACKING_BASE, 500, 0));
	CHECK_EQ(unload(), 0);
}

/* The worker gets the same pages again, on its own time. */
static void pages_of_the_reserve_are_zeroed(void)
{
	char path[128], ready[128];

	snprintf(path, sizeof(path), RESERVE_FILES "hugetlb-%zukB-node0/pages", pmd_size / 1024);
	snprintf(ready, sizeof(ready), RESERVE_FILES "hugetlb-%zukB-node0/ready",
		 pmd_size / 1024);
	CHECK_EQ(load(""), 0);
	set_node_pool(0, 2 * NR);
	CHECK_EQ(write_text(path, "8"), 0);
	wanted = wish_of(HPAGE_MAP_BACKING_HUGETLB, 2 * NR, HPAGE_MAP_RESERVE);
	last = mmap(NULL, 513 * sizeof(*last), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK_NE(last, MAP_FAILED);
	for (int i = 0; i < 3; i++) {
		uint32_t backing = HPAGE_MAP_BACKING_HUGETLB;

		CHECK_COMES(read_u64(ready) == 2 * NR);
		CHECK_KILLED(spawn(write_and_die, &backing), SIGKILL);
		/* All of the pool: it is the same pages. */
		CHECK_COMES(pool_of(pmd_size, "free") == 2 * NR || read_u64(ready) == 2 * NR);
		CHECK_EQ(write_text(path, "8"), 0);
	}
	CHECK_EQ(unload(), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 2 * NR);
}

static const struct test tests[] = {
	TEST(pages_of_a_pool_are_zeroed, ON_NONE),
	TEST(chosen_pages_are_zeroed, ON_NONE),
	TEST(huge_folios_are_zeroed, ON_NONE),
	TEST(base_pages_are_zeroed, ON_NONE),
	TEST(pages_of_the_reserve_are_zeroed, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
