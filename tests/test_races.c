// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races: threads that do all that can be done, with the same buffers, at the same time. What a call
 * returns is no matter here; that nothing stays behind is, and what the kernel says of it.
 * HPM_CALLS says how many calls are made.
 */
#define _GNU_SOURCE
#include "buffers.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS		6
#define CALLS		1500
#define FILES		6		/* buffers and dma-bufs that all threads have */
#define MAPS		4		/* mappings of them */
#define PLACE		(4UL << 20)	/* address space for each */
#define RESERVES	"/sys/class/hpage_map_reserve/"
#define NAMES		3

static int files[FILES];		/* descriptors, or -1 */
static char *places[MAPS];		/* something is mapped there, or nothing may be accessed */
static long left, made;
static __thread unsigned int seed;

static unsigned int any(unsigned int below)
{
	return rand_r(&seed) % below;
}

/* A thread may close a file that another has just taken. That is part of it. */
static int any_file(void)
{
	return __atomic_load_n(&files[any(FILES)], __ATOMIC_RELAXED);
}

static void put_file(int fd)
{
	int old = __atomic_exchange_n(&files[any(FILES)], fd, __ATOMIC_RELAXED);

	if (old >= 0)
		close(old);
}

static char *any_place(void)
{
	return places[any(MAPS)];
}

static const char *any_name(void)
{
	static const char * const names[NAMES] = { "a", "b", "c" };

	return names[any(NAMES)];
}

static const char *any_reserve(const char *file)
{
	static __thread char path[128];

	snprintf(path, sizeof(path), RESERVES "%s-%zukB-node%u/%s", any(2) ? "hugetlb" : "thp",
		 pmd_size / 1024, any(nr_nodes()), file);
	return path;
}

static void call_alloc(void)
{
	static const uint32_t wishes[] = {
		0, 0, HPAGE_MAP_EXACT, HPAGE_MAP_RESERVE, HPAGE_MAP_RESERVE, HPAGE_MAP_CONTIGUOUS,
		HPAGE_MAP_BELOW_4G,
	};
	uint32_t flags = wishes[any(sizeof(wishes) / sizeof(*wishes))];
	struct hpage_map_alloc a = wish((1 + any(2)) * pmd_size, any(3) ? 0 : base_page, flags);
	int door = dev_open(HPAGE_MAP_O_DOOR);

	if (!any(3))
		a = wish_on(a, HPAGE_MAP_POLICY_PREFERRED, any(nr_nodes()));
	if (!ioctl(door, HPAGE_MAP_ALLOC, &a))
		put_file(a.fd);
	close(door);
}

static void call_close(void)
{
	put_file(-1);
}

/* Nothing there may be read or written at first, so that others find no hole. */
static void call_map(void)
{
	static const int flags[] = { MAP_SHARED, MAP_SHARED, MAP_PRIVATE };

	mmap(any_place(), (1 + any(2)) * pmd_size, any(3) ? RW : PROT_READ,
	     flags[any(3)] | MAP_FIXED, any_file(), 0);
}

