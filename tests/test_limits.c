// SPDX-License-Identifier: GPL-2.0-only
/* What one user, and one control group, may take: refused at the call, with a reason. */
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define OTHER	(NOBODY - 1)
#define POOL	16
#define FOUR	(4 * pmd_size)

static const int shmem_rungs[] = { HPAGE_MAP_BACKING_THP, HPAGE_MAP_BACKING_BASE };

static void run_as_child(void (*fn)(void *), void *arg)
{
	CHECK_EXITS(spawn(fn, arg));
}

/* A request for a quarter of what four PMDs are, of the pages of a rung. */
static struct hpage_map_alloc quarter(int backing)
{
	return wish_of(backing, pmd_size / page_of(backing), 0);
}

static int take_quarter(int backing)
{
	struct hpage_map_alloc a = quarter(backing);

	CHECK_ALLOC(&a, 0);
	CHECK_EQ((int)a.got_backing, backing);
	return a.fd;
}

static void refused_by_memlock(int backing)
{
	struct hpage_map_alloc a = quarter(backing);

	CHECK_ALLOC(&a, -EDQUOT);
	CHECK_SAYS("exceed RLIMIT_MEMLOCK");
	CHECK_SAYS("ulimit -l");
}

/* --- RLIMIT_MEMLOCK ------------------------------------------------------------ */

static void also_refused(void *arg)
{
	refused_by_memlock(*(int *)arg);
}

static void sum_up(void *arg)
{
	int fds[4], backing = *(int *)arg;

	become(NOBODY, FOUR);
	for (int i = 0; i < 4; i++)
		fds[i] = take_quarter(backing);
	refused_by_memlock(backing);
	/* The sum is the user's, whatever the process. */
	run_as_child(also_refused, &backing);
	close(fds[2]);
	fds[2] = take_quarter(backing);
	refused_by_memlock(backing);
}

static void buffers_of_a_user_are_summed_up(void)
{
	CHECK_EQ(load("mode=0666"), 0);
	for (size_t i = 0; i < 2; i++)
		run_as_child(sum_up, (void *)&shmem_rungs[i]);
	CHECK_EQ(unload(), 0);
}

static int steps[2][2];

static void hold_half(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	take_quarter(HPAGE_MAP_BACKING_THP);
	take_quarter(HPAGE_MAP_BACKING_BASE);
	step_done(steps[0][1]);
	step_wait(steps[1][0]);
}

static void share_a_limit(void *arg)
{
	int rung = HPAGE_MAP_BACKING_THP;
	pid_t pid;

	(void)arg;
	become(NOBODY, FOUR);
	CHECK_EQ(pipe(steps[0]), 0);
	CHECK_EQ(pipe(steps[1]), 0);
	pid = spawn(hold_half, NULL);
	step_wait(steps[0][0]);
	take_quarter(HPAGE_MAP_BACKING_BASE);
	take_quarter(HPAGE_MAP_BACKING_THP);
	refused_by_memlock(rung);
	/* It goes without having closed anything. */
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_KILLED(pid, SIGKILL);
	take_quarter(HPAGE_MAP_BACKING_THP);
	take_quarter(HPAGE_MAP_BACKING_BASE);
	refused_by_memlock(rung);
}

static void processes_of_a_user_share_the_limit(void)
{
	CHECK_EQ(load("mode=0666"), 0);
	run_as_child(share_a_limit, NULL);
	/* All is given back, so it works again. */
	run_as_child(share_a_limit, NULL);
	CHECK_EQ(unload(), 0);
}

static void keep_a_mapping(void *arg)
{
	int fds[4];
	char *p;

	(void)arg;
	become(NOBODY, FOUR);
	for (int i = 0; i < 4; i++)
		fds[i] = take_quarter(HPAGE_MAP_BACKING_THP);
	p = map(fds[0], pmd_size, RW, MAP_SHARED | MAP_POPULATE, 0);
	close(fds[0]);
	refused_by_memlock(HPAGE_MAP_BACKING_THP);
	CHECK_EQ(munmap(p, pmd_size), 0);
	take_quarter(HPAGE_MAP_BACKING_THP);
}

static void a_mapping_keeps_the_charge(void)
{
	CHECK_EQ(load("mode=0666"), 0);
	run_as_child(keep_a_mapping, NULL);
	CHECK_EQ(unload(), 0);
}

