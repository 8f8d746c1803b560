// SPDX-License-Identifier: GPL-2.0-only
/* samples/minimal: the driver of 2009, and a program that maps it. */
#define _GNU_SOURCE
#include "lent.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define NODE	"/dev/hpage_map_minimal"
#define SIZE	(10 * pmd_size)

static void begin(uint64_t pages)
{
	CHECK(want_pool(pages));
	CHECK_EQ(load(""), 0);
	CHECK_EQ(insert("hpage_map_minimal", ""), 0);
}

static void end(void)
{
	CHECK_EQ(take_out("hpage_map_minimal"), 0);
	CHECK_EQ(unload(), 0);
}

static int node_open(void)
{
	int fd = open(NODE, O_RDWR | O_CLOEXEC);

	CHECK_GE(fd, 0);
	return fd;
}

/* The driver's buffer, as anybody may list it. */
static struct hpage_map_info drivers_buffer(void)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	int door = dev_open(HPAGE_MAP_O_DOOR);

	CHECK_EQ(ioctl(door, HPAGE_MAP_LIST, &info), 0);
	close(door);
	return info;
}

static void its_pages_are_taken_at_load_and_come_back(void)
{
	struct hpage_map_info info;

	begin(12);
	CHECK_EQ(pool_of(pmd_size, "free"), 2);
	info = drivers_buffer();
	CHECK_EQ(info.length, SIZE);
	CHECK_EQ(info.page_size, pmd_size);
	CHECK_EQ(info.drivers, 1);
	CHECK_EQ(info.descriptors, 0);
	CHECK_EQ(info.mappings, 0);
	CHECK_EQ(take_out("hpage_map_minimal"), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 12);
	CHECK_EQ(count_buffers(), 0);
	CHECK_EQ(unload(), 0);
}

static void check_huge(char *p)
{
	for (size_t i = 0; i < SIZE; i += pmd_size)
		CHECK_EQ(p[i], 0);
	if (smaps(p, "KernelPageSize") != (long)(pmd_size / 1024))
		CHECK_EQ(smaps(p, "ShmemPmdMapped"), (long)(SIZE / 1024));
}

static void its_node_maps_huge_pages(void)
{
	char *p;
	int fd;

	for (uint64_t pages = 0; pages <= 10; pages += 10) {
		begin(pages);		/* with a pool, and without */
		fd = node_open();
		p = map(fd, SIZE, RW, MAP_SHARED, 0);
		CHECK_EQ((uintptr_t)p % pmd_size, 0);
		check_huge(p);
		fill(p + 9 * pmd_size, pmd_size, 1);
		CHECK_EQ(munmap(p, SIZE), 0);
		p = map(fd, 2 * pmd_size, RW, MAP_SHARED, 8 * pmd_size);
		CHECK(filled(p + pmd_size, pmd_size, 1));
		munmap(p, 2 * pmd_size);
		CHECK_ERR(mmap(NULL, SIZE, RW, MAP_SHARED, fd, pmd_size), EINVAL);
		CHECK_ERR(mmap(NULL, SIZE + pmd_size, RW, MAP_SHARED, fd, 0), EINVAL);
		/* A part of a page maps only where it is no pool's. */
		p = mmap(NULL, base_page, RW, MAP_SHARED, fd, 9 * pmd_size);
		CHECK_EQ(p == MAP_FAILED, pages > 0);
		CHECK(pages || (filled(p, base_page, 1) && !munmap(p, base_page)));
		close(fd);
		end();
	}
}

static void other_writes(void *arg)
{
	char *p = map(node_open(), SIZE, RW, MAP_SHARED, 0);

	(void)arg;
	CHECK(filled(p, SIZE, 2));
	fill(p, SIZE, 3);
}

static void two_programs_share_it(void)
{
	char *p;
	int fd;

	begin(10);
	fd = node_open();
	p = map(fd, SIZE, RW, MAP_SHARED, 0);
	fill(p, SIZE, 2);
	CHECK_EXITS(spawn(other_writes, NULL));
	CHECK(filled(p, SIZE, 3));
	munmap(p, SIZE);
	/* It is the driver's: what was written stays. */
	p = map(fd, SIZE, RW, MAP_SHARED, 0);
	CHECK(filled(p, SIZE, 3));
	munmap(p, SIZE);
	close(fd);
	end();
}

