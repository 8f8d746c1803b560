// SPDX-License-Identifier: GPL-2.0-only
/* samples/edu: real DMA of an emulated device into a buffer, with an IOMMU and without. */
#define _GNU_SOURCE
#include "pci.h"
#include "../samples/edu/hpage_map_edu.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES	3
#define SIZE	(PAGES * pmd_size)
#define ALL	"dma_bits=64 pages=3"
/* The device takes 100 ms for this much, there and back. */
#define PART	2048

static void begin(uint64_t pages, const char *device, const char *params)
{
	CHECK(want_pool(pages));
	CHECK_EQ(load(""), 0);
	CHECK_EQ(load_edu(device, params), 0);
	CHECK(has_driver(device, EDU_DRIVER));
}

static void end(void)
{
	CHECK_EQ(take_out(EDU_DRIVER), 0);
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(unload(), 0);
}

static int copy(int fd, uint64_t from, uint64_t to, uint64_t length)
{
	struct hpage_map_edu_copy c = { .from = from, .to = to, .length = length };

	return ioctl(fd, HPAGE_MAP_EDU_COPY, &c) ? -errno : 0;
}

/* The device wrote them before anybody could have mapped the buffer. */
static void check_stamps(const char *p, size_t page)
{
	for (size_t i = 0; i < SIZE / page; i++) {
		char want[HPAGE_MAP_EDU_STAMP_SIZE] = "";

		snprintf(want, sizeof(want), HPAGE_MAP_EDU_STAMP, (unsigned long long)i);
		CHECK_EQ(memcmp(p + i * page, want, sizeof(want)), 0);
		CHECK(zeroed(p + i * page + sizeof(want), page - sizeof(want)));
	}
}

/* There and back by the device: the bytes are the same, and no others have changed. */
static void check_round_trip(int fd, char *p)
{
	size_t from = pmd_size - PART / 2, to = 2 * pmd_size + 3 * base_page;
	size_t len = 2 * PART - 8;
	char *before = malloc(SIZE);

	fill(p, SIZE, 1);
	memcpy(before, p, SIZE);
	CHECK_EQ(copy(fd, from, to, len), 0);
	memcpy(before + to, before + from, len);
	CHECK_EQ(memcmp(p, before, SIZE), 0);
	/* And back to where it is odd. */
	CHECK_EQ(copy(fd, to, 5, 100), 0);
	memcpy(before + 5, before + to, 100);
	CHECK_EQ(memcmp(p, before, SIZE), 0);
	free(before);
}

static void check_device(uint64_t pages, const char *device, const char *params)
{
	char *p;
	int fd;

	begin(pages, device, params);
	fd = edu_open();
	p = map(fd, SIZE, RW, MAP_SHARED, 0);
	check_stamps(p, pmd_size);
	/* Where the pool has none that the device reaches, the page allocator may. */
	if (smaps(p, "KernelPageSize") != (long)(pmd_size / 1024))
		CHECK_EQ(smaps(p, "ShmemPmdMapped"), (long)(SIZE / 1024));
	check_round_trip(fd, p);
	munmap(p, SIZE);
	close(fd);
	end();
}

static void a_device_fills_a_buffer_before_it_is_mapped(void)
{
	check_device(8, WIDE, ALL);
}

static void pages_without_a_pool_are_filled_as_well(void)
{
	check_device(0, WIDE, ALL);
}

static void one_run_is_one_entry(void)
{
	/* Neighbours are to be found, whatever ran before. */
	tidy_memory();
	check_device(64, WIDE, ALL " contiguous=1");
	CHECK(logged("6291456 bytes in 1 entries"));
}

/* 28 bits are enough where an IOMMU translates, or where the pages can be had low. */
static void a_narrow_device_gets_what_it_can_reach(void)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	int door;

	begin(8, NARROW, "dma_bits=28 pages=3");
	door = dev_open(HPAGE_MAP_O_DOOR);
	CHECK_EQ(ioctl(door, HPAGE_MAP_LIST, &info), 0);
	CHECK(has_iommu() || info.address < 1 << 28);
	printf("# its pages are at %#llx\n", (unsigned long long)info.address);
	close(door);
	end();
	check_device(8, NARROW, "dma_bits=28 pages=3");
}

/* Nobody has set memory aside that is low enough: it is claimed. */
static void a_narrow_device_needs_no_pool(void)
{
	check_device(0, NARROW, "dma_bits=28 pages=3");
	check_device(0, NARROW, "dma_bits=28 pages=3 contiguous=1");
}

/*
 * An errno for the driver, and for people the reason. There are no 16 MiB in the
 * first 16 MiB; loading a driver succeeds even if it refuses all devices.
 */
static void a_device_that_reaches_too_little_is_refused(void)
{
	CHECK(want_pool(16));
	CHECK_EQ(load(""), 0);
	CHECK_EQ(load_edu(NARROW, "dma_bits=24 pages=8"), 0);
	CHECK(has_driver(NARROW, NULL));
	CHECK(logged("probe with driver " EDU_DRIVER " failed with error") ||
	      logged("probe of " NARROW " failed with error"));
	if (!has_iommu()) {
		CHECK(logged(NARROW " asked for 16 MiB and got nothing"));
		CHECK(logged("below 0x1000000"));
	}
	CHECK_EQ(count_buffers(), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 16);
	end();
}

