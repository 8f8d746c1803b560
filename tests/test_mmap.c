// SPDX-License-Identifier: GPL-2.0-only
/* mmap: what a mapping is made of, and which ones are refused. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define RW	(PROT_READ | PROT_WRITE)
#define GIB	(1UL << 30)

static long touch_faults(volatile char *p, size_t len)
{
	long before = faults();

	for (size_t off = 0; off < len; off += base_page)
		p[off] = 1;
	return faults() - before;
}

static long read_faults(volatile char *p, size_t len)
{
	long before = faults();

	for (size_t off = 0; off < len; off += base_page)
		(void)p[off];
	return faults() - before;
}

/* What one fault maps: a huge page, or on the base rung a base page. */
static long pages_of(size_t len)
{
	return len / (suite_where == ON_THP ? pmd_size : buf_page);
}

static void one_fault_maps_a_whole_huge_page(void)
{
	int fd = dev_open(O_RDWR);
	char *warm = mmap(NULL, base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = map_all(fd, RW, MAP_SHARED);
	long n;

	touch_faults(warm, base_page);	/* the code itself faults in */
	n = touch_faults(p, buf_size);
	if (suite_where == ON_BASE)	/* newer kernels map around a fault */
		CHECK(n > 0 && n <= pages_of(buf_size));
	else
		CHECK_EQ(n, pages_of(buf_size));
}

static void populate_leaves_no_faults(void)
{
	int fd = dev_open(O_RDWR);
	char *warm = mmap(NULL, base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = map_all(fd, RW, MAP_SHARED | MAP_POPULATE);

	read_faults(warm, base_page);
	touch_faults(warm, base_page);
	CHECK_EQ(read_faults(p, buf_size), 0);
#ifdef __aarch64__
	/* Populating tmpfs reads, and arm64 without DBM notes the first write by a fault. */
	if (suite_where & ON_SHMEM)
		return;
#endif
	CHECK_EQ(touch_faults(p, buf_size), 0);
}

static void smaps_tells_huge_mappings(void)
{
	int fd = dev_open(O_RDWR);
	char *p = map_all(fd, RW, MAP_SHARED | MAP_POPULATE);

	if (suite_where & ON_POOL) {
		CHECK_EQ(smaps(p, "KernelPageSize"), (long)(buf_page / 1024));
		CHECK_EQ(smaps(p, "Shared_Hugetlb") + smaps(p, "Private_Hugetlb"),
			 (long)(buf_size / 1024));
		return;
	}
	CHECK_EQ(smaps(p, "KernelPageSize"), (long)(base_page / 1024));
	if (suite_where == ON_THP)
		CHECK_EQ(smaps(p, "ShmemPmdMapped"), (long)(buf_size / 1024));
}

/* With read faults too, of a descriptor and a mapping that only read. */
static void read_only_mappings_are_huge_too(void)
{
	int fd = dev_open(O_RDONLY);
	volatile char *p = map_all(fd, PROT_READ, MAP_SHARED);

	for (size_t off = 0; off < buf_size; off += base_page)
		(void)p[off];
	CHECK_EQ(smaps((char *)p, "ShmemPmdMapped"), (long)(buf_size / 1024));
}

/* So that the largest entries that fit the mapping can be used. */
static void check_alignment(int fd, size_t len, int flags, size_t off)
{
	size_t align = len >= GIB ? GIB : len >= pmd_size ? pmd_size : buf_page;
	char *p = map(fd, len, PROT_READ, flags, off);

	CHECK_EQ(((uintptr_t)p - off) % align, 0);
}

static void chosen_addresses_are_aligned(void)
{
	size_t offs[] = { 0, buf_page, 3 * buf_page, buf_size - buf_page };
	int fd = dev_open(O_RDWR);

	for (size_t i = 0; i < 4; i++) {
		size_t off = offs[i];

		if (off >= buf_size)
			continue;
		check_alignment(fd, buf_page, MAP_SHARED, off);
		check_alignment(fd, buf_size - off, MAP_SHARED, off);
		if (suite_where & ON_SHMEM)	/* hugetlb has no private pages to spare */
			check_alignment(fd, buf_size - off, MAP_PRIVATE, off);
	}
}

static void an_odd_hint_is_only_a_hint(void)
{
	char *hint = reserve(2 * buf_size) + base_page;
	int fd = dev_open(O_RDWR);
	char *p = mmap(hint, buf_page, RW, MAP_SHARED, fd, 0);

	CHECK_NE(p, MAP_FAILED);
	CHECK_EQ((uintptr_t)p % buf_page, 0);
	memset(p, 1, base_page);
}

static void a_fixed_address_is_taken(void)
{
	char *at = reserve(buf_size);
	int fd = dev_open(O_RDWR);

	CHECK_EQ(mmap(at, buf_size, RW, MAP_SHARED | MAP_FIXED, fd, 0), at);
	memset(at, 7, base_page);
	CHECK_ERR(mmap(at, buf_size, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0), EEXIST);
	CHECK_EQ(at[0], 7);
}

/* Refused before what stood there is unmapped. */
static void an_odd_fixed_address_is_refused(void)
{
	char *at = reserve(buf_size + pmd_size);
	int fd = dev_open(O_RDWR);

	CHECK_EQ(mprotect(at, 2 * base_page, RW), 0);
	at[base_page] = 42;
	CHECK_ERR(mmap(at + base_page, buf_page, RW, MAP_SHARED | MAP_FIXED, fd, 0), EINVAL);
	CHECK_ERR(mmap(at + buf_page / 2, buf_page, RW, MAP_SHARED | MAP_FIXED, fd, 0), EINVAL);
	CHECK_ERR(mmap(at + base_page, buf_page, RW, MAP_PRIVATE | MAP_FIXED, fd, 0), EINVAL);
	CHECK_EQ(at[base_page], 42);
}

static void bad_offsets_and_lengths_are_refused(void)
{
	int fd = dev_open(O_RDWR);
	const struct {
		size_t len;
		off_t off;
	} bad[] = {
		{ buf_size + buf_page, 0 },
		{ buf_size, buf_page },
		{ buf_page, buf_size },
		{ buf_page, buf_size + buf_page },
		{ 2 * buf_page, buf_size - buf_page },
		{ 1UL << 46, 0 },
		{ buf_page, (off_t)(1UL << 62) },
		{ buf_page, (off_t)-buf_page },		/* off + len is 0 */
		{ 2 * buf_page, (off_t)-buf_page },
		{ buf_page, (off_t)(INT64_MIN) },
		{ 0, 0 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK_ERR(mmap(NULL, bad[i].len, RW, MAP_SHARED, fd, bad[i].off), EINVAL);
		CHECK_ERR(mmap(NULL, bad[i].len, RW, MAP_PRIVATE, fd, bad[i].off), EINVAL);
	}
}

/* hugetlbfs maps whole pages, and so does a buffer of a pool's pages. */
static void parts_of_a_pool_s_page_are_refused(void)
{
	int fd = dev_open(O_RDWR);
	const size_t half = buf_page / 2;

	CHECK_ERR(mmap(NULL, base_page, RW, MAP_SHARED, fd, 0), EINVAL);
	CHECK_ERR(mmap(NULL, half, RW, MAP_SHARED, fd, 0), EINVAL);
	CHECK_ERR(mmap(NULL, buf_size - base_page, RW, MAP_SHARED, fd, 0), EINVAL);
	CHECK_ERR(mmap(NULL, buf_size - base_page, PROT_READ, MAP_PRIVATE, fd, 0), EINVAL);
	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_SHARED, fd, base_page), EINVAL);
	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_SHARED, fd, half), EINVAL);
}

