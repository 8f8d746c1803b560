// SPDX-License-Identifier: GPL-2.0-only
/* The code of docs/drivers.md, that is tests/modules/hpm_example.c, with a device that does DMA. */
#define _GNU_SOURCE
#include "pci.h"
#include "modules/hpm_example.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define DRIVER	"hpm_example"
#define RING	(2UL << 20)

static int source, dma;			/* a buffer of the test's own, and its mapping */
static volatile void *regs;
static char *own;

static void begin(void)
{
	CHECK(want_pool(8));
	CHECK_EQ(load(""), 0);
	CHECK_EQ(load_for(WIDE, DRIVER, ""), 0);
	CHECK(has_driver(WIDE, DRIVER));
	source = lend(pmd_size, pmd_size, HPAGE_MAP_BELOW_4G);	/* the driver has set 32 bits */
	own = map(source, pmd_size, RW, MAP_SHARED, 0);
	dma = try_dma_map(source, WIDE, BOTH);
	CHECK_GE(dma, 0);
	regs = edu_registers(WIDE);
}

static void end(void)
{
	munmap((void *)regs, base_page);
	munmap(own, pmd_size);
	close(dma);
	close(source);
	CHECK_EQ(take_out(DRIVER), 0);
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(unload(), 0);
}

static int example_open(void)
{
	int fd = open("/dev/" DRIVER, O_RDWR | O_CLOEXEC);

	CHECK_GE(fd, 0);
	return fd;
}

/* The device moves a slot by its engine, and says how many there are by now; bytes in all. */
static int device_fills(int fd, unsigned int nr, uint32_t length, char value)
{
	struct slot *s = (struct slot *)own;
	struct hpage_map_run run;
	uint64_t ring;

	s->length = length;
	memset(s->bytes, value, sizeof(s->bytes));
	CHECK_EQ(ioctl(fd, MY_ADDRESS, &ring), 0);
	CHECK_EQ(get_runs(dma, &run, 1), 1);
	CHECK_EQ(try_dma_sync(dma, HPAGE_MAP_SYNC_FOR_DEVICE, 0, sizeof(*s)), 0);
	edu_dma(regs, run.address, sizeof(*s), false);
	edu_dma(regs, ring + nr % NR_SLOTS * sizeof(*s), sizeof(*s), true);
	return ioctl(fd, MY_FILLED, nr + 1);
}

static void slots_are_seen_as_the_device_fills_them(void)
{
	const volatile struct slot *ring;
	int fd, bytes = 0;

	begin();
	fd = example_open();
	ring = (void *)map(fd, RING, PROT_READ, MAP_SHARED, 0);
	for (unsigned int i = 0; i < NR_SLOTS + 2; i++) {
		bytes += 100 + i;
		CHECK_EQ(device_fills(fd, i, 100 + i, 'a' + i), bytes);
		CHECK_EQ(ring[i % NR_SLOTS].length, 100 + i);
		CHECK_EQ(ring[i % NR_SLOTS].bytes[SLOT_BYTES - 1], 'a' + i);
		CHECK_EQ(ioctl(fd, MY_FREE, (long)i % NR_SLOTS), 0);
	}
	CHECK_EQ(ioctl(fd, MY_SEND, 0), 0);
	CHECK_ERR(ioctl(fd, MY_FREE, (long)NR_SLOTS), EINVAL);
	munmap((void *)ring, RING);
	close(fd);
	end();
}

/* What stands in the buffer may be anything; the interrupt ends all the same. */
static void lengths_and_counts_that_cannot_be_are_bounded(void)
{
	int fd, bytes;

	begin();
	fd = example_open();
	CHECK_EQ(device_fills(fd, 0, ~0U, 'x'), SLOT_BYTES);
	bytes = ioctl(fd, MY_FILLED, 1000000000L);
	CHECK_GE(bytes, SLOT_BYTES);
	CHECK_LE(bytes, (1 + NR_SLOTS) * SLOT_BYTES);
	close(fd);
	end();
}

static void the_ring_can_only_be_read(void)
{
	char *p;
	int fd;

	begin();
	fd = example_open();
	CHECK_ERR(mmap(NULL, RING, RW, MAP_SHARED, fd, 0), EPERM);
	CHECK_ERR(mmap(NULL, RING, PROT_READ, MAP_PRIVATE, fd, 0), EINVAL);
	CHECK_ERR(mmap(NULL, 2 * RING, PROT_READ, MAP_SHARED, fd, 0), EINVAL);
	CHECK_ERR(mmap(NULL, RING, PROT_READ, MAP_SHARED, fd, RING), EINVAL);
	p = map(fd, RING, PROT_READ, MAP_SHARED, 0);
	CHECK_ERR(mprotect(p, RING, RW), EACCES);
	munmap(p, RING);
	close(fd);
	end();
}

static void the_device_goes_under_an_open_file(void)
{
	char *p;
	int fd;

	begin();
	fd = example_open();
	p = map(fd, RING, PROT_READ, MAP_SHARED, 0);
	CHECK_EQ(device_fills(fd, 0, 5, 'z'), 5);
	CHECK_EQ(unbind(WIDE), 0);
	CHECK_ERR(ioctl(fd, MY_FILLED, 2), ENODEV);
	CHECK_EQ(((struct slot *)p)->bytes[0], 'z');
	munmap(p, RING);
	p = map(fd, RING, PROT_READ, MAP_SHARED, 0);
	CHECK_EQ(((struct slot *)p)->bytes[0], 'z');
	munmap(p, RING);
	close(fd);
	CHECK_EQ(bind_to(WIDE, DRIVER), 0);
	close(example_open());
	end();
}

int main(void)
{
	const struct test tests[] = {
		TEST(slots_are_seen_as_the_device_fills_them, ON_NONE),
		TEST(lengths_and_counts_that_cannot_be_are_bounded, ON_NONE),
		TEST(the_ring_can_only_be_read, ON_NONE),
		TEST(the_device_goes_under_an_open_file, ON_NONE),
	};

	return RUN_TESTS(tests);
}
