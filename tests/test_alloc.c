// SPDX-License-Identifier: GPL-2.0-only
/* Buffers that a program makes for itself, and the door that they come through. */
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool has_line(const char *text, const char *key, const char *value)
{
	char line[128];

	snprintf(line, sizeof(line), "%s:\t%s\n", key, value);
	return strstr(text, line);
}

static void an_allocated_buffer_is_mapped_and_read_and_written(void)
{
	size_t len = 2 * buf_page;
	int fd = alloc_mine(2);
	char *p = map(fd, len, RW, MAP_SHARED, 0), *own, *out = malloc(len);

	CHECK(zeroed(p, len));
	fill(p, len, 1);
	CHECK_EQ(read(fd, out, len), (ssize_t)len);
	CHECK(filled(out, len, 1));
	CHECK_EQ(read(fd, out, 1), 0);
	CHECK_EQ(lseek(fd, -8, SEEK_END), (off_t)len - 8);
	CHECK_EQ(write(fd, out, 8), 8);
	CHECK_ERR(write(fd, out, 1), ENOSPC);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), (off_t)len);
	CHECK_EQ(memcmp(p + len - 8, out, 8), 0);
	CHECK_ERR(lseek(fd, len + 1, SEEK_SET), EINVAL);

	fill(out, len, 2);
	CHECK_EQ(pwrite(fd, out, buf_page, buf_page), (ssize_t)buf_page);
	CHECK_EQ(memcmp(p + buf_page, out, buf_page), 0);
	CHECK_EQ(pread(fd, out + buf_page, 64, buf_page + 3), 64);
	CHECK_EQ(memcmp(out + buf_page, out + 3, 64), 0);

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
	CHECK_EQ(ioctl(door, HPAGE_MAP_ALLOC, &a), 0);
	CHECK_EQ(a.got_length, 2 * buf_page);
	CHECK_EQ(a.got_page_size, buf_page);
	CHECK_EQ(a.got_backing, ask(door).backing);
	info = ask(a.fd);
	CHECK_EQ(info.length, a.got_length);
	CHECK_EQ(info.asked, a.length);
	CHECK_EQ(info.page_size, a.got_page_size);
	CHECK_EQ(info.nr_pages, 2);
	CHECK_EQ(info.nr_runs, a.got_runs);
	CHECK_EQ(info.backing, a.got_backing);
	CHECK_EQ(info.node, a.got_node);
	CHECK_EQ(info.id, a.id);
	CHECK_EQ(info.attributes, a.got_attributes);
	CHECK(!(info.attributes & (HPAGE_MAP_ATTR_DEFAULT | HPAGE_MAP_ATTR_NAMED)));
	CHECK_EQ(info.creator, getpid());
	CHECK_EQ(info.uid, getuid());
	CHECK_EQ(info.descriptors, 1);
	CHECK_EQ(info.mappings, 0);
	CHECK_STREQ(info.name, "my.tag-1");
	CHECK_EQ(info.address != 0, !strcmp(suite_user, "root"));

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", a.fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	CHECK_GT(n, 0);
	text[n] = '\0';
	CHECK(has_line(text, "hpage_map-buffer", "anonymous") &&
	      has_line(text, "hpage_map-tag", "my.tag-1"));
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

	CHECK_EQ(ask(fd).descriptors, 1);
	CHECK_EQ(ask(fd).mappings, 0);	/* one open file */
	close(again);
	p = map(fd, 2 * buf_page, RW, MAP_SHARED, 0);
	CHECK_EQ(ask(fd).mappings, 1);
	CHECK_EQ(munmap(p, buf_page), 0);
	CHECK_EQ(ask(fd).mappings, 1);
	CHECK_EQ(munmap(p + buf_page, buf_page), 0);
	CHECK_EQ(ask(fd).descriptors, 1);
	CHECK_EQ(ask(fd).mappings, 0);
}

