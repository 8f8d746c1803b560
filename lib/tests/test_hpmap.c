// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The library as programs use it. The same program runs unprivileged on a machine without the
 * module, and with HPMAP_TEST=module as root in a virtual machine that has it and a pool.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../hpage_map.h"

#define MIB	(1UL << 20)
#define ok(call)	do {							\
	int _ret = (call);							\
	if (_ret)								\
		fail_msg("%s: %s: %s", #call, strerror(-_ret), hpmap_why(NULL));	\
} while (0)

static bool with_module;

static size_t count(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static size_t mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	char line[512];
	size_t n = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		n += strstr(line, "hpage_map") || strstr(line, "memfd:");
	fclose(file);
	return n;
}

static size_t fds_before, mappings_before;

/* Every test leaves descriptors and mappings as it found them. */
static int before(void **state)
{
	(void)state;
	fds_before = count("/proc/self/fd");
	mappings_before = mappings();
	return 0;
}

static int after(void **state)
{
	(void)state;
	assert_int_equal(count("/proc/self/fd"), fds_before);
	assert_int_equal(mappings(), mappings_before);
	return 0;
}

static struct hpmap_info info_of(const struct hpmap_buffer *b)
{
	struct hpmap_info info = { .size = sizeof(info) };

	ok(hpmap_info(b, &info));
	return info;
}

static struct hpmap_buffer *alloc(size_t length)
{
	struct hpmap_buffer *b = NULL;

	ok(hpmap_alloc(HPMAP_OPTIONS(.length = length), &b));
	return b;
}

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
	assert_int_equal(hpmap_length(b), 16 * MIB);
	for (i = 0; i < hpmap_length(b) / sizeof(*words); i++)
		sum |= words[i];
	assert_int_equal(sum, 0);
	memset(words, 0x5a, hpmap_length(b));
	hpmap_free(b);
}

/* A program can ask what it got, and why no better. */
static void what_was_got_is_told(void **state)
{
	struct hpmap_buffer *b = alloc(10 * MIB + 1);
	struct hpmap_info info = info_of(b);

	(void)state;
	assert_int_equal(info.backend, with_module ? HPMAP_BACKEND_MODULE : HPMAP_BACKEND_MEMFD);
	assert_int_equal(info.length, hpmap_length(b));
	assert_int_equal(info.page_size, hpmap_page_size(b));
	assert_int_equal(info.asked, 10 * MIB + 1);
	assert_int_equal(info.length % info.page_size, 0);
	assert_true(info.length >= info.asked);
	assert_int_equal(info.nr_pages, info.length / info.page_size);
	assert_int_equal(info.nr_huge, info.nr_pages);
	if (with_module)
		assert_true(info.nr_runs > 0 && info.id > 0);
	else
		assert_non_null(strstr(hpmap_why(b), "modprobe hpage_map"));
	hpmap_free(b);
}

/* The same figures whoever asks for base pages, and what they are called. */
static void base_pages_are_had_when_allowed(void **state)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	struct hpmap_buffer *b;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.length = 3 * page, .page_size = page, .name = "small"), &b));
	assert_int_equal(hpmap_page_size(b), page);
	assert_int_equal(hpmap_length(b), 3 * page);
	assert_int_equal(info_of(b).backing, HPMAP_BACKING_BASE);
	assert_string_equal(info_of(b).name, "small");
	hpmap_free(b);
}

/* Structs of programs and libraries of different age. */
static void sizes_of_structs_are_checked(void **state)
{
	struct {
		struct hpmap_options o;
		uint64_t later;
	} longer = { .o = { .size = sizeof(longer), .length = MIB } };
	struct {
		struct hpmap_info i;
		uint64_t later;
	} info = { .i = { .size = sizeof(info) } };
	struct hpmap_options shorter = { .size = sizeof(shorter) - 4, .length = MIB };
	struct hpmap_buffer *b = NULL;

	(void)state;
	assert_int_equal(hpmap_alloc(&shorter, &b), -EINVAL);
	assert_int_equal(hpmap_alloc(NULL, &b), -EINVAL);
	longer.later = 1;
	assert_int_equal(hpmap_alloc(&longer.o, &b), -E2BIG);
	assert_null(b);
	longer.later = 0;
	ok(hpmap_alloc(&longer.o, &b));
	ok(hpmap_info(b, &info.i));
	assert_int_equal(info.i.size, sizeof(info));
	info.later = 7;
	assert_int_equal(hpmap_info(b, &info.i), -E2BIG);
	info.i.size = 8;
	assert_int_equal(hpmap_info(b, &info.i), -EINVAL);
	hpmap_free(b);
}

