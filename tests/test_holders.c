// SPDX-License-Identifier: GPL-2.0-only
/* How buffers of a program go: zeroed, and with the last who holds them. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)

static void dies_with_a_pattern(void *arg)
{
	size_t len = plenty() * buf_page;
	int fd = alloc_mine(plenty());

	fill(map(fd, len, RW, MAP_SHARED, 0), len, 7);
	if (arg)
		raise(SIGKILL);
}

/* A buffer never shows what somebody else left; of the pool, all pages are used again. */
static void the_next_owner_finds_zeroes(void)
{
	size_t len = plenty() * buf_page;

	for (int killed = 0; killed < 2; killed++) {
		pid_t pid = spawn(dies_with_a_pattern, killed ? &killed : NULL);
		char *p;
		int fd;

		CHECK_EQ(wait_for(pid), killed ? -SIGKILL : 0);
		fd = alloc_mine(plenty());
		p = map(fd, len, RW, MAP_SHARED, 0);
		CHECK(zeroed(p, len));
		CHECK_EQ(munmap(p, len), 0);
		close(fd);
	}
}

static void it_goes_with_the_last_holder(void)
{
	uint64_t before = pages_free(), taken = suite_where & ON_POOL ? 2 : 0;
	unsigned int buffers = nr_buffers();
	int fd = alloc_mine(2), other;
	char *p;

	CHECK_EQ(nr_buffers(), buffers + 1);
	CHECK_EQ(pages_free(), before - taken);
	close(fd);
	CHECK_EQ(nr_buffers(), buffers);
	CHECK_EQ(pages_free(), before);

	fd = alloc_mine(2);
	other = dup(fd);
	p = map(fd, 2 * buf_page, RW, MAP_SHARED, 0);
	close(fd);
	close(other);
	fill(p + buf_page, buf_page, 1);
	CHECK_EQ(nr_buffers(), buffers + 1);
	CHECK_EQ(munmap(p, buf_page), 0);
	CHECK(filled(p + buf_page, buf_page, 1));
	CHECK_EQ(pages_free(), before - taken);
	CHECK_EQ(munmap(p + buf_page, buf_page), 0);
	CHECK_EQ(nr_buffers(), buffers);
	CHECK_EQ(pages_free(), before);
}

static int to_parent[2], to_child[2];

static void make_pipes(void)
{
	CHECK_EQ(pipe(to_parent), 0);
	CHECK_EQ(pipe(to_child), 0);
}

struct held {
	int fd;
	char *p;
};

static void heir(void *arg)
{
	struct held *h = arg;

	step_done(to_parent[1]);
	step_wait(to_child[0]);
	CHECK(filled(h->p, buf_page, 5));
	CHECK_EQ(ask(h->fd).descriptors, 1);
}

static void a_child_holds_what_it_inherits(void)
{
	struct held h = { .fd = alloc_mine(1) };
	unsigned int buffers = nr_buffers();
	pid_t pid;

	make_pipes();
	h.p = map(h.fd, buf_page, RW, MAP_SHARED, 0);
	fill(h.p, buf_page, 5);
	pid = spawn(heir, &h);
	step_wait(to_parent[0]);
	close(h.fd);
	CHECK_EQ(munmap(h.p, buf_page), 0);
	CHECK_EQ(nr_buffers(), buffers);
	step_done(to_child[1]);
	CHECK_EXITS(pid);
	CHECK_EQ(nr_buffers(), buffers - 1);
}