static void call_unmap(void)
{
	size_t at = any(PLACE / base_page) * base_page;

	mmap(any_place() + at, any(2) ? base_page : PLACE - at, PROT_NONE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

/* By the kernel, which returns EFAULT where a program would get a signal. */
static void call_touch(void)
{
	static int pipes[2];
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	char *at = any_place() + any(PLACE / base_page) * base_page;

	pthread_mutex_lock(&lock);
	if (!pipes[1])
		CHECK_EQ(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	pthread_mutex_unlock(&lock);
	if (any(2))
		write(pipes[1], at, 64);
	else
		read(pipes[0], at, 64);
}

static void call_advise(void)
{
	static const int advice[] = { MADV_DONTNEED, MADV_DONTFORK, MADV_DOFORK, MADV_DODUMP,
				      MADV_REMOVE, MADV_WILLNEED };

	madvise(any_place() + any(2) * base_page, any(2) ? base_page : pmd_size,
		advice[any(sizeof(advice) / sizeof(*advice))]);
}

static void call_protect(void)
{
	mprotect(any_place() + any(4) * base_page, any(2) ? base_page : pmd_size,
		 any(2) ? RW : PROT_READ);
}

static void call_ask(void)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	struct hpage_map_run runs[8];
	uint64_t pages[4];
	struct hpage_map_runs r = { .size = sizeof(r), .nr = 8, .runs = (uintptr_t)runs };
	struct hpage_map_nodes n = { .size = sizeof(n), .nr = 4, .pages = (uintptr_t)pages };
	int fd = any_file();

	ioctl(fd, HPAGE_MAP_INFO, &info);
	ioctl(fd, HPAGE_MAP_RUNS, &r);
	ioctl(fd, HPAGE_MAP_NODES, &n);
}

static void call_list(void)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	int door = dev_open(HPAGE_MAP_O_DOOR);

	while (!ioctl(door, HPAGE_MAP_LIST, &info))
		info.id++;
	close(door);
}

static void call_export(void)
{
	struct hpage_map_export e = {
		.size = sizeof(e), .flags = any(2) ? HPAGE_MAP_EXPORT_READ_ONLY : 0,
	};

	if (!ioctl(any_file(), HPAGE_MAP_EXPORT, &e))
		put_file(e.fd);
}

static void call_sync(void)
{
	struct dma_buf_sync s = {
		.flags = (any(2) ? DMA_BUF_SYNC_START : DMA_BUF_SYNC_END) | DMA_BUF_SYNC_RW,
	};

	ioctl(any_file(), DMA_BUF_IOCTL_SYNC, &s);
}

static void call_pin(void)
{
	char *p = mmap(NULL, pmd_size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct hpage_map_pin pin = {
		.size = sizeof(pin), .address = (uintptr_t)p,
		.length = (1 + any(8)) * base_page,
	};
	int door = dev_open(HPAGE_MAP_O_DOOR);

	if (!ioctl(door, HPAGE_MAP_PIN, &pin))
		put_file(pin.fd);
	close(door);
	munmap(p, pmd_size);
}

static void call_copy(void)
{
	char bytes[512];
	int fd = any_file();

	if (any(2))
		pread(fd, bytes, sizeof(bytes), any(pmd_size));
	else
		pwrite(fd, bytes, sizeof(bytes), any(pmd_size));
}

static void call_create(void)
{
	if (any(2)) {
		struct hpage_map_alloc a = request(pmd_size, any(2) ? 0 : base_page, 0);
		int door = dev_open(HPAGE_MAP_O_DOOR);

		strcpy(a.name, any_name());
		if (!ioctl(door, HPAGE_MAP_CREATE, &a))
			put_file(a.fd);
		close(door);
	} else {
		destroy(any_name());
	}
}

static void call_open(void)
{
	char path[64];
	int fd;

	if (any(2))
		snprintf(path, sizeof(path), NODES "%s", any_name());
	else
		snprintf(path, sizeof(path), "/proc/self/fd/%d", any_file());
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		put_file(fd);
}

static void call_reserve(void)
{
	char text[HPAGE_MAP_TEXT_SIZE];

	if (any(2)) {
		snprintf(text, sizeof(text), "%u", any(4));
		write_text(any_reserve("pages"), text);
	} else {
		read_text(any_reserve(any(2) ? "ready" : "why"), text, sizeof(text));
	}
}

static void call_parameter(void)
{
	static const char * const names[] = { "user_hugetlb", "user_reserve" };
	char path[96], text[32];

	snprintf(path, sizeof(path), PARAMS "%s", names[any(2)]);
	if (any(2))
		write_text(path, any(2) ? "0" : "64M");
	else
		read_text(path, text, sizeof(text));
}

/* All files of the device. */
static void call_sysfs(void)
{
	DIR *dir = opendir(CLASS);
	struct dirent *entry;
	char text[4096];

	CHECK(dir);
	while ((entry = readdir(dir))) {
		int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd >= 0) {
			read(fd, text, sizeof(text));
			close(fd);
		}
	}
	closedir(dir);
}

static void call_fork(void)
{
	pid_t pid = fork();

	if (!pid) {
		call_unmap();
		_exit(0);
	}
	CHECK_EQ(wait_for(pid), 0);
}

static void call_processor(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	if (any(8))
		return;
	pthread_mutex_lock(&lock);
	write_text("/sys/devices/system/cpu/cpu1/online", "0");
	write_text("/sys/devices/system/cpu/cpu1/online", "1");
	pthread_mutex_unlock(&lock);
}

/* Memory that is in use stays, and what has gone comes back. */
static void call_memory(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	char path[64];

	if (any(8))
		return;
	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%u/online", 1 + any(24));
	pthread_mutex_lock(&lock);
	write_text(path, "0");
	write_text(path, "1");
	pthread_mutex_unlock(&lock);
}

static void call_pool(void)
{
	set_pool(pmd_size, "nr", any(24));
}

/* While anything is there it is refused. */
static void call_unload(void)
{
	CHECK_EQ(unload(), -EAGAIN);
}

static void (*const calls[])(void) = {
	call_alloc, call_alloc, call_alloc, call_close, call_map, call_map, call_map, call_unmap,
	call_touch, call_touch, call_touch, call_advise, call_protect, call_ask, call_list,
	call_export, call_sync, call_pin, call_copy, call_create, call_open, call_reserve,
	call_parameter, call_sysfs, call_fork, call_processor, call_memory, call_pool, call_unload,
};

static void *call_often(void *arg)
{
	seed = (uintptr_t)arg;
	while (__atomic_fetch_sub(&left, 1, __ATOMIC_RELAXED) > 0) {
		calls[any(sizeof(calls) / sizeof(*calls))]();
		__atomic_add_fetch(&made, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* With HPM_PROGRESS it is told how far it is. */
static void watch(long all)
{
	const struct timespec moment = { 0, 100000000 };
	time_t last = time(NULL);
	long now;

	while ((now = __atomic_load_n(&made, __ATOMIC_RELAXED)) < all) {
		nanosleep(&moment, NULL);
		if (getenv("HPM_PROGRESS") && time(NULL) >= last + 10) {
			last = time(NULL);
			printf("# %ld of %ld calls\n", now, all);
			fflush(stdout);
		}
	}
}

static void all_at_once_they_leave_nothing(void)
{
	long all = atol(getenv("HPM_CALLS") ?: "0") ?: CALLS;
	pthread_t threads[THREADS];
	int held;

	may_take(300 + all / 4);
	left = all;
	CHECK_EQ(load(""), 0);
	held = dev_open(HPAGE_MAP_O_DOOR);
	for (size_t i = 0; i < FILES; i++)
		files[i] = -1;
	for (size_t i = 0; i < MAPS; i++)
		places[i] = reserve(PLACE);
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, call_often, (void *)(i + 1)), 0);
	watch(all);
	for (size_t i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);

	for (size_t i = 0; i < FILES; i++)
		if (files[i] >= 0)
			close(files[i]);
	for (size_t i = 0; i < MAPS; i++)
		munmap(places[i], PLACE);
	for (int i = 0; i < 2 * nr_nodes(); i++) {
		char path[128];

		snprintf(path, sizeof(path), RESERVES "%s-%zukB-node%d/pages",
			 i & 1 ? "hugetlb" : "thp", pmd_size / 1024, i / 2);
		CHECK_EQ(write_text(path, "0"), 0);
	}
	destroy("a");
	destroy("b");
	destroy("c");
	close(held);
	CHECK_COMES(refcnt() == 0);
	CHECK_EQ(nr_buffers(), 0);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(set_pool(pmd_size, "nr", 0), 0);
	CHECK_EQ(pool_of(pmd_size, "resv"), 0);
}

static const struct test tests[] = {
	TEST(all_at_once_they_leave_nothing, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
