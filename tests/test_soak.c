// SPDX-License-Identifier: GPL-2.0-only
/*
 * Soak: processes that allocate, map, touch and fork for ever, killed at random
 * moments. HPM_CYCLES says how many are killed; with HPM_PROGRESS it is told how
 * far it is.
 */
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS		8
#define CYCLES		250
#define POOL		32
#define READY		8
#define MAX_PAGES	4
#define MOST_BETWEEN_KILLS_US 40000

#define RESERVE		"/sys/class/hpage_map_reserve/"

static unsigned int seed;

/* What was done, by all of them. */
static struct {
	unsigned long used;
	unsigned long refused;
	unsigned long forked;
} *done;

static unsigned int any(unsigned int below)
{
	return rand_r(&seed) % below;
}

/* Of any rung, with any wish; most are had, and those that are not are no matter. */
static struct hpage_map_alloc any_request(void)
{
	static const uint32_t wishes[] = {
		0, 0, 0, 0, 0, 0, HPAGE_MAP_EXACT, HPAGE_MAP_EXACT, HPAGE_MAP_EXACT,
		HPAGE_MAP_RESERVE, HPAGE_MAP_RESERVE, HPAGE_MAP_RESERVE, HPAGE_MAP_RESERVE,
		HPAGE_MAP_RESERVE, HPAGE_MAP_CONTIGUOUS, HPAGE_MAP_BELOW_4G,
	};
	uint32_t flags = wishes[any(sizeof(wishes) / sizeof(*wishes))];
	size_t nr = 1 + any(flags & HPAGE_MAP_CONTIGUOUS ? 2 : MAX_PAGES);
	struct hpage_map_alloc a = wish(nr * pmd_size, any(4) ? 0 : base_page, flags);

	if (!any(4))
		a = wish_on(a, HPAGE_MAP_POLICY_PREFERRED, any(nr_nodes()));
	else if (!any(4) && !(flags & (HPAGE_MAP_CONTIGUOUS | HPAGE_MAP_BELOW_4G)))
		a = wish_on(a, HPAGE_MAP_POLICY_INTERLEAVE, -1);
	return a;
}

/* What the last owner wrote is not there; what we write is. */
static void use(const struct hpage_map_alloc *a)
{
	char *p = mmap(NULL, a->got_length, RW, MAP_SHARED, a->fd, 0);
	char *own = mmap(NULL, a->got_page_size, RW, MAP_PRIVATE, a->fd, 0);
	size_t at = any(a->got_length / base_page) * base_page;

	CHECK_NE(p, MAP_FAILED);
	CHECK(zeroed(p + at, base_page));
	memset(p + at, 0xa5, base_page);
	if (own != MAP_FAILED)		/* the pool may be empty */
		own[base_page / 2] = 1;
	if (any(2))
		munmap(p, a->got_length);
	if (any(2) && own != MAP_FAILED)
		munmap(own, a->got_page_size);
}

static void work_for_ever(void *arg)
{
	pid_t parent = getpid();

	seed = *(unsigned int *)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct hpage_map_alloc a = any_request();
		int ret = try_alloc(&a);

		CHECK(ret == 0 || ret == -ENOMEM);
		__atomic_add_fetch(ret ? &done->refused : &done->used, 1, __ATOMIC_RELAXED);
		if (ret)
			continue;
		use(&a);
		if (!any(3) && getpid() == parent && fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)	/* it went before we could say so */
				_exit(0);
			seed++;
			__atomic_add_fetch(&done->forked, 1, __ATOMIC_RELAXED);
		}
		/* Some descriptors and mappings are left for the kill to find. */
		if (any(4))
			close(a.fd);
		if (!any(8))
			_exit(0);
	}
}

struct worker {
	pid_t pid;
	unsigned int seed;
};

static void start(struct worker *w)
{
	w->seed = any(1U << 30);
	w->pid = spawn(work_for_ever, &w->seed);
}

/* Whoever ended: an exit and a kill are well, a failed CHECK is not. */
static void reap(struct worker *workers, int flags)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, flags)) > 0) {
		CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL :
					    WEXITSTATUS(status) == 0);
		for (int i = 0; i < WORKERS; i++)
			if (workers[i].pid == pid)
				workers[i].pid = 0;
	}
}

/* Kill one of them; false if it came to its end by itself. */
static bool kill_one(struct worker *workers, struct worker *w)
{
	const struct timespec life = { 0, any(MOST_BETWEEN_KILLS_US) * 1000L };
	bool lives;

	nanosleep(&life, NULL);
	reap(workers, WNOHANG);
	lives = w->pid;
	if (lives)
		CHECK_EQ(kill(w->pid, SIGKILL), 0);
	start(w);
	return lives;
}

static void tell(unsigned int cycle, unsigned int cycles)
{
	static time_t first, last;
	time_t now = time(NULL);

	if (!first)
		first = now;
	if (!getenv("HPM_PROGRESS") || (now < last + 10 && cycle != cycles))
		return;
	last = now;
	printf("# %u of %u killed, %ld s, %llu of %u pages free\n", cycle, cycles,
	       (long)(now - first), (unsigned long long)pool_of(pmd_size, "free"), POOL);
	fflush(stdout);
}

static void keep_ready(unsigned int pages)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), RESERVE "hugetlb-%zukB-node0/pages", pmd_size / 1024);
	snprintf(text, sizeof(text), "%u", pages);
	CHECK_EQ(write_text(path, text), 0);
}

static void killed_at_any_moment_they_leave_nothing(void)
{
	unsigned int cycles = atoi(getenv("HPM_CYCLES") ?: "0") ?: CYCLES;
	struct worker workers[WORKERS] = {};
	unsigned int i;

	may_take(300 + cycles);
	seed = 1;
	done = mmap(NULL, base_page, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK_NE(done, MAP_FAILED);
	CHECK_EQ(load(""), 0);
	CHECK_EQ(set_pool(pmd_size, "nr", POOL), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), POOL);
	keep_ready(READY);
	for (i = 0; i < WORKERS; i++)
		start(&workers[i]);
	for (i = 0; i < cycles; tell(i, cycles))
		i += kill_one(workers, &workers[any(WORKERS)]);
	for (i = 0; i < WORKERS; i++)
		if (workers[i].pid)
			kill(workers[i].pid, SIGKILL);
	reap(workers, 0);
	printf("# %u killed; %lu buffers used, %lu refused, %lu forks\n", cycles, done->used,
	       done->refused, done->forked);
	CHECK(done->used && done->forked);

	keep_ready(0);
	CHECK_COMES(pool_of(pmd_size, "free") == POOL);
	CHECK_EQ(pool_of(pmd_size, "nr"), POOL);
	CHECK_EQ(pool_of(pmd_size, "resv"), 0);
	CHECK_EQ(pool_of(pmd_size, "surplus"), 0);
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(killed_at_any_moment_they_leave_nothing, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
