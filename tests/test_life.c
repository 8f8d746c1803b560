// SPDX-License-Identifier: GPL-2.0-only
/* From load to unload: parameters, first open, holders, and an exact account. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)
#define NR_DEFAULT 10

static void want_pool(uint64_t pages)
{
	CHECK_EQ(set_pool(pmd_size, "nr", pages), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), pages);
}

static void learn_buffer(void)
{
	buf_size = class_u64("size");
	buf_page = class_u64("page_size");
}

static bool backed_by(const char *name)
{
	char text[32];

	class_text("backing", text, sizeof(text));
	return !strcmp(text, name);
}

static void load_must(const char *params)
{
	int err = load(params);

	if (err)
		printf("# load with '%s': %d\n", params, err);
	CHECK_EQ(err, 0);
	learn_buffer();
}

/* Loading for another driver's sake takes nothing. */
static void a_bare_load_takes_nothing_until_open(void)
{
	want_pool(16);
	load_must("");
	CHECK_EQ(pool_of(pmd_size, "free"), 16);
	CHECK_EQ(class_u64("size"), 0);
	CHECK(backed_by("none"));
	CHECK_EQ(class_u64("nr_pages"), 0);
	CHECK_EQ(refcnt(), 0);
	close(dev_open(O_RDONLY));
	CHECK(backed_by("hugetlb"));
	CHECK_EQ(class_u64("size"), NR_DEFAULT * pmd_size);
	CHECK_EQ(pool_of(pmd_size, "free"), 16 - NR_DEFAULT);
	CHECK_EQ(refcnt(), 0);	/* made to stay, but nobody's */
	close(dev_open(O_RDONLY));
	CHECK_EQ(pool_of(pmd_size, "free"), 16 - NR_DEFAULT);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 16);
}

static void parameters_make_it_at_load(void)
{
	const struct {
		const char *params, *backing;
		size_t page, size;
	} good[] = {
		{ "nr_hpages=3", "hugetlb", pmd_size, 3 * pmd_size },
		{ "size=6M", "hugetlb", pmd_size, 6UL << 20 },
		{ "size=1", "hugetlb", pmd_size, pmd_size },
		{ "size=5000K", "hugetlb", pmd_size, 6UL << 20 },
		{ "hpage_size=2M", "hugetlb", pmd_size, NR_DEFAULT * pmd_size },
		{ "hpage_size=2097152 nr_hpages=1", "hugetlb", pmd_size, pmd_size },
		{ "hpage_size=0 size=0 nr_hpages=1", "hugetlb", pmd_size, pmd_size },
		{ "hpage_size=4K size=5000", "base", base_page, 8192 },
		{ "hpage_size=4K nr_hpages=7", "base", base_page, 7 * base_page },
		{ "allow_base=1", "hugetlb", pmd_size, NR_DEFAULT * pmd_size },
	};

	want_pool(16);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		printf("# %s\n", good[i].params);
		load_must(good[i].params);
		CHECK(backed_by(good[i].backing));
		CHECK_EQ(buf_page, good[i].page);
		CHECK_EQ(buf_size, good[i].size);
		CHECK_EQ(refcnt(), 0);
		CHECK_EQ(unload(), 0);
		CHECK_EQ(pool_of(pmd_size, "free"), 16);
	}
}

