// SPDX-License-Identifier: GPL-2.0-only
/* Buffers mapped for a device by name, whose addresses a program gives to the device. */
#define _GNU_SOURCE
#include "pci.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGES	4
#define SIZE	(PAGES * pmd_size)
#define ROUNDS	30

/* Its own buffer is one page: stamps take time. */
static void begin(uint64_t pages)
{
	CHECK(want_pool(pages));
	CHECK_EQ(load(""), 0);
	CHECK_EQ(load_edu(WIDE, "dma_bits=64 pages=1"), 0);
	CHECK(has_driver(WIDE, EDU_DRIVER));
}

static void end(void)
{
	CHECK_EQ(take_out(EDU_DRIVER), 0);
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(unload(), 0);
}

static int dma_map(int fd, unsigned int flags)
{
	int ret = try_dma_map(fd, WIDE, flags);

	errno = -ret;
	CHECK_GE(ret, 0);
	return ret;
}

/* Where byte @off of the buffer is for whoever has these runs. */
static uint64_t address_of(const struct hpage_map_run *runs, size_t nr, uint64_t off)
{
	for (size_t i = 0; i < nr; i++) {
		if (off < runs[i].length)
			return runs[i].address + off;
		off -= runs[i].length;
	}
	CHECK(!"an offset within the runs");
	return 0;
}

/* --- addresses --------------------------------------------------------------- */

static void runs_cover_the_buffer(void)
{
	struct hpage_map_run bus[8], phys[8];
	int fd, dma;
	size_t nr, bytes = 0;

	begin(4 * PAGES);
	fd = lend_scattered(PAGES, 0);
	dma = dma_map(fd, BOTH);
	nr = get_runs(dma, bus, 8);
	for (size_t i = 0; i < nr; i++)
		bytes += bus[i].length;
	CHECK_EQ(bytes, SIZE);
	if (has_iommu()) {
		CHECK_EQ(nr, 1);		/* scattered pages, one range for the device */
		CHECK_EQ(bus[0].address % pmd_size, 0);
		CHECK_NE(bus[0].address, facts_of(fd).address);
	} else {
		CHECK_EQ(nr, get_runs(fd, phys, 8));
		CHECK_EQ(memcmp(bus, phys, nr * sizeof(*bus)), 0);
	}
	CHECK_EQ(fcntl(dma, F_GETFD), FD_CLOEXEC);
	close(dma);
	close(fd);
	end();
}

static void the_number_of_runs_is_told(void)
{
	struct hpage_map_dma_map d = { .size = sizeof(d), .flags = BOTH, .device = WIDE };
	struct hpage_map_run runs[8] = {}, one[8] = {};
	struct hpage_map_runs r = { .size = sizeof(r), .runs = (uintptr_t)one };
	size_t nr;
	int fd;

	begin(4 * PAGES);
	fd = lend_scattered(PAGES, 0);
	CHECK_EQ(ioctl(fd, HPAGE_MAP_DMA_MAP, &d), 0);
	nr = get_runs(d.fd, runs, 8);
	CHECK_EQ(nr, d.nr_runs);
	CHECK_GE(nr, 1);
	for (size_t i = 0; i <= nr; i++) {	/* one at a time, and one too many */
		r.first = i;
		r.nr = 1;
		CHECK_EQ(ioctl(d.fd, HPAGE_MAP_RUNS, &r), 0);
		CHECK_EQ(r.nr, i < nr);
		if (r.nr)
			CHECK_EQ(memcmp(one, runs + i, sizeof(*one)), 0);
	}
	r.first = ~0ULL;
	r.nr = 8;
	CHECK_EQ(ioctl(d.fd, HPAGE_MAP_RUNS, &r), 0);
	CHECK_EQ(r.nr, 0);
	r.first = 0;
	r.nr = ~0U;		/* more than there is memory for */
	r.runs = 0;
	CHECK_ERR(ioctl(d.fd, HPAGE_MAP_RUNS, &r), EFAULT);
	close(d.fd);
	close(fd);
	end();
}

