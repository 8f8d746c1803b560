// SPDX-License-Identifier: GPL-2.0-only
/* read, write, lseek: the buffer as a device with an end. */
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)

/* Offsets and lengths around the edges of words, pages and huge pages. */
static void any_offset_and_length_work(void)
{
	const size_t edges[] = { 0, 1, base_page - 1, base_page, buf_page - 3, buf_page,
				 buf_page + 1, buf_size - base_page - 5, buf_size - 1 };
	const size_t lens[] = { 1, 7, base_page, base_page + 1, 3 * base_page - 1 };
	int fd = dev_open(O_RDWR);
	char *p = map_all(fd, RW, MAP_SHARED);
	char *out = malloc(4 * base_page), *in = malloc(4 * base_page);

	for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++)
		for (size_t j = 0; j < sizeof(lens) / sizeof(*lens); j++) {
			size_t off = edges[i], len = lens[j];
			size_t fits;

			if (off >= buf_size)	/* a buffer of one page */
				continue;
			fits = len < buf_size - off ? len : buf_size - off;
			fill(out, 4 * base_page, i * 8 + j + 1);
			if (off)
				p[off - 1] = 'a';
			if (off + fits < buf_size)
				p[off + fits] = 'z';
			CHECK_EQ(pwrite(fd, out, len, off), (ssize_t)fits);
			CHECK_EQ(memcmp(p + off, out, fits), 0);
			CHECK(!off || p[off - 1] == 'a');
			CHECK(off + fits == buf_size || p[off + fits] == 'z');
			memset(in, 0x55, 4 * base_page);
			CHECK_EQ(pread(fd, in, len, off), (ssize_t)fits);
			CHECK_EQ(memcmp(in, out, fits), 0);
			CHECK_EQ(in[fits], 0x55);
		}
}

static void the_whole_buffer_goes_in_one_call(void)
{
	int fd = dev_open(O_RDWR);
	char *own = malloc(buf_size + 1);

	CHECK(own);
	fill(own, buf_size, 4);
	CHECK_EQ(write(fd, own, buf_size), (ssize_t)buf_size);
	CHECK_EQ(write(fd, own, 1), -1);
	CHECK_EQ(errno, ENOSPC);
	memset(own, 0, buf_size);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(read(fd, own, buf_size + 1), (ssize_t)buf_size);
	CHECK_EQ(read(fd, own + buf_size, 1), 0);
	CHECK(filled(own, buf_size, 4));
}

static void it_ends_like_a_block_device(void)
{
	int fd = dev_open(O_RDWR);
	char b[8] = "1234567";

	CHECK_EQ(pread(fd, b, 8, buf_size), 0);
	CHECK_EQ(pread(fd, b, 8, buf_size + 1), 0);
	CHECK_EQ(pread(fd, b, 8, INT64_MAX - 8), 0);
	CHECK_EQ(pread(fd, b, 8, buf_size - 3), 3);
	CHECK_ERR(pwrite(fd, b, 8, buf_size), ENOSPC);
	CHECK_ERR(pwrite(fd, b, 8, buf_size + 1), ENOSPC);
	CHECK_EQ(pwrite(fd, b, 8, buf_size - 3), 3);
	CHECK_ERR(pread(fd, b, 8, -1), EINVAL);
	CHECK_ERR(pwrite(fd, b, 8, -1), EINVAL);
	CHECK_EQ(pread(fd, b, 0, 0), 0);
	CHECK_EQ(pwrite(fd, b, 0, 0), 0);
	CHECK_EQ(read(fd, b, 1), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 1);
}

static void vectors_scatter_and_gather(void)
{
	size_t third = base_page / 3, at = buf_size / 2 - 9;
	char *out = malloc(base_page), *in = calloc(1, base_page);
	struct iovec from[3] = { { out, 1 }, { out + 1, third }, { out + 1 + third, third } };
	struct iovec to[2] = { { in, 2 * third }, { in + 2 * third, 1 } };
	int fd = dev_open(O_RDWR);

	fill(out, base_page, 6);
	CHECK_EQ(pwritev(fd, from, 3, at), (ssize_t)(2 * third + 1));
	CHECK_EQ(preadv(fd, to, 2, at), (ssize_t)(2 * third + 1));
	CHECK_EQ(memcmp(in, out, 2 * third + 1), 0);
	CHECK_EQ(writev(fd, from, 3), (ssize_t)(2 * third + 1));
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), (off_t)(2 * third + 1));
}

