// SPDX-License-Identifier: GPL-2.0-only
/* Buffers that a program makes for itself: what it gets, and how they go. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)
#define SHMEM	"/sys/kernel/mm/transparent_hugepage/shmem_enabled"

/* As the default buffer of this suite is made, and nothing else. */
static int alloc_mine(size_t pages)
{
	return alloc(pages * buf_page, buf_page, HPAGE_MAP_EXACT);
}

/* How many pages a test may have here: the pool's, or an ordinary user's limit. */
static size_t plenty(void)
{
	if (suite_where & ON_POOL)
		return pool("free") - pool("resv");
	return (strcmp(suite_user, "root") ? 4UL << 20 : 64UL << 20) / buf_page;
}

/* Leave no page of a PMD's size in the pool to promise, as any user can. */
static void eat_pool(void)
{
	size_t left = pool_of(pmd_size, "free") - pool_of(pmd_size, "resv");

	if (left)
		map(-1, left * pmd_size, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, 0);
	CHECK(pool_of(pmd_size, "free") == pool_of(pmd_size, "resv"));
}

static bool has_line(const char *text, const char *key, const char *value)
{
	char line[128];

	snprintf(line, sizeof(line), "%s:\t%s\n", key, value);
	return strstr(text, line);
}

/* --- what it is -------------------------------------------------------- */

static void an_allocated_buffer_is_mapped_and_read_and_written(void)
{
	size_t len = 2 * buf_page;
	int fd = alloc_mine(2);
	char *p = map(fd, len, RW, MAP_SHARED, 0), *own, *out = malloc(len);

	CHECK(zeroed(p, len));
	fill(p, len, 1);
	CHECK(read(fd, out, len) == (ssize_t)len && filled(out, len, 1));
	CHECK(read(fd, out, 1) == 0);
	CHECK(lseek(fd, -8, SEEK_END) == (off_t)len - 8);
	CHECK(write(fd, out, 8) == 8);
	CHECK_ERR(write(fd, out, 1), ENOSPC);
	CHECK(lseek(fd, 0, SEEK_CUR) == (off_t)len);
	CHECK(memcmp(p + len - 8, out, 8) == 0);
	CHECK_ERR(lseek(fd, len + 1, SEEK_SET), EINVAL);

	fill(out, len, 2);
	CHECK(pwrite(fd, out, buf_page, buf_page) == (ssize_t)buf_page);
	CHECK(memcmp(p + buf_page, out, buf_page) == 0);
	CHECK(pread(fd, out + buf_page, 64, buf_page + 3) == 64);
	CHECK(memcmp(out + buf_page, out + 3, 64) == 0);

	own = map(fd, buf_page, RW, MAP_PRIVATE, buf_page);
	CHECK(filled(own, buf_page, 2));
	fill(own, buf_page, 3);
	CHECK(filled(p + buf_page, buf_page, 2));
	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_SHARED, fd, len), EINVAL);
}

/* Two buffers have nothing in common, and the default buffer is neither. */
static void every_buffer_has_its_own_pages(void)
{
	char *a = map(alloc_mine(1), buf_page, RW, MAP_SHARED, 0);
	char *b = map(alloc_mine(1), buf_page, RW, MAP_SHARED, 0);
	char *c = map(dev_open(O_RDWR), buf_page, RW, MAP_SHARED, 0);

	fill(a, buf_page, 1);
	fill(b, buf_page, 2);
	fill(c, buf_page, 3);
	CHECK(filled(a, buf_page, 1) && filled(b, buf_page, 2) && filled(c, buf_page, 3));
}

