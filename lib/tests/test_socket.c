// SPDX-License-Identifier: LGPL-2.1-or-later
/* Buffers that cross a socket, and what a peer may send instead. */
#define _GNU_SOURCE
#include "fixture.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD	76
#endif

#define NR_TYPES	3
#define MANY		253	/* descriptors; the kernel sends no more at once */

static const int types[NR_TYPES] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };

static void pair(int type, int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
}

static void unpair(const int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

static struct hpmap_buffer *small(void)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct hpmap_buffer *b = NULL;

	ok(hpmap_alloc(HPMAP_OPTIONS(.size = page, .page_size = page), &b));
	return b;
}

/* A message of some bytes with @nr times the descriptor @fd. */
static void send_raw(int socket, size_t bytes, int fd, size_t nr)
{
	char control[CMSG_SPACE(MANY * sizeof(int))] __attribute__((aligned(8))) = {};
	struct iovec iov = { .iov_base = "garbage", .iov_len = bytes };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c = (struct cmsghdr *)control;
	size_t i;

	if (nr) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(nr * sizeof(fd));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nr * sizeof(fd));
		for (i = 0; i < nr; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(fd), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(socket, &msg, 0), bytes);
}

/* What went wrong in the child, or 0. */
static int use_received(int socket)
{
	struct hpmap_buffer *b = NULL;
	char *p;

	if (hpmap_recv(socket, 0, &b) || hpmap_map(b, 0, (void **)&p))
		return 1;
	if (fcntl(hpmap_fd(b), F_GETFD) != FD_CLOEXEC || hpmap_fd(b) <= 2)
		return 2;
	if (strcmp(p, "from the parent"))
		return 3;
	strcpy(p, "from the child");
	hpmap_close(b);
	return 0;
}

static void a_buffer_crosses_a_socket(void **state)
{
	int ends[2], status, i;
	struct hpmap_buffer *b;
	pid_t child;
	char *p;

	(void)state;
	for (i = 0; i < NR_TYPES; i++) {
		b = small();
		pair(types[i], ends);
		ok(hpmap_map_at(b, NULL, 0, hpmap_size(b), 0, (void **)&p));
		strcpy(p, "from the parent");
		child = fork();
		assert_true(child >= 0);
		if (!child) {
			/* Standard input is free for what is received. */
			close(0);
			_exit(use_received(ends[1]));
		}
		ok(hpmap_send(b, ends[0]));
		/* The message holds it. */
		hpmap_close(b);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		assert_string_equal(p, "from the child");
		munmap(p, sysconf(_SC_PAGESIZE));
		unpair(ends);
	}
}

/* What else a protocol sends stays for its reader, and buffers come one by one. */
static void a_stream_is_read_no_further(void **state)
{
	struct hpmap_buffer *b = small(), *got[3];
	char rest[16] = "";
	int ends[2], i;

	(void)state;
	pair(SOCK_STREAM, ends);
	ok(hpmap_send(b, ends[0]));
	ok(hpmap_send(b, ends[0]));
	/* Of another program: with the first byte comes the descriptor. */
	send_raw(ends[0], 7, hpmap_fd(b), 1);
	assert_int_equal(write(ends[0], " and more", 9), 9);
	for (i = 0; i < 3; i++) {
		ok(hpmap_recv(ends[1], 0, &got[i]));
		assert_int_equal(hpmap_size(got[i]), hpmap_size(b));
		hpmap_close(got[i]);
	}
	assert_int_equal(recv(ends[1], rest, sizeof(rest) - 1, MSG_WAITALL | MSG_DONTWAIT), 15);
	assert_string_equal(rest, "arbage and more");
	hpmap_close(b);
	unpair(ends);
}

