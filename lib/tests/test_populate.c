// SPDX-License-Identifier: LGPL-2.1-or-later
/* Pages made present by several threads: all or a part, watched, ended, and what is refused. */
#define _GNU_SOURCE
#include "fixture.h"

#include <dirent.h>
#include <linux/filter.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#define LENGTH	(128 * MIB)
#define TIB	(1UL << 40)

#define OPTIONS(...)	(&(const struct hpmap_populate_options){	\
	.struct_size = sizeof(struct hpmap_populate_options), __VA_ARGS__ })

/* Base pages that the file lacks, mapped */
static struct hpmap_buffer *holes(uint64_t length, unsigned int flags)
{
	int fd = memfd_create("populate", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct hpmap_buffer *b = NULL;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, length), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	ok(hpmap_from_fd(fd, &b));
	close(fd);
	ok(hpmap_map(b, flags, NULL));
	return b;
}

/* How many bytes of the part are in the page tables? */
static uint64_t present(const struct hpmap_buffer *b, uint64_t offset, uint64_t size)
{
	uint64_t page = sysconf(_SC_PAGESIZE), entries[512], at = 0, n = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ssize_t got;
	size_t i;

	assert_true(fd >= 0);
	offset += (uintptr_t)hpmap_addr(b);
	for (; at < size / page; at += got / sizeof(*entries)) {
		got = pread(fd, entries, sizeof(entries), (offset / page + at) * sizeof(*entries));
		assert_true(got > 0);
		for (i = 0; i < got / sizeof(*entries) && at + i < size / page; i++)
			n += entries[i] >> 63;
	}
	close(fd);
	return n * page;
}

static unsigned int threads_now(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned int n = 0;
	struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		n += *e->d_name != '.';
	closedir(dir);
	return n;
}

/* Are there so many? One that was joined may be seen for a moment. */
static bool threads_are(unsigned int want)
{
	int i;

	for (i = 0; i < 3000 && threads_now() != want; i++)
		usleep(10000);
	return threads_now() == want;
}

/**
 * struct watch - what a function of progress has seen, and shall do
 * @caller: the thread that populates
 * @calls: how often it was called
 * @told: bytes of the latest call
 * @total: bytes of all
 * @wrong: calls from another thread, or without progress
 * @end_at: bytes from which on it ends the call; 0 for never
 */
struct watch {
	pthread_t caller;
	unsigned int calls;
	uint64_t told, total;
	unsigned int wrong;
	uint64_t end_at;
};

static int watched(uint64_t done, uint64_t total, void *data)
{
	struct watch *w = data;

	w->wrong += !pthread_equal(pthread_self(), w->caller) || done <= w->told || done > total ||
		    (w->calls && total != w->total);
	w->calls++;
	w->told = done;
	w->total = total;
	return w->end_at && done >= w->end_at;
}

static void all_pages_are_present(unsigned int nr)
{
	struct hpmap_buffer *b = holes(LENGTH, 0);
	struct watch w = { .caller = pthread_self() };
	unsigned int before_it = threads_now();

	assert_int_equal(present(b, 0, LENGTH), 0);
	ok(hpmap_populate(b, OPTIONS(.threads = nr, .progress = watched, .data = &w)));
	assert_int_equal(present(b, 0, LENGTH), LENGTH);
	assert_int_equal(w.wrong, 0);
	assert_int_equal(w.told, LENGTH);
	assert_int_equal(w.total, LENGTH);
	assert_true(w.calls >= 1);
	assert_true(threads_are(before_it));
	hpmap_close(b);
}

static void threads_populate_all(void **state)
{
	(void)state;
	all_pages_are_present(0);
	all_pages_are_present(1);
	all_pages_are_present(3);
	/* More than there are pieces */
	all_pages_are_present(UINT32_MAX);
}

/* One thread takes piece after piece, and tells of each. */
static void progress_is_told_piece_by_piece(void **state)
{
	struct hpmap_buffer *b = holes(LENGTH, 0);
	struct watch w = { .caller = pthread_self() };

	(void)state;
	ok(hpmap_populate(b, OPTIONS(.threads = 1, .progress = watched, .data = &w)));
	assert_in_range(w.calls, 2, LENGTH / MIB);
	hpmap_close(b);
}

static void without_options_it_is_all(void **state)
{
	struct hpmap_buffer *b = holes(LENGTH, 0);

	(void)state;
	ok(hpmap_populate(b, NULL));
	assert_int_equal(present(b, 0, LENGTH), LENGTH);
	hpmap_close(b);
}