static void the_answer_and_info_and_fdinfo_agree(void)
{
	struct hpage_map_alloc a = request(buf_page + 1, buf_page, HPAGE_MAP_EXACT);
	static const char * const kinds[] = { "none", "hugetlb", "thp", "base" };
	char path[64], text[2048], value[32];
	struct hpage_map_info info;
	int door = dev_open(O_RDWR), fd;
	ssize_t n;

	strcpy(a.name, "my.tag-1");
	CHECK(ioctl(door, HPAGE_MAP_ALLOC, &a) == 0);
	CHECK(a.got_length == 2 * buf_page && a.got_page_size == buf_page);
	CHECK(a.got_backing == ask(door).backing);
	info = ask(a.fd);
	CHECK(info.length == a.got_length && info.asked == a.length);
	CHECK(info.page_size == a.got_page_size && info.nr_pages == 2);
	CHECK(info.nr_runs == a.got_runs && info.backing == a.got_backing);
	CHECK(info.node == a.got_node && info.id == a.id);
	CHECK(info.attributes == a.got_attributes);
	CHECK(!(info.attributes & (HPAGE_MAP_ATTR_DEFAULT | HPAGE_MAP_ATTR_NAMED)));
	CHECK(info.creator == getpid() && info.uid == getuid());
	CHECK(info.descriptors == 1 && info.mappings == 0);
	CHECK(!strcmp(info.name, "my.tag-1"));
	CHECK((info.address != 0) == !strcmp(suite_user, "root"));

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", a.fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n] = '\0';
	CHECK(has_line(text, "hpage_map-buffer", "my.tag-1"));
	snprintf(value, sizeof(value), "%u", a.id);
	CHECK(has_line(text, "hpage_map-id", value));
	snprintf(value, sizeof(value), "%zu", 2 * buf_page);
	CHECK(has_line(text, "hpage_map-size", value));
	snprintf(value, sizeof(value), "%zu", buf_page);
	CHECK(has_line(text, "hpage_map-page_size", value));
	CHECK(has_line(text, "hpage_map-backing", kinds[a.got_backing]));
}

static void holders_are_counted_by_kind(void)
{
	int fd = alloc_mine(2), again = dup(fd);
	char *p;

	CHECK(ask(fd).descriptors == 1 && ask(fd).mappings == 0);	/* one open file */
	close(again);
	p = map(fd, 2 * buf_page, RW, MAP_SHARED, 0);
	CHECK(ask(fd).mappings == 1);
	CHECK(munmap(p, buf_page) == 0);
	CHECK(ask(fd).mappings == 1);
	CHECK(munmap(p + buf_page, buf_page) == 0);
	CHECK(ask(fd).descriptors == 1 && ask(fd).mappings == 0);
}

/* What is asked for and what is got are both told. */
static void sizes_are_rounded_up_to_pages(void)
{
	const size_t sizes[] = { 1, buf_page - 1, buf_page, buf_page + 1 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		int fd = alloc(sizes[i], buf_page, HPAGE_MAP_EXACT);
		struct hpage_map_info info = ask(fd);

		CHECK(info.asked == sizes[i]);
		CHECK(info.length == (sizes[i] > buf_page ? 2 : 1) * buf_page);
		close(fd);
	}
}

/* Tags are for people, who read them in terminals and logs. */
static void tags_are_plain_names(void)
{
	static const char * const good[] = { "", "a", "7", "A.b_c-d",
		"a23456789012345678901234567890123456789012345678901234567890123" };
	static const char * const bad[] = { "-a", ".a", "_a", "a b", "a/b", "a\n", "\x1b[1m",
		"\xc3\xa4" };
	struct hpage_map_alloc a;
	int door = dev_open(O_RDWR);

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		a = request(1, base_page, 0);
		memcpy(a.name, good[i], strlen(good[i]));
		CHECK(ioctl(door, HPAGE_MAP_ALLOC, &a) == 0);
		CHECK(!strcmp(ask(a.fd).name, good[i]));
		/* A tag takes no name: the next one may be called the same. */
		a.fd = -1;
		CHECK(ioctl(door, HPAGE_MAP_ALLOC, &a) == 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		a = request(1, base_page, 0);
		strcpy(a.name, bad[i]);
		CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EINVAL);
	}
	a = request(1, base_page, 0);
	memset(a.name, 'a', sizeof(a.name));
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EINVAL);
}

/* There is no node: nobody else gets in through /proc either. */
static void an_allocated_buffer_cannot_be_opened_again(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", alloc_mine(1));
	CHECK(open(path, O_RDWR | O_CLOEXEC) == -1);
	CHECK(errno == (strcmp(suite_user, "root") ? EACCES : ENXIO));
}

static void descriptors_are_close_on_exec(void)
{
	int fd = alloc_mine(1);

	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
}

/* --- the ladder -------------------------------------------------------- */

static char why[TEXT];

static int try_alloc(struct hpage_map_alloc *a)
{
	static int door = -1;
	int ret;

	if (door < 0)
		door = dev_open(HPAGE_MAP_O_DOOR);
	memset(why, 0x55, sizeof(why));
	a->text = (uintptr_t)why;
	a->text_size = sizeof(why);
	ret = ioctl(door, HPAGE_MAP_ALLOC, a);
	CHECK(memchr(why, '\0', sizeof(why)));
	return ret;
}

