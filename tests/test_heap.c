// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dma-heaps of heap/. What they have loaded stays for good: the suite has a machine to itself, or
 * comes last.
 */
#define _GNU_SOURCE
#include "lent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAPS	"/dev/dma_heap/"
#define FRAME	4147200UL	/* 1920 x 1080 in NV12 and a bit: no multiple of a page */
#define BIG	(64UL << 20)

static int try_heap(const char *name, size_t len, unsigned int flags)
{
	struct dma_heap_allocation_data d = { .len = len, .fd_flags = flags | O_CLOEXEC };
	char path[64];
	int heap, ret;

	snprintf(path, sizeof(path), HEAPS "%s", name);
	heap = open(path, O_RDWR | O_CLOEXEC);
	CHECK_GE(heap, 0);
	ret = ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &d) ? -errno : (int)d.fd;
	close(heap);
	return ret;
}

static int from_heap(const char *name, size_t len)
{
	int fd = try_heap(name, len, O_RDWR);

	CHECK_GE(fd, 0);
	return fd;
}

static void a_frame_has_its_length_and_is_zeroed(void)
{
	size_t len = (FRAME + base_page - 1) / base_page * base_page;
	int fd;
	char *p;

	tidy_memory();
	fd = from_heap("hpage_map", FRAME);
	CHECK_EQ(lseek(fd, 0, SEEK_END), (off_t)len);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK_NE((void *)p, MAP_FAILED);
	CHECK(zeroed(p, len));
	memset(p, 1, len);
	munmap(p, len);
	CHECK_EQ(mmap(NULL, len + base_page, PROT_READ, MAP_SHARED, fd, 0), MAP_FAILED);
	CHECK_EQ(count_buffers(), 1);
	CHECK_STREQ(first_buffer().name, "hpage_map");
	close(fd);
	CHECK_EQ(count_buffers(), 0);
}

static void a_large_one_is_mapped_huge(void)
{
	int fd;
	char *p;

	fd = from_heap("hpage_map", BIG);
	p = map_at(reserve(BIG), fd, BIG, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	memset(p, 1, BIG);
	CHECK_EQ(smaps(p, "ShmemPmdMapped"), (long)(BIG / 1024));
	munmap(p, BIG);
	close(fd);
}

/* The same machine gives the system heap's buffers in many pieces. */
static void a_contiguous_one_is_one_entry(void)
{
	struct importer_attach ours, theirs;
	int importer, fd, other;

	CHECK_EQ(insert("hpm_importer", ""), 0);
	importer = importer_open();
	fd = from_heap("hpage_map_contiguous", BIG);
	CHECK_EQ(first_buffer().nr_runs, 1);
	other = from_heap("system", BIG);
	ours = attach(importer, fd);
	close(importer);
	importer = importer_open();
	theirs = attach(importer, other);
	printf("# entries for 64 MiB: ours %u, system %u\n", ours.entries, theirs.entries);
	CHECK_EQ(ours.entries, 1);
	CHECK_GT(theirs.entries, 1);
	close(importer);
	close(other);
	close(fd);
	CHECK_EQ(take_out("hpm_importer"), 0);
}

static void a_run_for_devices_with_32_bits(void)
{
	int fd = from_heap("hpage_map_contiguous_4g", BIG);
	struct hpage_map_info info = first_buffer();

	CHECK_EQ(info.nr_runs, 1);
	CHECK(info.attributes & HPAGE_MAP_ATTR_BELOW_4G);
	close(fd);
}

static void a_descriptor_for_reading_alone(void)
{
	int fd;

	fd = try_heap("hpage_map", BIG, O_RDONLY);
	CHECK_GE(fd, 0);
	CHECK_EQ(mmap(NULL, BIG, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	CHECK_NE(mmap(NULL, BIG, PROT_READ, MAP_SHARED, fd, 0), MAP_FAILED);
	close(fd);
}

static void ask_as_nobody(void *arg)
{
	(void)arg;
	become_nobody(8UL << 20);
	CHECK_EQ(try_heap("hpage_map", BIG, O_RDWR), -EDQUOT);
	close(from_heap("hpage_map", FRAME));
}

/* Whoever asks is charged, as HPAGE_MAP_ALLOC charges him. */
static void a_user_s_limit_holds(void)
{
	CHECK_EQ(chmod(HEAPS "hpage_map", 0666), 0);
	CHECK_EXITS(spawn(ask_as_nobody, NULL));
	CHECK_EQ(chmod(HEAPS "hpage_map", 0600), 0);
	CHECK_EQ(count_buffers(), 0);
}

static void what_cannot_be_had_is_refused(void)
{
	CHECK_EQ(try_heap("hpage_map", 1UL << 45, O_RDWR), -ENOMEM);
	CHECK_EQ(try_heap("hpage_map_contiguous", 7UL << 30, O_RDWR), -ENOMEM);
	CHECK_EQ(count_buffers(), 0);
	/* The kernel cannot take a heap away. */
	CHECK_EQ(take_out("hpage_map_heap"), -EBUSY);
	CHECK_EQ(unload(), -EWOULDBLOCK);
}

static const struct test tests[] = {
	TEST(a_frame_has_its_length_and_is_zeroed, ON_NONE),
	TEST(a_large_one_is_mapped_huge, ON_NONE),
	TEST(a_contiguous_one_is_one_entry, ON_NONE),
	TEST(a_run_for_devices_with_32_bits, ON_NONE),
	TEST(a_descriptor_for_reading_alone, ON_NONE),
	TEST(a_user_s_limit_holds, ON_NONE),
	TEST(what_cannot_be_had_is_refused, ON_NONE),
};

/* As from boot on: no test finds a machine without the heaps, or leaves one. */
int main(void)
{
	/* No test of these is for a suite that has loaded the module itself. */
	if (access("/sys/module/hpage_map", F_OK)) {
		CHECK_EQ(load(""), 0);
		CHECK_EQ(insert("hpage_map_heap", ""), 0);
	}
	return RUN_TESTS(tests);
}
