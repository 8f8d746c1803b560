// SPDX-License-Identifier: LGPL-2.1-or-later
/* Using a buffer: mapped, shared, looked at, and by several threads. */
#define _GNU_SOURCE
#include "fixture.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TEXT	256

/* The promise: zeroed, huge, aligned, and no fault later. */
static void a_buffer_is_zeroed_and_mapped_huge(void **state)
{
	struct hpmap_buffer *b = alloc(16 * MIB);
	uint64_t *words, i, sum = 0;

	(void)state;
	ok(hpmap_map(b, HPMAP_POPULATE, (void **)&words));
	assert_ptr_equal(words, hpmap_addr(b));
	assert_int_equal((uintptr_t)words % hpmap_page_size(b), 0);
	assert_true(hpmap_page_size(b) >= 2 * MIB);
	assert_int_equal(hpmap_size(b), 16 * MIB);
	for (i = 0; i < hpmap_size(b) / sizeof(*words); i++)
		sum |= words[i];
	assert_int_equal(sum, 0);
	memset(words, 0x5a, hpmap_size(b));
	hpmap_close(b);
}

/* A program can ask what it got, and why no better. */
static void what_was_got_is_reported(void **state)
{
	struct hpmap_buffer *b = alloc(10 * MIB + 1);
	struct hpmap_info info = info_of(b);

	(void)state;
	assert_int_equal(info.backend, with_module ? HPMAP_BACKEND_MODULE : HPMAP_BACKEND_MEMFD);
	assert_int_equal(info.size, hpmap_size(b));
	assert_int_equal(info.page_size, hpmap_page_size(b));
	assert_int_equal(info.asked, 10 * MIB + 1);
	assert_int_equal(info.size % info.page_size, 0);
	assert_true(info.size >= info.asked);
	assert_int_equal(info.nr_pages, info.size / info.page_size);
	assert_int_equal(info.nr_huge, info.nr_pages);
	if (with_module)
		assert_true(info.nr_runs > 0 && info.id > 0);
	else
		assert_non_null(strstr(hpmap_why(b), "modprobe hpage_map"));
	hpmap_close(b);
}

/* One mapping of a buffer: it can be ended, made again, and the contents stay. */
static void a_buffer_is_mapped_once_at_a_time(void **state)
{
	struct hpmap_buffer *b = alloc(4 * MIB);
	char *p;

	(void)state;
	assert_null(hpmap_addr(b));
	assert_int_equal(hpmap_unmap(b), -EINVAL);
	assert_int_equal(hpmap_map(b, 1U << 9, NULL), -EINVAL);
	ok(hpmap_map(b, 0, (void **)&p));
	assert_int_equal(hpmap_map(b, 0, NULL), -EBUSY);
	strcpy(p + 3 * MIB, "stays");
	ok(hpmap_unmap(b));
	assert_null(hpmap_addr(b));
	ok(hpmap_map(b, HPMAP_READ_ONLY | HPMAP_POPULATE, (void **)&p));
	assert_string_equal(p + 3 * MIB, "stays");
	hpmap_close(b);
}

/* Needs copies, which for hugetlb the pool must have. */
static void what_is_written_privately_no_one_else_sees(void **state)
{
	struct hpmap_buffer *b = alloc(4 * MIB), *other;
	char *mine, *theirs;

	(void)state;
	ok(hpmap_from_fd(hpmap_fd(b), &other));
	ok(hpmap_map(b, HPMAP_PRIVATE | HPMAP_POPULATE, (void **)&mine));
	ok(hpmap_map(other, 0, (void **)&theirs));
	mine[0] = 1;
	assert_int_equal(theirs[0], 0);
	hpmap_close(b);
	assert_int_equal(theirs[0], 0);
	hpmap_close(other);
}

/* Descriptors carry the buffer to other processes, with all that is known of it. */
static void a_descriptor_is_enough_to_share(void **state)
{
	struct hpmap_buffer *b = alloc(4 * MIB), *other;
	int status;
	char *p;
	pid_t child;

	(void)state;
	ok(hpmap_map(b, 0, (void **)&p));
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		if (hpmap_from_fd(hpmap_fd(b), &other) || hpmap_map(other, 0, (void **)&p))
			_exit(1);
		if (hpmap_page_size(other) != hpmap_page_size(b) ||
		    info_of(other).backing != info_of(b).backing)
			_exit(2);
		strcpy(p + MIB, "from the child");
		hpmap_close(other);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_string_equal(p + MIB, "from the child");
	hpmap_close(b);
}