static void a_part_is_populated_and_no_more(void **state)
{
	struct hpmap_buffer *b = holes(LENGTH, 0);
	uint64_t page = hpmap_page_size(b), end = LENGTH - 3 * page;
	struct watch w = { .caller = pthread_self() };

	(void)state;
	ok(hpmap_populate(b, OPTIONS(.threads = 2, .offset = page, .size = 40 * MIB,
				     .progress = watched, .data = &w)));
	assert_int_equal(w.total, 40 * MIB);
	assert_int_equal(present(b, page, 40 * MIB), 40 * MIB);
	assert_int_equal(present(b, 0, LENGTH), 40 * MIB);
	/* Without a size it is up to the end. */
	ok(hpmap_populate(b, OPTIONS(.offset = end)));
	assert_int_equal(present(b, end, 3 * page), 3 * page);
	assert_int_equal(present(b, 0, LENGTH), 40 * MIB + 3 * page);
	hpmap_close(b);
}

static void the_program_can_end_it(void **state)
{
	struct hpmap_buffer *b = holes(LENGTH, 0);
	struct watch w = { .caller = pthread_self(), .end_at = 1 };
	unsigned int before_it = threads_now();
	uint64_t there;

	(void)state;
	assert_true(refused(hpmap_populate(b, OPTIONS(.threads = 1, .progress = watched,
						      .data = &w)), -ECANCELED, "has ended it"));
	there = present(b, 0, LENGTH);
	assert_int_equal(w.calls, 1);
	assert_int_equal(there, w.told);
	assert_in_range(there, 1, LENGTH - 1);

	/* By threads, too: what is in work then is done, and it can be gone on with. */
	w = (struct watch){ .caller = pthread_self(), .end_at = 1 };
	assert_true(refused(hpmap_populate(b, OPTIONS(.threads = 2, .progress = watched,
						      .data = &w)), -ECANCELED, "has ended it"));
	assert_int_equal(w.calls, 1);
	assert_true(threads_are(before_it));
	assert_true(present(b, 0, LENGTH) >= there);
	ok(hpmap_populate(b, NULL));
	assert_int_equal(present(b, 0, LENGTH), LENGTH);
	hpmap_close(b);
}

static void what_may_not_be_written_is_populated(void **state)
{
	unsigned int flags[] = { HPMAP_READ_ONLY, HPMAP_PRIVATE };
	struct hpmap_buffer *b;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		b = holes(LENGTH, flags[i]);
		ok(hpmap_populate(b, OPTIONS(.threads = 2)));
		assert_int_equal(present(b, 0, LENGTH), LENGTH);
		hpmap_close(b);
	}
}

static void pages_of_a_buffer_of_ours_are_mapped(void **state)
{
	struct hpmap_buffer *b = alloc(8 * MIB);

	(void)state;
	ok(hpmap_map(b, 0, NULL));
	ok(hpmap_populate(b, OPTIONS(.threads = 2)));
	assert_int_equal(present(b, 0, 8 * MIB), 8 * MIB);
	hpmap_close(b);
}

static int unmaps(uint64_t done, uint64_t total, void *buffer)
{
	(void)done;
	(void)total;
	assert_true(refused(hpmap_unmap(buffer), -EBUSY, "hpmap_populate() works on"));
	return 0;
}

static void the_mapping_stays_until_it_is_populated(void **state)
{
	struct hpmap_buffer *b = holes(LENGTH, 0);

	(void)state;
	ok(hpmap_populate(b, OPTIONS(.progress = unmaps, .data = b)));
	assert_int_equal(present(b, 0, LENGTH), LENGTH);
	ok(hpmap_unmap(b));
	hpmap_close(b);
}

static void what_cannot_be_populated_is_refused(void **state)
{
	struct hpmap_buffer *b = holes(LENGTH, 0);
	uint64_t page = hpmap_page_size(b);
	struct longer {
		struct hpmap_populate_options known;
		uint64_t unknown;
	} longer = { .known.struct_size = sizeof(longer), .unknown = 1 };
	const struct {
		uint64_t offset, size;
		const char *words;
	} refuse[] = {
		{ 512, page, "the offset 0x200 is no multiple of the page size" },
		{ 0, page + 512, "the size" },
		{ LENGTH, 0, "which end before offset 0x" },
		{ LENGTH + page, 0, "which end before offset 0x" },
		{ LENGTH, page, "which end before offset 0x" },
		{ LENGTH - page, 2 * page, "the buffer has" },
		{ page, -page, "the buffer has" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refuse) / sizeof(*refuse); i++)
		if (!refused(hpmap_populate(b, OPTIONS(.offset = refuse[i].offset,
						       .size = refuse[i].size)),
			     -EINVAL, refuse[i].words))
			fail_msg("number %zu", i);
	assert_true(refused(hpmap_populate(b, &longer.known), -E2BIG, "does not know"));
	longer.known.struct_size = sizeof(uint32_t);
	assert_true(refused(hpmap_populate(b, &longer.known), -EINVAL,
			    "struct hpmap_populate_options"));
	assert_int_equal(present(b, 0, LENGTH), 0);
	ok(hpmap_unmap(b));
	assert_true(refused(hpmap_populate(b, NULL), -EINVAL, "is not mapped\ntry: hpmap_map()"));
	hpmap_close(b);
}