/* What is asked for and what is got are both told. */
static void sizes_are_rounded_up_to_pages(void)
{
	const size_t sizes[] = { 1, buf_page - 1, buf_page, buf_page + 1 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		int fd = alloc(sizes[i], buf_page, HPAGE_MAP_EXACT);
		struct hpage_map_info info = ask(fd);

		CHECK_EQ(info.asked, sizes[i]);
		CHECK_EQ(info.length, (sizes[i] > buf_page ? 2 : 1) * buf_page);
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
		CHECK_EQ(ioctl(door, HPAGE_MAP_ALLOC, &a), 0);
		CHECK_STREQ(ask(a.fd).name, good[i]);
		/* A tag takes no name: the next one may be called the same. */
		a.fd = -1;
		CHECK_EQ(ioctl(door, HPAGE_MAP_ALLOC, &a), 0);
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

static void descriptors_are_close_on_exec(void)
{
	int fd = alloc_mine(1);

	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
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

		CHECK_GT(ask(fd).id, last);
		last = ask(fd).id;
		p[i] = map(fd, ask(fd).length, RW, MAP_SHARED, 0);
		fill(p[i], base_page, i + 1);
	}
	CHECK_EQ(nr_buffers(), buffers + NR);
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

	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
	for (int i = 0; i < NR; i++) {
		a = request(1, base_page, 0);
		CHECK_EQ(ioctl(door, HPAGE_MAP_ALLOC, &a), 0);
		fds[i] = a.fd;
		n = i;
		CHECK_EQ(pwrite(fds[i], &n, sizeof(n), 0), sizeof(n));
	}
	CHECK_EQ(nr_buffers(), buffers + NR);
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

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
	close(next);
	files.rlim_cur = next;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EMFILE);
	CHECK_EQ(memcmp(&a, &before, sizeof(a)), 0);
	if (!strcmp(suite_user, "root")) {
		strcpy(a.name, "emfile");
		CHECK_ERR(ioctl(door, HPAGE_MAP_CREATE, &a), EMFILE);
		CHECK_EQ(access(NODES "emfile", F_OK), -1);
	}
	files.rlim_cur = next + 1;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
	CHECK_EQ(nr_buffers(), buffers);
	CHECK_EQ(pages_free(), free_before);
	a = before;
	CHECK_EQ(ioctl(door, HPAGE_MAP_ALLOC, &a), 0);
	CHECK_EQ(a.fd, next);
}

/* --- the door ---------------------------------------------------------- */

static void door_has_no_contents(void)
{
	int door = dev_open(HPAGE_MAP_O_DOOR), ends[2];
	char c = 0;

	CHECK_ERR(mmap(NULL, pmd_size, PROT_READ, MAP_SHARED, door, 0), ENODEV);
	CHECK_ERR(mmap(NULL, pmd_size, RW, MAP_PRIVATE, door, 0), ENODEV);
	CHECK_ERR(mmap(NULL, pmd_size, PROT_NONE, MAP_SHARED, door, 0), ENODEV);
	CHECK_ERR(mmap(reserve(pmd_size), pmd_size, RW, MAP_SHARED | MAP_FIXED, door, 0), ENODEV);
	CHECK_ERR(read(door, &c, 1), EINVAL);
	CHECK_ERR(write(door, &c, 1), EINVAL);
	CHECK_ERR(read(door, &c, 0), EINVAL);
	CHECK_ERR(pread(door, &c, 1, 0), EINVAL);
	CHECK_ERR(pwrite(door, &c, 1, 0), EINVAL);
	CHECK_ERR(lseek(door, 0, SEEK_CUR), ESPIPE);
	CHECK_ERR(lseek(door, 0, SEEK_END), ESPIPE);
	CHECK_ERR(fsync(door), EINVAL);
	CHECK_EQ(pipe(ends), 0);
	CHECK_ERR(splice(door, NULL, ends[1], NULL, 1, 0), EINVAL);
	CHECK_EQ(write(ends[1], "", 1), 1);
	CHECK_ERR(splice(ends[0], NULL, door, NULL, 1, 0), EINVAL);
	CHECK_ERR(sendfile(ends[1], door, NULL, 1), EINVAL);
	close(ends[0]);
	close(ends[1]);
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
	CHECK_GT(n, 0);
	text[n] = '\0';
	CHECK(has_line(text, "hpage_map-buffer", "none"));
	CHECK_COUNT("descriptors", 0);	/* of the default buffer */
}

