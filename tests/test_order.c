// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything that can end around one buffer ends in every order, while all of them
 * work on it: a program that has it mapped, one that has it mapped for a device,
 * one whose importer has its dma-buf, the device, and the device's driver. The
 * module may go after the last holder, and not before.
 */
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
#include <sys/prctl.h>
#include <unistd.h>

#define SIZE		(2 * pmd_size)
#define POOL		8
#define ROUNDS		12
#define TEST_SECONDS	600

enum end { PROGRAM, MAPPER, IMPORTER, DEVICE, DRIVER_MODULE, ENDS };

static const char * const names[ENDS] = {
	"program", "mapper", "importer", "device", "driver",
};

/* The processes; the first three hold the buffer, each in its own way alone. */
static pid_t holder[DEVICE], copier;
static bool driver_loaded;
static int started[2];

/* --- who works on it ------------------------------------------------------------ */

static void at_work(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step_done(started[1]);
}

/* Two mappings and no descriptor: of the buffer, and of the driver's own. */
static void map_and_touch(void *arg)
{
	int fd = *(int *)arg, node = edu_open();
	char *p = map(fd, SIZE, RW, MAP_SHARED, 0);
	char *stamped = map(node, pmd_size, RW, MAP_SHARED, 0);
	char stamp[HPAGE_MAP_EDU_STAMP_SIZE] = "";

	snprintf(stamp, sizeof(stamp), HPAGE_MAP_EDU_STAMP, 0ULL);
	close(fd);
	close(node);
	at_work();
	for (;;) {
		for (size_t at = 0; at < SIZE; at += base_page)
			p[at]++;
		CHECK_EQ(memcmp(stamped, stamp, sizeof(stamp)), 0);
		CHECK_EQ(madvise(p, SIZE, MADV_DONTNEED), 0);
		CHECK_EQ(madvise(stamped, pmd_size, MADV_DONTNEED), 0);
	}
}

/* A mapping for the device, and others that come and go. */
static void map_for_device(void *arg)
{
	int fd = *(int *)arg, dma = try_dma_map(fd, WIDE, BOTH), ret;

	CHECK_GE(dma, 0);
	close(fd);
	at_work();
	for (;;) {
		ret = try_dma_sync(dma, HPAGE_MAP_SYNC_FOR_DEVICE, 0, SIZE);
		CHECK(ret == 0 || ret == -ENODEV);
		fd = lend(pmd_size, pmd_size, 0);
		ret = try_dma_map(fd, WIDE, BOTH);
		CHECK(ret >= 0 || ret == -ENODEV);
		if (ret >= 0)
			close(ret);
		close(fd);
	}
}

/* An attachment, a mapping of the dma-buf, and attachments that come and go. */
static void import_for_ever(void *arg)
{
	int fd = *(int *)arg, dmabuf = export_of(fd);
	char *p = map(dmabuf, SIZE, RW, MAP_SHARED, 0);

	close(fd);
	import(dmabuf);
	at_work();
	for (;;) {
		p[0]++;
		close(import(dmabuf));
	}
}

/* The device reads and writes; its file keeps the driver's module, and not the device. */
static void copy_for_ever(void *arg)
{
	struct hpage_map_edu_copy c = { .from = pmd_size / 2, .length = 64 };
	int node = edu_open();

	close(*(int *)arg);
	at_work();
	for (;;) {
		c.to = (c.to + base_page) % (pmd_size / 2) + HPAGE_MAP_EDU_STAMP_SIZE;
		if (ioctl(node, HPAGE_MAP_EDU_COPY, &c)) {
			CHECK_EQ(errno, ENODEV);
			return;
		}
	}
}

/* --- how they end --------------------------------------------------------------- */

static void kill_now(pid_t pid)
{
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_KILLED(pid, SIGKILL);
}

static void end_copier(bool by_itself)
{
	if (!copier)
		return;
	if (by_itself)
		CHECK_EXITS(copier);
	else
		kill_now(copier);
	copier = 0;
}

static void end(enum end which)
{
	switch (which) {
	case DEVICE:
		unplug(WIDE);
		end_copier(true);
		break;
	case DRIVER_MODULE:
		end_copier(false);
		CHECK_EQ(take_out(EDU_DRIVER), 0);
		driver_loaded = false;
		break;
	default:
		kill_now(holder[which]);
		holder[which] = 0;
	}
}

static bool held(void)
{
	return holder[PROGRAM] || holder[MAPPER] || holder[IMPORTER] || driver_loaded;
}

static void start(void (*work)(void *), pid_t *pid, int *fd)
{
	*pid = spawn(work, fd);
	step_wait(started[0]);
}

static void start_all(void)
{
	int fd;

	CHECK_EQ(load(""), 0);
	CHECK_EQ(load_edu(WIDE, "dma_bits=64 pages=1"), 0);
	CHECK(has_driver(WIDE, EDU_DRIVER));
	driver_loaded = true;
	fd = lend(SIZE, pmd_size, HPAGE_MAP_EXACT);
	start(map_and_touch, &holder[PROGRAM], &fd);
	start(map_for_device, &holder[MAPPER], &fd);
	start(import_for_ever, &holder[IMPORTER], &fd);
	start(copy_for_ever, &copier, &fd);
	close(fd);
	CHECK_EQ(unload(), -EWOULDBLOCK);
}

