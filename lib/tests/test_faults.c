// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whatever the library asks of the C library may fail, one request after the other: that returns an
 * errno, leaves nothing behind, and does not end the program. The linker puts functions of this
 * file before those that it calls; see Makefile.
 */
#define _GNU_SOURCE
#include "fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* The request that fails, counted down to it; 0 for none. Threads of the library count, too. */
static _Atomic unsigned int left;
static int with;

/* Can a signal interrupt it? */
#define ATOMIC	false
#define WAITS	true

static bool fails(bool waits)
{
	unsigned int before_it = left;

	if (with == EINTR && !waits)
		return false;
	while (before_it && !atomic_compare_exchange_weak(&left, &before_it, before_it - 1))
		;
	if (before_it != 1)
		return false;
	errno = with;
	return true;
}

#define WRAP(type, failed, waits, name, args, call)	\
	type __real_##name args;			\
	type __wrap_##name args;			\
	type __wrap_##name args				\
	{						\
		if (fails(waits))			\
			return failed;			\
		return __real_##name call;		\
	}

WRAP(void *, NULL, ATOMIC, calloc, (size_t n, size_t size), (n, size))
WRAP(int, -1, WAITS, open, (const char *path, int flags), (path, flags))
WRAP(ssize_t, -1, WAITS, read, (int fd, void *to, size_t n), (fd, to, n))
WRAP(int, -1, ATOMIC, access, (const char *path, int mode), (path, mode))
WRAP(DIR *, NULL, WAITS, opendir, (const char *path), (path))
WRAP(void *, MAP_FAILED, ATOMIC, mmap,
     (void *at, size_t n, int prot, int flags, int fd, off_t from),
     (at, n, prot, flags, fd, from))
WRAP(int, -1, ATOMIC, madvise, (void *at, size_t n, int advice), (at, n, advice))
WRAP(int, -1, WAITS, ioctl, (int fd, unsigned long request, void *arg), (fd, request, arg))
WRAP(int, -1, ATOMIC, memfd_create, (const char *name, unsigned int flags), (name, flags))
WRAP(int, -1, ATOMIC, ftruncate, (int fd, off_t n), (fd, n))
WRAP(int, -1, WAITS, fallocate, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n))
WRAP(int, -1, ATOMIC, fcntl, (int fd, int command, long arg), (fd, command, arg))
WRAP(int, -1, ATOMIC, fstat, (int fd, struct stat *st), (fd, st))
WRAP(int, -1, ATOMIC, fstatfs, (int fd, struct statfs *fs), (fd, fs))
WRAP(int, -1, ATOMIC, statx, (int fd, const char *path, int flags, unsigned int mask,
			      struct statx *st), (fd, path, flags, mask, st))
WRAP(off_t, -1, ATOMIC, lseek, (int fd, off_t at, int whence), (fd, at, whence))
WRAP(int, -1, ATOMIC, getrlimit, (int what, struct rlimit *limit), (what, limit))
WRAP(int, -1, ATOMIC, getsockopt, (int fd, int level, int option, void *to, socklen_t *n),
     (fd, level, option, to, n))
WRAP(ssize_t, -1, WAITS, sendmsg, (int fd, const struct msghdr *msg, int flags),
     (fd, msg, flags))
WRAP(ssize_t, -1, WAITS, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))
WRAP(long, -1, ATOMIC, syscall, (long nr, long a, long b, long c, long d, long e, long f),
     (nr, a, b, c, d, e, f))

WRAP(int, -1, ATOMIC, sched_getaffinity, (pid_t pid, size_t n, cpu_set_t *set), (pid, n, set))
/* It returns its errno. */
WRAP(int, EAGAIN, ATOMIC, pthread_create,
     (pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg),
     (thread, attr, fn, arg))

/* An errno of the contract, with a reason. */
static void allowed(const char *call, int ret)
{
	static const int known[] = {
		E2BIG, EACCES, EAGAIN, EBUSY, EDQUOT, EEXIST, EFAULT, EINVAL, EIO, EMFILE, ENFILE,
		ENODEV, ENOENT, ENOMEM, ENOSPC, ENOTSUP, EPERM, EPIPE, EPROTO,
	};
	unsigned int rest = left;
	size_t i;

	left = 0;
	/* The module alone returns that, and a socket. */
	if (ret == -EINTR && with == EINTR && (with_module || strstr(call, "socket")))
		ret = 0;
	for (i = 0; ret && i < sizeof(known) / sizeof(*known); i++) {
		if (ret != -known[i])
			continue;
		if (!*hpmap_why(NULL))
			fail_msg("%s: %s, and no reason", call, strerror(-ret));
		left = rest;
		return;
	}
	if (ret)
		fail_msg("%s: %d: %s", call, ret, hpmap_why(NULL));
	left = rest;
}

#define TRY(call)	({ int _ret = (call); allowed(#call, _ret); _ret; })

static void use_windows(const struct hpmap_buffer *b)
{
	uint64_t page = hpmap_page_size(b);
	void *at = NULL;

	if (TRY(hpmap_map_at(b, NULL, hpmap_size(b) - page, page, HPMAP_POPULATE, &at))) {
		assert_null(at);
		return;
	}
	TRY(hpmap_map_at(b, at, 0, page, HPMAP_REPLACE | HPMAP_POPULATE | HPMAP_DONTFORK |
			 HPMAP_DONTDUMP, NULL));
	munmap(at, page);
}