/* The way to share a buffer with a process that is no child. */
static void send_fd(int sock, int fd)
{
	char space[CMSG_SPACE(sizeof(fd))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	CHECK_EQ(sendmsg(sock, &msg, 0), 1);
}

static int receive_fd(int sock)
{
	char space[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct cmsghdr *c;
	int fd;

	CHECK_EQ(recvmsg(sock, &msg, MSG_CMSG_CLOEXEC), 1);
	c = CMSG_FIRSTHDR(&msg);
	CHECK(c);
	CHECK_EQ(c->cmsg_type, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static int sock[2];

static void receiver(void *arg)
{
	int fd = receive_fd(sock[1]);
	char *p = map(fd, buf_page, RW, MAP_SHARED, 0);

	CHECK_EQ(ask(fd).id, *(__u32 *)arg);
	CHECK(filled(p, buf_page, 6));
	fill(p, buf_page, 7);
}

static void a_buffer_travels_through_a_socket(void)
{
	unsigned int buffers = nr_buffers();
	int fd = alloc_mine(1);
	__u32 id = ask(fd).id;
	char *p = map(fd, buf_page, RW, MAP_SHARED, 0);
	pid_t pid;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sock), 0);
	pid = spawn(receiver, &id);
	fill(p, buf_page, 6);
	send_fd(sock[0], fd);
	CHECK_EXITS(pid);
	CHECK(filled(p, buf_page, 7));

	/* In the socket alone, it is still held. */
	send_fd(sock[0], fd);
	close(fd);
	CHECK_EQ(munmap(p, buf_page), 0);
	CHECK_EQ(nr_buffers(), buffers + 1);
	fd = receive_fd(sock[1]);
	CHECK_EQ(ask(fd).id, id);
	CHECK(filled(map(fd, buf_page, RW, MAP_SHARED, 0), buf_page, 7));

	/* Nobody takes it out any more. */
	send_fd(sock[0], fd);
	close(fd);
	close(sock[0]);
	close(sock[1]);
}

/* Everything that a program does with buffers, until it is killed. */
static void busy(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step_done(to_parent[1]);
	for (;;) {
		int fd = alloc_mine(1);
		char *p = map(fd, buf_page, RW, MAP_SHARED, 0);

		p[0] = 1;
		if (fork() == 0) {
			p[1] = 1;
			_exit(0);
		}
		close(fd);
		munmap(p, buf_page);
		wait(NULL);
	}
}

static void killed_users_leave_no_buffers(void)
{
	unsigned int buffers = nr_buffers();
	uint64_t before = pages_free();

	make_pipes();
	for (int i = 0; i < 25; i++) {
		pid_t pid = spawn(busy, NULL);

		step_wait(to_parent[0]);
		for (int j = 0; j < i * 7 % 40; j++)	/* somewhere else each round */
			sched_yield();
		CHECK_EQ(kill(pid, SIGKILL), 0);
		while (waitpid(-1, NULL, 0) > 0)
			;
		CHECK_EQ(nr_buffers(), buffers);
		CHECK_EQ(pages_free(), before);
	}
}

/* Long enough to make that a signal comes in between. */
static size_t many_pages(void)
{
	return suite_where & ON_POOL ? plenty() : (512UL << 20) / buf_page;
}

static void allocates_for_long(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step_done(to_parent[1]);
	alloc_mine(many_pages());
	for (;;)
		pause();
}

static void killed_while_allocating_leaves_nothing(void)
{
	unsigned int buffers = nr_buffers();
	uint64_t before = pages_free();

	make_pipes();
	for (int i = 0; i < 10; i++) {
		pid_t pid = spawn(allocates_for_long, NULL);

		step_wait(to_parent[0]);
		for (int j = 0; j < i * 20; j++)
			sched_yield();
		CHECK_EQ(kill(pid, SIGKILL), 0);
		CHECK_KILLED(pid, SIGKILL);
		CHECK_EQ(nr_buffers(), buffers);
		CHECK_EQ(pages_free(), before);
	}
}

static void on_signal(int sig)
{
	(void)sig;
}

static void allocates_until_interrupted(void *arg)
{
	struct hpage_map_alloc a = request(many_pages() * buf_page, buf_page, HPAGE_MAP_EXACT);
	struct hpage_map_alloc before = a;
	int door = dev_open(HPAGE_MAP_O_DOOR);
	struct sigaction action = { .sa_handler = on_signal };	/* without SA_RESTART */

	(void)arg;
	CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
	step_done(to_parent[1]);
	while (ioctl(door, HPAGE_MAP_ALLOC, &a) == 0) {
		close(a.fd);
		a = before;
	}
	CHECK_EQ(errno, EINTR);
	CHECK_EQ(memcmp(&a, &before, sizeof(a)), 0);
}

/* Not after the last page: whoever wants to stop a program does not wait for it. */
static void a_signal_interrupts_a_large_allocation(void)
{
	pid_t pid;
	int status;

	make_pipes();
	pid = spawn(allocates_until_interrupted, NULL);
	step_wait(to_parent[0]);
	while (!waitpid(pid, &status, WNOHANG)) {
		kill(pid, SIGUSR1);
		sched_yield();
	}
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

static const struct test tests[] = {
	TEST(the_next_owner_finds_zeroes, ON_SMALL),
	TEST(it_goes_with_the_last_holder, ON_SMALL),
	TEST(a_child_holds_what_it_inherits, ON_SMALL),
	TEST(a_buffer_travels_through_a_socket, ON_SMALL),
	TEST(killed_users_leave_no_buffers, ON_SMALL),
	TEST(killed_while_allocating_leaves_nothing, ON_SMALL | NEEDS_ROOT),
	TEST(a_signal_interrupts_a_large_allocation, ON_SMALL | NEEDS_ROOT),
};

int main(void)
{
	return RUN_TESTS(tests);
}