/* For whoever shall look and not touch: no mapping, no write, and no way back for others. */
static void a_read_only_hold_cannot_write(void **state)
{
	struct hpmap_buffer *b = alloc(4 * MIB), *reader = NULL;
	struct stat st;
	char *p, *r, text[8];
	int fd = -1;

	(void)state;
	ok(hpmap_map(b, 0, (void **)&p));
	assert_int_equal(hpmap_reopen(b, HPMAP_PRIVATE, &reader), -EINVAL);
	assert_null(reader);
	ok(hpmap_reopen(b, HPMAP_READ_ONLY, &reader));
	assert_int_not_equal(hpmap_fd(reader), hpmap_fd(b));
	assert_int_equal(fcntl(hpmap_fd(reader), F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(hpmap_fd(reader), F_GETFD), FD_CLOEXEC);
	assert_int_equal(hpmap_size(reader), hpmap_size(b));
	assert_int_equal(hpmap_page_size(reader), hpmap_page_size(b));
	assert_int_equal(info_of(reader).backing, info_of(b).backing);
	assert_int_equal(info_of(reader).id, info_of(b).id);
	assert_string_equal(hpmap_why(reader), hpmap_why(b));

	assert_true(refused(hpmap_map(reader, 0, NULL), -EACCES, "HPMAP_READ_ONLY"));
	assert_true(refused(hpmap_export_dmabuf(reader, &fd), -EACCES, ""));
	assert_int_equal(pwrite(hpmap_fd(reader), "x", 1, 0), -1);
	ok(hpmap_map(reader, HPMAP_READ_ONLY, (void **)&r));
	assert_int_equal(mprotect(r, hpmap_size(reader), PROT_READ | PROT_WRITE), -1);
	strcpy(p, "seen");
	assert_string_equal(r, "seen");
	if (info_of(b).backing != HPMAP_BACKING_HUGETLB || with_module) {
		assert_int_equal(pread(hpmap_fd(reader), text, 5, 0), 5);
		assert_string_equal(text, "seen");
	}
	assert_int_equal(fstat(hpmap_fd(reader), &st), 0);
	assert_int_equal(st.st_mode & 022, 0);

	/* Each has its own end. */
	hpmap_close(b);
	assert_string_equal(r, "seen");
	hpmap_close(reader);
}

/* Another hold for reading and writing has a mapping of its own. */
static void a_buffer_is_held_twice(void **state)
{
	struct hpmap_buffer *b = alloc(4 * MIB), *again = NULL;
	char *p, *other;

	(void)state;
	ok(hpmap_map(b, 0, (void **)&p));
	ok(hpmap_reopen(b, 0, &again));
	ok(hpmap_map(again, 0, (void **)&other));
	assert_ptr_not_equal(p, other);
	strcpy(other, "one memory");
	assert_string_equal(p, "one memory");
	hpmap_close(b);
	hpmap_close(again);
}

static void what_is_no_buffer_is_refused(void **state)
{
	int null = open("/dev/null", O_RDWR), odd = memfd_create("odd", MFD_CLOEXEC), ends[2];
	int file = open("/proc/self/exe", O_RDONLY);
	struct hpmap_buffer *b = NULL;

	(void)state;
	assert_int_equal(ftruncate(odd, 100), 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(hpmap_from_fd(-1, &b), -EINVAL);
	assert_int_equal(hpmap_from_fd(null, &b), -EINVAL);
	assert_int_equal(hpmap_from_fd(odd, &b), -EINVAL);
	assert_int_equal(hpmap_from_fd(ends[0], &b), -EINVAL);
	assert_int_equal(hpmap_from_fd(file, &b), -EINVAL);
	assert_null(b);
	close(null);
	close(odd);
	close(file);
	close(ends[0]);
	close(ends[1]);
}

/* Looking at a file of tmpfs that has no pages gives it none. */
static void adopting_allocates_nothing(void **state)
{
	int fd = memfd_create("empty", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct hpmap_buffer *b;
	struct stat st;

	(void)state;
	assert_int_equal(ftruncate(fd, 4 * MIB), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	ok(hpmap_from_fd(fd, &b));
	assert_int_equal(info_of(b).backing, HPMAP_BACKING_BASE);
	hpmap_close(b);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_blocks, 0);
	close(fd);
}

static void pages_are_counted_by_node(void **state)
{
	struct hpmap_buffer *b = alloc(8 * MIB);
	uint64_t pages[64] = {}, sum = 0;
	unsigned int nr = 64, i;

	(void)state;
	ok(hpmap_nodes(b, pages, &nr));
	assert_in_range(nr, 1, 64);
	for (i = 0; i < nr; i++)
		sum += pages[i];
	assert_int_equal(sum, info_of(b).nr_pages);
	hpmap_close(b);
}

/* The room before the call, how many there are after it, and what is behind them stays. */
static void a_count_means_the_same_for_nodes_and_sizes(void **state)
{
	struct hpmap_buffer *b = alloc(8 * MIB);
	unsigned int nodes = 0, sizes = 0, room, nr, i;
	uint64_t all[64], some[64];

	(void)state;
	ok(hpmap_nodes(b, NULL, &nodes));
	assert_in_range(nodes, 1, 62);
	ok(hpmap_page_sizes(NULL, &sizes));
	for (room = 1; room < 64; room++) {
		memset(some, 0xa5, sizeof(some));
		nr = room;
		ok(hpmap_nodes(b, some, &nr));
		assert_int_equal(nr, nodes);
		for (i = nr < room ? nr : room; i < 64; i++)
			assert_int_equal(some[i], 0xa5a5a5a5a5a5a5a5);
		memset(all, 0xa5, sizeof(all));
		nr = room;
		ok(hpmap_page_sizes(all, &nr));
		assert_int_equal(nr, sizes);
		for (i = nr < room ? nr : room; i < 64; i++)
			assert_int_equal(all[i], 0xa5a5a5a5a5a5a5a5);
	}
	nr = 1;
	assert_int_equal(hpmap_nodes(b, NULL, &nr), -EFAULT);
	assert_int_equal(nr, 1);
	hpmap_close(b);
}

/* A holder must not be able to make another's touch a SIGBUS. */
static void the_size_of_a_memfd_is_sealed(void **state)
{
	const uint64_t lengths[] = { 4096, 4 * MIB, 256 * MIB };
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct hpmap_buffer *b;
	size_t i;

	/* Base pages, those of a pool if it has some, and transparent ones. */
	(void)state;
	for (i = 0; i < 3; i++) {
		ok(hpmap_alloc(HPMAP_OPTIONS(.size = lengths[i], .page_size = i ? 0 : 4096,
					     .flags = HPMAP_NO_MODULE), &b));
		assert_int_equal(info_of(b).backend, HPMAP_BACKEND_MEMFD);
		assert_int_equal(fcntl(hpmap_fd(b), F_GET_SEALS) & seals, seals);
		assert_int_equal(ftruncate(hpmap_fd(b), 0), -1);
		assert_int_equal(errno, EPERM);
		hpmap_close(b);
	}
}

#define MFD_NOEXEC	8U
#define SEAL_EXEC	0x20

/* Nor can it become a program, on kernels that know the seal. */
static void a_memfd_is_no_program(void **state)
{
	int fd = memfd_create("probe", MFD_CLOEXEC | MFD_NOEXEC);
	struct hpmap_buffer *b;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 4 * MIB, .flags = HPMAP_NO_MODULE), &b));
	if (fd >= 0)
		assert_int_equal(fcntl(hpmap_fd(b), F_GET_SEALS) & SEAL_EXEC, SEAL_EXEC);
	hpmap_close(b);
	close(fd);
}