static void take_as_other(void *arg)
{
	(void)arg;
	become(OTHER, FOUR);
	for (int i = 0; i < 4; i++)
		take_quarter(HPAGE_MAP_BACKING_THP);
}

static void take_all(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	become(NOBODY, FOUR);
	for (int i = 0; i < 4; i++)
		take_quarter(HPAGE_MAP_BACKING_THP);
	step_done(steps[0][1]);
	step_wait(steps[1][0]);
}

static void users_do_not_pay_for_each_other(void)
{
	pid_t pid;

	CHECK_EQ(load("mode=0666"), 0);
	CHECK_EQ(pipe(steps[0]), 0);
	CHECK_EQ(pipe(steps[1]), 0);
	pid = spawn(take_all, NULL);
	step_wait(steps[0][0]);
	run_as_child(take_as_other, NULL);
	step_done(steps[1][1]);
	CHECK_EXITS(pid);
	CHECK_EQ(unload(), 0);
}

static void leave_an_heir(void *arg)
{
	(void)arg;
	become(NOBODY, FOUR);
	for (int i = 0; i < 4; i++)
		take_quarter(HPAGE_MAP_BACKING_THP);
	fflush(stdout);
	if (fork())
		return;
	step_done(steps[0][1]);
	step_wait(steps[1][0]);
	_exit(0);
}

static void refused_as_nobody(void *arg)
{
	(void)arg;
	become(NOBODY, FOUR);
	refused_by_memlock(HPAGE_MAP_BACKING_THP);
}

static void take_four_as_nobody(void *arg)
{
	(void)arg;
	become(NOBODY, FOUR);
	for (int i = 0; i < 4; i++)
		take_quarter(HPAGE_MAP_BACKING_THP);
}

/* Exit of who asked is not the end of the buffer. */
static void the_charge_lives_as_long_as_the_buffer(void)
{
	CHECK_EQ(load("mode=0666"), 0);
	CHECK_EQ(pipe(steps[0]), 0);
	CHECK_EQ(pipe(steps[1]), 0);
	run_as_child(leave_an_heir, NULL);
	step_wait(steps[0][0]);
	run_as_child(refused_as_nobody, NULL);
	step_done(steps[1][1]);
	CHECK_EXITS(-1);	/* the heir is ours to wait for */
	run_as_child(take_four_as_nobody, NULL);
	CHECK_EQ(unload(), 0);
}

static void limit_memlock(size_t bytes)
{
	struct rlimit limit = { bytes, bytes };

	CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
}

static void take_with_the_capability(void *arg)
{
	(void)arg;
	limit_memlock(0);
	for (int i = 0; i < 4; i++) {
		take_quarter(HPAGE_MAP_BACKING_HUGETLB);
		take_quarter(HPAGE_MAP_BACKING_BASE);
	}
}

static void take_without_the_capability(void *arg)
{
	struct hpage_map_alloc a;

	(void)arg;
	limit_memlock(pmd_size);
	drop_capability(CAP_IPC_LOCK);
	take_quarter(HPAGE_MAP_BACKING_HUGETLB);
	a = quarter(HPAGE_MAP_BACKING_HUGETLB);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_THP);
	CHECK_SAYS("exceed 2 MiB");
	refused_by_memlock(HPAGE_MAP_BACKING_BASE);
}

/* It is the capability, and not the user id. */
static void cap_ipc_lock_exempts(void)
{
	CHECK_EQ(load("user_hugetlb=2M"), 0);
	CHECK_EQ(set_pool(pmd_size, "nr", POOL), 0);
	run_as_child(take_with_the_capability, NULL);
	run_as_child(take_without_the_capability, NULL);
	CHECK_EQ(unload(), 0);
}

/* --- the quota ------------------------------------------------------------------ */

static void refused_by_quota(void)
{
	struct hpage_map_alloc a = quarter(HPAGE_MAP_BACKING_HUGETLB);

	CHECK_ALLOC(&a, -EDQUOT);
	CHECK_SAYS("hugetlb: 2 MiB more than this user's 8 MiB exceed 8 MiB");
	CHECK_SAYS("/sys/module/hpage_map/parameters/user_hugetlb");
	CHECK_SAYS("RLIMIT_MEMLOCK");	/* the next rung's reason */
}

static void also_over_the_quota(void *arg)
{
	(void)arg;
	refused_by_quota();
}