static void find_device_again(void)
{
	plug_in(WIDE);
	CHECK(has_driver(WIDE, NULL));
}

static void one_order(const enum end *order)
{
	bool here = true;

	printf("#");
	for (int i = 0; i < ENDS; i++)
		printf(" %s", names[order[i]]);
	printf("\n");
	start_all();
	for (int i = 0; i < ENDS; i++) {
		usleep(rand() % 20000);
		end(order[i]);
		if (held()) {
			CHECK_EQ(unload(), -EWOULDBLOCK);
		} else if (here) {
			CHECK_EQ(unload(), 0);
			here = false;
		}
	}
	CHECK(!here);
	CHECK_EQ(pool_of(pmd_size, "free"), POOL);
	find_device_again();
}

static unsigned int nr_orders;

/* All orders of what is in order[] from @from on. */
static void every_order(enum end *order, int from)
{
	if (from == ENDS) {
		one_order(order);
		nr_orders++;
		return;
	}
	for (int i = from; i < ENDS; i++) {
		enum end next = order[i];

		order[i] = order[from];
		order[from] = next;
		every_order(order, from + 1);
		order[from] = order[i];
		order[i] = next;
	}
}

static void begin(void)
{
	may_take(TEST_SECONDS);
	CHECK_EQ(pipe2(started, O_CLOEXEC), 0);
	CHECK(want_pool(POOL));
	CHECK_EQ(insert("hpm_importer", ""), 0);
}

static void begins_with(enum end first)
{
	enum end order[ENDS] = { PROGRAM, MAPPER, IMPORTER, DEVICE, DRIVER_MODULE };

	begin();
	order[0] = first;
	order[first] = PROGRAM;
	every_order(order, 1);
	CHECK_EQ(nr_orders, 24);
	CHECK_EQ(take_out("hpm_importer"), 0);
}

static void the_program_ends_first(void)
{
	begins_with(PROGRAM);
}

static void the_mapper_ends_first(void)
{
	begins_with(MAPPER);
}

static void the_importer_ends_first(void)
{
	begins_with(IMPORTER);
}

static void the_device_goes_first(void)
{
	begins_with(DEVICE);
}

static void the_driver_goes_first(void)
{
	begins_with(DRIVER_MODULE);
}

/* --- all at once ----------------------------------------------------------------- */

/* Asked again and again, it goes as soon as nobody holds it. */
static void when_it_may(int (*remove)(void))
{
	int ret;

	while ((ret = remove()) != 0) {
		CHECK_EQ(ret, -EWOULDBLOCK);
		usleep(500);
	}
}

static int remove_driver(void)
{
	return take_out(EDU_DRIVER);
}

static void unload_at_some_time(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step_wait(started[0]);
	when_it_may(unload);
}

static void end_at_some_time(void *arg)
{
	enum end which = *(enum end *)arg;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step_wait(started[0]);
	srand(getpid());
	usleep(rand() % 5000);
	switch (which) {
	case DEVICE:
		unplug(WIDE);
		break;
	case DRIVER_MODULE:
		CHECK(kill(copier, SIGKILL) == 0 || errno == ESRCH);
		when_it_may(remove_driver);
		break;
	default:
		CHECK_EQ(kill(holder[which], SIGKILL), 0);
	}
}

static void all_end_at_once(void)
{
	pid_t enders[ENDS], unloader;
	int status;

	begin();
	for (int round = 0; round < ROUNDS; round++) {
		start_all();
		for (int i = 0; i < ENDS; i++)
			enders[i] = spawn(end_at_some_time, &(enum end){ i });
		unloader = spawn(unload_at_some_time, NULL);
		for (int i = 0; i < ENDS + 1; i++)
			step_done(started[1]);
		for (int i = 0; i < DEVICE; i++)
			CHECK_KILLED(holder[i], SIGKILL);
		status = wait_for(copier);
		CHECK(status == 0 || status == -SIGKILL);
		for (int i = 0; i < ENDS; i++)
			CHECK_EXITS(enders[i]);
		CHECK_EXITS(unloader);
		CHECK(!loaded());
		CHECK_EQ(pool_of(pmd_size, "free"), POOL);
		find_device_again();
	}
	CHECK_EQ(take_out("hpm_importer"), 0);
}

int main(void)
{
	const struct test tests[] = {
		TEST(the_program_ends_first, ON_NONE),
		TEST(the_mapper_ends_first, ON_NONE),
		TEST(the_importer_ends_first, ON_NONE),
		TEST(the_device_goes_first, ON_NONE),
		TEST(the_driver_goes_first, ON_NONE),
		TEST(all_end_at_once, ON_NONE),
	};

	return RUN_TESTS(tests);
}