/* What makes no sense is refused the same with the module and without, and leaves nothing. */
static void nonsense_is_refused(void **state)
{
	static const struct hpmap_options refused[] = {
		{ .length = 0 },
		{ .length = MIB, .flags = 1U << 31 },
		{ .length = MIB, .flags = HPMAP_EXACT | HPMAP_ALLOW_BASE },
		{ .length = MIB, .flags = HPMAP_NO_MODULE | HPMAP_CONTIGUOUS },
		{ .length = MIB, .page_size = 3 * MIB },
		{ .length = MIB, .page_size = 512 },
		{ .length = MIB, .policy = 4 },
		{ .length = MIB, .node = 1 },
		{ .length = MIB, .node = 999, .policy = HPMAP_POLICY_STRICT },
		{ .length = MIB, .node = -2, .policy = HPMAP_POLICY_PREFERRED },
		{ .length = MIB, .name = "a/b" },
		{ .length = MIB, .name = ".." },
		{ .length = MIB, .name = "" },
		{ .length = MIB, .mode = 0600 },
		{ .length = MIB, .reserved = 1 },
		{ .length = MIB, .page_size = 8 * MIB, .flags = HPMAP_EXACT },
	};
	struct hpmap_buffer *b = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct hpmap_options o = refused[i];

		o.size = sizeof(o);
		if (hpmap_alloc(&o, &b) != -EINVAL)
			fail_msg("number %zu is not refused: %s", i, hpmap_why(NULL));
		assert_null(b);
		assert_true(*hpmap_why(NULL));
	}
}

static void a_device_that_is_not_there_is_enodev(void **state)
{
	struct hpmap_buffer *b = NULL;

	(void)state;
	assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.length = MIB, .near_device = "0000:ff:1f.7"),
				     &b), -ENODEV);
	assert_non_null(strstr(hpmap_why(NULL), "ls /sys/bus/pci/devices"));
	assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.length = MIB, .near_device = "../x"), &b),
			 -ENODEV);
}

/* Failing at the call and not at first touch. */
static void more_than_the_machine_has_is_enomem(void **state)
{
	struct hpmap_buffer *b = NULL;

	(void)state;
	assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.length = 1UL << 46, .flags = HPMAP_ALLOW_BASE),
				     &b), -ENOMEM);
	assert_non_null(strstr(hpmap_why(NULL), "(try: "));
	assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.length = UINT64_MAX), &b), -ENOMEM);
	assert_null(b);
}

static void without_a_descriptor_left_it_is_emfile(void **state)
{
	struct rlimit old, none = { 0, 0 };
	struct hpmap_buffer *b = NULL;
	int ret;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	ret = hpmap_alloc(HPMAP_OPTIONS(.length = MIB, .flags = HPMAP_ALLOW_BASE), &b);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(ret, -EMFILE);
	assert_null(b);
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
	hpmap_free(b);
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
	hpmap_free(b);
	assert_int_equal(theirs[0], 0);
	hpmap_free(other);
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
		hpmap_free(other);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_string_equal(p + MIB, "from the child");
	hpmap_free(b);
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
	int fd = memfd_create("empty", MFD_CLOEXEC);
	struct hpmap_buffer *b;
	struct stat st;

	(void)state;
	assert_int_equal(ftruncate(fd, 4 * MIB), 0);
	ok(hpmap_from_fd(fd, &b));
	assert_int_equal(info_of(b).backing, HPMAP_BACKING_BASE);
	hpmap_free(b);
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
	nr = 0;
	ok(hpmap_nodes(b, pages, &nr));
	assert_in_range(nr, 1, 64);
	hpmap_free(b);
}

