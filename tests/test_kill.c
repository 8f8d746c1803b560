// SPDX-License-Identifier: GPL-2.0-only
/* kill -9: whatever a process was doing, everything it held comes back. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)
#define ROUNDS	40

static int started[2];

/* Everything at once and for ever; also a child that does the same. */
static void busy(void *arg)
{
	pid_t parent = getpid();
	char buf[512];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step_done(started[1]);
	if (arg && fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)	/* it went before we could say so */
			_exit(0);
	}
	for (;;) {
		int fd = dev_open(O_RDWR);
		char *all = map_all(fd, RW, MAP_SHARED);
		char *own = mmap(NULL, buf_page, RW, MAP_PRIVATE, fd, 0);

		if (own != MAP_FAILED)
			own[0] = 1;
		memset(all, 1, base_page);
		CHECK_EQ(munmap(all + buf_page, buf_page), 0);
		CHECK_EQ(pread(fd, buf, sizeof(buf), buf_page - 100), sizeof(buf));
		close(fd);
		munmap(own, buf_page);
		munmap(all, buf_size);
	}
}

static void reap_all(void)
{
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void killed_mappers_leave_nothing(void)
{
	uint64_t resv = suite_where & ON_POOL ? pool("resv") : 0;

	CHECK_EQ(pipe(started), 0);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = spawn(busy, i % 2 ? &i : NULL);

		step_wait(started[0]);
		for (int j = 0; j < i * 7 % 40; j++)	/* somewhere else each round */
			sched_yield();
		CHECK_EQ(kill(pid, SIGKILL), 0);
		reap_all();
		CHECK_COUNT("descriptors", 0);
		CHECK_COUNT("mappings", 0);
		if (suite_where & ON_POOL)
			CHECK_EQ(pool("resv"), resv);
	}
}

/* exec and exit are the polite ways. */
static void exec_self(void *arg)
{
	map_all(open(DEV, O_RDWR), RW, MAP_SHARED | MAP_POPULATE);
	(void)arg;
	execl("/bin/true", "true", NULL);
}

static void exec_lets_go(void)
{
	CHECK_EXITS(spawn(exec_self, NULL));
	CHECK_COUNT("descriptors", 0);
	CHECK_COUNT("mappings", 0);
}

static const struct test tests[] = {
	TEST(killed_mappers_leave_nothing, ON_SMALL),
	TEST(exec_lets_go, ON_SMALL),
};

int main(void)
{
	return RUN_TESTS(tests);
}