/* SIGPIPE would end the test. */
static void a_closed_end_is_epipe(void **state)
{
	struct hpmap_buffer *b = small(), *got = NULL;
	int ends[2], i;

	(void)state;
	for (i = 0; i < NR_TYPES; i++) {
		pair(types[i], ends);
		close(ends[1]);
		assert_true(refused(hpmap_send(b, ends[0]), -EPIPE, "nobody"));
		assert_true(refused(hpmap_send(b, ends[0]), -EPIPE, "nobody"));
		/* A datagram may still come, from somebody else. */
		if (types[i] != SOCK_DGRAM)
			assert_true(refused(hpmap_recv(ends[0], 0, &got), -EPIPE, "nobody"));
		close(ends[0]);
	}
	/* What it had not read yet makes that a reset. */
	pair(SOCK_STREAM, ends);
	ok(hpmap_send(b, ends[0]));
	close(ends[1]);
	assert_true(refused(hpmap_recv(ends[0], 0, &got), -EPIPE, "nobody"));
	close(ends[0]);
	assert_null(got);
	hpmap_close(b);
}

static void a_socket_without_a_peer_is_epipe(void **state)
{
	struct hpmap_buffer *b = small(), *got = NULL;
	struct sockaddr_un any = { .sun_family = AF_UNIX };
	int i, lone;

	(void)state;
	for (i = 0; i < NR_TYPES; i++) {
		lone = socket(AF_UNIX, types[i] | SOCK_CLOEXEC, 0);
		assert_true(lone >= 0);
		assert_int_equal(hpmap_send(b, lone), -EPIPE);
		if (types[i] != SOCK_DGRAM)
			assert_int_equal(hpmap_recv(lone, 0, &got), -EPIPE);
		close(lone);
	}
	lone = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(lone, (struct sockaddr *)&any, sizeof(any.sun_family)), 0);
	assert_int_equal(listen(lone, 1), 0);
	assert_int_equal(hpmap_send(b, lone), -EPIPE);
	assert_int_equal(hpmap_recv(lone, 0, &got), -EPIPE);
	close(lone);
	assert_null(got);
	hpmap_close(b);
}

static void what_is_no_unix_socket_is_refused(void **state)
{
	struct hpmap_buffer *b = small(), *got = NULL;
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), i;
	int no[] = { -1, hpmap_fd(b), tcp };

	(void)state;
	for (i = 0; i < 2 + (tcp >= 0); i++) {
		assert_true(refused(hpmap_send(b, no[i]), -EINVAL, i < 2 ? "socket" : "AF_UNIX"));
		assert_true(refused(hpmap_recv(no[i], 0, &got), -EINVAL,
				    i < 2 ? "socket" : "try: "));
	}
	assert_null(got);
	close(tcp);
	hpmap_close(b);
}

/* The fixture counts descriptors: those that came with it are closed. */
static void a_message_that_is_no_buffer_is_refused(void **state)
{
	static const struct {
		size_t bytes, nr;
		bool packets;	/* those alone have messages like this */
		const char *words;
	} garbage[] = {
		{ 1, 0, false, "a byte, 0 descriptors" },
		{ 1, 2, false, "a byte, 2 descriptors" },
		{ 1, MANY, false, "descriptors, and more" },
		{ 7, 1, true, "a byte, 1 descriptor, and more" },
		{ 7, 0, true, "hpmap_send()" },
		{ 0, 1, true, "no byte, 1 descriptor" },
	};
	struct hpmap_buffer *b = small(), *got = NULL;
	int ends[2], i;
	size_t j;

	(void)state;
	for (i = 0; i < NR_TYPES; i++) {
		pair(types[i], ends);
		for (j = 0; j < sizeof(garbage) / sizeof(*garbage); j++) {
			if (garbage[j].packets && types[i] == SOCK_STREAM)
				continue;
			send_raw(ends[0], garbage[j].bytes, hpmap_fd(b), garbage[j].nr);
			if (!refused(hpmap_recv(ends[1], 0, &got), -EPROTO, garbage[j].words))
				fail_msg("number %zu over type %d", j, types[i]);
		}
		if (types[i] == SOCK_DGRAM) {
			send_raw(ends[0], 0, -1, 0);
			assert_true(refused(hpmap_recv(ends[1], 0, &got), -EPROTO, "no byte"));
		}
		/* Nothing of it is left in the way of the next. */
		assert_null(got);
		ok(hpmap_send(b, ends[0]));
		ok(hpmap_recv(ends[1], 0, &got));
		hpmap_close(got);
		got = NULL;
		unpair(ends);
	}
	hpmap_close(b);
}