/* Does the text say so many, in so many words? */
static bool told(const char *fmt, unsigned long a, unsigned long b, unsigned long c)
{
	char want[160];

	snprintf(want, sizeof(want), fmt, a, b, c);
	if (strstr(why, want))
		return true;
	printf("# no '%s' in '%s'\n", want, why);
	return false;
}

#define SHORT "hugetlb: %lu pages of %lu kB needed, %lu of"

static void the_best_is_got_without_a_word(void)
{
	struct hpage_map_alloc a = request(1, buf_page == pmd_size ? 0 : buf_page, 0);

	CHECK(try_alloc(&a) == 0);
	CHECK(a.got_backing == HPAGE_MAP_BACKING_HUGETLB && a.got_page_size == buf_page);
	CHECK(!*why);
}

/* Another rung is no secret, and the way to the better one is told with figures. */
static void a_short_pool_falls_to_thp_and_says_why(void)
{
	struct hpage_map_alloc a = request(2 * pmd_size, 0, 0);
	uint64_t before = pool_of(pmd_size, "free");

	eat_pool();
	CHECK(try_alloc(&a) == 0);
	CHECK(a.got_backing == HPAGE_MAP_BACKING_THP && a.got_page_size == pmd_size);
	CHECK(told(SHORT, 2, pmd_size / 1024, 0));
	CHECK(told("(try: echo %lu > /sys/kernel/mm/hugepages/hugepages-%lukB/nr_hugepages)",
		   pool_of(pmd_size, "nr") + 2, pmd_size / 1024, 0));
	CHECK(pool_of(pmd_size, "free") == before);
}

/* A page size that is not the best is the one that was asked for: nothing to say. */
static void base_pages_are_got_when_asked_for(void)
{
	struct hpage_map_alloc a = request(3 * base_page - 5, base_page, HPAGE_MAP_EXACT);

	CHECK(try_alloc(&a) == 0);
	CHECK(a.got_backing == HPAGE_MAP_BACKING_BASE && a.got_page_size == base_page);
	CHECK(a.got_length == 3 * base_page && !*why);
}

static void exact_makes_a_refusal_of_a_fallback(void)
{
	struct hpage_map_alloc a = request(1, 1UL << 30, HPAGE_MAP_EXACT), before;
	uint64_t left = pool_of(1UL << 30, "free");

	CHECK(left == 0);
	before = a;
	CHECK_ERR(try_alloc(&a), ENOMEM);
	CHECK(told(SHORT, 1, 1UL << 20, left));
	CHECK(!strstr(why, "thp"));
	before.text = a.text;
	before.text_size = a.text_size;
	CHECK(memcmp(&a, &before, sizeof(a)) == 0);
}

/* One page of a gigantic size is not what is got then, but as little as serves. */
static void a_gigantic_page_falls_to_a_pmd(void)
{
	uint64_t left = pool_of(pmd_size, "free") - pool_of(pmd_size, "resv");
	struct hpage_map_alloc a = request(1, 1UL << 30, 0);

	CHECK(try_alloc(&a) == 0);
	CHECK(a.got_page_size == pmd_size && a.got_length == pmd_size);
	CHECK(told(SHORT, 1, 1UL << 20, pool_of(1UL << 30, "free")));
	CHECK(a.got_backing == (left ? HPAGE_MAP_BACKING_HUGETLB : HPAGE_MAP_BACKING_THP));
}

/* Forbid folios that a PMD maps; the old setting is put back by allow_thp(). */
static char shmem_was[32];

static void deny_thp(void)
{
	char text[128], *start, *end;

	read_text(SHMEM, text, sizeof(text));
	start = strchr(text, '[');
	end = strchr(text, ']');
	CHECK(start && end);
	*end = '\0';
	strcpy(shmem_was, start + 1);
	CHECK(write_text(SHMEM, "deny") == 0);
}

static void allow_thp(void)
{
	CHECK(write_text(SHMEM, shmem_was) == 0);
}