static void a_dmabuf_shows_the_same_memory(void **state)
{
	bool udmabuf = !access("/dev/udmabuf", R_OK | W_OK);
	struct hpmap_buffer *b;
	int fd = -1, ret;
	char *p;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 4 * MIB, .flags = HPMAP_NO_MODULE), &b));
	ret = hpmap_export_dmabuf(b, &fd);
	if (!udmabuf) {
		assert_true(ret == -ENOTSUP || ret == -EACCES);
		assert_non_null(strstr(hpmap_why(NULL), "udmabuf"));
		hpmap_close(b);
		return;
	}
	ok(ret);
	ok(hpmap_map(b, 0, (void **)&p));
	strcpy(p, "hello");
	hpmap_close(b);
	dmabuf_has_hello(fd, 4 * MIB);
}

/* What went wrong, or NULL. */
static void *alloc_and_free(void *text)
{
	/* Without a pool each of them fails at first to map some, beside what others map. */
	int times = with_module ? 20 : 500, i;
	struct hpmap_buffer *b;

	for (i = 0; i < times; i++) {
		if (hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB, .flags = HPMAP_ALLOW_BASE), &b))
			return strncpy(text, hpmap_why(NULL), TEXT - 1);
		if (hpmap_map(b, HPMAP_POPULATE, NULL)) {
			hpmap_close(b);
			return strncpy(text, hpmap_why(NULL), TEXT - 1);
		}
		hpmap_close(b);
		/* Reasons are each thread's own. */
		if (hpmap_open("no/name", 0, &b) != -EINVAL || !strstr(hpmap_why(NULL), "no/name"))
			return strcpy(text, "another's reason");
	}
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	char texts[4][TEXT] = {};
	pthread_t threads[4];
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, alloc_and_free, texts[i]), 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (i = 0; i < 4; i++)
		assert_string_equal(texts[i], "");
}