static void a_descriptor_that_is_no_buffer_is_refused(void **state)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), ends[2];
	int unsealed = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct hpmap_buffer *got = NULL;

	(void)state;
	pair(SOCK_SEQPACKET, ends);
	assert_int_equal(ftruncate(unsealed, MIB), 0);
	send_raw(ends[0], 1, null, 1);
	assert_true(refused(hpmap_recv(ends[1], 0, &got), -EINVAL, "the descriptor is no buffer"));
	send_raw(ends[0], 1, ends[0], 1);
	assert_true(refused(hpmap_recv(ends[1], 0, &got), -EINVAL, "the descriptor is no buffer"));
	send_raw(ends[0], 1, unsealed, 1);
	assert_true(refused(hpmap_recv(ends[1], 0, &got), -EINVAL, "F_SEAL_SHRINK"));
	assert_true(refused(hpmap_recv(ends[1], ~HPMAP_UNSEALED, &got), -EINVAL, "unknown bits"));
	assert_null(got);
	send_raw(ends[0], 1, unsealed, 1);
	ok(hpmap_recv(ends[1], HPMAP_UNSEALED, &got));
	hpmap_close(got);
	unpair(ends);
	close(null);
	close(unsealed);
}

/* The receiver may do no more than the sender. */
static void a_buffer_that_is_only_read_stays_so(void **state)
{
	struct hpmap_buffer *b = small(), *reader, *got;
	char path[64];
	int ends[2], fd;

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", hpmap_fd(b));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ok(hpmap_from_fd(fd, &reader));
	close(fd);
	pair(SOCK_STREAM, ends);
	ok(hpmap_send(reader, ends[0]));
	ok(hpmap_recv(ends[1], 0, &got));
	assert_int_equal(hpmap_map(got, 0, NULL), -EACCES);
	ok(hpmap_map(got, HPMAP_READ_ONLY, NULL));
	hpmap_close(got);
	hpmap_close(reader);
	hpmap_close(b);
	unpair(ends);
}

/* Options of the receiver add to each message, a descriptor among them. */
static void what_comes_with_the_buffer_is_dropped(void **state)
{
	struct hpmap_buffer *b = small(), *got;
	int ends[2], on = 1, i;

	(void)state;
	for (i = 0; i < NR_TYPES; i++) {
		pair(types[i], ends);
		assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
		/* Linux before 6.5 does not know it. */
		setsockopt(ends[1], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on));
		ok(hpmap_send(b, ends[0]));
		ok(hpmap_recv(ends[1], 0, &got));
		hpmap_close(got);
		send_raw(ends[0], 1, -1, 0);
		assert_int_equal(hpmap_recv(ends[1], 0, &got), -EPROTO);
		unpair(ends);
	}
	hpmap_close(b);
}

static void a_socket_that_does_not_wait_is_eagain(void **state)
{
	struct timeval soon = { .tv_usec = 1000 };
	struct hpmap_buffer *b = small(), *got = NULL;
	int ends[2], i, n, ret = 0;

	(void)state;
	for (i = 0; i < NR_TYPES; i++) {
		pair(types[i] | SOCK_NONBLOCK, ends);
		assert_true(refused(hpmap_recv(ends[1], 0, &got), -EAGAIN, "poll(2)"));
		for (n = 0; n < 100000 && !ret; n++)
			ret = hpmap_send(b, ends[0]);
		assert_int_equal(ret, -EAGAIN);
		assert_non_null(strstr(hpmap_why(NULL), "poll(2)"));
		for (ret = 0; --n; hpmap_close(got))
			ok(hpmap_recv(ends[1], 0, &got));
		got = NULL;
		unpair(ends);
	}
	pair(SOCK_STREAM, ends);
	assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)), 0);
	assert_int_equal(hpmap_recv(ends[0], 0, &got), -EAGAIN);
	assert_null(got);
	unpair(ends);
	hpmap_close(b);
}