/* The engine, driven from here, finds the bytes where the runs say, and writes there. */
static void check_device_reaches(int fd)
{
	static const uint64_t gap = 17 * 64;
	size_t len = facts_of(fd).length, nr, room = len / base_page;
	struct hpage_map_run *runs = calloc(room, sizeof(*runs));
	uint64_t from = len / 2 - gap, to = len - EDU_BYTES;
	int dma = dma_map(fd, BOTH);
	char *own = malloc(EDU_BYTES);
	volatile void *regs = edu_registers(WIDE);

	nr = get_runs(dma, runs, room);
	fill(own, gap, 1);
	CHECK_EQ(pwrite(fd, own, gap, from), (ssize_t)gap);
	CHECK_EQ(try_dma_sync(dma, HPAGE_MAP_SYNC_FOR_DEVICE, from, gap), 0);
	edu_dma(regs, address_of(runs, nr, from), gap, false);
	edu_dma(regs, address_of(runs, nr, to), gap, true);
	CHECK_EQ(try_dma_sync(dma, HPAGE_MAP_SYNC_FOR_CPU, to, gap), 0);
	check_file_holds(fd, own, gap, to);
	munmap((void *)regs, base_page);
	close(dma);
	close(fd);
	free(runs);
	free(own);
}

static void the_device_reaches_what_the_runs_say(void)
{
	char *p;
	int fd;

	begin(4 * PAGES);
	check_device_reaches(lend_scattered(PAGES, 0));
	check_device_reaches(lend_run(2, 0));
	check_device_reaches(lend(64 * base_page, base_page, HPAGE_MAP_ALLOW_BASE));
	p = map(-1, 64 * base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	memset(p, 1, 64 * base_page);
	fd = pin(p, 64 * base_page);
	check_device_reaches(fd);
	end();
}

/* --- who may, and for which device -------------------------------------------- */

static void only_devices_with_a_driver_are_mapped_for(void)
{
	static const char * const none[] = {
		BRIDGE, NARROW, "0000:00:1e.7", "ffff:ff:1f.7", "0", "no-such-device", "",
		"../../0000:00:10.0", "edu",
	};
	int fd;

	begin(2);
	fd = lend(pmd_size, pmd_size, 0);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		CHECK_EQ(try_dma_map(fd, none[i], BOTH), -ENODEV);
	CHECK_EQ(facts_of(fd).devices, 0);
	/* The device is there again as soon as it has a driver. */
	CHECK_EQ(unbind(WIDE), 0);
	CHECK_EQ(try_dma_map(fd, WIDE, BOTH), -ENODEV);
	CHECK_EQ(bind_to(WIDE, EDU_DRIVER), 0);
	close(dma_map(fd, BOTH));
	close(fd);
	end();
}

static void arguments_are_checked(void)
{
	struct hpage_map_dma_map d = { .size = sizeof(d), .flags = BOTH };
	int fd, dma, null;

	begin(2);
	fd = lend(pmd_size, pmd_size, 0);
	memset(d.device, 'a', sizeof(d.device));	/* no NUL */
	CHECK_ERR(ioctl(fd, HPAGE_MAP_DMA_MAP, &d), EINVAL);
	CHECK_EQ(try_dma_map(fd, "0000:00:10.0\n", BOTH), -EINVAL);
	CHECK_EQ(try_dma_map(fd, WIDE, 0), -EINVAL);
	for (int bit = 2; bit < 32; bit++)
		CHECK_EQ(try_dma_map(fd, WIDE, BOTH | 1U << bit), -EINVAL);
	CHECK_EQ(facts_of(fd).devices, 0);

	dma = dma_map(fd, HPAGE_MAP_DMA_TO_DEVICE);
	CHECK_EQ(facts_of(fd).devices, 1);
	CHECK_EQ(try_dma_map(dma, WIDE, BOTH), -EBADF);
	CHECK_EQ(try_dma_map(dev_open(HPAGE_MAP_O_DOOR), WIDE, BOTH), -EBADF);
	CHECK_EQ(try_dma_sync(fd, HPAGE_MAP_SYNC_FOR_CPU, 0, 8), -EBADF);
	CHECK_EQ(try_export(dma), -EBADF);
	CHECK_ERR(ioctl(dma, HPAGE_MAP_INFO, &d), EBADF);
	CHECK_ERR(mmap(NULL, pmd_size, RW, MAP_SHARED, dma, 0), ENODEV);
	CHECK_ERR(read(dma, &null, 1), EINVAL);
	close(dma);
	CHECK_EQ(facts_of(fd).devices, 0);
	close_range(3, ~0U, 0);
	end();
}

static void sync_stays_within_the_buffer(void)
{
	static const struct {
		uint64_t offset, length;
		int err;
	} parts[] = {
		{ 0, 8, 0 },
		{ 7, 1, 0 },
		{ 4096, 4096, 0 },
		{ (2 << 20) - 1, 2, 0 },
		{ 0, 4 << 20, 0 },
		{ (4 << 20) - 1, 1, 0 },
		{ 0, 0, -EINVAL },
		{ 4 << 20, 0, -EINVAL },
		{ 4 << 20, 1, -EINVAL },
		{ 0, (4 << 20) + 1, -EINVAL },
		{ (4 << 20) - 1, 2, -EINVAL },
		{ 8, -8ULL, -EINVAL },
		{ -8ULL, 16, -EINVAL },
		{ 1ULL << 63, 1ULL << 63, -EINVAL },
	};
	static const unsigned int ways[] = { HPAGE_MAP_SYNC_FOR_CPU, HPAGE_MAP_SYNC_FOR_DEVICE };
	int fd, dma;

	begin(4);
	fd = lend_scattered(2, 0);
	for (unsigned int dir = 1; dir <= BOTH; dir++) {
		dma = dma_map(fd, dir);
		for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
			for (int way = 0; way < 2; way++)
				CHECK_EQ(try_dma_sync(dma, ways[way], parts[i].offset,
						      parts[i].length), parts[i].err);
		CHECK_EQ(try_dma_sync(dma, 0, 0, 8), -EINVAL);
		CHECK_EQ(try_dma_sync(dma, 3, 0, 8), -EINVAL);
		CHECK_EQ(try_dma_sync(dma, 4, 0, 8), -EINVAL);
		close(dma);
	}
	close(fd);
	end();
}

static void addresses_need_cap_sys_rawio(void)
{
	struct hpage_map_run run;
	struct hpage_map_runs r = { .size = sizeof(r), .runs = (uintptr_t)&run, .nr = 1 };
	int fd, dma;

	begin(2);
	fd = lend(pmd_size, pmd_size, 0);
	dma = dma_map(fd, BOTH);
	drop_capability(CAP_SYS_RAWIO);
	CHECK_EQ(try_dma_map(fd, WIDE, BOTH), -EPERM);
	CHECK_ERR(ioctl(dma, HPAGE_MAP_RUNS, &r), EPERM);
	CHECK_ERR(ioctl(fd, HPAGE_MAP_RUNS, &r), EPERM);
	CHECK_EQ(facts_of(fd).address, 0);
	/* Whoever was given the descriptor may sync. */
	CHECK_EQ(try_dma_sync(dma, HPAGE_MAP_SYNC_FOR_CPU, 0, 8), 0);
	close(dma);
	close(fd);
	end();
}

static void a_device_may_do_what_the_descriptor_may(void)
{
	begin(16);
	CHECK_EQ(try_dma_map(dev_open(O_RDONLY), WIDE, BOTH), -EBADF);
	CHECK_EQ(try_dma_map(dev_open(O_RDONLY), WIDE, HPAGE_MAP_DMA_FROM_DEVICE), -EBADF);
	CHECK_EQ(try_dma_map(dev_open(O_WRONLY), WIDE, HPAGE_MAP_DMA_TO_DEVICE), -EBADF);
	CHECK_EQ(close(try_dma_map(dev_open(O_RDONLY), WIDE, HPAGE_MAP_DMA_TO_DEVICE)), 0);
	CHECK_EQ(close(try_dma_map(dev_open(O_WRONLY), WIDE, HPAGE_MAP_DMA_FROM_DEVICE)), 0);
	close_range(3, ~0U, 0);
	end();
}

/* Pages above @limit, of a pool that is mostly there. */
static int lend_above(uint64_t limit, size_t len)
{
	int fd = lend(len, pmd_size, HPAGE_MAP_EXACT);
	struct hpage_map_run runs[64];
	size_t nr = get_runs(fd, runs, 64);
	uint64_t end = 0;

	for (size_t i = 0; i < nr; i++)
		end = runs[i].address + runs[i].length > end ? runs[i].address + runs[i].length
			: end;
	CHECK_GT(end, limit);
	return fd;
}

/* Bouncing would lose what is written while it is mapped: see hpm_dma_map(). */
static void pages_out_of_reach_are_eio_and_not_bounced(void)
{
	struct hpage_map_run run, bus;
	int fd, dma;
	char *p;

	CHECK_EQ(run_command("modprobe i2c-i801"), 0);
	CHECK(has_driver(SMBUS, "i801_smbus"));
	CHECK(want_pool(800));		/* more than there is below 4 GiB, with what else is */
	CHECK_EQ(load(""), 0);
	fd = lend_above(1ULL << 32, 2 * pmd_size);
	p = map(fd, 2 * pmd_size, RW, MAP_SHARED, 0);
	dma = try_dma_map(fd, SMBUS, BOTH);
	if (has_iommu()) {
		CHECK_GE(dma, 0);
		CHECK_EQ(get_runs(dma, &bus, 1), 1);
		CHECK_LE(bus.address + bus.length, 1ULL << 32);
	} else {
		if (dma >= 0) {
			fill(p, 2 * pmd_size, 1);
			close(dma);
			CHECK(filled(p, 2 * pmd_size, 1));
		}
		CHECK_EQ(dma, -EIO);
		CHECK_EQ(facts_of(fd).devices, 0);
	}
	close_range(3, ~0U, 0);
	munmap(p, 2 * pmd_size);

	fd = lend(2 * pmd_size, pmd_size, HPAGE_MAP_EXACT | HPAGE_MAP_BELOW_4G);
	dma = try_dma_map(fd, SMBUS, BOTH);
	CHECK_GE(dma, 0);
	CHECK_EQ(get_runs(dma, &bus, 1), 1);
	CHECK_EQ(get_runs(fd, &run, 1), 1);
	CHECK(has_iommu() || (bus.address == run.address && bus.length == run.length));
	close(dma);
	close(fd);
	CHECK_EQ(run_command("modprobe -r i2c-i801"), 0);
	CHECK_EQ(unload(), 0);
}

/* --- how long ----------------------------------------------------------------------- */

static void a_mapping_alone_keeps_the_pages(void)
{
	int fd, dma;

	begin(4);
	fd = lend(2 * pmd_size, pmd_size, HPAGE_MAP_EXACT);
	dma = dma_map(fd, BOTH);
	close(fd);
	CHECK_EQ(count_buffers(), 2);
	CHECK_EQ(pool_of(pmd_size, "free"), 1);
	CHECK_EQ(try_dma_sync(dma, HPAGE_MAP_SYNC_FOR_CPU, 0, 8), 0);
	close(dma);
	CHECK_EQ(count_buffers(), 1);
	CHECK_EQ(pool_of(pmd_size, "free"), 3);
	end();
}

static void a_mapping_ends_with_the_driver(void)
{
	struct hpage_map_run run;
	struct hpage_map_runs r = { .size = sizeof(r), .runs = (uintptr_t)&run, .nr = 1 };
	int fd, first, second, third;

	begin(4);
	fd = lend(pmd_size, pmd_size, 0);
	first = dma_map(fd, BOTH);
	second = dma_map(fd, HPAGE_MAP_DMA_FROM_DEVICE);
	CHECK_EQ(unbind(WIDE), 0);
	CHECK_ERR(ioctl(first, HPAGE_MAP_RUNS, &r), ENODEV);
	CHECK_ERR(ioctl(second, HPAGE_MAP_RUNS, &r), ENODEV);
	CHECK_EQ(try_dma_sync(first, HPAGE_MAP_SYNC_FOR_CPU, 0, 8), -ENODEV);
	CHECK_EQ(try_dma_map(fd, WIDE, BOTH), -ENODEV);

	/* Nor does it come again with the next driver. */
	CHECK_EQ(bind_to(WIDE, EDU_DRIVER), 0);
	CHECK_ERR(ioctl(first, HPAGE_MAP_RUNS, &r), ENODEV);
	third = dma_map(fd, BOTH);
	r.nr = 1;
	CHECK_EQ(ioctl(third, HPAGE_MAP_RUNS, &r), 0);
	CHECK_EQ(facts_of(fd).devices, 3);
	close(first);
	CHECK_EQ(facts_of(fd).devices, 2);

	/* The driver's module does not wait for programs. */
	CHECK_EQ(take_out(EDU_DRIVER), 0);
	CHECK_ERR(ioctl(third, HPAGE_MAP_RUNS, &r), ENODEV);
	CHECK_EQ(unload(), -EWOULDBLOCK);
	close(second);
	close(third);
	CHECK_EQ(facts_of(fd).devices, 0);
	close(fd);
	CHECK_EQ(unload(), 0);
}

/* Unplugged, and found again. */
static void a_mapping_ends_with_the_device(void)
{
	int fd, dma;

	begin(4);
	fd = lend(pmd_size, pmd_size, 0);
	dma = dma_map(fd, BOTH);
	unplug(WIDE);
	CHECK_EQ(try_dma_sync(dma, HPAGE_MAP_SYNC_FOR_CPU, 0, 8), -ENODEV);
	CHECK_EQ(try_dma_map(fd, WIDE, BOTH), -ENODEV);
	close(dma);
	plug_in(WIDE);
	CHECK(has_driver(WIDE, EDU_DRIVER));
	close(dma_map(fd, BOTH));
	close(fd);
	end();
}

static int started[2];

static void map_for_ever(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step_done(started[1]);
	for (;;) {
		int fd = lend(pmd_size, pmd_size, 0), dma = try_dma_map(fd, WIDE, BOTH);

		CHECK(dma >= 0 || dma == -ENODEV);
		close(fd);
		if (dma < 0)
			continue;
		try_dma_sync(dma, HPAGE_MAP_SYNC_FOR_DEVICE, 0, 8);
		close(dma);
	}
}

static void killed_mappers_leave_nothing(void)
{
	begin(4);
	CHECK_EQ(pipe2(started, O_CLOEXEC), 0);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = spawn(map_for_ever, NULL);

		step_wait(started[0]);
		for (int j = 0; j < i * 7 % 60; j++)
			sched_yield();
		CHECK_EQ(kill(pid, SIGKILL), 0);
		CHECK_KILLED(pid, SIGKILL);
		CHECK_EQ(count_buffers(), 1);
		CHECK_EQ(pool_of(pmd_size, "free"), 3);
	}
	end();
}