/* The node is kept to, and the thread's own policy is as before. */
static void a_node_can_be_asked_for(void **state)
{
	uint32_t policy;
	struct hpmap_buffer *b;
	int before_mode = -1, mode = -2;

	(void)state;
	syscall(SYS_get_mempolicy, &before_mode, NULL, 0, NULL, 0);
	for (policy = HPMAP_POLICY_PREFERRED; policy <= HPMAP_POLICY_INTERLEAVE; policy++) {
		ok(hpmap_alloc(HPMAP_OPTIONS(.length = 4 * MIB, .policy = policy,
					     .flags = HPMAP_NO_MODULE), &b));
		if (policy == HPMAP_POLICY_STRICT)
			assert_int_equal(info_of(b).node, 0);
		hpmap_free(b);
	}
	syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0);
	if (before_mode >= 0)
		assert_int_equal(mode, before_mode);
}

/* A holder must not be able to make another's touch a SIGBUS. */
static void the_size_of_a_memfd_is_sealed(void **state)
{
	struct hpmap_buffer *b;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.length = 4 * MIB, .flags = HPMAP_NO_MODULE), &b));
	assert_int_equal(info_of(b).backend, HPMAP_BACKEND_MEMFD);
	assert_int_equal(ftruncate(hpmap_fd(b), 0), -1);
	assert_int_equal(errno, EPERM);
	hpmap_free(b);
}

static void calls_that_need_the_module_say_so(void **state)
{
	struct hpmap_reserve reserve = { .size = sizeof(reserve) };
	struct hpmap_info info = { .size = sizeof(info) };
	struct hpmap_buffer *b = NULL, *made = NULL;
	struct hpmap_run run;
	unsigned int nr = 1;
	uint32_t flag;
	int fd = -1;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.length = 2 * MIB, .flags = HPMAP_NO_MODULE), &b));
	assert_int_equal(hpmap_runs(b, 0, &run, &nr), -ENOTSUP);
	if (!with_module) {
		assert_int_equal(hpmap_open("none", 0, &made), -ENOTSUP);
		assert_int_equal(hpmap_open(NULL, 0, &made), -ENOTSUP);
		assert_int_equal(hpmap_destroy("none"), -ENOTSUP);
		assert_int_equal(hpmap_next(0, &info), -ENOTSUP);
		assert_int_equal(hpmap_reserve(HPMAP_BACKING_THP, 2 * MIB, 0, &reserve), -ENOTSUP);
		assert_int_equal(hpmap_create(HPMAP_OPTIONS(.length = MIB, .name = "n"), &made),
				 -ENOTSUP);
		for (flag = HPMAP_CONTIGUOUS; flag <= HPMAP_RESERVE; flag <<= 1)
			assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.length = MIB, .flags = flag),
						     &made), -ENOTSUP);
		assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.length = MIB,
							   .flags = HPMAP_MODULE_ONLY), &made),
				 -ENOTSUP);
		assert_non_null(strstr(hpmap_why(NULL), "modprobe hpage_map"));
		assert_int_equal(hpmap_pin(&made, MIB, &made), -ENOTSUP);
		assert_non_null(strstr(hpmap_why(NULL), "modprobe hpage_map"));
		assert_int_equal(hpmap_dma_map(b, "0000:00:00.0", HPMAP_DMA_TO_DEVICE, &fd),
				 -ENOTSUP);
		assert_non_null(strstr(hpmap_why(NULL), "modprobe hpage_map"));
	}
	assert_null(made);
	hpmap_free(b);
}

/* It is closed. */
static void says_hello(int dmabuf, size_t length)
{
	char *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	assert_string_equal(p, "hello");
	munmap(p, length);
	close(dmabuf);
}

static void a_dmabuf_shows_the_same_memory(void **state)
{
	bool udmabuf = !access("/dev/udmabuf", R_OK | W_OK);
	struct hpmap_buffer *b;
	int fd = -1, ret;
	char *p;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.length = 4 * MIB, .flags = HPMAP_NO_MODULE), &b));
	ret = hpmap_export_dmabuf(b, &fd);
	if (!udmabuf) {
		assert_true(ret == -ENOTSUP || ret == -EACCES);
		assert_non_null(strstr(hpmap_why(NULL), "(try: "));
		hpmap_free(b);
		return;
	}
	ok(ret);
	ok(hpmap_map(b, 0, (void **)&p));
	strcpy(p, "hello");
	hpmap_free(b);
	says_hello(fd, 4 * MIB);
}