/* The same whether there is a default buffer or not, and for whatever it is opened. */
static void an_open_that_does_not_wait_has_no_buffer(void)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };

	CHECK_EQ(HPAGE_MAP_O_DOOR, O_RDWR | O_NONBLOCK);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		int door = dev_open(modes[i] | O_NONBLOCK);
		struct hpage_map_info info = ask(door);

		CHECK_EQ(info.length, 0);
		CHECK_EQ(info.id, 0);
		CHECK(info.features);
		/* What is set later does not change what it is. */
		CHECK_EQ(fcntl(door, F_SETFL, 0), 0);
		CHECK_EQ(ask(door).length, 0);
		CHECK_COUNT("descriptors", 0);
		close(door);
	}
	close(dev_open(O_RDWR));
}

/* Permissions are asked for neither reading nor writing then, so there is nothing it is for. */
static void access_mode_3_is_refused(void)
{
	CHECK_ERR(open(DEV, 3 | O_CLOEXEC), EINVAL);
	CHECK_ERR(open(DEV, 3 | O_NONBLOCK | O_CLOEXEC), EINVAL);
}

static void in_a_sandbox(void *arg)
{
	struct landlock_ruleset_attr rules = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE,
	};
	int set = syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);

	(void)arg;
	CHECK_GE(set, 0);
	CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	CHECK_EQ(syscall(SYS_landlock_restrict_self, set, 0), 0);
	for (int mode = 0; mode <= 3; mode++) {
		CHECK_ERR(open(DEV, mode), mode == 3 ? EINVAL : EACCES);
		CHECK_ERR(open(DEV, mode | O_NONBLOCK), mode == 3 ? EINVAL : EACCES);
	}
}

/* Landlock asks what a file is opened for. */
static void a_sandbox_without_files_has_no_door(void)
{
	CHECK_EXITS(spawn(in_a_sandbox, NULL));
}

/* --- with the module to load -------------------------------------------- */

static void make_and_hold(void *arg)
{
	int fd;

	door_has_no_contents();
	CHECK_EQ(class_u64("size"), 0);
	CHECK_EQ(nr_buffers(), 0);
	fd = alloc(1, pmd_size, 0);
	CHECK_EQ(class_u64("size"), 0);
	CHECK_EQ(nr_buffers(), 1);
	CHECK_EQ(unload(), -EWOULDBLOCK);
	if (arg) {
		map(fd, pmd_size, RW, MAP_SHARED, 0);
		close_range(3, ~0U, 0);
		CHECK_EQ(unload(), -EWOULDBLOCK);
	}
}

/* Programs that make their own buffers do not pay for one that they do not use. */
static void the_door_makes_no_default_buffer(void)
{
	CHECK_EQ(load(""), 0);
	CHECK_EXITS(spawn(make_and_hold, NULL));
	CHECK_EQ(class_u64("size"), 0);
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(unload(), 0);
}

static void an_allocated_buffer_holds_the_module(void)
{
	CHECK_EQ(load(""), 0);
	CHECK_EXITS(spawn(make_and_hold, &base_page));
	CHECK_EQ(unload(), 0);
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
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EINVAL);
}

/* Names from ordinary users go to the kernel log, and that to consoles. */
static void nobody_forges_lines_of_the_log(void)
{
	size_t room = 1 << 20;
	char *log = calloc(1, room), *start;
	int n;

	CHECK_EQ(load(""), 0);
	CHECK_EXITS(spawn(tags_with_controls, NULL));
	CHECK_EQ(unload(), 0);
	n = klogctl(3, log, room - 1);		/* as it is: /dev/kmsg has it quoted */
	CHECK_GT(n, 0);
	start = strstr(log, "hpage_map test: nobody_forges");
	CHECK(start && strstr(start, "asked for"));
	CHECK(!strchr(start, '\033') && !strstr(start, "forged"));
}

/* How many lines of the log since the test began are of a process and have that text. */
static unsigned int lines_of(pid_t pid, const char *text)
{
	size_t room = 1 << 20;
	char *log = calloc(1, room), *s, number[16];
	unsigned int n = 0;

	CHECK_GT(klogctl(3, log, room - 1), 0);
	s = log;
	for (char *mark = log; (mark = strstr(mark, "hpage_map test: ")); mark++)
		s = mark;
	snprintf(number, sizeof(number), "(%d) ", pid);
	for (char *line = strtok(s, "\n"); line; line = strtok(NULL, "\n"))
		n += strstr(line, number) && strstr(line, text);
	free(log);
	return n;
}