static void alloc_without_huge_pages(void *arg)
{
	struct hpage_map_alloc a = request(0, 0, HPAGE_MAP_ALLOW_BASE);
	size_t left = pool_of(pmd_size, "free") - pool_of(pmd_size, "resv");

	(void)arg;
	a.length = (left + 1) * pmd_size + 1;
	CHECK(try_alloc(&a) == 0);
	CHECK(a.got_backing == HPAGE_MAP_BACKING_BASE && a.got_page_size == base_page);
	CHECK(a.got_length == (left + 1) * pmd_size + base_page);
	CHECK(ask(a.fd).nr_huge == 0);
	CHECK(told(SHORT, left + 2, pmd_size / 1024, left));
	CHECK(told("; thp: no PMD-sized folio after %lu kB (try: echo never", 0, 0, 0));
	CHECK(close(a.fd) == 0);

	a.flags = 0;
	CHECK_ERR(try_alloc(&a), ENOMEM);
	CHECK(told(SHORT, left + 2, pmd_size / 1024, left));
	CHECK(told("; thp: no PMD-sized folio after %lu kB", 0, 0, 0));
	a.flags = HPAGE_MAP_EXACT;
	CHECK_ERR(try_alloc(&a), ENOMEM);
}

static void base_pages_are_got_only_when_allowed(void)
{
	int status;

	deny_thp();
	status = wait_for(spawn(alloc_without_huge_pages, NULL));
	allow_thp();
	CHECK(status == 0);
}

static void a_size_that_no_machine_has_is_told(void)
{
	struct hpage_map_alloc a = request(1ULL << 50, 0, HPAGE_MAP_ALLOW_BASE);

	CHECK_ERR(try_alloc(&a), ENOMEM);
	CHECK(!strcmp(why, "more than this machine's memory"));
	a = request(1, 8 * base_page, HPAGE_MAP_EXACT);
	CHECK_ERR(try_alloc(&a), EINVAL);
	CHECK(told("hugetlb: no pages of %lu kB on this machine", 8 * base_page / 1024, 0, 0));
}

/* --- the text ---------------------------------------------------------- */

/* A request that is refused with the text "a size of 0". */
static void a_text_is_cut_to_its_room(void)
{
	const char whole[] = "a size of 0";
	struct hpage_map_alloc a = request(0, 0, 0);
	int door = dev_open(O_RDWR);
	char text[TEXT];

	for (size_t room = 1; room < sizeof(whole) + 2; room++) {
		size_t len = room < sizeof(whole) ? room - 1 : sizeof(whole) - 1;

		memset(text, 0x55, sizeof(text));
		a.text = (uintptr_t)text;
		a.text_size = room;
		CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EINVAL);
		CHECK(memcmp(text, whole, len) == 0 && text[len] == '\0');
		CHECK(text[len + 1] == 0x55);
	}
	a.text_size = 0xffffffff;	/* room that is not there is not looked at */
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EINVAL);
	CHECK(!strcmp(text, whole));
	a.text = 0;
	a.text_size = 0;
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EINVAL);
}

/* A notice that cannot be given, about a buffer that could have been. */
static void a_text_without_its_room_is_efault_and_no_buffer(void)
{
	struct hpage_map_alloc a = request(1, 1UL << 30, 0), before;
	char *page = map(-1, 2 * base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	unsigned int buffers = nr_buffers();
	int door = dev_open(O_RDWR);

	CHECK(munmap(page + base_page, base_page) == 0);
	a.text = (uintptr_t)page + base_page - 4;	/* good for an empty one */
	a.text_size = TEXT;
	before = a;
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EFAULT);
	CHECK(memcmp(&a, &before, sizeof(a)) == 0);
	CHECK(nr_buffers() == buffers);

	a.text = (uintptr_t)page;
	CHECK(ioctl(door, HPAGE_MAP_ALLOC, &a) == 0 && *page);
	close(a.fd);
	CHECK(mprotect(page, base_page, PROT_READ) == 0);
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EFAULT);
	CHECK(nr_buffers() == buffers);
}

/* --- zeroed ------------------------------------------------------------ */

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

		CHECK(wait_for(pid) == (killed ? -SIGKILL : 0));
		fd = alloc_mine(plenty());
		p = map(fd, len, RW, MAP_SHARED, 0);
		CHECK(zeroed(p, len));
		CHECK(munmap(p, len) == 0);
		close(fd);
	}
}

/* --- how it goes ------------------------------------------------------- */

