// SPDX-License-Identifier: GPL-2.0-only
/* Private mappings: copy-on-write, and who pays for the copies. */
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Leave the pool without a page to promise, as an ordinary user can: map
 * and so reserve all of it.
 */
static void *eat_pool(void)
{
	size_t len = (pool("free") - pool("resv")) * buf_page;
	void *p = MAP_FAILED;
	int shift = __builtin_ctzl(buf_page);

	if (!len)
		return NULL;
	p = mmap(NULL, len, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
		 shift << MAP_HUGE_SHIFT, -1, 0);
	CHECK_NE(p, MAP_FAILED);
	CHECK_EQ(pool("free"), pool("resv"));
	return p;
}

static void writes_stay_private(void)
{
	int fd = dev_open(O_RDWR);
	char *shared = map_all(fd, RW, MAP_SHARED);
	char *own = map_all(fd, RW, MAP_PRIVATE);
	char *other = map_all(fd, RW, MAP_PRIVATE);

	fill(shared, buf_size, 1);
	CHECK(filled(own, buf_size, 1));
	fill(own, buf_size, 2);
	CHECK(filled(own, buf_size, 2));
	CHECK(filled(shared, buf_size, 1));
	CHECK(filled(other, buf_size, 1));
}

/* One page of ours must not take the rest of the buffer with it. */
static void only_the_written_page_is_copied(void)
{
	int fd = dev_open(O_RDWR);
	char *shared = map_all(fd, RW, MAP_SHARED);
	char *own = map_all(fd, RW, MAP_PRIVATE);

	fill(shared, buf_size, 1);
	own[buf_page] = 1;
	fill(shared, buf_page, 3);
	fill(shared + 2 * buf_page, buf_size - 2 * buf_page, 4);
	CHECK(filled(own, buf_page, 3));
	CHECK(filled(own + 2 * buf_page, buf_size - 2 * buf_page, 4));
}

static void a_read_only_descriptor_is_enough(void)
{
	char *shared = map_all(dev_open(O_RDWR), RW, MAP_SHARED);
	char *own = map(dev_open(O_RDONLY), buf_page, RW, MAP_PRIVATE, 0);
	char *late = map(dev_open(O_RDONLY), buf_page, PROT_READ, MAP_PRIVATE, 0);

	fill(shared, buf_page, 1);
	CHECK_EQ(mprotect(late, buf_page, RW), 0);
	fill(own, buf_page, 2);
	fill(late, buf_page, 3);
	CHECK(filled(shared, buf_page, 1));
}

static void dontneed_drops_the_copy(void)
{
	int fd = dev_open(O_RDWR);
	char *shared = map_all(fd, RW, MAP_SHARED);
	char *own = map(fd, buf_page, RW, MAP_PRIVATE, 0);

	fill(shared, buf_page, 1);
	fill(own, buf_page, 2);
	CHECK_EQ(madvise(own, buf_page, MADV_DONTNEED), 0);
	CHECK(filled(own, buf_page, 1));
}

struct child {
	char *own;
	char *shared;
};

static void child_writes_own(void *arg)
{
	struct child *c = arg;

	CHECK(filled(c->own, buf_page, 2));
	fill(c->own, buf_page, 3);
	CHECK(filled(c->own, buf_page, 3));
	CHECK(filled(c->shared, buf_page, 1));
}

static void fork_copies_a_private_writers_pages(void)
{
	int fd = dev_open(O_RDWR);
	struct child c = {
		.shared = map(fd, buf_page, RW, MAP_SHARED, 0),
		.own = map(fd, buf_page, RW, MAP_PRIVATE, 0),
	};

	fill(c.shared, buf_page, 1);
	fill(c.own, buf_page, 2);
	CHECK_EXITS(spawn(child_writes_own, &c));
	CHECK(filled(c.own, buf_page, 2));
}

static void mmap_reserves_what_writes_may_need(void)
{
	uint64_t before = pool("resv");
	int fd = dev_open(O_RDWR);
	char *p;

	map_all(fd, RW, MAP_SHARED);
	CHECK_EQ(pool("resv"), before);
	p = map(fd, 3 * buf_page, RW, MAP_PRIVATE, 0);
	CHECK_EQ(pool("resv"), before + 3);
	p[0] = 1;
	CHECK_EQ(pool("resv"), before + 2);
	CHECK_EQ(munmap(p, 3 * buf_page), 0);
	CHECK_EQ(pool("resv"), before);
	/* MAP_NORESERVE is no way to a SIGBUS later. */
	map(fd, 2 * buf_page, RW, MAP_PRIVATE | MAP_NORESERVE, 0);
	CHECK_EQ(pool("resv"), before + 2);
}

static void an_empty_pool_is_told_at_mmap(void)
{
	int fd = dev_open(O_RDWR);

	eat_pool();
	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_PRIVATE, fd, 0), ENOMEM);
	CHECK_ERR(mmap(NULL, buf_page, PROT_READ, MAP_PRIVATE, fd, 0), ENOMEM);
	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_PRIVATE | MAP_NORESERVE, fd, 0), ENOMEM);
	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_PRIVATE | MAP_POPULATE, fd, 0), ENOMEM);
	/* Sharing takes nothing from the pool. */
	map_all(fd, RW, MAP_SHARED | MAP_POPULATE);
}

