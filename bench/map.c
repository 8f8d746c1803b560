// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does it cost a process to map memory, to touch all of it, to fork, and to unmap?
 *
 *	bench/map ROUNDS MIB...		(inside a virtual machine; see bench/run)
 *
 * Each round goes through all kinds of memory, one after the other, so that what disturbs the
 * machine disturbs all of them. Memory that has a descriptor is filled before it is measured;
 * anonymous memory is zeroed when it is touched, which is its nature. For each kind and size:
 *
 *	touch		mmap, and a write to each 4 KiB
 *	fork		fork of a process that has touched all, until it returns in the parent
 *	unmap		munmap
 *	populate	mmap, and MADV_POPULATE_WRITE
 *	attach		touch in another process, while the first one has the memory mapped
 *	attach-8th	the same in an eighth one, while seven have
 *
 * Prints "KIND MIB ACTION MICROSECONDS FAULTS KIB": medians of the rounds; page faults of the
 * process; page tables that it got, by VmPTE, where they are counted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <sys/wait.h>

#include "kinds.h"

#define MAX_ROUNDS	99
#define MAX_SIZES	8
#define OTHERS		8	/* processes */

/* --- what is measured ------------------------------------------------------------- */

enum { TOUCH, FORK, UNMAP, POPULATE, ATTACH, ATTACH_8TH, NR_ACTIONS };

static const char *const actions[] = {
	"touch", "fork", "unmap", "populate", "attach", "attach-8th"
};

struct cost {
	int64_t microseconds, faults, kib;
};

static struct cost costs[NR_KINDS][NR_ACTIONS][MAX_ROUNDS];

static struct cost so_far(void)
{
	struct cost cost = { .kib = page_table_kib() };

	cost.faults = faults();
	cost.microseconds = microseconds();
	return cost;
}

/* What was spent since then. */
static struct cost since(struct cost then)
{
	struct cost cost = { .microseconds = microseconds() - then.microseconds };

	cost.faults = faults() - then.faults;
	cost.kib = page_table_kib() - then.kib;
	return cost;
}

static void *map_and_touch(const struct kind *kind, int fd, struct cost *cost)
{
	struct cost then = so_far();
	volatile char *p = map(kind, fd);

	for (uint64_t i = 0; i < size; i += BASE_PAGE)
		p[i] = 1;
	*cost = since(then);
	return (void *)p;
}

static struct cost fork_once(void)
{
	struct cost then = so_far(), cost;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	cost = since(then);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		err(1, "fork");
	return cost;
}

/* In OTHERS processes, one after the other; each stays until the last is done. */
static void attach(const struct kind *kind, int fd, struct cost *first, struct cost *last)
{
	int done[2], stay[2], status;
	struct cost cost;

	if (pipe2(stay, O_CLOEXEC))
		err(1, "pipe");
	for (int i = 0; i < OTHERS; i++) {
		pid_t pid;

		if (pipe2(done, O_CLOEXEC))
			err(1, "pipe");
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			close(stay[1]);
			/* The stack is copied by now, and the code is there. */
			cost = since(so_far());
			map_and_touch(kind, fd, &cost);
			if (write(done[1], &cost, sizeof(cost)) != sizeof(cost))
				_exit(1);
			_exit(read(stay[0], &status, 1) != 0);
		}
		close(done[1]);
		if (read(done[0], &cost, sizeof(cost)) != sizeof(cost))
			errx(1, "%s: a process failed", kind->name);
		close(done[0]);
		if (!i)
			*first = cost;
		*last = cost;
	}
	close(stay[1]);
	while (wait(&status) > 0)
		if (status)
			errx(1, "%s: a process failed", kind->name);
	close(stay[0]);
}

/* Return: 0 where the kernel has no such memory. */
static int measure(const struct kind *kind, struct cost (*cost)[MAX_ROUNDS], int round)
{
	struct cost then;
	int fd = -1;
	void *p;

	set_pool(kind);
	if (kind->get) {
		fd = kind->get();
		if (fd < 0)
			return 0;
	}
	p = map_and_touch(kind, fd, &cost[TOUCH][round]);
	cost[FORK][round] = fork_once();
	if (kind->get)
		attach(kind, fd, &cost[ATTACH][round], &cost[ATTACH_8TH][round]);
	then = so_far();
	munmap(p, size);
	cost[UNMAP][round] = since(then);

	then = so_far();
	p = map(kind, fd);
	cost[POPULATE][round] = (struct cost){ .microseconds = -1 };
	if (!madvise(p, size, MADV_POPULATE_WRITE))	/* or it has no pages: VM_PFNMAP */
		cost[POPULATE][round] = since(then);
	munmap(p, size);
	if (fd >= 0)
		close(fd);
	return 1;
}

/* --- what is printed ---------------------------------------------------------------- */

static int64_t median_of(const struct cost *cost, size_t offset, int rounds)
{
	int64_t values[MAX_ROUNDS];

	for (int i = 0; i < rounds; i++)
		values[i] = *(const int64_t *)((const char *)&cost[i] + offset);
	return median(values, rounds);
}

static void print(size_t kind, int action, int rounds)
{
	const struct cost *cost = costs[kind][action];
	int64_t time = median_of(cost, offsetof(struct cost, microseconds), rounds);

	if (time < 0 || (!kinds[kind].get && action >= ATTACH))
		return;
	printf("%s %" PRIu64 " %s %" PRId64 " %" PRId64 " %" PRId64 "\n", kinds[kind].name,
	       size >> 20, actions[action], time,
	       median_of(cost, offsetof(struct cost, faults), rounds),
	       median_of(cost, offsetof(struct cost, kib), rounds));
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0, there[NR_KINDS];

	if (argc < 3 || argc > 2 + MAX_SIZES || rounds < 1 || rounds > MAX_ROUNDS)
		errx(1, "usage: bench/map ROUNDS MIB...");
	door = open_door();
	for (int i = 2; i < argc; i++) {
		size = strtoull(argv[i], NULL, 10) << 20;
		for (int round = 0; round < rounds; round++)
			for (size_t kind = 0; kind < NR_KINDS; kind++)
				there[kind] = measure(&kinds[kind], costs[kind], round);
		for (size_t kind = 0; kind < NR_KINDS; kind++)
			for (int action = 0; action < NR_ACTIONS; action++)
				if (there[kind])
					print(kind, action, rounds);
		fflush(stdout);
	}
	return 0;
}