static uint64_t pages_free(void)
{
	return suite_where & ON_POOL ? pool("free") : 0;
}

static void it_goes_with_the_last_holder(void)
{
	uint64_t before = pages_free(), taken = suite_where & ON_POOL ? 2 : 0;
	unsigned int buffers = nr_buffers();
	int fd = alloc_mine(2), other;
	char *p;

	CHECK(nr_buffers() == buffers + 1);
	CHECK(pages_free() == before - taken);
	close(fd);
	CHECK(nr_buffers() == buffers);
	CHECK(pages_free() == before);

	fd = alloc_mine(2);
	other = dup(fd);
	p = map(fd, 2 * buf_page, RW, MAP_SHARED, 0);
	close(fd);
	close(other);
	fill(p + buf_page, buf_page, 1);
	CHECK(nr_buffers() == buffers + 1);
	CHECK(munmap(p, buf_page) == 0);
	CHECK(filled(p + buf_page, buf_page, 1));
	CHECK(pages_free() == before - taken);
	CHECK(munmap(p + buf_page, buf_page) == 0);
	CHECK(nr_buffers() == buffers);
	CHECK(pages_free() == before);
}

static int to_parent[2], to_child[2];

static void make_pipes(void)
{
	CHECK(pipe(to_parent) == 0 && pipe(to_child) == 0);
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
	CHECK(ask(h->fd).descriptors == 1);
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
	CHECK(munmap(h.p, buf_page) == 0);
	CHECK(nr_buffers() == buffers);
	step_done(to_child[1]);
	CHECK_EXITS(pid);
	CHECK(nr_buffers() == buffers - 1);
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
	CHECK(sendmsg(sock, &msg, 0) == 1);
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

	CHECK(recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) == 1);
	c = CMSG_FIRSTHDR(&msg);
	CHECK(c && c->cmsg_type == SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static int sock[2];

static void receiver(void *arg)
{
	int fd = receive_fd(sock[1]);
	char *p = map(fd, buf_page, RW, MAP_SHARED, 0);

	CHECK(ask(fd).id == *(__u32 *)arg);
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

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sock) == 0);
	pid = spawn(receiver, &id);
	fill(p, buf_page, 6);
	send_fd(sock[0], fd);
	CHECK_EXITS(pid);
	CHECK(filled(p, buf_page, 7));

	/* In the socket alone, it is still held. */
	send_fd(sock[0], fd);
	close(fd);
	CHECK(munmap(p, buf_page) == 0);
	CHECK(nr_buffers() == buffers + 1);
	fd = receive_fd(sock[1]);
	CHECK(ask(fd).id == id);
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
		CHECK(kill(pid, SIGKILL) == 0);
		while (waitpid(-1, NULL, 0) > 0)
			;
		CHECK(nr_buffers() == buffers);
		CHECK(pages_free() == before);
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
		CHECK(kill(pid, SIGKILL) == 0);
		CHECK_KILLED(pid, SIGKILL);
		CHECK(nr_buffers() == buffers);
		CHECK(pages_free() == before);
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
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	(void)arg;
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	step_done(to_parent[1]);
	while (ioctl(door, HPAGE_MAP_ALLOC, &a) == 0) {
		close(a.fd);
		a = before;
	}
	CHECK(errno == EINTR);
	CHECK(memcmp(&a, &before, sizeof(a)) == 0);
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
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* --- how many ---------------------------------------------------------- */

/* Peers of this driver end at 8. */
static void many_buffers_live_side_by_side(void)
{
	enum { NR = 30 };
	size_t page = plenty() < NR ? base_page : buf_page;
	unsigned int buffers = nr_buffers();
	char *p[NR];
	__u32 last = 0;

	for (int i = 0; i < NR; i++) {
		int fd = alloc(1, page, HPAGE_MAP_EXACT);

		CHECK(ask(fd).id > last);
		last = ask(fd).id;
		p[i] = map(fd, ask(fd).length, RW, MAP_SHARED, 0);
		fill(p[i], base_page, i + 1);
	}
	CHECK(nr_buffers() == buffers + NR);
	for (int i = 0; i < NR; i++)
		CHECK(filled(p[i], base_page, i + 1));
}