/* The driver comes and goes while programs map for its device. */
static void unbinding_races_with_mapping(void)
{
	pid_t pid[2];

	begin(8);
	CHECK_EQ(pipe2(started, O_CLOEXEC), 0);
	for (int i = 0; i < 2; i++) {
		pid[i] = spawn(map_for_ever, NULL);
		step_wait(started[0]);
	}
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(unbind(WIDE), 0);
		CHECK_EQ(bind_to(WIDE, EDU_DRIVER), 0);
	}
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(kill(pid[i], SIGKILL), 0);
		CHECK_KILLED(pid[i], SIGKILL);
	}
	CHECK_EQ(count_buffers(), 1);
	end();
	CHECK_EQ(pool_of(pmd_size, "free"), 8);
}

static void sync_until_it_ends(void *arg)
{
	int dma = *(int *)arg, ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step_done(started[1]);
	do {
		ret = try_dma_sync(dma, HPAGE_MAP_SYNC_FOR_DEVICE, 0, SIZE) ?:
		      try_dma_sync(dma, HPAGE_MAP_SYNC_FOR_CPU, 0, SIZE);
	} while (!ret);
	CHECK_EQ(ret, -ENODEV);
	CHECK_EQ(try_dma_sync(dma, HPAGE_MAP_SYNC_FOR_CPU, 0, 8), -ENODEV);
}