static void a_copy_stays_within_the_buffer(void)
{
	static const uint64_t far = 1ULL << 62;
	int fd;

	begin(8, WIDE, ALL);
	fd = edu_open();
	CHECK_EQ(copy(fd, 0, SIZE, 1), -EINVAL);
	CHECK_EQ(copy(fd, SIZE, 0, 1), -EINVAL);
	CHECK_EQ(copy(fd, 0, 8, SIZE), -EINVAL);
	CHECK_EQ(copy(fd, 0, far, 8), -EINVAL);
	CHECK_EQ(copy(fd, far, 0, 8), -EINVAL);
	CHECK_EQ(copy(fd, 8, 0, -8ULL), -EINVAL);
	CHECK_EQ(copy(fd, 0, 0, 0), 0);
	CHECK_ERR(ioctl(fd, HPAGE_MAP_EDU_COPY, NULL), EFAULT);
	CHECK_ERR(ioctl(fd, HPAGE_MAP_INFO, NULL), ENOTTY);
	CHECK_ERR(mmap(NULL, SIZE + pmd_size, RW, MAP_SHARED, fd, 0), EINVAL);
	close(fd);
	end();
}

/* The driver goes: programs keep memory and descriptor, and the device no part of it. */
static void a_driver_is_unbound_under_a_program(void)
{
	char *p, *again;
	int fd, other;

	begin(8, WIDE, ALL);
	fd = edu_open();
	p = map(fd, SIZE, RW, MAP_SHARED, 0);
	CHECK_EQ(unbind(WIDE), 0);
	CHECK(has_driver(WIDE, NULL));
	CHECK_EQ(access(EDU_NODE, F_OK), -1);
	check_stamps(p, pmd_size);
	fill(p, SIZE, 2);
	CHECK_EQ(copy(fd, 0, pmd_size, 64), -ENODEV);
	again = map(fd, SIZE, RW, MAP_SHARED, 0);
	CHECK(filled(again, SIZE, 2));
	CHECK_EQ(count_buffers(), 1);
	CHECK_EQ(take_out(EDU_DRIVER), -EWOULDBLOCK);	/* open */

	/* Bound again it has another buffer. */
	CHECK_EQ(bind_to(WIDE, EDU_DRIVER), 0);
	CHECK_EQ(count_buffers(), 2);
	other = edu_open();
	CHECK_EQ(copy(other, 0, pmd_size, 64), 0);
	close(other);
	CHECK(filled(p, SIZE, 2));
	close(fd);
	CHECK_EQ(count_buffers(), 2);
	munmap(p, SIZE);
	munmap(again, SIZE);
	CHECK_EQ(count_buffers(), 1);
	end();
	CHECK_EQ(pool_of(pmd_size, "free"), 8);
}

static void the_driver_goes_while_it_is_mapped(void)
{
	char *p;
	int fd;

	begin(8, WIDE, ALL);
	fd = edu_open();
	p = map(fd, SIZE, RW, MAP_SHARED, 0);
	close(fd);
	CHECK_EQ(take_out(EDU_DRIVER), 0);
	CHECK_EQ(unload(), -EWOULDBLOCK);
	check_stamps(p, pmd_size);
	munmap(p, SIZE);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 8);
}

static int started[2];

static void copy_for_ever(void *arg)
{
	int fd = edu_open();
	char *p = map(fd, SIZE, RW, MAP_SHARED, 0);

	(void)arg;
	step_done(started[1]);
	for (;;) {
		p[0]++;
		if (copy(fd, 0, pmd_size, SIZE - pmd_size) == -ENODEV)
			_exit(0);
	}
}

static void a_program_is_killed_while_the_device_copies(void)
{
	pid_t pid;

	begin(8, WIDE, ALL);
	CHECK_EQ(pipe(started), 0);
	for (int i = 0; i < 3; i++) {
		pid = spawn(copy_for_ever, NULL);
		step_wait(started[0]);
		CHECK_EQ(kill(pid, SIGKILL), 0);
		CHECK_KILLED(pid, SIGKILL);
	}
	end();
	CHECK_EQ(pool_of(pmd_size, "free"), 8);
}

/* remove() waits for one transfer, and not for the minutes that the whole copy takes. */
static void a_driver_is_unbound_while_the_device_copies(void)
{
	pid_t pid;

	begin(8, WIDE, ALL);
	CHECK_EQ(pipe(started), 0);
	pid = spawn(copy_for_ever, NULL);
	step_wait(started[0]);
	CHECK_EQ(unbind(WIDE), 0);
	CHECK_EXITS(pid);
	end();
	CHECK_EQ(pool_of(pmd_size, "free"), 8);
}

int main(void)
{
	const struct test tests[] = {
		TEST(a_device_fills_a_buffer_before_it_is_mapped, ON_NONE),
		TEST(pages_without_a_pool_are_filled_as_well, ON_NONE),
		TEST(one_run_is_one_entry, ON_NONE),
		TEST(a_narrow_device_gets_what_it_can_reach, ON_NONE),
		TEST(a_narrow_device_needs_no_pool, ON_NONE),
		TEST(a_device_that_reaches_too_little_is_refused, ON_NONE),
		TEST(a_copy_stays_within_the_buffer, ON_NONE),
		TEST(a_driver_is_unbound_under_a_program, ON_NONE),
		TEST(the_driver_goes_while_it_is_mapped, ON_NONE),
		TEST(a_program_is_killed_while_the_device_copies, ON_NONE),
		TEST(a_driver_is_unbound_while_the_device_copies, ON_NONE),
	};

	return RUN_TESTS(tests);
}