/* No table of ours is full before memory is. */
static void thousands_of_buffers_are_no_more_than_memory(void)
{
	enum { NR = 3000 };
	struct rlimit files = { NR + 64, NR + 64 };
	unsigned int buffers = nr_buffers();
	int door = dev_open(HPAGE_MAP_O_DOOR);
	int *fds = calloc(NR, sizeof(*fds));
	struct hpage_map_alloc a;
	__u64 n;

	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	for (int i = 0; i < NR; i++) {
		a = request(1, base_page, 0);
		CHECK(ioctl(door, HPAGE_MAP_ALLOC, &a) == 0);
		fds[i] = a.fd;
		n = i;
		CHECK(pwrite(fds[i], &n, sizeof(n), 0) == sizeof(n));
	}
	CHECK(nr_buffers() == buffers + NR);
	for (int i = 0; i < NR; i++)
		CHECK(pread(fds[i], &n, sizeof(n), 0) == sizeof(n) && n == (__u64)i);
}

static void without_a_descriptor_left_nothing_is_made(void)
{
	struct hpage_map_alloc a = request(buf_page, buf_page, 0), before = a;
	unsigned int buffers = nr_buffers();
	uint64_t free_before = pages_free();
	int door = dev_open(HPAGE_MAP_O_DOOR);
	int next = dup(door);
	struct rlimit files;

	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	close(next);
	files.rlim_cur = next;
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EMFILE);
	CHECK(memcmp(&a, &before, sizeof(a)) == 0);
	if (!strcmp(suite_user, "root")) {
		strcpy(a.name, "emfile");
		CHECK_ERR(ioctl(door, HPAGE_MAP_CREATE, &a), EMFILE);
		CHECK(access(NODES "emfile", F_OK) == -1);
	}
	files.rlim_cur = next + 1;
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	CHECK(nr_buffers() == buffers);
	CHECK(pages_free() == free_before);
	a = before;
	CHECK(ioctl(door, HPAGE_MAP_ALLOC, &a) == 0 && a.fd == next);
}

/* --- the door ---------------------------------------------------------- */

static void door_has_no_contents(void)
{
	int door = dev_open(HPAGE_MAP_O_DOOR);
	char c = 0;

	CHECK_ERR(mmap(NULL, pmd_size, PROT_READ, MAP_SHARED, door, 0), EACCES);
	CHECK_ERR(mmap(NULL, pmd_size, RW, MAP_PRIVATE, door, 0), EACCES);
	CHECK_ERR(mmap(NULL, pmd_size, PROT_NONE, MAP_SHARED, door, 0), EACCES);
	CHECK_ERR(read(door, &c, 1), EBADF);
	CHECK_ERR(write(door, &c, 1), EBADF);
	CHECK_ERR(pread(door, &c, 1, 0), EBADF);
	CHECK_ERR(pwrite(door, &c, 1, 0), EBADF);
	CHECK_ERR(lseek(door, 0, SEEK_CUR), EBADF);
	CHECK_ERR(lseek(door, 0, SEEK_END), EBADF);
	CHECK(fsync(door) == 0 || errno == EINVAL);
}

static void the_door_alone_can_only_ioctl(void)
{
	char path[64], text[512];
	int door = dev_open(HPAGE_MAP_O_DOOR), fd;
	ssize_t n;

	door_has_no_contents();
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", door);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n] = '\0';
	CHECK(has_line(text, "hpage_map-buffer", "none"));
	CHECK_COUNT("descriptors", 0);	/* of the default buffer */
}

/* --- with the module to load -------------------------------------------- */

static void make_and_hold(void *arg)
{
	int fd;

	door_has_no_contents();
	CHECK(class_u64("size") == 0);
	CHECK(nr_buffers() == 0);
	fd = alloc(1, pmd_size, 0);
	CHECK(class_u64("size") == 0);
	CHECK(nr_buffers() == 1);
	CHECK(unload() == -EWOULDBLOCK);
	if (arg) {
		map(fd, pmd_size, RW, MAP_SHARED, 0);
		close_range(3, ~0U, 0);
		CHECK(unload() == -EWOULDBLOCK);
	}
}

/* Programs that make their own buffers do not pay for one that they do not use. */
static void the_door_makes_no_default_buffer(void)
{
	CHECK(load("") == 0);
	CHECK_EXITS(spawn(make_and_hold, NULL));
	CHECK(class_u64("size") == 0);
	CHECK(refcnt() == 0);
	CHECK(unload() == 0);
}