/* What is of the page allocator is mapped as a memfd is. */
static void parts_are_of_base_pages(void)
{
	int fd = dev_open(O_RDWR);
	const struct {
		size_t len;
		off_t off;
	} parts[] = {
		{ base_page, 0 },
		{ base_page, base_page },
		{ 16 * base_page, buf_size - 16 * base_page },
		{ buf_page, base_page },
		{ buf_size - base_page, base_page },
		{ buf_size - base_page, 0 },
		{ 1, 0 },
	};
	char *all = map_all(fd, RW, MAP_SHARED), *p;

	fill(all, buf_size, 9);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		LABEL("part %zu", i);
		p = map(fd, parts[i].len, RW, MAP_SHARED, parts[i].off);
		CHECK_EQ(memcmp(p, all + parts[i].off, parts[i].len), 0);
		/* So that what is huge can be mapped so. */
		if (parts[i].len >= 2 * pmd_size)
			CHECK_EQ(((uintptr_t)p - parts[i].off) % pmd_size, 0);
		CHECK_EQ(munmap(p, parts[i].len), 0);
		p = map(fd, parts[i].len, RW, MAP_PRIVATE, parts[i].off);
		*p = 42;
		CHECK_NE(all[parts[i].off], 42);
		CHECK_EQ(munmap(p, parts[i].len), 0);
	}
	p = reserve(buf_size + pmd_size) + base_page;
	CHECK_EQ(mmap(p, buf_page, RW, MAP_SHARED | MAP_FIXED, fd, 0), p);
	CHECK_EQ(memcmp(p, all, buf_page), 0);
}