static void lseek_stays_within_the_buffer(void)
{
	int fd = dev_open(O_RDWR);
	off_t size = buf_size;

	CHECK_EQ(lseek(fd, 0, SEEK_END), size);
	CHECK_EQ(lseek(fd, -size, SEEK_END), 0);
	CHECK_EQ(lseek(fd, 100, SEEK_SET), 100);
	CHECK_EQ(lseek(fd, 20, SEEK_CUR), 120);
	CHECK_EQ(lseek(fd, size, SEEK_SET), size);
	CHECK_ERR(lseek(fd, size + 1, SEEK_SET), EINVAL);
	CHECK_ERR(lseek(fd, 1, SEEK_END), EINVAL);
	CHECK_ERR(lseek(fd, 1, SEEK_CUR), EINVAL);
	CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERR(lseek(fd, -size - 1, SEEK_END), EINVAL);
	CHECK_ERR(lseek(fd, INT64_MAX, SEEK_CUR), EINVAL);
	CHECK_ERR(lseek(fd, INT64_MIN, SEEK_CUR), EINVAL);
	CHECK_ERR(lseek(fd, 0, 99), EINVAL);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), size);
}

static void append_is_ignored(void)
{
	int fd = dev_open(O_RDWR | O_APPEND);
	char b[4];

	CHECK_EQ(write(fd, "abcd", 4), 4);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
	CHECK_EQ(pwrite(fd, "efgh", 4, 8), 4);
	CHECK_EQ(pread(fd, b, 4, 0), 4);
	CHECK(!memcmp(b, "abcd", 4));
	CHECK_EQ(pread(fd, b, 4, 8), 4);
	CHECK(!memcmp(b, "efgh", 4));
}

static void modes_are_kept(void)
{
	int ro = dev_open(O_RDONLY), wo = dev_open(O_WRONLY);
	char b[4] = "";

	CHECK_ERR(write(ro, b, 4), EBADF);
	CHECK_ERR(read(wo, b, 4), EBADF);
	CHECK_EQ(read(ro, b, 4), 4);
	CHECK_EQ(write(wo, b, 4), 4);
	CHECK_EQ(fsync(wo), 0);
	CHECK_EQ(fdatasync(wo), 0);
}

/* What was copied before the bad address counts, and the offset agrees. */
static void bad_memory_is_efault(void)
{
	int fd = dev_open(O_RDWR);
	char *own = mmap(NULL, 2 * base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *edge = own + base_page;
	ssize_t n;

	CHECK_EQ(mprotect(edge, base_page, PROT_NONE), 0);
	CHECK_ERR(read(fd, edge, 16), EFAULT);
	CHECK_ERR(write(fd, edge, 16), EFAULT);
	CHECK_ERR(read(fd, (void *)-4096L, 16), EFAULT);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	n = read(fd, edge - 100, 200);
	CHECK_GT(n, 0);
	CHECK_LE(n, 100);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), n);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	n = write(fd, edge - 100, 200);
	CHECK_GT(n, 0);
	CHECK_LE(n, 100);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), n);
}

/* The buffer as its own source and target. */
static void its_own_mapping_is_memory_too(void)
{
	int fd = dev_open(O_RDWR);
	char *p = map_all(fd, RW, MAP_SHARED);

	fill(p, buf_page, 7);
	CHECK_EQ(pwrite(fd, p, buf_page, buf_page), (ssize_t)buf_page);
	CHECK(filled(p + buf_page, buf_page, 7));
	memset(p, 0, buf_page);
	CHECK_EQ(pread(fd, p, buf_page, buf_page), (ssize_t)buf_page);
	CHECK(filled(p, buf_page, 7));
}

static void nothing(int sig)
{
	(void)sig;
}

struct call {
	int fd;
	char *to;
	ssize_t got;
	pthread_t thread;
};

static void *long_read(void *arg)
{
	struct call *c = arg;

	c->got = read(c->fd, c->to, buf_size);
	return NULL;
}

static int uffd_over(char *p, size_t len)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)p, .len = len },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	CHECK_GE(fd, 0);
	CHECK_EQ(ioctl(fd, UFFDIO_API, &api), 0);
	CHECK_EQ(ioctl(fd, UFFDIO_REGISTER, &reg), 0);
	return fd;
}

/*
 * userfaultfd holds the read inside its first page; there the signal meets
 * it. It must come back short, having told and moved exactly as much as it
 * copied, and the rest must be readable afterwards.
 */
