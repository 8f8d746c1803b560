// SPDX-License-Identifier: GPL-2.0-only
/* The mapping as a source and target of direct I/O to a real block device. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)
#define CHUNK	(256UL << 10)

static int disk_open(int flags)
{
	const char *disk = getenv("HPM_DISK");
	int fd;

	CHECK(disk);
	fd = open(disk, O_RDWR | flags | O_CLOEXEC);
	CHECK_GE(fd, 0);
	return fd;
}

/* At most this much of the buffer, half to write and half to read into. */
static size_t half(void)
{
	size_t len = buf_size < 16UL << 20 ? buf_size : 16UL << 20;

	return len / 2 / base_page * base_page;
}

static void check_disk_holds(const void *p, size_t len)
{
	char *own = aligned_alloc(base_page, len);
	int fd = disk_open(O_DIRECT);

	CHECK(own);
	CHECK_EQ(pread(fd, own, len, 0), (ssize_t)len);
	CHECK_EQ(memcmp(own, p, len), 0);
	close(fd);
	free(own);
}

static void o_direct_writes_and_reads(void)
{
	char *p = map_all(dev_open(O_RDWR), RW, MAP_SHARED);
	int fd = disk_open(O_DIRECT);
	size_t len = half();

	fill(p, len, getpid());
	memset(p + len, 0, len);
	CHECK_EQ(pwrite(fd, p, len, 0), (ssize_t)len);
	check_disk_holds(p, len);
	CHECK_EQ(pread(fd, p + len, len, 0), (ssize_t)len);
	CHECK(filled(p + len, len, getpid()));
	/* Across a page boundary, at an odd sector. */
	if (buf_size > buf_page) {
		char *own = aligned_alloc(base_page, base_page);

		CHECK_EQ(pread(fd, own, 1024, 512), 1024);
		CHECK_EQ(pread(fd, p + buf_page - 512, 1024, 512), 1024);
		CHECK_EQ(memcmp(p + buf_page - 512, own, 1024), 0);
	}
}

/* Reading into a private mapping breaks copy-on-write first. */
static void o_direct_into_a_private_mapping(void)
{
	int dev = dev_open(O_RDWR), fd = disk_open(O_DIRECT);
	char *shared = map(dev, buf_page, RW, MAP_SHARED, 0);
	char *own = map(dev, buf_page, RW, MAP_PRIVATE, 0);

	fill(shared, buf_page, 3);
	CHECK_EQ(pwrite(fd, shared, base_page, 0), (ssize_t)base_page);
	fill(shared, buf_page, 4);
	CHECK_EQ(pread(fd, own, base_page, 0), (ssize_t)base_page);
	CHECK(filled(own, base_page, 3));
	CHECK(filled(shared, buf_page, 4));
}

static void register_buffer(struct io_uring *ring, const struct iovec *v)
{
	errno = -io_uring_register_buffers(ring, v, 1);
	CHECK_EQ(errno, 0);
}

static int complete(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int res;

	CHECK_GE(io_uring_submit(ring), 0);
	CHECK_EQ(io_uring_wait_cqe(ring, &cqe), 0);
	res = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return res;
}

/* Registered means pinned by the kernel for as long as the ring likes. */
static void io_uring_fixed_buffers(void)
{
	char *p = map_all(dev_open(O_RDWR), RW, MAP_SHARED);
	size_t len = half() < CHUNK ? half() : CHUNK;
	/* What an ordinary user may pin by default. */
	struct iovec v = { p, 2 * len };
	int fd = disk_open(O_DIRECT);
	struct io_uring ring;

	CHECK_EQ(io_uring_queue_init(8, &ring, 0), 0);
	register_buffer(&ring, &v);
	fill(p, len, getpid());
	memset(p + len, 0, len);
	io_uring_prep_write_fixed(io_uring_get_sqe(&ring), fd, p, len, 0, 0);
	CHECK_EQ(complete(&ring), (int)len);
	check_disk_holds(p, len);
	io_uring_prep_read_fixed(io_uring_get_sqe(&ring), fd, p + len, len, 0, 0);
	CHECK_EQ(complete(&ring), (int)len);
	CHECK(filled(p + len, len, getpid()));
	CHECK_EQ(io_uring_unregister_buffers(&ring), 0);
	io_uring_queue_exit(&ring);
}

/* All of the buffer, and then the mapping goes first. */
static void io_uring_outlives_the_mapping(void)
{
	int dev = dev_open(O_RDWR), fd = disk_open(O_DIRECT);
	char *p = map_all(dev, RW, MAP_SHARED);
	struct iovec v = { p, buf_size };
	struct io_uring ring;

	fill(p, base_page, 5);
	CHECK_EQ(pwrite(fd, p, base_page, 0), (ssize_t)base_page);
	memset(p, 0, base_page);
	CHECK_EQ(io_uring_queue_init(8, &ring, 0), 0);
	register_buffer(&ring, &v);
	CHECK_EQ(munmap(p, buf_size), 0);
	CHECK_COUNT("mappings", 0);
	io_uring_prep_read_fixed(io_uring_get_sqe(&ring), fd, p, base_page, 0, 0);
	CHECK_EQ(complete(&ring), (int)base_page);
	CHECK(filled(map(dev, buf_page, PROT_READ, MAP_SHARED, 0), base_page, 5));
	CHECK_EQ(io_uring_unregister_buffers(&ring), 0);
	io_uring_queue_exit(&ring);
}

/* The device as a file of io_uring, without any mapping. */
static void io_uring_reads_the_device(void)
{
	char *own = aligned_alloc(base_page, 2 * base_page);
	int dev = dev_open(O_RDWR);
	struct io_uring ring;

	fill(own, base_page, 6);
	CHECK_EQ(io_uring_queue_init(8, &ring, 0), 0);
	io_uring_prep_write(io_uring_get_sqe(&ring), dev, own, base_page, base_page);
	CHECK_EQ(complete(&ring), (int)base_page);
	io_uring_prep_read(io_uring_get_sqe(&ring), dev, own + base_page, base_page, base_page);
	CHECK_EQ(complete(&ring), (int)base_page);
	CHECK(filled(own + base_page, base_page, 6));
	io_uring_queue_exit(&ring);
}

static const struct test tests[] = {
	TEST(o_direct_writes_and_reads, ON_ANY),
	TEST(o_direct_into_a_private_mapping, ON_SMALL),
	TEST(io_uring_fixed_buffers, ON_ANY),
	TEST(io_uring_outlives_the_mapping, ON_ANY | NEEDS_ROOT),
	TEST(io_uring_reads_the_device, ON_ANY),
};

int main(void)
{
	return RUN_TESTS(tests);
}
