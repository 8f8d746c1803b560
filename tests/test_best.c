// SPDX-License-Identifier: GPL-2.0-only
/* Which pages are the best where a PMD maps so much that few buffers fill it. */
#include "buffers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define KIB	(1UL << 10)
#define MIB	(1UL << 20)

/* A request that leaves the page size open. */
static struct hpage_map_alloc open_request(size_t bytes, uint32_t flags)
{
	struct hpage_map_alloc a = request(bytes, 0, flags);

	a.text = (uintptr_t)answer;
	a.text_size = sizeof(answer);
	return a;
}

static void the_machine_has_a_large_pmd(void)
{
	CHECK_EQ(base_page, 64 * KIB);
	CHECK_EQ(pmd_size, 512 * MIB);
}

/* Ten bytes are not made 512 MiB. */
static void a_pool_of_2_mib_is_the_best(void)
{
	struct hpage_map_alloc a = open_request(10 * MIB + 1, 0);

	CHECK_EQ(set_pool(2 * MIB, "nr", 16), 0);
	CHECK_EQ(load(""), 0);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	CHECK_EQ(a.got_page_size, 2 * MIB);
	CHECK_EQ(a.got_length, 12 * MIB);
	close(a.fd);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(set_pool(2 * MIB, "nr", 0), 0);
}

static void without_a_pool_the_refusal_names_it(void)
{
	struct hpage_map_alloc a = open_request(10 * MIB, 0);

	CHECK_EQ(load(""), 0);
	CHECK_ALLOC(&a, -ENOMEM);
	CHECK_SAYS("5 pages of 2 MiB needed, 0 of 0 free");
	CHECK_SAYS("hugepages-2048kB/nr_hugepages");
	CHECK_EQ(unload(), 0);
}

static void base_pages_of_64_kib_serve_who_allows_them(void)
{
	struct hpage_map_alloc a = open_request(10 * MIB + 1, HPAGE_MAP_ALLOW_BASE);
	char *p;

	CHECK_EQ(load(""), 0);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_BASE);
	CHECK_EQ(a.got_page_size, 64 * KIB);
	CHECK_EQ(a.got_length, 10 * MIB + 64 * KIB);
	p = map_answer(&a);
	CHECK(zeroed(p, a.got_length));
	p[a.got_length - 1] = 1;
	munmap(p, a.got_length);
	close(a.fd);
	CHECK_EQ(unload(), 0);
}

/* The page cache has no folios of 512 MiB, so nor has tmpfs. */
static void pages_of_the_pmd_size_are_those_of_a_pool(void)
{
	struct hpage_map_alloc a = open_request(512 * MIB, HPAGE_MAP_EXACT);

	CHECK_EQ(load(""), 0);
	a.page_size = 512 * MIB;
	CHECK_ALLOC(&a, -ENOMEM);
	CHECK_SAYS("1 page of 512 MiB needed, 0 of 0 free");
	CHECK_SAYS("thp: no pages of 512 MiB on this machine");
	CHECK_EQ(unload(), 0);
}

/* Nor is there anything to forecast, which is said. */
static void no_run_is_forecast(void)
{
	struct hpage_map_forecast f = { .size = sizeof(f) };
	int door;

	CHECK_EQ(load(""), 0);
	door = dev_open(HPAGE_MAP_O_DOOR);
	CHECK_ERR(ioctl(door, HPAGE_MAP_FORECAST, &f), EOPNOTSUPP);
	close(door);
	CHECK_EQ(unload(), 0);
}

static void the_default_buffer_counts_in_pages_of_2_mib(void)
{
	struct hpage_map_info info;
	int door;

	CHECK_EQ(set_pool(2 * MIB, "nr", 4), 0);
	CHECK_EQ(load("nr_hpages=4"), 0);
	door = dev_open(O_RDWR);
	info = ask(door);
	CHECK_EQ(info.length, 8 * MIB);
	CHECK_EQ(info.page_size, 2 * MIB);
	close(door);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(set_pool(2 * MIB, "nr", 0), 0);
}

static const struct test tests[] = {
	TEST(the_machine_has_a_large_pmd, ON_NONE),
	TEST(a_pool_of_2_mib_is_the_best, ON_NONE),
	TEST(without_a_pool_the_refusal_names_it, ON_NONE),
	TEST(base_pages_of_64_kib_serve_who_allows_them, ON_NONE),
	TEST(pages_of_the_pmd_size_are_those_of_a_pool, ON_NONE),
	TEST(no_run_is_forecast, ON_NONE),
	TEST(the_default_buffer_counts_in_pages_of_2_mib, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