static void descriptor_modes_bound_shared_mappings(void)
{
	int ro = dev_open(O_RDONLY), wo = dev_open(O_WRONLY);
	char *p;

	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_SHARED, ro, 0), EACCES);
	CHECK_ERR(mmap(NULL, buf_page, PROT_WRITE, MAP_SHARED, ro, 0), EACCES);
	CHECK_ERR(mmap(NULL, buf_page, PROT_READ, MAP_SHARED, wo, 0), EACCES);
	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_SHARED, wo, 0), EACCES);
	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_PRIVATE, wo, 0), EACCES);
	p = map(ro, buf_page, PROT_READ, MAP_SHARED, 0);
	CHECK_ERR(mprotect(p, buf_page, RW), EACCES);
	CHECK_ERR(mprotect(p, buf_page, PROT_WRITE), EACCES);
	CHECK_EQ(mprotect(p, buf_page, PROT_NONE), 0);
	CHECK_EQ(mprotect(p, buf_page, PROT_READ), 0);
}

static void write_through(void *p)
{
	*(volatile char *)p = 1;
}

static void a_read_only_mapping_faults_on_write(void)
{
	int ro = dev_open(O_RDONLY);

	CHECK_KILLED(spawn(write_through, map(ro, buf_page, PROT_READ, MAP_SHARED, 0)), SIGSEGV);
}

static void unknown_map_flags_are_refused(void)
{
	int fd = dev_open(O_RDWR);

	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_SHARED_VALIDATE | (1 << 25), fd, 0), EOPNOTSUPP);
	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0), EOPNOTSUPP);
	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_SHARED | MAP_HUGETLB, fd, 0), EINVAL);
	CHECK_ERR(mmap(NULL, buf_page, RW, 0, fd, 0), EINVAL);
	map(fd, buf_page, RW, MAP_SHARED_VALIDATE, 0);
}

static void every_window_shows_its_part(void)
{
	int fd = dev_open(O_RDWR);
	char *all = map_all(fd, RW, MAP_SHARED);

	for (size_t off = 0; off < buf_size; off += buf_page)
		fill(all + off, base_page, off / buf_page + 1);
	for (size_t off = 0; off < buf_size; off += buf_page) {
		char *p = map(fd, buf_page, PROT_READ, MAP_SHARED, off);

		CHECK(filled(p, base_page, off / buf_page + 1));
		CHECK_EQ(munmap(p, buf_page), 0);
	}
}

static int pipes[2][2];

static void writer(void *arg)
{
	char *p = map_all(dev_open(O_RDWR), RW, MAP_SHARED);

	(void)arg;
	fill(p, buf_size, 1);
	step_done(pipes[0][1]);
	step_wait(pipes[1][0]);
	CHECK(filled(p, buf_size, 2));
}

static void reader(void *arg)
{
	char *p = map_all(dev_open(O_RDWR), RW, MAP_SHARED);

	(void)arg;
	step_wait(pipes[0][0]);
	CHECK(filled(p, buf_size, 1));
	fill(p, buf_size, 2);
	step_done(pipes[1][1]);
}

/* Neither inherits anything of the device from the other. */
static void two_processes_share_the_buffer(void)
{
	pid_t a, b;

	CHECK(!pipe(pipes[0]) && !pipe(pipes[1]));
	a = spawn(writer, NULL);
	b = spawn(reader, NULL);
	CHECK_EXITS(a);
	CHECK_EXITS(b);
}

static void scribble(void *seed)
{
	fill(map_all(dev_open(O_RDWR), RW, MAP_SHARED), buf_size, *(int *)seed);
}

static void contents_outlive_every_descriptor(void)
{
	int seed = 3;

	CHECK_EXITS(spawn(scribble, &seed));
	CHECK(filled(map_all(dev_open(O_RDONLY), PROT_READ, MAP_SHARED), buf_size, 3));
}

static const struct test tests[] = {
	TEST(one_fault_maps_a_whole_huge_page, ON_ANY),
	TEST(populate_leaves_no_faults, ON_ANY),
	TEST(smaps_tells_huge_mappings, ON_ANY),
	TEST(read_only_mappings_are_huge_too, ON_THP),
	TEST(chosen_addresses_are_aligned, ON_ANY),
	TEST(an_odd_hint_is_only_a_hint, ON_ANY),
	TEST(a_fixed_address_is_taken, ON_ANY),
	TEST(an_odd_fixed_address_is_refused, ON_POOL),
	TEST(bad_offsets_and_lengths_are_refused, ON_ANY),
	TEST(parts_of_a_pool_s_page_are_refused, ON_POOL),
	TEST(parts_are_of_base_pages, ON_SHMEM),
	TEST(descriptor_modes_bound_shared_mappings, ON_ANY),
	TEST(a_read_only_mapping_faults_on_write, ON_ANY),
	TEST(unknown_map_flags_are_refused, ON_ANY),
	TEST(every_window_shows_its_part, ON_ANY),
	TEST(two_processes_share_the_buffer, ON_SMALL),
	TEST(contents_outlive_every_descriptor, ON_SMALL),
};

int main(void)
{
	return RUN_TESTS(tests);
}