static void hpage_map_stays_while_it_is_used(void)
{
	begin(0);
	CHECK_EQ(unload(), -EWOULDBLOCK);
	end();
}

static void it_stays_while_its_node_is_open(void)
{
	int fd;

	begin(0);
	fd = node_open();
	CHECK_EQ(take_out("hpage_map_minimal"), -EWOULDBLOCK);
	close(fd);
	end();
}

/* The mapping is of the buffer, and needs the driver no more. */
static void it_may_go_while_it_is_mapped(void)
{
	char *p;
	int fd;

	begin(10);
	fd = node_open();
	p = map(fd, SIZE, RW, MAP_SHARED, 0);
	fill(p, SIZE, 4);
	close(fd);
	CHECK_EQ(drivers_buffer().mappings, 1);
	CHECK_EQ(take_out("hpage_map_minimal"), 0);
	CHECK_EQ(drivers_buffer().drivers, 0);
	CHECK_EQ(unload(), -EWOULDBLOCK);
	CHECK(filled(p, SIZE, 4));
	CHECK_EQ(pool_of(pmd_size, "free"), 0);

	/* It comes again beside what is left of it. */
	CHECK_EQ(set_pool(pmd_size, "nr", 20), 0);
	CHECK_EQ(insert("hpage_map_minimal", ""), 0);
	fill(p, SIZE, 5);
	CHECK_EQ(take_out("hpage_map_minimal"), 0);
	munmap(p, SIZE);
	CHECK_EQ(pool_of(pmd_size, "free"), 20);
	CHECK_EQ(unload(), 0);
}

static void it_does_not_load_without_hpage_map(void)
{
	CHECK_EQ(insert("hpage_map_minimal", ""), -ENOENT);	/* its symbols */
}

static int maps[2];

static void map_for_ever(void *arg)
{
	(void)arg;
	step_done(maps[1]);
	for (;;) {
		int fd = open(NODE, O_RDWR | O_CLOEXEC);
		char *p;

		if (fd < 0)
			continue;
		p = mmap(NULL, SIZE, RW, MAP_SHARED, fd, 0);
		close(fd);
		if (p == MAP_FAILED)
			continue;
		p[0]++;
		munmap(p, SIZE);
	}
}

/* Whoever maps at that moment has what it was, or nothing. */
static void it_comes_and_goes_under_load(void)
{
	pid_t pid[2];

	begin(40);
	CHECK_EQ(pipe2(maps, O_CLOEXEC), 0);
	for (int i = 0; i < 2; i++) {
		pid[i] = spawn(map_for_ever, NULL);
		step_wait(maps[0]);
	}
	for (int i = 0; i < 20; ) {
		int err = take_out("hpage_map_minimal");

		CHECK(!err || err == -EWOULDBLOCK);
		if (err)
			continue;
		i++;
		CHECK_EQ(insert("hpage_map_minimal", ""), 0);
	}
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(kill(pid[i], SIGKILL), 0);
		CHECK_KILLED(pid[i], SIGKILL);
	}
	end();
	CHECK_EQ(pool_of(pmd_size, "free"), 40);
}

int main(void)
{
	const struct test tests[] = {
		TEST(its_pages_are_taken_at_load_and_come_back, ON_NONE),
		TEST(its_node_maps_huge_pages, ON_NONE),
		TEST(two_programs_share_it, ON_NONE),
		TEST(hpage_map_stays_while_it_is_used, ON_NONE),
		TEST(it_stays_while_its_node_is_open, ON_NONE),
		TEST(it_may_go_while_it_is_mapped, ON_NONE),
		TEST(it_does_not_load_without_hpage_map, ON_NONE),
		TEST(it_comes_and_goes_under_load, ON_NONE),
	};

	return RUN_TESTS(tests);
}