static void an_allocated_buffer_holds_the_module(void)
{
	CHECK(load("") == 0);
	CHECK_EXITS(spawn(make_and_hold, &base_page));
	CHECK(unload() == 0);
}

static void tags_with_controls(void *arg)
{
	struct hpage_map_alloc a = request(1, base_page, 0);
	int door = dev_open(HPAGE_MAP_O_DOOR);

	(void)arg;
	strcpy(a.name, "a\033[7m\nforged");
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EINVAL);
	*a.name = '\0';
	strcpy(a.near_device, "b\033[7m\nforged");
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), ENODEV);
}

/* Names from ordinary users go to the kernel log, and that to consoles. */
static void nobody_forges_lines_of_the_log(void)
{
	size_t room = 1 << 20;
	char *log = calloc(1, room), *start;
	int n;

	CHECK(load("") == 0);
	CHECK_EXITS(spawn(tags_with_controls, NULL));
	CHECK(unload() == 0);
	n = klogctl(3, log, room - 1);		/* as it is: /dev/kmsg has it quoted */
	CHECK(n > 0);
	start = strstr(log, "hpage_map test: nobody_forges");
	CHECK(start && strstr(start, "asked for"));
	CHECK(strstr(start, "forged") && !strchr(start, '\033') && !strstr(start, "] forged"));
}

static void ids_are_not_reused_soon(void *arg)
{
	__u32 last = 0;

	(void)arg;
	for (int i = 0; i < 20; i++) {
		int fd = alloc(1, base_page, 0);

		CHECK(ask(fd).id > last);
		last = ask(fd).id;
		close(fd);
	}
}

static void ids_ascend(void)
{
	CHECK(load("") == 0);
	CHECK_EXITS(spawn(ids_are_not_reused_soon, NULL));
	CHECK(unload() == 0);
}

static const struct test tests[] = {
	TEST(an_allocated_buffer_is_mapped_and_read_and_written, ON_SMALL),
	TEST(every_buffer_has_its_own_pages, ON_SMALL),
	TEST(the_answer_and_info_and_fdinfo_agree, ON_SMALL),
	TEST(holders_are_counted_by_kind, ON_SMALL),
	TEST(sizes_are_rounded_up_to_pages, ON_SMALL),
	TEST(tags_are_plain_names, ON_ANY),
	TEST(an_allocated_buffer_cannot_be_opened_again, ON_SMALL),
	TEST(descriptors_are_close_on_exec, ON_SMALL),
	TEST(the_best_is_got_without_a_word, ON_HUGETLB),
	TEST(a_short_pool_falls_to_thp_and_says_why, ON_HUGETLB | ON_THP),
	TEST(base_pages_are_got_when_asked_for, ON_ANY),
	TEST(exact_makes_a_refusal_of_a_fallback, ON_ANY),
	TEST(a_gigantic_page_falls_to_a_pmd, ON_ANY),
	TEST(base_pages_are_got_only_when_allowed, ON_ANY | NEEDS_ROOT),
	TEST(a_size_that_no_machine_has_is_told, ON_ANY),
	TEST(a_text_is_cut_to_its_room, ON_ANY),
	TEST(a_text_without_its_room_is_efault_and_no_buffer, ON_ANY),
	TEST(the_next_owner_finds_zeroes, ON_SMALL),
	TEST(it_goes_with_the_last_holder, ON_SMALL),
	TEST(a_child_holds_what_it_inherits, ON_SMALL),
	TEST(a_buffer_travels_through_a_socket, ON_SMALL),
	TEST(killed_users_leave_no_buffers, ON_SMALL),
	TEST(killed_while_allocating_leaves_nothing, ON_SMALL | NEEDS_ROOT),
	TEST(a_signal_interrupts_a_large_allocation, ON_SMALL | NEEDS_ROOT),
	TEST(many_buffers_live_side_by_side, ON_SMALL),
	TEST(thousands_of_buffers_are_no_more_than_memory, ON_BASE | NEEDS_ROOT),
	TEST(without_a_descriptor_left_nothing_is_made, ON_SMALL),
	TEST(the_door_alone_can_only_ioctl, ON_ANY),
	TEST(the_door_makes_no_default_buffer, ON_NONE),
	TEST(an_allocated_buffer_holds_the_module, ON_NONE),
	TEST(ids_ascend, ON_NONE),
	TEST(nobody_forges_lines_of_the_log, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