static void fill_the_quota(void *arg)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 3, 0);
	int fd;

	become(*(uid_t *)arg, 0);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	fd = take_quarter(HPAGE_MAP_BACKING_HUGETLB);
	refused_by_quota();
	run_as_child(also_over_the_quota, NULL);
	close(fd);
	take_quarter(HPAGE_MAP_BACKING_HUGETLB);
	refused_by_quota();
	if (*(uid_t *)arg == NOBODY) {
		step_done(steps[0][1]);
		step_wait(steps[1][0]);
	}
}

static void a_user_has_a_quota_of_the_pools(void)
{
	uid_t nobody = NOBODY, other = OTHER;
	pid_t pid;

	CHECK_EQ(load("mode=0666"), 0);
	CHECK_EQ(set_pool(pmd_size, "nr", POOL), 0);
	CHECK_EQ(write_text(PARAMS "user_hugetlb", "8M"), 0);
	CHECK_EQ(pipe(steps[0]), 0);
	CHECK_EQ(pipe(steps[1]), 0);
	pid = spawn(fill_the_quota, &nobody);
	step_wait(steps[0][0]);
	run_as_child(fill_the_quota, &other);	/* has its own */
	step_done(steps[1][1]);
	CHECK_EXITS(pid);
	CHECK_EQ(pool_of(pmd_size, "free"), POOL);
	CHECK_EQ(unload(), 0);
}

static void lower_it(void *arg)
{
	int fds[2];

	(void)arg;
	become(NOBODY, 0);
	fds[0] = take_quarter(HPAGE_MAP_BACKING_HUGETLB);
	fds[1] = take_quarter(HPAGE_MAP_BACKING_HUGETLB);
	step_done(steps[0][1]);
	step_wait(steps[1][0]);
	for (int i = 0; i < 2; i++) {
		struct hpage_map_alloc a = quarter(HPAGE_MAP_BACKING_HUGETLB);

		CHECK_ALLOC(&a, -EDQUOT);
		close(fds[i]);
	}
	take_quarter(HPAGE_MAP_BACKING_HUGETLB);
}

/* Nothing is taken away, and nothing is calculated below zero. */
static void a_quota_may_be_lowered_below_what_is_used(void)
{
	pid_t pid;

	CHECK_EQ(load("mode=0666 user_hugetlb=1G"), 0);
	CHECK_EQ(set_pool(pmd_size, "nr", POOL), 0);
	CHECK_EQ(pipe(steps[0]), 0);
	CHECK_EQ(pipe(steps[1]), 0);
	pid = spawn(lower_it, NULL);
	step_wait(steps[0][0]);
	CHECK_EQ(write_text(PARAMS "user_hugetlb", "2M"), 0);
	step_done(steps[1][1]);
	CHECK_EXITS(pid);
	CHECK_EQ(unload(), 0);
}

static void fall_back(void *arg)
{
	struct hpage_map_alloc a;

	(void)arg;
	become(NOBODY, FOUR);
	for (int i = 0; i < 4; i++)
		take_quarter(HPAGE_MAP_BACKING_HUGETLB);
	for (int i = 0; i < 4; i++) {
		a = quarter(HPAGE_MAP_BACKING_HUGETLB);
		CHECK_ALLOC(&a, 0);
		CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_THP);
		CHECK_SAYS("exceed 8 MiB");
	}
	a = quarter(HPAGE_MAP_BACKING_HUGETLB);
	CHECK_ALLOC(&a, -EDQUOT);
	CHECK_SAYS("parameters/user_hugetlb");
	CHECK_SAYS("ulimit -l");
}

static void over_the_quota_the_next_rung_serves(void)
{
	CHECK_EQ(load("mode=0666"), 0);
	CHECK_EQ(set_pool(pmd_size, "nr", POOL), 0);
	CHECK_EQ(write_text(PARAMS "user_hugetlb", "8M"), 0);
	run_as_child(fall_back, NULL);
	CHECK_EQ(pool_of(pmd_size, "free"), POOL);
	CHECK_EQ(unload(), 0);
}

static void accounts_come_and_go(void)
{
	char text[64];

	CHECK_EQ(load("mode=0666"), 0);
	CHECK_EQ(set_pool(pmd_size, "nr", POOL), 0);
	CHECK_EQ(write_text(PARAMS "user_hugetlb", "8M"), 0);
	CHECK_EQ(pipe(steps[0]), 0);
	CHECK_EQ(pipe(steps[1]), 0);
	for (uid_t uid = 1000; uid < 1016; uid++)
		run_as_child(fill_the_quota, &uid);
	read_text(PARAMS "user_hugetlb", text, sizeof(text));
	CHECK_EQ(strtoull(text, NULL, 0), 8 << 20);
	CHECK_EQ(write_text(PARAMS "user_hugetlb", "many"), -EINVAL);
	CHECK_EQ(unload(), 0);
}

