// SPDX-License-Identifier: LGPL-2.1-or-later
/* Threads: with descriptors of their own, without the first one of the process, cancelled. */
#define _GNU_SOURCE
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void *run(void *(*fn)(void *), void *arg)
{
	pthread_t thread;
	void *result;

	assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	return result;
}

/* Are they the same memory? */
static bool same_memory(struct hpmap_buffer *b, struct hpmap_buffer *o)
{
	void *p, *q;

	if (hpmap_map(b, 0, &p) || hpmap_map(o, HPMAP_READ_ONLY, &q))
		return false;
	strcpy(p, "hello");
	return !strcmp(q, "hello");
}

#define FIRST	3
#define LAST	40

/* Descriptors of the same numbers are other files for the rest of the process. */
static void *reopen_apart(void *arg)
{
	struct hpmap_buffer *b, *o;
	bool same;
	int fd;

	(void)arg;
	if (unshare(CLONE_FILES))
		return "unshare";
	for (fd = FIRST; fd <= LAST; fd++)
		close(fd);
	if (hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB, .flags = HPMAP_ALLOW_BASE), &b))
		return "hpmap_alloc";
	if (hpmap_fd(b) > LAST)
		return "a descriptor that the others do not have";
	if (hpmap_reopen(b, HPMAP_READ_ONLY, &o))
		return "hpmap_reopen";
	same = same_memory(b, o);
	hpmap_close(o);
	hpmap_close(b);
	return same ? NULL : "another file";
}

static void a_buffer_is_opened_again_among_the_thread_s_own_descriptors(void **state)
{
	int fds[LAST + 1], nr = 0;
	const char *failed;

	(void)state;
	do
		fds[nr] = open("/dev/zero", O_RDWR | O_CLOEXEC);
	while (fds[nr] >= 0 && fds[nr] < LAST && ++nr <= LAST);
	failed = run(reopen_apart, NULL);
	if (failed)
		fail_msg("%s: %s", failed, hpmap_why(NULL));
	for (; nr >= 0; nr--)
		close(fds[nr]);
}

static bool leader_has_ended(void)
{
	char text[256] = "";
	const char *name_end;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	close(fd);
	name_end = strrchr(text, ')');
	return name_end && !strncmp(name_end, ") Z", 3);
}

static bool works_alone(void)
{
	uint64_t pages[4];
	unsigned int nr = 4;
	struct hpmap_buffer *b, *o;

	if (hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB, .flags = HPMAP_ALLOW_BASE), &b) ||
	    hpmap_reopen(b, HPMAP_READ_ONLY, &o) || !same_memory(b, o) ||
	    hpmap_nodes(b, pages, &nr))
		return false;
	hpmap_close(o);
	if (hpmap_from_fd(hpmap_fd(b), &o))
		return false;
	hpmap_close(o);
	hpmap_close(b);
	return true;
}

static void *work_alone(void *arg)
{
	bool works;

	(void)arg;
	while (!leader_has_ended())
		usleep(1000);
	works = works_alone();
	if (!works)
		printf("# %s\n", hpmap_why(NULL));
	fflush(stdout);
	_exit(!works);
}

static bool main_ends_first(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, work_alone, NULL))
		return false;
	pthread_exit(NULL);
}

static void the_first_thread_need_not_live(void **state)
{
	(void)state;
	assert_true(in_child(main_ends_first));
}

/* AddressSanitizer takes the stack of a thread that is cancelled for one that was overwritten. */
#ifndef __SANITIZE_ADDRESS__

/* A part of what programs do, to be cancelled in. */
static struct hpmap_buffer *buffer, *second;
static int failed;

static void do_alloc(void)
{
	failed = hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB, .flags = HPMAP_ALLOW_BASE), &buffer);
}

static void do_map(void)
{
	failed = hpmap_map(buffer, HPMAP_POPULATE, NULL);
}

static void do_populate(void)
{
	failed = hpmap_populate(buffer, NULL);
}

static void do_reopen(void)
{
	failed = hpmap_reopen(buffer, 0, &second);
}

static void do_info(void)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };

	failed = hpmap_info(second, &info);
}

static void do_unmap(void)
{
	failed = hpmap_unmap(buffer);
}

static void do_close(void)
{
	hpmap_close(second);
	hpmap_close(buffer);
	failed = 0;
}

/* It is cancelled at the first call that looks. */
static void *cancelled_in(void *call)
{
	failed = 1;
	pthread_cancel(pthread_self());
	(*(void (**)(void))call)();
	pthread_testcancel();
	return NULL;
}

static void a_cancelled_thread_ends_after_its_call(void **state)
{
	static void (*const calls[])(void) = {
		do_alloc, do_map, do_populate, do_reopen, do_info, do_unmap, do_close,
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		void (*call)(void) = calls[i];

		assert_ptr_equal(run(cancelled_in, &call), PTHREAD_CANCELED);
		if (failed)
			fail_msg("call %zu: %d, %s", i, failed, hpmap_why(NULL));
	}
}

static int ends[2];

static void *wait_for_a_buffer(void *arg)
{
	(void)arg;
	hpmap_recv(ends[0], 0, &buffer);
	return NULL;
}

static void who_waits_for_a_buffer_can_be_cancelled(void **state)
{
	pthread_t thread;
	void *result;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_a_buffer, NULL), 0);
	assert_int_equal(pthread_cancel(thread), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, PTHREAD_CANCELED);
	close(ends[0]);
	close(ends[1]);
}

#endif

static const struct CMUnitTest tests[] = {
	TEST(a_buffer_is_opened_again_among_the_thread_s_own_descriptors),
	TEST(the_first_thread_need_not_live),
#ifndef __SANITIZE_ADDRESS__
	TEST(a_cancelled_thread_ends_after_its_call),
	TEST(who_waits_for_a_buffer_can_be_cancelled),
#endif
};

int test_threads(void)
{
	return RUN("threads", tests);
}