/* Two of one mapping and one of another, in the midst of it. */
static void a_driver_goes_while_others_sync(void)
{
	pid_t pid[3];
	int fd;

	begin(PAGES + 1);
	CHECK_EQ(pipe2(started, O_CLOEXEC), 0);
	fd = lend(SIZE, pmd_size, 0);
	for (int i = 0; i < 10; i++) {
		int both = dma_map(fd, BOTH), from = dma_map(fd, HPAGE_MAP_DMA_FROM_DEVICE);

		for (int j = 0; j < 3; j++) {
			pid[j] = spawn(sync_until_it_ends, j < 2 ? &both : &from);
			step_wait(started[0]);
		}
		CHECK_EQ(unbind(WIDE), 0);
		CHECK(has_driver(WIDE, NULL));
		for (int j = 0; j < 3; j++)
			CHECK_EXITS(pid[j]);
		close(both);
		close(from);
		CHECK_EQ(facts_of(fd).devices, 0);
		CHECK_EQ(bind_to(WIDE, EDU_DRIVER), 0);
	}
	close(fd);
	end();
}

/* --- signals ------------------------------------------------------------------------ */

static void bind_slowly(void *arg)
{
	(void)arg;
	CHECK_EQ(bind_to(WIDE, EDU_DRIVER), 0);
}