static void bad_parameters_are_refused(void)
{
	static const struct {
		const char *params;
		int err;
	} bad[] = {
		{ "nr_hpages=-1", EINVAL },
		{ "nr_hpages=ten", EINVAL },
		{ "nr_hpages=", EINVAL },
		{ "nr_hpages=2 size=4M", EINVAL },
		{ "size=-1", EINVAL },
		{ "size=4X", EINVAL },
		{ "size=", EINVAL },
		{ "size=big", EINVAL },
		{ "hpage_size=3M", EINVAL },
		{ "hpage_size=8K", EINVAL },
		{ "hpage_size=1", EINVAL },
		{ "hpage_size=2MB", EINVAL },
		{ "hpage_size=512M nr_hpages=1", EINVAL },
		{ "mode=01777", EINVAL },
		{ "mode=04600", EINVAL },
		{ "mode=rw", EINVAL },
		{ "allow_base=maybe", EINVAL },
		{ "nr_hpages=0x1000000000000000", EINVAL },	/* bytes overflow */
		{ "hpage_size=1G", ENOMEM },			/* a size, but no pool */
		{ "nr_hpages=1000000", ENOMEM },
		{ "size=15E", ENOMEM },
	};

	want_pool(16);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int err = load(bad[i].params);

		if (err != -bad[i].err)
			printf("# load with '%s': %d\n", bad[i].params, err);
		CHECK_EQ(err, -bad[i].err);
		CHECK(!loaded());
		CHECK_EQ(access(DEV, F_OK), -1);
		CHECK_EQ(pool_of(pmd_size, "free"), 16);
	}
}

/* An errno at once, before anybody's memory gets short. */
static void more_than_available_memory_is_enomem(void)
{
	static const char * const how[] = { "", " hpage_size=4K", " allow_base=1" };
	unsigned long long kb;
	char text[8192], *line;

	read_text("/proc/meminfo", text, sizeof(text));
	line = strstr(text, "MemAvailable:");
	CHECK(line);
	CHECK_EQ(sscanf(line, "MemAvailable: %llu", &kb), 1);
	for (size_t i = 0; i < sizeof(how) / sizeof(*how); i++) {
		snprintf(text, sizeof(text), "size=%lluK%s", kb + (64 << 10), how[i]);
		CHECK_EQ(load(text), -ENOMEM);
		CHECK(!loaded());
	}
}

/* Some kernels read 0, others the largest number there is. */
static void a_size_beyond_64_bits_is_refused(void)
{
	int err = load("size=16E");

	CHECK(err == -EINVAL || err == -ENOMEM);
	CHECK(!loaded());
}

static void the_node_has_the_mode_asked_for(void)
{
	static const struct {
		const char *params;
		mode_t mode;
	} modes[] = { { "", 0600 }, { "mode=0666", 0666 }, { "mode=0640", 0640 } };
	struct stat st;

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		load_must(modes[i].params);
		CHECK_EQ(stat(DEV, &st), 0);
		CHECK(S_ISCHR(st.st_mode));
		CHECK_EQ(st.st_mode & 07777, modes[i].mode);
		CHECK_EQ(unload(), 0);
	}
}

/* The heart of it: close() ends nothing while a mapping lives. */
static void a_mapping_holds_pages_and_module(void)
{
	char *p;
	int fd;

	want_pool(16);
	load_must("nr_hpages=4");
	fd = dev_open(O_RDWR);
	p = map_all(fd, RW, MAP_SHARED);
	close(fd);
	CHECK_GE(refcnt(), 1);
	CHECK_EQ(unload(), -EWOULDBLOCK);
	CHECK_EQ(pool_of(pmd_size, "free"), 12);
	CHECK_COUNT("mappings", 1);
	CHECK_COUNT("descriptors", 0);
	fill(p, buf_size, 1);
	CHECK(filled(p, buf_size, 1));
	CHECK_EQ(munmap(p, buf_size - buf_page), 0);
	CHECK_EQ(unload(), -EWOULDBLOCK);
	CHECK_EQ(munmap(p, buf_size), 0);
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 16);
}

static void a_descriptor_holds_the_module(void)
{
	int fd;

	load_must("nr_hpages=1");
	fd = dev_open(O_RDONLY);
	CHECK_EQ(unload(), -EWOULDBLOCK);
	close(fd);
	CHECK_EQ(unload(), 0);
}

static int pipes[2][2];

static void sit(void *arg)
{
	(void)arg;
	step_done(pipes[0][1]);
	step_wait(pipes[1][0]);
}