static void pools_are_told(void **state)
{
	struct hpmap_pool pool = { .size = sizeof(pool) };
	uint64_t sizes[32];
	unsigned int nr = 32, none = 0, i;

	(void)state;
	ok(hpmap_page_sizes(sizes, &nr));
	ok(hpmap_page_sizes(NULL, &none));
	assert_int_equal(none, nr);
	for (i = 0; i < nr; i++) {
		assert_true(!i || sizes[i] > sizes[i - 1]);
		ok(hpmap_pool(sizes[i], -1, &pool));
		assert_true(pool.free <= pool.total);
	}
	assert_int_equal(hpmap_pool(12345, -1, &pool), -ENOENT);
	assert_true(*hpmap_version() >= '0');
}

static void *alloc_and_free(void *unused)
{
	struct hpmap_buffer *b;
	int i;

	(void)unused;
	for (i = 0; i < 20; i++) {
		if (hpmap_alloc(HPMAP_OPTIONS(.length = 2 * MIB, .flags = HPMAP_ALLOW_BASE), &b))
			return "alloc";
		if (hpmap_map(b, HPMAP_POPULATE, NULL))
			return "map";
		hpmap_free(b);
		/* Reasons are each thread's own. */
		if (hpmap_open("no/name", 0, &b) != -EINVAL || !strstr(hpmap_why(NULL), "no/name"))
			return "why";
	}
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	pthread_t threads[4];
	void *ret;
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, alloc_and_free, NULL), 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &ret), 0);
		if (ret)
			fail_msg("thread %d: %s", i, (char *)ret);
	}
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
	hpmap_free(b);
}

/* From here on: with the module, as root, and with a pool. */

static void a_name_outlives_its_maker(void **state)
{
	struct hpmap_buffer *b = NULL, *again = NULL;
	struct hpmap_options o = {
		.size = sizeof(o), .length = 4 * MIB, .name = "lib-test", .mode = 0640,
	};
	char *p;

	(void)state;
	ok(hpmap_create(&o, &b));
	assert_int_equal(hpmap_create(&o, &again), -EEXIST);
	ok(hpmap_map(b, 0, (void **)&p));
	strcpy(p, "left here");
	assert_true(info_of(b).attributes & HPMAP_ATTR_NAMED);
	hpmap_free(b);

	ok(hpmap_open("lib-test", HPMAP_READ_ONLY, &again));
	assert_int_equal(hpmap_map(again, 0, NULL), -EACCES);
	ok(hpmap_map(again, HPMAP_READ_ONLY, (void **)&p));
	assert_string_equal(p, "left here");
	ok(hpmap_destroy("lib-test"));
	assert_int_equal(hpmap_destroy("lib-test"), -ENOENT);
	assert_string_equal(p, "left here");
	hpmap_free(again);
	assert_int_equal(hpmap_open("lib-test", 0, &b), -ENOENT);
	assert_non_null(strstr(hpmap_why(NULL), "hpagectl create lib-test"));
}

static void buffers_are_listed(void **state)
{
	struct hpmap_info info = { .size = sizeof(info) };
	struct hpmap_buffer *b;
	bool seen = false;
	uint32_t id = 0;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.length = MIB, .name = "listed"), &b));
	while (!hpmap_next(id, &info)) {
		id = info.id + 1;
		seen |= !strcmp(info.name, "listed") && info.descriptors == 1;
	}
	assert_true(seen);
	assert_int_equal(hpmap_next(id, &info), -ENOENT);
	hpmap_free(b);
}

static void runs_make_up_the_buffer(void **state)
{
	struct hpmap_run runs[32];
	unsigned int nr = 32, i;
	struct hpmap_buffer *b;
	uint64_t sum = 0;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.length = 16 * MIB), &b));
	ok(hpmap_runs(b, 0, runs, &nr));
	assert_int_equal(nr, info_of(b).nr_runs);
	for (i = 0; i < nr; i++)
		sum += runs[i].length;
	assert_int_equal(sum, hpmap_length(b));
	assert_int_equal(runs[0].address, info_of(b).address);
	hpmap_free(b);

	ok(hpmap_alloc(HPMAP_OPTIONS(.length = 8 * MIB, .flags = HPMAP_CONTIGUOUS), &b));
	nr = 32;
	ok(hpmap_runs(b, 0, runs, &nr));
	assert_int_equal(nr, 1);
	assert_int_equal(runs[0].length, 8 * MIB);
	hpmap_free(b);
}

