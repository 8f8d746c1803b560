// SPDX-License-Identifier: GPL-2.0-only
/* Where long runs begin, and long mappings, so that one entry maps as much as it can. */
#include "buffers.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB	(1UL << 20)
#define GIB	(1UL << 30)

static struct hpage_map_alloc request_run(size_t mib)
{
	return wish_of(HPAGE_MAP_BACKING_THP, mib * MIB / pmd_size, HPAGE_MAP_CONTIGUOUS);
}

/* This machine has 6 GiB above 4 GiB. */
static void a_run_of_a_gib_begins_at_one(void)
{
	struct hpage_map_alloc a = request_run(1024);
	struct hpage_map_info info;
	struct hpage_map_run run;

	CHECK_EQ(load(""), 0);
	may_take(300);
	tidy_memory();
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(runs_of(a.fd, &run, 1), 1);
	printf("# 1 GiB at %#llx\n", (unsigned long long)run.address);
	CHECK_EQ(run.length, GIB);
	CHECK_EQ(run.address % GIB, 0);
	info = ask(a.fd);
	CHECK_EQ(info.alignment, GIB);
	close(a.fd);
	CHECK_EQ(unload(), 0);
}

/* It is that of the place and of the length, for each run. */
static void info_says_the_alignment(void)
{
	static const size_t mib[] = { 2, 6, 20, 64, 192 };

	CHECK_EQ(load(""), 0);
	tidy_memory();
	for (size_t i = 0; i < sizeof(mib) / sizeof(*mib); i++) {
		struct hpage_map_alloc a = request_run(mib[i]);
		struct hpage_map_run run;
		uint64_t bits;

		LABEL("%zu MiB", mib[i]);
		CHECK_ALLOC(&a, 0);
		CHECK_EQ(runs_of(a.fd, &run, 1), 1);
		bits = run.address | run.length;
		CHECK_EQ(ask(a.fd).alignment, bits & -bits);
		close(a.fd);
	}
	CHECK_EQ(unload(), 0);
}

static long faults_of_touching(volatile char *p, size_t len)
{
	long before = faults();

	for (size_t off = 0; off < len; off += base_page)
		p[off] = 1;
	return faults() - before;
}

/* A few are of the stack and of the code. */
static void attach(void *arg)
{
	const struct hpage_map_alloc *a = arg;
	char *p = map(a->fd, GIB, RW, MAP_SHARED, 0);

	CHECK_EQ((unsigned long)p % GIB, 0);
	CHECK_LE(faults_of_touching(p, GIB), 8);
}

/* mm/ can share them where a mapping has all that a PUD maps. */
static void later_processes_share_page_tables(void)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_HUGETLB, GIB / pmd_size, 0);
	char *p;

	CHECK_EQ(load(""), 0);
	tidy_memory();
	set_node_pool(0, GIB / pmd_size);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	p = map(a.fd, GIB, RW, MAP_SHARED, 0);
	CHECK_GE(faults_of_touching(p, GIB), (long)(GIB / pmd_size));
	for (int i = 0; i < 3; i++)
		CHECK_EXITS(spawn(attach, &a));
	munmap(p, GIB);
	close(a.fd);
	set_node_pool(0, 0);
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(a_run_of_a_gib_begins_at_one, ON_NONE),
	TEST(info_says_the_alignment, ON_NONE),
	TEST(later_processes_share_page_tables, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
