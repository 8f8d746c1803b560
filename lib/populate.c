// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Populating: each page is put into the page tables, and first made where a file lacks it.
 *
 * A range is populated in pieces, by the thread that asks and by others that it
 * makes and joins. Each takes the next piece that nobody has taken. The first
 * error, or the program's own function, ends it: then none takes another.
 *
 * The threads inherit the memory policy of the one that asks, and the CPUs that it may use. They
 * block all signals, so that handlers run where they would without them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "internal.h"
#include "populate.h"
#include "sysfs.h"

#define MIB		(1ULL << 20)
/* Of base pages that is a few milliseconds, and many times what a thread costs. */
#define PIECE		(32 * MIB)
/* A thread more is worth it for so much memory to be zeroed, or so many pages to be mapped. */
#define ZEROED		(64 * MIB)
#define MAPPED		16384
/* The memory is busy with less. */
#define MAX_THREADS	256
#define MAX_CPUS	8192

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif

/**
 * struct work - what the threads share
 * @r: all of it; never changes
 * @piece: bytes that are taken at once, a multiple of the page size; never changes
 * @next: where the next piece begins
 * @done: bytes that have been populated
 * @ret: 0, or the -errno that ends it
 */
struct work {
	const struct range *r;
	uint64_t piece;
	_Atomic uint64_t next;
	_Atomic uint64_t done;
	atomic_int ret;
};

/* Linux before 5.14 cannot. */
bool populate_works(void)
{
	return !madvise(NULL, 0, MADV_POPULATE_WRITE);
}

static void populate_by_touch(char *address, uint64_t length, bool write)
{
	uint64_t base = base_page_size(), at;

	for (at = 0; at < length; at += base) {
		if (write)
			__atomic_fetch_or(address + at, 0, __ATOMIC_RELAXED);
		else
			(void)*(volatile char *)(address + at);
	}
}

/*
 * Make every page present. One that cannot be had is an errno and no SIGBUS, but
 * where the kernel cannot populate, only for files that have all their pages.
 */
int populate(void *address, uint64_t length, bool write)
{
	int ret;

	if (!populate_works()) {
		populate_by_touch(address, length, write);
		return 0;
	}
	do {
		ret = madvise(address, length, write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) ?
			-errno : 0;
	} while (ret == -EAGAIN);
	return ret;
}

/* What is met first is what counts. */
static void work_end(struct work *w, int ret)
{
	int none = 0;

	atomic_compare_exchange_strong(&w->ret, &none, ret);
}

/* Populate the next piece. Is there perhaps another? */
static bool work_piece(struct work *w)
{
	const struct range *r = w->r;
	uint64_t at, length;
	int ret;

	if (w->ret)
		return false;
	at = atomic_fetch_add(&w->next, w->piece);
	if (at >= r->length)
		return false;
	length = r->length - at < w->piece ? r->length - at : w->piece;
	ret = populate(r->address + at, length, r->write);
	if (ret)
		work_end(w, ret);
	else
		w->done += length;
	return !ret;
}

static void *work_thread(void *data)
{
	while (work_piece(data))
		;
	return NULL;
}

/* Tell the program. */
static void work_report(struct work *w, const struct hpmap_populate_options *o, uint64_t *told)
{
	uint64_t done = w->done;

	if (w->ret || !o->progress || done == *told)
		return;
	*told = done;
	if (o->progress(done, w->r->length, o->data))
		work_end(w, -ECANCELED);
}

/* As many as can be had, with all signals blocked. Return: how many. */
static unsigned int threads_start(pthread_t *threads, unsigned int nr, struct work *w)
{
	sigset_t all, before;
	unsigned int i;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (i = 0; i < nr; i++)
		if (pthread_create(&threads[i], NULL, work_thread, w))
			break;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return i;
}

static unsigned int cpus_allowed(void)
{
	cpu_set_t set[MAX_CPUS / CPU_SETSIZE];

	return sched_getaffinity(0, sizeof(set), set) ? 1 : CPU_COUNT_S(sizeof(set), set);
}

/* One for each CPU, if it has enough to do. */
static uint64_t threads_of_use(const struct range *r)
{
	uint64_t share = r->lacks ? ZEROED : MAPPED * r->page_size, cpus = cpus_allowed();

	return r->length / share < cpus ? r->length / share + 1 : cpus;
}

/* How many threads shall populate, the one that asks included? */
static unsigned int threads_wanted(const struct work *w, unsigned int asked)
{
	uint64_t pieces = (w->r->length - 1) / w->piece + 1;
	uint64_t nr = asked ? asked : threads_of_use(w->r);

	/* Where pages are touched, one that cannot be had is a SIGBUS, for a handler here. */
	if (!populate_works())
		return 1;
	if (nr > pieces)
		nr = pieces;
	return nr < MAX_THREADS ? nr : MAX_THREADS;
}

/* Populate @r by what @o says of threads and progress. */
int populate_range(const struct range *r, const struct hpmap_populate_options *o)
{
	struct work w = { .r = r, .piece = round_up_to(PIECE, r->page_size) };
	pthread_t threads[MAX_THREADS - 1];
	unsigned int nr, i;
	uint64_t told = 0;

	/* They work on this stack. The caller has seen to it that nothing ends this thread. */
	nr = threads_start(threads, threads_wanted(&w, o->threads) - 1, &w);
	while (work_piece(&w))
		work_report(&w, o, &told);
	for (i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	work_report(&w, o, &told);
	return w.ret;
}