static void a_child_holds_what_it_inherits(void)
{
	pid_t pid;
	char *p;
	int fd;

	CHECK(!pipe(pipes[0]) && !pipe(pipes[1]));
	load_must("nr_hpages=1");
	fd = dev_open(O_RDWR);
	p = map_all(fd, RW, MAP_SHARED | MAP_POPULATE);
	pid = spawn(sit, NULL);
	step_wait(pipes[0][0]);
	close(fd);
	CHECK_EQ(munmap(p, buf_size), 0);
	CHECK_COUNT("mappings", 1);
	CHECK_COUNT("descriptors", 1);
	CHECK_EQ(unload(), -EWOULDBLOCK);
	step_done(pipes[1][1]);
	CHECK_EXITS(pid);
	CHECK_EQ(unload(), 0);
}

static void load_and_unload_in_a_loop(void)
{
	static const char * const params[] = { "", "nr_hpages=2", "nr_hpages=2 hpage_size=4K" };

	want_pool(4);
	for (int i = 0; i < 24; i++) {
		load_must(params[i % 3]);
		if (i % 2 && i % 3) {
			char *p = map_all(dev_open(O_RDWR), RW, MAP_SHARED);

			memset(p, i, base_page);
			CHECK_EQ(unload(), -EWOULDBLOCK);
			munmap(p, buf_size);
			close_range(3, ~0U, 0);
		}
		CHECK_EQ(unload(), 0);
		CHECK_EQ(pool_of(pmd_size, "free"), 4);
	}
}

static void open_and_see(void *arg)
{
	char *p;

	(void)arg;
	step_wait(pipes[0][0]);
	p = map(dev_open(O_RDWR), pmd_size, RW, MAP_SHARED, 0);
	__atomic_add_fetch((int *)p, 1, __ATOMIC_SEQ_CST);
}

static void racing_first_opens_make_one_buffer(void)
{
	enum { N = 8 };
	pid_t pids[N];
	int *p;

	want_pool(16);
	load_must("");
	CHECK_EQ(pipe(pipes[0]), 0);
	for (int i = 0; i < N; i++)
		pids[i] = spawn(open_and_see, NULL);
	CHECK_EQ(write(pipes[0][1], "12345678", N), N);
	for (int i = 0; i < N; i++)
		CHECK_EXITS(pids[i]);
	CHECK_EQ(pool_of(pmd_size, "free"), 16 - NR_DEFAULT);
	p = (int *)map(dev_open(O_RDONLY), pmd_size, PROT_READ, MAP_SHARED, 0);
	CHECK_EQ(*p, N);
	munmap(p, pmd_size);
	close_range(3, ~0U, 0);
	CHECK_EQ(unload(), 0);
}

struct rung {
	const char *params, *backing;
};