/* Before the OOM killer comes */
static void more_than_there_is_is_refused(void **state)
{
	struct hpmap_buffer *b = holes(TIB, 0);

	(void)state;
	assert_true(refused(hpmap_populate(b, NULL), -ENOMEM, "the file lacks 1 TiB"));
	ok(hpmap_populate(b, OPTIONS(.offset = TIB - MIB)));
	assert_int_equal(present(b, TIB - MIB, MIB), MIB);
	hpmap_close(b);
}

/* In a process of its own: errors of the kernel */
static bool error_is(unsigned int err, int want, const char *words)
{
	struct hpmap_buffer *b = holes(LENGTH, 0);
	struct watch w = { .caller = pthread_self() };

	return forbid_if(SYS_madvise, 1, BPF_JGE, 4096, err) &&
	       refused(hpmap_populate(b, OPTIONS(.threads = 4, .progress = watched, .data = &w)),
		       want, words) &&
	       !w.calls && threads_are(1) && !hpmap_unmap(b);
}

static bool memory_is_short(void)
{
	return error_is(ENOMEM, -ENOMEM, "the pages cannot be mapped");
}

static bool pages_are_broken(void)
{
	return error_is(EFAULT, -ENOMEM, "the pages cannot be mapped");
}

static bool pages_are_poisoned(void)
{
	return error_is(EHWPOISON, -ENOMEM, "the pages cannot be mapped");
}

static void an_error_ends_all_threads(void **state)
{
	(void)state;
	assert_true(in_child(memory_is_short));
	assert_true(in_child(pages_are_broken));
	assert_true(in_child(pages_are_poisoned));
}

static bool without_threads(void)
{
	struct hpmap_buffer *b = holes(LENGTH, 0);

	return forbid(SYS_clone, EAGAIN) && forbid(SYS_clone3, EAGAIN) &&
	       !hpmap_populate(b, OPTIONS(.threads = 4)) && present(b, 0, LENGTH) == LENGTH;
}

/* Touched in the caller's thread, as no other could take a SIGBUS for it. */
static bool before_populate(void)
{
	struct hpmap_buffer *b = holes(LENGTH, 0);
	struct watch w = { .caller = pthread_self() };

	return forbid_if(SYS_madvise, 2, BPF_JGE, 22, EINVAL) &&
	       forbid(SYS_clone, EPERM) && forbid(SYS_clone3, EPERM) &&
	       !hpmap_populate(b, OPTIONS(.threads = 4, .progress = watched, .data = &w)) &&
	       present(b, 0, LENGTH) == LENGTH && w.told == LENGTH && !w.wrong;
}

static void threads_that_cannot_be_had_are_done_without(void **state)
{
	(void)state;
	assert_true(in_child(without_threads));
	assert_true(in_child(before_populate));
}

/* Does a thread of this process block SIGUSR1? One that has ended does. */
static bool blocks(const char *thread)
{
	unsigned long long mask = -1;
	char path[300], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%s/status", thread);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "SigBlk: %llx", &mask);
	if (file)
		fclose(file);
	return mask >> (SIGUSR1 - 1) & 1;
}

/* Where a thread takes a signal, the set that it blocks says. */
static int blocks_all(uint64_t done, uint64_t total, void *data)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned int *open_to_them = data;
	struct dirent *e;

	(void)done;
	(void)total;
	assert_non_null(dir);
	while ((e = readdir(dir)))
		if (*e->d_name != '.' && atoi(e->d_name) != getpid())
			*open_to_them += !blocks(e->d_name);
	closedir(dir);
	return 0;
}

static void signals_come_to_the_threads_of_the_program(void **state)
{
	struct hpmap_buffer *b = holes(LENGTH, 0);
	sigset_t blocked, now;
	unsigned int open_to_them = 0;

	(void)state;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &blocked, NULL);
	ok(hpmap_populate(b, OPTIONS(.threads = 4, .progress = blocks_all, .data = &open_to_them)));
	assert_int_equal(open_to_them, 0);
	pthread_sigmask(SIG_UNBLOCK, &blocked, &now);
	assert_true(sigismember(&now, SIGUSR2));
	assert_false(sigismember(&now, SIGUSR1));
	hpmap_close(b);
}

static const struct CMUnitTest tests[] = {
	TEST(threads_populate_all),
	TEST(progress_is_told_piece_by_piece),
	TEST(without_options_it_is_all),
	TEST(a_part_is_populated_and_no_more),
	TEST(the_program_can_end_it),
	TEST(what_may_not_be_written_is_populated),
	TEST(pages_of_a_buffer_of_ours_are_mapped),
	TEST(the_mapping_stays_until_it_is_populated),
	TEST(what_cannot_be_populated_is_refused),
	TEST(more_than_there_is_is_refused),
	TEST(an_error_ends_all_threads),
	TEST(threads_that_cannot_be_had_are_done_without),
	TEST(signals_come_to_the_threads_of_the_program),
};

int test_populate(void)
{
	return RUN("populate", tests);
}