/* --- control groups -------------------------------------------------------------- */

static void fifth_page_is_refused(void *arg)
{
	struct hpage_map_alloc a;

	(void)arg;
	enter_group();
	for (int i = 0; i < 4; i++)
		take_quarter(HPAGE_MAP_BACKING_HUGETLB);
	a = quarter(HPAGE_MAP_BACKING_HUGETLB);
	CHECK_ALLOC(&a, -ENOMEM);
	CHECK_SAYS("hugetlb: the pool has the pages, but a limit holds the caller");
	CHECK_SAYS("hugetlb.*.max");
	CHECK_EQ(pool_of(pmd_size, "free"), POOL - 4);
	CHECK_EQ(read_u64(GROUP "hugetlb.2MB.current"), FOUR);
}

static void five_pages_are_refused(void *arg)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 5, 0);

	(void)arg;
	enter_group();
	CHECK_ALLOC(&a, -ENOMEM);
	CHECK_SAYS("hugetlb: the pool has the pages, but a limit holds the caller");
	CHECK_EQ(pool_of(pmd_size, "free"), POOL);
	CHECK_EQ(read_u64(GROUP "hugetlb.2MB.current"), 0);
	CHECK_EQ(read_u64(GROUP "hugetlb.2MB.rsvd.current"), 0);
}

/* memory.max keeps the next rung from serving. */
static void the_fifth_page_of_a_group_of_four_is_refused(void)
{
	static const char * const limits[] = {
		GROUP "hugetlb.2MB.max", GROUP "hugetlb.2MB.rsvd.max",
	};

	CHECK_EQ(load(""), 0);
	CHECK_EQ(set_pool(pmd_size, "nr", POOL), 0);
	make_group("+memory +hugetlb");
	CHECK_EQ(write_text(GROUP "memory.max", "2M"), 0);
	for (size_t i = 0; i < 2; i++) {
		CHECK_EQ(write_text(limits[i], "8M"), 0);
		run_as_child(fifth_page_is_refused, NULL);
		run_as_child(five_pages_are_refused, NULL);
		CHECK_EQ(write_text(limits[i], "max"), 0);
	}
	CHECK_EQ(read_u64(GROUP "hugetlb.2MB.current"), 0);
	CHECK_EQ(read_u64(GROUP "hugetlb.2MB.rsvd.current"), 0);
	remove_group();
	CHECK_EQ(unload(), 0);
}

static void over_memory_max(void *arg)
{
	int backing = *(int *)arg;
	struct hpage_map_alloc a = wish_of(backing, 10 * pmd_size / page_of(backing), 0);
	char events[512];

	enter_group();
	CHECK_ALLOC(&a, -ENOMEM);
	CHECK_SAYS("memory.max");
	take_quarter(backing);
	read_text(GROUP "memory.events", events, sizeof(events));
	CHECK(strstr(events, "oom_kill 0"));
}

/* Refused at the call: no killing, and nothing that a touch would meet later. */
static void a_group_s_memory_limit_is_enomem(void)
{
	CHECK_EQ(load(""), 0);
	make_group("+memory");
	CHECK_EQ(write_text(GROUP "memory.max", "10M"), 0);
	for (size_t i = 0; i < 2; i++)
		run_as_child(over_memory_max, (void *)&shmem_rungs[i]);
	remove_group();
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(buffers_of_a_user_are_summed_up, ON_NONE),
	TEST(processes_of_a_user_share_the_limit, ON_NONE),
	TEST(a_mapping_keeps_the_charge, ON_NONE),
	TEST(users_do_not_pay_for_each_other, ON_NONE),
	TEST(the_charge_lives_as_long_as_the_buffer, ON_NONE),
	TEST(cap_ipc_lock_exempts, ON_NONE),
	TEST(a_user_has_a_quota_of_the_pools, ON_NONE),
	TEST(a_quota_may_be_lowered_below_what_is_used, ON_NONE),
	TEST(over_the_quota_the_next_rung_serves, ON_NONE),
	TEST(accounts_come_and_go, ON_NONE),
	TEST(the_fifth_page_of_a_group_of_four_is_refused, ON_NONE),
	TEST(a_group_s_memory_limit_is_enomem, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