static void use_sockets(const struct hpmap_buffer *b)
{
	struct hpmap_buffer *same = NULL;
	int sockets[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	if (!TRY(hpmap_send(b, sockets[0])) && !TRY(hpmap_recv(sockets[1], 0, &same)))
		hpmap_close(same);
	close(sockets[0]);
	close(sockets[1]);
}

static void use(struct hpmap_buffer *b)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	struct hpmap_buffer *same = NULL;
	uint64_t pages[4];
	unsigned int nr = 4;
	int fd = -1;

	if (!TRY(hpmap_map(b, HPMAP_POPULATE, NULL))) {
		((char *)hpmap_addr(b))[0] = 1;
		TRY(hpmap_populate(b, NULL));
		ok(hpmap_unmap(b));
	}
	if (!TRY(hpmap_map(b, HPMAP_DONTFORK, NULL)))
		ok(hpmap_unmap(b));
	use_windows(b);
	use_sockets(b);
	TRY(hpmap_info(b, &info));
	TRY(hpmap_nodes(b, pages, &nr));
	if (!TRY(hpmap_from_fd(hpmap_fd(b), &same)))
		hpmap_close(same);
	if (!TRY(hpmap_reopen(b, HPMAP_READ_ONLY, &same)))
		hpmap_close(same);
	if (!TRY(hpmap_export_dmabuf(b, &fd)))
		close(fd);
}

static void all_calls(const struct hpmap_options *options)
{
	struct hpmap_pool pool = { .struct_size = sizeof(pool) };
	struct hpmap_info info = { .struct_size = sizeof(info) };
	struct hpmap_buffer *b = NULL;
	uint64_t sizes[4];
	unsigned int nr = 4;

	if (!TRY(hpmap_alloc(options, &b))) {
		use(b);
		hpmap_close(b);
		b = NULL;
	}
	assert_null(b);
	TRY(hpmap_page_sizes(sizes, &nr));
	TRY(hpmap_get_pool(2 * MIB, -1, &pool));
	TRY(hpmap_next(0, &info));
	TRY(hpmap_open("none", 0, &b));
	assert_null(b);
}

static void sweep(const struct hpmap_options *options, size_t nr)
{
	const int errors[] = { EINTR, ENOMEM, EMFILE, EPERM, EINVAL };
	unsigned int nth;
	size_t i;

	for (i = 0; i < nr; i++) {
		for (nth = 1; nth < 10000; nth++) {
			before(NULL);
			with = errors[i];
			left = nth;
			all_calls(options);
			if (left)
				break;
			after(NULL);
		}
		left = 0;
		assert_in_range(nth, 5, 9999);
	}
}

static void every_request_may_fail_for_base_pages(void **state)
{
	(void)state;
	sweep(HPMAP_OPTIONS(.size = 12288, .page_size = 4096, .policy = HPMAP_POLICY_PREFERRED),
	      with_module ? 2 : 5);
}

static void every_request_may_fail_for_huge_pages(void **state)
{
	(void)state;
	sweep(HPMAP_OPTIONS(.size = 2 * MIB, .flags = HPMAP_ALLOW_BASE), 2);
}

static void every_request_may_fail_for_files_with_holes(void **state)
{
	int fd = memfd_create("holes", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct hpmap_buffer *b;
	unsigned int nth;

	(void)state;
	assert_int_equal(ftruncate(fd, 4 * MIB), 0);
	assert_int_equal(pwrite(fd, "x", 1, MIB), 1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	ok(hpmap_from_fd(fd, &b));
	for (nth = 1; nth < 10000; nth++) {
		with = EMFILE;
		left = nth;
		use(b);
		if (left)
			break;
	}
	left = 0;
	assert_in_range(nth, 5, 9999);
	hpmap_close(b);
	close(fd);
}

/* Of the threads too: which of them asks for the nth time is left to chance. */
static void every_request_may_fail_for_threads(void **state)
{
	const struct hpmap_populate_options by_three = {
		.struct_size = sizeof(by_three), .threads = 3,
	};
	int fd = memfd_create("threads", MFD_CLOEXEC | MFD_ALLOW_SEALING), ret;
	struct hpmap_buffer *b;
	unsigned int nth;

	(void)state;
	assert_int_equal(ftruncate(fd, 256 * MIB), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	ok(hpmap_from_fd(fd, &b));
	ok(hpmap_map(b, 0, NULL));
	for (nth = 1; nth < 10000; nth++) {
		with = ENOMEM;
		left = nth;
		ret = TRY(hpmap_populate(b, &by_three));
		if (left)
			break;
		assert_true(!ret || ret == -ENOMEM);
	}
	left = 0;
	assert_int_equal(ret, 0);
	assert_in_range(nth, 8, 9999);
	hpmap_close(b);
	close(fd);
}

static const struct CMUnitTest tests[] = {
	TEST(every_request_may_fail_for_base_pages),
	TEST(every_request_may_fail_for_threads),
	TEST(every_request_may_fail_for_files_with_holes),
};

/* What zeroes too much for an emulated machine. */
static const struct CMUnitTest on_host[] = {
	TEST(every_request_may_fail_for_huge_pages),
};

int test_faults(void)
{
	return RUN("faults", tests) + (with_module ? 0 : RUN("faults on a host", on_host));
}