static int beyond_the_limit(void)
{
	struct rlimit few = { 8, 8 };
	struct hpmap_buffer *b = small();
	int ends[2], n, ret = 0;

	pair(SOCK_STREAM | SOCK_NONBLOCK, ends);
	if (setrlimit(RLIMIT_NOFILE, &few))
		return 2;
	for (n = 0; n < 100 && !ret; n++)
		ret = hpmap_send(b, ends[0]);
	return !refused(ret, -EDQUOT, "ulimit -n");
}

static void too_many_on_their_way_are_edquot(void **state)
{
	(void)state;
	assert_int_equal(as_nobody(beyond_the_limit), 0);
}

static bool kernel_is_short(void)
{
	struct hpmap_buffer *b = small();
	int ends[2];

	pair(SOCK_STREAM, ends);
	return forbid(SYS_sendmsg, ENOBUFS) &&
	       refused(hpmap_send(b, ends[0]), -ENOMEM, "sendmsg: ");
}

static bool sockets_are_forbidden(void)
{
	struct hpmap_buffer *b = small(), *got = NULL;
	int ends[2];

	pair(SOCK_STREAM, ends);
	return forbid(SYS_getsockopt, EPERM) &&
	       refused(hpmap_send(b, ends[0]), -EPERM, "socket ") &&
	       refused(hpmap_recv(ends[1], 0, &got), -EPERM, "socket ") && !got;
}

static void what_the_kernel_refuses_is_reported(void **state)
{
	(void)state;
	assert_true(in_child(kernel_is_short));
	assert_true(in_child(sockets_are_forbidden));
}

static void without_a_descriptor_left_none_is_received(void **state)
{
	struct hpmap_buffer *b = small(), *got = NULL;
	struct rlimit old, none = { 0, 0 };
	int ends[2], ret;

	(void)state;
	pair(SOCK_SEQPACKET, ends);
	ok(hpmap_send(b, ends[0]));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	ret = hpmap_recv(ends[1], 0, &got);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(refused(ret, -EMFILE, "ulimit -n"));
	assert_null(got);
	hpmap_close(b);
	unpair(ends);
}

static struct {
	struct hpmap_buffer *buffer;
	int socket;
	int ticks;	/* until it is sent */
} late;

static void tick(int signal)
{
	(void)signal;
	if (late.ticks && !--late.ticks)
		hpmap_send(late.buffer, late.socket);
}

/* Receive while signals come, whose handler sends the buffer at the @ticks th. */
static int receive_with_signals(int flags, int ticks)
{
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = {};
	struct sigaction action = { .sa_handler = tick, .sa_flags = flags }, before_it;
	struct hpmap_buffer *got = NULL;
	int ends[2], ret;

	pair(SOCK_STREAM, ends);
	late.buffer = small();
	late.socket = ends[0];
	late.ticks = ticks;
	assert_int_equal(sigaction(SIGALRM, &action, &before_it), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	ret = hpmap_recv(ends[1], 0, &got);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &before_it, NULL), 0);
	hpmap_close(got);
	hpmap_close(late.buffer);
	unpair(ends);
	return ret;
}

static void a_signal_ends_the_wait_or_not(void **state)
{
	(void)state;
	assert_int_equal(receive_with_signals(0, 0), -EINTR);
	ok(receive_with_signals(SA_RESTART, 20));
}

static const struct CMUnitTest tests[] = {
	TEST(a_buffer_crosses_a_socket),
	TEST(a_stream_is_read_no_further),
	TEST(a_closed_end_is_epipe),
	TEST(a_socket_without_a_peer_is_epipe),
	TEST(what_is_no_unix_socket_is_refused),
	TEST(a_message_that_is_no_buffer_is_refused),
	TEST(a_descriptor_that_is_no_buffer_is_refused),
	TEST(a_buffer_that_is_only_read_stays_so),
	TEST(what_comes_with_the_buffer_is_dropped),
	TEST(a_socket_that_does_not_wait_is_eagain),
	TEST(too_many_on_their_way_are_edquot),
	TEST(what_the_kernel_refuses_is_reported),
	TEST(without_a_descriptor_left_none_is_received),
	TEST(a_signal_ends_the_wait_or_not),
};

int test_socket(void)
{
	return RUN("socket", tests);
}