/* The pool is the same, whoever keeps the pages. */
static void without_the_module_pages_come_from_the_pool_too(void **state)
{
	struct hpmap_buffer *b, *other;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.length = 4 * MIB, .flags = HPMAP_NO_MODULE), &b));
	assert_int_equal(info_of(b).backing, HPMAP_BACKING_HUGETLB);
	ok(hpmap_from_fd(hpmap_fd(b), &other));
	assert_int_equal(info_of(other).backing, HPMAP_BACKING_HUGETLB);
	assert_int_equal(hpmap_page_size(other), 2 * MIB);
	hpmap_free(other);
	hpmap_free(b);
}

static void a_dmabuf_holds_the_buffer(void **state)
{
	struct hpmap_buffer *b = alloc(2 * MIB), *reader;
	int fd = -1, other = -1;
	char *p;

	(void)state;
	ok(hpmap_map(b, 0, (void **)&p));
	strcpy(p, "hello");
	ok(hpmap_export_dmabuf(b, &fd));
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	hpmap_free(b);
	says_hello(fd, 2 * MIB);

	ok(hpmap_create(HPMAP_OPTIONS(.length = 2 * MIB, .name = "read"), NULL));
	ok(hpmap_open("read", HPMAP_READ_ONLY, &reader));
	assert_int_equal(hpmap_export_dmabuf(reader, &other), -EACCES);
	assert_non_null(strstr(hpmap_why(NULL), "(try: "));
	assert_int_equal(other, -1);
	hpmap_free(reader);
	ok(hpmap_destroy("read"));
}

static void memory_of_the_program_is_pinned(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct hpmap_buffer *b = NULL;
	char *p, text[6] = "";
	int fd;

	(void)state;
	p = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	strcpy(p + page, "hello");
	assert_int_equal(hpmap_pin(p + 1, page, &b), -EINVAL);
	assert_int_equal(hpmap_pin(p, 0, &b), -EINVAL);
	assert_null(b);
	ok(hpmap_pin(p, 4 * page, &b));
	assert_int_equal(info_of(b).backing, HPMAP_BACKING_USER);
	assert_int_equal(hpmap_length(b), 4 * page);
	assert_int_equal(hpmap_map(b, 0, NULL), -ENODEV);
	munmap(p, 4 * page);
	assert_int_equal(pread(hpmap_fd(b), text, sizeof(text), page), sizeof(text));
	assert_string_equal(text, "hello");
	ok(hpmap_export_dmabuf(b, &fd));
	close(fd);
	hpmap_free(b);
}

/* The disk of the virtual machine, or what else it has of PCI devices with a driver. */
static void a_device_is_given_addresses(void **state)
{
	struct hpmap_run run, physical;
	unsigned int nr = 1, one = 1;
	struct hpmap_buffer *b;
	const char *device;
	int fd = -1;
	glob_t g;

	(void)state;
	assert_int_equal(glob("/sys/bus/pci/drivers/virtio-pci/0*", 0, NULL, &g), 0);
	device = strrchr(g.gl_pathv[0], '/') + 1;
	ok(hpmap_alloc(HPMAP_OPTIONS(.length = 2 * MIB, .page_size = 2 * MIB), &b));
	assert_int_equal(hpmap_dma_map(b, device, 0, &fd), -EINVAL);
	assert_int_equal(hpmap_dma_map(b, device, 4, &fd), -EINVAL);
	assert_int_equal(hpmap_dma_map(b, "no-such-device", HPMAP_DMA_TO_DEVICE, &fd), -ENODEV);
	assert_int_equal(hpmap_dma_map(b, NULL, HPMAP_DMA_TO_DEVICE, &fd), -ENODEV);
	assert_int_equal(fd, -1);
	ok(hpmap_dma_map(b, device, HPMAP_DMA_TO_DEVICE | HPMAP_DMA_FROM_DEVICE, &fd));
	ok(hpmap_dma_runs(fd, 0, &run, &nr));
	ok(hpmap_runs(b, 0, &physical, &one));
	assert_int_equal(nr, 1);
	assert_int_equal(run.length, 2 * MIB);
	assert_int_equal(run.address, physical.address);	/* there is no IOMMU */
	ok(hpmap_dma_runs(fd, 1, &run, &nr));
	assert_int_equal(nr, 0);
	nr = 1;
	assert_int_equal(hpmap_dma_runs(hpmap_fd(b), 0, &run, &nr), -EINVAL);
	ok(hpmap_dma_sync(fd, HPMAP_SYNC_FOR_CPU, MIB, MIB));
	ok(hpmap_dma_sync(fd, HPMAP_SYNC_FOR_DEVICE, 0, 1));
	assert_int_equal(hpmap_dma_sync(fd, HPMAP_SYNC_FOR_CPU, MIB, MIB + 1), -EINVAL);
	assert_int_equal(hpmap_dma_sync(fd, 0, 0, 1), -EINVAL);
	assert_int_equal(hpmap_dma_sync(hpmap_fd(b), HPMAP_SYNC_FOR_CPU, 0, 1), -EINVAL);
	close(fd);
	hpmap_free(b);
	globfree(&g);
}