static void check_written_before_mapped(void *arg)
{
	const struct rung *r = arg;
	char *own, *p;
	int fd;

	load_must(r->params);
	CHECK(backed_by(r->backing));
	own = mmap(NULL, buf_size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_NE(own, MAP_FAILED);
	fd = dev_open(O_RDWR);
	fill(own, buf_size, 1);
	CHECK_EQ(read(fd, own, buf_size), (ssize_t)buf_size);
	CHECK(zeroed(own, buf_size));
	fill(own, buf_size, 9);
	CHECK_EQ(pwrite(fd, own, buf_size, 0), (ssize_t)buf_size);
	p = map_all(fd, RW, MAP_SHARED);
	CHECK(filled(p, buf_size, 9));
	CHECK_EQ(munmap(p, buf_size), 0);
	close(fd);
	CHECK_EQ(unload(), 0);

	/* What the last user wrote is not for the next. */
	load_must(r->params);
	CHECK(zeroed(map_all(dev_open(O_RDONLY), PROT_READ, MAP_SHARED), buf_size));
}

/* As a device fills it before anybody maps it. */
static void device_writes(const char *params, const char *backing)
{
	struct rung r = { params, backing };

	CHECK_EXITS(spawn(check_written_before_mapped, &r));
	CHECK_EQ(unload(), 0);
}

static void hugetlb_keeps_what_came_before_mapping(void)
{
	want_pool(4);
	device_writes("nr_hpages=4", "hugetlb");
}

static void thp_keeps_what_came_before_mapping(void)
{
	device_writes("nr_hpages=4", "thp");
}

static void base_keeps_what_came_before_mapping(void)
{
	device_writes("size=4M hpage_size=4K", "base");
}

static void a_short_pool_falls_to_thp(void)
{
	want_pool(3);
	load_must("nr_hpages=4");
	CHECK(backed_by("thp"));
	CHECK_EQ(class_u64("nr_huge"), 4);
	CHECK_EQ(pool_of(pmd_size, "free"), 3);
	CHECK_EQ(unload(), 0);
}

/* Reserved for somebody is not free for us. */
static void reserved_pages_are_not_taken(void)
{
	char *theirs;

	want_pool(6);
	theirs = mmap(NULL, 4 * pmd_size, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	CHECK_NE(theirs, MAP_FAILED);
	CHECK_EQ(pool_of(pmd_size, "resv"), 4);
	load_must("nr_hpages=3");
	CHECK(backed_by("thp"));
	CHECK_EQ(unload(), 0);
	load_must("nr_hpages=2");
	CHECK(backed_by("hugetlb"));
	memset(theirs, 1, 4 * pmd_size);
	CHECK_EQ(munmap(theirs, 4 * pmd_size), 0);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 6);
}

static void overcommit_pages_serve_too(void)
{
	CHECK_EQ(set_pool(pmd_size, "nr_overcommit", 8), 0);
	load_must("nr_hpages=4");
	CHECK(backed_by("hugetlb"));
	CHECK_EQ(pool_of(pmd_size, "surplus"), 4);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(pool_of(pmd_size, "surplus"), 0);
	CHECK_EQ(pool_of(pmd_size, "nr"), 0);
}

/* The administrator may take the pool away; lent pages stay lent. */
static void shrinking_the_pool_takes_nothing(void)
{
	char *p;

	want_pool(4);
	load_must("nr_hpages=4");
	p = map_all(dev_open(O_RDWR), RW, MAP_SHARED);
	fill(p, buf_size, 1);
	CHECK_EQ(set_pool(pmd_size, "nr", 0), 0);
	CHECK_EQ(pool_of(pmd_size, "surplus"), 4);
	CHECK(filled(p, buf_size, 1));
	munmap(p, buf_size);
	close_range(3, ~0U, 0);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(pool_of(pmd_size, "surplus"), 0);
}

static const struct test tests[] = {
	TEST(a_bare_load_takes_nothing_until_open, ON_NONE),
	TEST(parameters_make_it_at_load, ON_NONE),
	TEST(bad_parameters_are_refused, ON_NONE),
	TEST(a_size_beyond_64_bits_is_refused, ON_NONE),
	TEST(more_than_available_memory_is_enomem, ON_NONE),
	TEST(the_node_has_the_mode_asked_for, ON_NONE),
	TEST(a_mapping_holds_pages_and_module, ON_NONE),
	TEST(a_descriptor_holds_the_module, ON_NONE),
	TEST(a_child_holds_what_it_inherits, ON_NONE),
	TEST(load_and_unload_in_a_loop, ON_NONE),
	TEST(racing_first_opens_make_one_buffer, ON_NONE),
	TEST(hugetlb_keeps_what_came_before_mapping, ON_NONE),
	TEST(thp_keeps_what_came_before_mapping, ON_NONE),
	TEST(base_keeps_what_came_before_mapping, ON_NONE),
	TEST(a_short_pool_falls_to_thp, ON_NONE),
	TEST(reserved_pages_are_not_taken, ON_NONE),
	TEST(overcommit_pages_serve_too, ON_NONE),
	TEST(shrinking_the_pool_takes_nothing, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