/* Whoever has a user id, none more than the others. */
static void asks_for_too_much(void *arg)
{
	struct hpage_map_alloc a = request(1ULL << 50, 0, 0);
	int door;

	if (arg)
		become(*(uid_t *)arg, 1 << 30);
	door = dev_open(HPAGE_MAP_O_DOOR);
	for (int i = 0; i < 100; i++) {
		CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), ENOMEM);
		CHECK_ERR(open(DEV, 3), EINVAL);
	}
}

static void succeeds_with_a_word(void *arg)
{
	char text[TEXT];
	struct hpage_map_alloc a = request(pmd_size, 0, HPAGE_MAP_ALLOW_BASE);

	if (arg)
		become(*(uid_t *)arg, 1 << 30);
	a.text = (uintptr_t)text;
	a.text_size = sizeof(text);
	CHECK_EQ(ioctl(dev_open(HPAGE_MAP_O_DOOR), HPAGE_MAP_ALLOC, &a), 0);
	CHECK(*text);
}

static void check_lines(pid_t pid, const char *text, unsigned int from, unsigned int to)
{
	unsigned int n = lines_of(pid, text);

	if (n < from || n > to)
		printf("# %u lines of \"%s\", not %u to %u\n", n, text, from, to);
	CHECK_GE(n, from);
	CHECK_LE(n, to);
}

/* A log that one user fills is no log for others. */
static void nobody_floods_the_log_or_keeps_others_out(void)
{
	uid_t flooder = NOBODY, other = NOBODY - 1;
	pid_t pid;

	CHECK_EQ(load("mode=0666"), 0);
	pid = spawn(succeeds_with_a_word, &other);
	CHECK_EXITS(pid);
	check_lines(pid, "and got", 0, 0);
	pid = spawn(asks_for_too_much, &flooder);
	CHECK_EXITS(pid);
	check_lines(pid, "and got nothing", 1, 10);
	check_lines(pid, "access mode 3", 1, 10);
	pid = spawn(asks_for_too_much, &other);
	CHECK_EXITS(pid);
	check_lines(pid, "and got nothing", 1, 10);
	pid = spawn(succeeds_with_a_word, NULL);
	CHECK_EXITS(pid);
	check_lines(pid, "and got", 1, 1);
	CHECK_EQ(unload(), 0);
}

static void ids_are_not_reused_soon(void *arg)
{
	__u32 last = 0;

	(void)arg;
	for (int i = 0; i < 20; i++) {
		int fd = alloc(1, base_page, 0);

		CHECK_GT(ask(fd).id, last);
		last = ask(fd).id;
		close(fd);
	}
}

static void ids_ascend(void)
{
	CHECK_EQ(load(""), 0);
	CHECK_EXITS(spawn(ids_are_not_reused_soon, NULL));
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(an_allocated_buffer_is_mapped_and_read_and_written, ON_SMALL),
	TEST(every_buffer_has_its_own_pages, ON_SMALL),
	TEST(the_answer_and_info_and_fdinfo_agree, ON_SMALL),
	TEST(holders_are_counted_by_kind, ON_SMALL),
	TEST(sizes_are_rounded_up_to_pages, ON_SMALL),
	TEST(tags_are_plain_names, ON_ANY),
	TEST(descriptors_are_close_on_exec, ON_SMALL),
	TEST(many_buffers_live_side_by_side, ON_SMALL),
	TEST(thousands_of_buffers_are_no_more_than_memory, ON_BASE | NEEDS_ROOT),
	TEST(without_a_descriptor_left_nothing_is_made, ON_SMALL),
	TEST(the_door_alone_can_only_ioctl, ON_ANY),
	TEST(an_open_that_does_not_wait_has_no_buffer, ON_ANY),
	TEST(access_mode_3_is_refused, ON_ANY),
	TEST(a_sandbox_without_files_has_no_door, ON_ANY),
	TEST(the_door_makes_no_default_buffer, ON_NONE),
	TEST(an_allocated_buffer_holds_the_module, ON_NONE),
	TEST(ids_ascend, ON_NONE),
	TEST(nobody_forges_lines_of_the_log, ON_NONE),
	TEST(nobody_floods_the_log_or_keeps_others_out, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