static void reserves_are_told(void **state)
{
	struct hpmap_reserve r = { .size = sizeof(r) };

	(void)state;
	ok(hpmap_reserve(HPMAP_BACKING_HUGETLB, 2 * MIB, 0, &r));
	assert_int_equal(r.asked, 0);
	assert_int_equal(hpmap_reserve(HPMAP_BACKING_HUGETLB, 2 * MIB, 999, &r), -ENOENT);
	assert_int_equal(hpmap_reserve(HPMAP_BACKING_BASE, 4096, 0, &r), -EINVAL);
}

/* A user who may not open the door is served by memfd, and told. */
static void a_closed_door_is_told(void **state)
{
	struct hpmap_buffer *b = NULL;
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (!child) {
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(1);
		if (hpmap_open(NULL, 0, &b) != -EACCES)
			_exit(2);
		if (hpmap_alloc(HPMAP_OPTIONS(.length = MIB), &b) ||
		    info_of(b).backend != HPMAP_BACKEND_MEMFD ||
		    !strstr(hpmap_why(b), "may not be opened"))
			_exit(3);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, before, after)

static const struct CMUnitTest everywhere[] = {
	TEST(a_buffer_is_zeroed_and_mapped_huge),
	TEST(what_was_got_is_told),
	TEST(base_pages_are_had_when_allowed),
	TEST(sizes_of_structs_are_checked),
	TEST(nonsense_is_refused),
	TEST(a_device_that_is_not_there_is_enodev),
	TEST(more_than_the_machine_has_is_enomem),
	TEST(without_a_descriptor_left_it_is_emfile),
	TEST(a_buffer_is_mapped_once_at_a_time),
	TEST(what_is_written_privately_no_one_else_sees),
	TEST(a_descriptor_is_enough_to_share),
	TEST(what_is_no_buffer_is_refused),
	TEST(adopting_allocates_nothing),
	TEST(pages_are_counted_by_node),
	TEST(a_node_can_be_asked_for),
	TEST(the_size_of_a_memfd_is_sealed),
	TEST(calls_that_need_the_module_say_so),
	TEST(a_dmabuf_shows_the_same_memory),
	TEST(pools_are_told),
	TEST(threads_do_not_disturb_each_other),
	TEST(of_two_threads_that_map_one_does),
};

static const struct CMUnitTest module_only[] = {
	TEST(a_name_outlives_its_maker),
	TEST(buffers_are_listed),
	TEST(runs_make_up_the_buffer),
	TEST(without_the_module_pages_come_from_the_pool_too),
	TEST(a_dmabuf_holds_the_buffer),
	TEST(memory_of_the_program_is_pinned),
	TEST(a_device_is_given_addresses),
	TEST(reserves_are_told),
	TEST(a_closed_door_is_told),
};

int main(void)
{
	const char *test = getenv("HPMAP_TEST");
	int failed;

	with_module = test && !strcmp(test, "module");
	failed = cmocka_run_group_tests_name("everywhere", everywhere, NULL, NULL);
	if (with_module)
		failed += cmocka_run_group_tests_name("module", module_only, NULL, NULL);
	return failed;
}