static void *map_it(void *b)
{
	return (void *)(intptr_t)hpmap_map(b, 0, NULL);
}

static void of_two_threads_that_map_one_does(void **state)
{
	struct hpmap_buffer *b = alloc(2 * MIB);
	pthread_t threads[2];
	void *ret[2];
	int i;

	(void)state;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, map_it, b), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], &ret[i]), 0);
	assert_int_equal((intptr_t)ret[0] + (intptr_t)ret[1], -EBUSY);
	hpmap_close(b);
}

/* As hpagectl run sets it. */
static void the_environment_names_a_buffer(void **state)
{
	struct hpmap_buffer *b = alloc(2 * MIB), *same = NULL;
	char fd[16], blank[24], *p, *q;

	(void)state;
	snprintf(fd, sizeof(fd), "%d", hpmap_fd(b));
	unsetenv("HPAGE_MAP_FD");
	assert_true(refused(hpmap_from_env(&same), -ENOENT, "try: hpagectl run"));
	setenv("HPAGE_MAP_FD", "", 1);
	assert_true(refused(hpmap_from_env(&same), -EINVAL, "HPAGE_MAP_FD is ''"));
	setenv("HPAGE_MAP_FD", "3x", 1);
	assert_int_equal(hpmap_from_env(&same), -EINVAL);
	snprintf(blank, sizeof(blank), " +%s", fd);
	setenv("HPAGE_MAP_FD", blank, 1);
	assert_int_equal(hpmap_from_env(&same), -EINVAL);
	setenv("HPAGE_MAP_FD", "99999999999", 1);
	assert_int_equal(hpmap_from_env(&same), -EINVAL);
	setenv("HPAGE_MAP_FD", "1000", 1);
	assert_true(refused(hpmap_from_env(&same), -EINVAL, "descriptor 1000"));
	assert_null(same);

	setenv("HPAGE_MAP_FD", fd, 1);
	setenv("HPAGE_MAP_WHY", "no pages\ntry: more", 1);
	ok(hpmap_from_env(&same));
	assert_string_equal(hpmap_why(same), "no pages\ntry: more");
	assert_int_equal(hpmap_size(same), hpmap_size(b));
	ok(hpmap_map(b, 0, (void **)&p));
	ok(hpmap_map(same, 0, (void **)&q));
	strcpy(p, "hello");
	assert_string_equal(q, "hello");
	hpmap_close(same);
	setenv("HPAGE_MAP_WHY", "", 1);
	ok(hpmap_from_env(&same));
	assert_string_equal(hpmap_why(same), "");
	hpmap_close(same);
	unsetenv("HPAGE_MAP_FD");
	unsetenv("HPAGE_MAP_WHY");
	hpmap_close(b);
}

static const struct CMUnitTest tests[] = {
	TEST(the_environment_names_a_buffer),
	TEST(a_buffer_is_zeroed_and_mapped_huge),
	TEST(what_was_got_is_reported),
	TEST(a_buffer_is_mapped_once_at_a_time),
	TEST(what_is_written_privately_no_one_else_sees),
	TEST(a_descriptor_is_enough_to_share),
	TEST(a_read_only_hold_cannot_write),
	TEST(a_buffer_is_held_twice),
	TEST(what_is_no_buffer_is_refused),
	TEST(adopting_allocates_nothing),
	TEST(pages_are_counted_by_node),
	TEST(a_count_means_the_same_for_nodes_and_sizes),
	TEST(the_size_of_a_memfd_is_sealed),
	TEST(a_memfd_is_no_program),
	TEST(a_dmabuf_shows_the_same_memory),
	TEST(threads_do_not_disturb_each_other),
	TEST(of_two_threads_that_map_one_does),
};

int test_buffer(void)
{
	return RUN("buffer", tests);
}
