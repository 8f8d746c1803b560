// SPDX-License-Identifier: GPL-2.0-only
/* Where the pages are: physical runs, and how many pages are on each node. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)
#define ROOM	5000		/* runs; more than the base suite has pages */

static struct hpage_map_run runs[ROOM];

static __u32 ask_runs(int fd, __u64 first, __u32 nr)
{
	struct hpage_map_runs r = {
		.size = sizeof(r), .runs = (uintptr_t)runs, .first = first, .nr = nr,
	};

	memset(runs, 0xff, sizeof(runs));
	CHECK_EQ(ioctl(fd, HPAGE_MAP_RUNS, &r), 0);
	CHECK_LE(r.nr, nr);
	CHECK_EQ(r.first, first);
	CHECK_EQ(r.runs, (uintptr_t)runs);
	for (size_t i = r.nr; i < ROOM; i++)	/* not a word more than it says */
		CHECK(runs[i].address == -1ULL && runs[i].length == -1ULL);
	return r.nr;
}

static void runs_are_the_whole_buffer(void)
{
	int fd = dev_open(O_RDWR);
	struct hpage_map_info info = ask(fd);
	__u32 nr = ask_runs(fd, 0, ROOM);
	__u64 sum = 0;

	CHECK_EQ(nr, info.nr_runs);
	CHECK_EQ(runs[0].address, info.address);
	for (__u32 i = 0; i < nr; i++) {
		CHECK(runs[i].length);
		CHECK_EQ(runs[i].length % info.page_size, 0);
		CHECK_EQ(runs[i].address % base_page, 0);
		CHECK(!i || runs[i].address != runs[i - 1].address + runs[i - 1].length);
		sum += runs[i].length;
	}
	CHECK_EQ(sum, info.length);
	CHECK(nr > 1 || info.attributes & HPAGE_MAP_ATTR_CONTIGUOUS);
}

/* The page tables know better than anybody. */
static void addresses_are_true(void)
{
	int fd = dev_open(O_RDWR);
	char *p = map_all(fd, RW, MAP_SHARED | MAP_POPULATE);
	__u32 nr = ask_runs(fd, 0, ROOM);
	size_t step = buf_page < pmd_size ? buf_page : pmd_size;

	for (__u32 i = 0; i < nr; i++)
		for (__u64 at = 0; at < runs[i].length; at += step, p += step)
			CHECK_EQ(pfn_of(p) * base_page, runs[i].address + at);
}

/* A program with room for few asks often. */
static void runs_come_in_parts(void)
{
	static struct hpage_map_run all[ROOM];
	int fd = dev_open(O_RDWR);
	__u32 nr = ask_runs(fd, 0, ROOM);

	memcpy(all, runs, sizeof(all));
	for (__u32 i = 0; i < nr; i += 1 + nr / 50) {
		__u32 got = ask_runs(fd, i, 3);

		CHECK_EQ(got, nr - i < 3 ? nr - i : 3);
		CHECK_EQ(memcmp(runs, all + i, got * sizeof(*runs)), 0);
	}
	CHECK_EQ(ask_runs(fd, 0, 0), 0);
	CHECK_EQ(ask_runs(fd, nr, ROOM), 0);
	CHECK_EQ(ask_runs(fd, -1ULL, ROOM), 0);
}

/* They are told to devices: what moves memory about must leave them. */
static void addresses_stay(void)
{
	static struct hpage_map_run before[ROOM];
	int fd = dev_open(O_RDWR), own = alloc(3 * base_page, base_page, 0);
	__u32 nr = ask_runs(fd, 0, ROOM), own_nr;
	struct hpage_map_run first;

	memcpy(before, runs, sizeof(before));
	own_nr = ask_runs(own, 0, ROOM);
	first = runs[0];
	CHECK_EQ(write_text("/proc/sys/vm/compact_memory", "1"), 0);
	CHECK_EQ(ask_runs(fd, 0, ROOM), nr);
	CHECK_EQ(memcmp(before, runs, sizeof(before)), 0);
	CHECK_EQ(ask_runs(own, 0, ROOM), own_nr);
	CHECK_EQ(memcmp(&first, runs, sizeof(first)), 0);
}

static void nodes_count_all_pages(void)
{
	__u64 pages[70];
	struct hpage_map_nodes n = {
		.size = sizeof(n), .pages = (uintptr_t)pages, .nr = 64,
	};
	int fd = dev_open(O_RDONLY);
	struct hpage_map_info info = ask(fd);
	__u64 sum = 0;

	memset(pages, 0xff, sizeof(pages));
	CHECK_EQ(ioctl(fd, HPAGE_MAP_NODES, &n), 0);
	CHECK_GE(n.nr, 1);
	CHECK_LE(n.nr, 64);
	for (__u32 i = 0; i < n.nr; i++)
		sum += pages[i];
	CHECK_EQ(sum, info.nr_pages);
	CHECK(pages[n.nr - 1]);
	for (__u32 i = n.nr; i < 70; i++)	/* what is not reported is left as it is */
		CHECK_EQ(pages[i], -1ULL);
	if (info.node != HPAGE_MAP_NODE_MIXED)
		CHECK(n.nr == (__u32)info.node + 1 && pages[info.node] == sum);
}

/* Room for fewer nodes than there are: how much would do is told all the same. */
static void an_array_without_room_is_told_the_number(void)
{
	struct hpage_map_nodes n = { .size = sizeof(n) }, m;
	int fd = alloc(3 * base_page, base_page, 0);
	__u64 pages[64] = { 0 };

	CHECK_EQ(ioctl(fd, HPAGE_MAP_NODES, &n), 0);
	CHECK_GE(n.nr, 1);
	CHECK_LE(n.nr, 64);
	m = n;
	m.pages = (uintptr_t)pages;
	CHECK_EQ(ioctl(fd, HPAGE_MAP_NODES, &m), 0);
	CHECK_EQ(m.nr, n.nr);
	CHECK(pages[n.nr - 1]);
}

static const struct test tests[] = {
	TEST(runs_are_the_whole_buffer, ON_ANY | NEEDS_ROOT),
	TEST(addresses_are_true, ON_SMALL | NEEDS_ROOT),
	TEST(runs_come_in_parts, ON_ANY | NEEDS_ROOT),
	TEST(addresses_stay, ON_SMALL | NEEDS_ROOT),
	TEST(nodes_count_all_pages, ON_ANY),
	TEST(an_array_without_room_is_told_the_number, ON_ANY),
};

int main(void)
{
	return RUN_TESTS(tests);
}