static void a_signal_in_the_middle_makes_it_short(void)
{
	struct call c = { .fd = dev_open(O_RDWR) };
	struct uffdio_zeropage zero = { .mode = 0 };
	struct sigaction sa = { .sa_handler = nothing };
	struct uffd_msg msg;
	int uffd;

	fill(map_all(c.fd, RW, MAP_SHARED), buf_size, 8);
	c.to = mmap(NULL, buf_size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_NE(c.to, MAP_FAILED);
	CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	uffd = uffd_over(c.to, base_page);
	CHECK_EQ(pthread_create(&c.thread, NULL, long_read, &c), 0);
	CHECK_EQ(read(uffd, &msg, sizeof(msg)), (ssize_t)sizeof(msg));
	CHECK_EQ(pthread_kill(c.thread, SIGUSR1), 0);
	zero.range.start = (uintptr_t)c.to;
	zero.range.len = base_page;
	CHECK_EQ(ioctl(uffd, UFFDIO_ZEROPAGE, &zero), 0);
	CHECK_EQ(pthread_join(c.thread, NULL), 0);
	CHECK_GT(c.got, 0);
	CHECK_LT(c.got, (ssize_t)buf_size);
	CHECK_EQ(lseek(c.fd, 0, SEEK_CUR), c.got);
	CHECK_EQ(read(c.fd, c.to + c.got, buf_size), (ssize_t)buf_size - c.got);
	CHECK(filled(c.to, buf_size, 8));
}

static void *long_write(void *arg)
{
	struct call *c = arg;

	c->got = write(c->fd, c->to, base_page);
	return NULL;
}

static void *short_write(void *arg)
{
	struct call *c = arg;

	c->got = write(c->fd, "x", 1);
	return NULL;
}

/* Without a node it is a regular file, of which two who write at once write one after the other. */
static void writers_share_the_position(void)
{
	struct hpage_map_alloc a = request(2 * buf_page, buf_page, 0);
	struct uffdio_zeropage zero = { .mode = 0 };
	struct call first, second;
	struct uffd_msg msg;
	int uffd;

	CHECK_ALLOC(&a, 0);
	first.fd = second.fd = a.fd;
	first.to = mmap(NULL, base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_NE((void *)first.to, MAP_FAILED);
	uffd = uffd_over(first.to, base_page);
	CHECK_EQ(pthread_create(&first.thread, NULL, long_write, &first), 0);
	CHECK_EQ(read(uffd, &msg, sizeof(msg)), (ssize_t)sizeof(msg));
	CHECK_EQ(pthread_create(&second.thread, NULL, short_write, &second), 0);
	usleep(100000);		/* it would have written meanwhile */
	zero.range.start = (uintptr_t)first.to;
	zero.range.len = base_page;
	CHECK_EQ(ioctl(uffd, UFFDIO_ZEROPAGE, &zero), 0);
	CHECK_EQ(pthread_join(first.thread, NULL), 0);
	CHECK_EQ(pthread_join(second.thread, NULL), 0);
	CHECK_EQ(first.got, (ssize_t)base_page);
	CHECK_EQ(second.got, 1);
	CHECK_EQ(lseek(a.fd, 0, SEEK_CUR), (off_t)base_page + 1);
	close(a.fd);
}

static int ready[2];

static void read_into_a_hole(void *arg)
{
	struct call c = { .fd = dev_open(O_RDWR) };
	struct uffd_msg msg;
	int uffd;

	(void)arg;
	c.to = mmap(NULL, buf_size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uffd = uffd_over(c.to, base_page);
	CHECK_EQ(pthread_create(&c.thread, NULL, long_read, &c), 0);
	CHECK_EQ(read(uffd, &msg, sizeof(msg)), (ssize_t)sizeof(msg));
	step_done(ready[1]);
	pause();
}

/* No lock and no reference stays behind a killed read. */
static void a_killed_read_leaves_nothing(void)
{
	pid_t pid;

	CHECK_EQ(pipe(ready), 0);
	pid = spawn(read_into_a_hole, NULL);
	step_wait(ready[0]);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_KILLED(pid, SIGKILL);
	CHECK_COUNT("descriptors", 0);
	CHECK_EQ(read(dev_open(O_RDONLY), &(char){ 0 }, 1), 1);
}

static const struct test tests[] = {
	TEST(any_offset_and_length_work, ON_ANY),
	TEST(the_whole_buffer_goes_in_one_call, ON_SMALL),
	TEST(it_ends_like_a_block_device, ON_ANY),
	TEST(vectors_scatter_and_gather, ON_ANY),
	TEST(lseek_stays_within_the_buffer, ON_ANY),
	TEST(append_is_ignored, ON_ANY),
	TEST(modes_are_kept, ON_ANY),
	TEST(bad_memory_is_efault, ON_ANY),
	TEST(its_own_mapping_is_memory_too, ON_SMALL),
	TEST(a_signal_in_the_middle_makes_it_short, ON_SMALL | NEEDS_ROOT),
	TEST(writers_share_the_position, ON_SMALL | NEEDS_ROOT),
	TEST(a_killed_read_leaves_nothing, ON_SMALL | NEEDS_ROOT),
};

int main(void)
{
	return RUN_TESTS(tests);
}