static void map_once(void *arg)
{
	step_done(started[1]);
	close(dma_map(*(int *)arg, BOTH));
}

/* Wait for a state as /proc/PID/stat tells it, or for another two seconds. */
static void await_state(pid_t pid, char state)
{
	char path[64], text[512], *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 2000; i++) {
		read_text(path, text, sizeof(text));
		end = strrchr(text, ')');
		if (end && end[2] == state)
			return;
		usleep(1000);
	}
	printf("# it is in state %s, and not %c\n", end ? end + 2 : "?", state);
}

/* A driver takes its time to probe the device; the mapper waits, is stopped, and goes on. */
static void a_program_that_is_stopped_goes_on_waiting_for_the_device(void)
{
	pid_t binder, mapper;
	int fd;

	CHECK(want_pool(10));
	CHECK_EQ(load(""), 0);
	CHECK_EQ(load_edu(WIDE, "dma_bits=64 pages=8"), 0);
	CHECK_EQ(pipe2(started, O_CLOEXEC), 0);
	fd = lend(pmd_size, pmd_size, 0);
	CHECK_EQ(unbind(WIDE), 0);
	binder = spawn(bind_slowly, NULL);
	for (int i = 0; i < 2000 && !has_driver(WIDE, EDU_DRIVER); i++)
		usleep(1000);
	mapper = spawn(map_once, &fd);
	step_wait(started[0]);
	await_state(mapper, 'S');
	CHECK_EQ(kill(mapper, SIGSTOP), 0);
	await_state(mapper, 'T');
	CHECK_EQ(kill(mapper, SIGCONT), 0);
	CHECK_EXITS(binder);
	CHECK_EXITS(mapper);
	close(fd);
	end();
}

int main(void)
{
	const struct test tests[] = {
		TEST(runs_cover_the_buffer, ON_NONE),
		TEST(the_number_of_runs_is_told, ON_NONE),
		TEST(the_device_reaches_what_the_runs_say, ON_NONE),
		TEST(only_devices_with_a_driver_are_mapped_for, ON_NONE),
		TEST(arguments_are_checked, ON_NONE),
		TEST(sync_stays_within_the_buffer, ON_NONE),
		TEST(addresses_need_cap_sys_rawio, ON_NONE),
		TEST(a_device_may_do_what_the_descriptor_may, ON_NONE),
		TEST(pages_out_of_reach_are_eio_and_not_bounced, ON_NONE),
		TEST(a_mapping_alone_keeps_the_pages, ON_NONE),
		TEST(a_mapping_ends_with_the_driver, ON_NONE),
		TEST(a_mapping_ends_with_the_device, ON_NONE),
		TEST(killed_mappers_leave_nothing, ON_NONE),
		TEST(unbinding_races_with_mapping, ON_NONE),
		TEST(a_driver_goes_while_others_sync, ON_NONE),
		TEST(a_program_that_is_stopped_goes_on_waiting_for_the_device, ON_NONE),
	};

	return RUN_TESTS(tests);
}