static void reserved_pages_serve_an_empty_pool(void)
{
	int fd = dev_open(O_RDWR);
	char *own = map(fd, buf_page, RW, MAP_PRIVATE, 0);

	eat_pool();
	fill(own, buf_page, 2);
	CHECK(filled(own, buf_page, 2));
}

static void child_touches_own(void *arg)
{
	struct child *c = arg;

	CHECK(filled(c->own, buf_page, 2));
	*(volatile char *)c->own = 1;
}

/* hugetlb's rule: the reservation is the parent's, the child takes its chance. */
static void a_child_without_a_page_gets_sigbus(void)
{
	int fd = dev_open(O_RDWR);
	struct child c = { .own = map(fd, buf_page, RW, MAP_PRIVATE, 0) };
	pid_t pid;

	fill(c.own, buf_page, 2);
	eat_pool();
	pid = spawn(child_touches_own, &c);
	CHECK_KILLED(pid, SIGBUS);
	CHECK(filled(c.own, buf_page, 2));
	fill(c.own, buf_page, 4);
	CHECK(filled(c.own, buf_page, 4));
}

/* A file of the group, for pages of the pool. */
static const char *limit_of_group(const char *name)
{
	static char path[96];
	bool mib = buf_page >> 20;

	snprintf(path, sizeof(path), GROUP "hugetlb.%zu%s.%s", buf_page >> (mib ? 20 : 10),
		 mib ? "MB" : "KB", name);
	return path;
}

static void limit_group(const char *name, size_t pages)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", pages * buf_page);
	CHECK_EQ(write_text(limit_of_group(name), text), 0);
}

static void map_privately_in_a_group(void *arg)
{
	uint64_t before = pool("resv");
	int fd = dev_open(O_RDONLY);
	char *p;

	(void)arg;
	enter_group();
	CHECK_ERR(mmap(NULL, 3 * buf_page, RW, MAP_PRIVATE, fd, 0), ENOMEM);
	CHECK_EQ(pool("resv"), before);
	p = map(fd, 2 * buf_page, RW, MAP_PRIVATE, 0);
	CHECK_EQ(read_u64(limit_of_group("rsvd.current")), 2 * buf_page);
	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_PRIVATE, fd, 0), ENOMEM);
	CHECK_ERR(mmap(NULL, buf_page, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, 0), ENOMEM);
	/* What was granted is there, and sharing is not counted. */
	fill(p, 2 * buf_page, 2);
	CHECK(filled(p, 2 * buf_page, 2));
	map(fd, buf_size, PROT_READ, MAP_SHARED | MAP_POPULATE, 0);
	CHECK_EQ(munmap(p, 2 * buf_page), 0);
	map(fd, 2 * buf_page, RW, MAP_PRIVATE, 0);
}

/* Anyone who may open the buffer could take the pool away from all others. */
static void a_group_limits_what_private_mappings_reserve(void)
{
	make_group("+hugetlb");
	limit_group("rsvd.max", 2);
	CHECK_EXITS(spawn(map_privately_in_a_group, NULL));
	CHECK_EQ(read_u64(limit_of_group("rsvd.current")), 0);
	remove_group();
}

static void write_to_a_copy_in_a_group(void *arg)
{
	char *own = map(dev_open(O_RDWR), 2 * buf_page, RW, MAP_PRIVATE, 0);

	(void)arg;
	enter_group();
	own[0] = 1;
	own[buf_page] = 1;
}

/* The limit on pages in use is not looked at before there is a copy, when no call can fail. */
static void a_copy_over_the_limit_of_a_group_is_sigbus(void)
{
	make_group("+hugetlb");
	limit_group("max", 2);
	CHECK_EXITS(spawn(write_to_a_copy_in_a_group, NULL));
	limit_group("max", 1);
	CHECK_KILLED(spawn(write_to_a_copy_in_a_group, NULL), SIGBUS);
	CHECK_EQ(read_u64(limit_of_group("current")), 0);
	remove_group();
}

/* Memory is the only pool here: nothing to run short of at mmap. */
static void no_pool_is_needed_without_hugetlb(void)
{
	int fd = dev_open(O_RDWR);
	char *own = map_all(fd, RW, MAP_PRIVATE | MAP_NORESERVE);

	CHECK_EQ(pool_of(pmd_size, "free"), 0);
	fill(own, buf_page, 2);
	CHECK(filled(own, buf_page, 2));
}

static const struct test tests[] = {
	TEST(writes_stay_private, ON_SMALL),
	TEST(only_the_written_page_is_copied, ON_SMALL),
	TEST(a_read_only_descriptor_is_enough, ON_SMALL),
	TEST(dontneed_drops_the_copy, ON_SMALL),
	TEST(fork_copies_a_private_writers_pages, ON_SMALL),
	TEST(mmap_reserves_what_writes_may_need, ON_HUGETLB),
	TEST(an_empty_pool_is_told_at_mmap, ON_POOL),
	TEST(reserved_pages_serve_an_empty_pool, ON_HUGETLB),
	TEST(a_child_without_a_page_gets_sigbus, ON_HUGETLB),
	TEST(a_group_limits_what_private_mappings_reserve, ON_HUGETLB | NEEDS_ROOT),
	TEST(a_copy_over_the_limit_of_a_group_is_sigbus, ON_HUGETLB | NEEDS_ROOT),
	TEST(no_pool_is_needed_without_hugetlb, ON_SHMEM),
};

int main(void)
{
	return RUN_TESTS(tests);
}
