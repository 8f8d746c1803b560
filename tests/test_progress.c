// SPDX-License-Identifier: GPL-2.0-only
/* Calls come to an end: whatever disturbs the caller, whoever looks at it, whoever else asks. */
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/mempolicy.h>
#include <linux/time_types.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB		(1UL << 20)
#define EACH_RUNG(b)	(b) = HPAGE_MAP_BACKING_HUGETLB; (b) <= HPAGE_MAP_BACKING_BASE; (b)++
#define ROUNDS		3

/* So much that it takes far longer than what disturbs it. */
static struct hpage_map_alloc long_request(int backing)
{
	return wish_of(backing, 96 * MIB / page_of(backing), 0);
}

/* The general allocator serves pages of a PMD when the pool is empty. */
static void pool_for(int backing)
{
	uint64_t pages = backing == HPAGE_MAP_BACKING_HUGETLB ? 96 * MIB / pmd_size : 0;

	CHECK_EQ(set_pool(pmd_size, "nr", pages), 0);
	CHECK_EQ(pool_of(pmd_size, "nr"), pages);
}

static uint64_t memory(const char *key)
{
	char text[8192], *line;

	read_text("/proc/meminfo", text, sizeof(text));
	line = strstr(text, key);
	CHECK(line);
	return strtoull(line + strlen(key), NULL, 10) * 1024;
}

/* What is in use on a rung. */
static uint64_t used(int backing)
{
	return backing == HPAGE_MAP_BACKING_HUGETLB ?
	       (pool_of(pmd_size, "nr") - pool_of(pmd_size, "free")) * pmd_size :
	       memory("Shmem:");
}

static bool running(pid_t pid)
{
	siginfo_t info = {};

	CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	return info.si_pid == 0;
}

static void ask_and_say(struct hpage_map_alloc *a, const char *what)
{
	int ret = try_alloc(a);

	if (ret)
		printf("# %s: %d (%s) %s\n", what, ret, strerror(-ret), answer);
	CHECK_EQ(ret, 0);
	close(a->fd);
}

static void ask_for(void *backing)
{
	struct hpage_map_alloc a = long_request(*(int *)backing);

	ask_and_say(&a, "disturbed");
}

/* --- work for the task -------------------------------------------------------- */

static volatile unsigned int *completions;

/* A completion each millisecond for this thread, without end. Return: the ring. */
static int start_ring(void)
{
	static struct __kernel_timespec period = { .tv_nsec = 1000000 };
	struct io_uring_params p = { .flags = IORING_SETUP_CQSIZE, .cq_entries = 32768 };
	int fd = syscall(__NR_io_uring_setup, 8, &p);
	struct io_uring_sqe *sqe;
	char *sq, *cq;

	CHECK_GE(fd, 0);
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, RW, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), RW, MAP_SHARED,
		  fd, IORING_OFF_CQ_RING);
	sqe = mmap(NULL, p.sq_entries * sizeof(*sqe), RW, MAP_SHARED, fd, IORING_OFF_SQES);
	CHECK_NE(sq, MAP_FAILED);
	CHECK_NE(cq, MAP_FAILED);
	CHECK_NE(sqe, MAP_FAILED);
	*sqe = (struct io_uring_sqe){
		.opcode = IORING_OP_TIMEOUT,
		.addr = (uintptr_t)&period,
		.len = 1,
		.timeout_flags = 1 << 6,	/* IORING_TIMEOUT_MULTISHOT, since 6.4 */
	};
	*(unsigned int *)(sq + p.sq_off.array) = 0;
	__atomic_add_fetch((unsigned int *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	CHECK_EQ(syscall(__NR_io_uring_enter, fd, 1, 0, 0, NULL, 0), 1);
	completions = (unsigned int *)(cq + p.cq_off.tail);
	return fd;
}

static void ask_with_a_ring(void *arg)
{
	struct hpage_map_alloc a = long_request(*(int *)arg);

	start_ring();
	ask_and_say(&a, "with completions");
}

static void work_for_the_task_does_not_end_an_allocation(void)
{
	int b;

	CHECK_EQ(load(""), 0);
	for (EACH_RUNG(b)) {
		pool_for(b);
		CHECK_EXITS(spawn(ask_with_a_ring, &b));
	}
	pool_for(HPAGE_MAP_BACKING_THP);
	CHECK_EQ(unload(), 0);
}

static void open_with_a_ring(void *arg)
{
	(void)arg;
	start_ring();
	close(dev_open(O_RDWR));
}

static void work_for_the_task_does_not_end_an_open(void)
{
	CHECK_EQ(load(""), 0);
	CHECK_EXITS(spawn(open_with_a_ring, NULL));
	CHECK_EQ(unload(), 0);
}

static void pin_with_a_ring(void *arg)
{
	size_t len = 64 * MIB;
	char *p = mmap(NULL, len, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int door = dev_open(HPAGE_MAP_O_DOOR);
	struct hpage_map_pin pin = { .size = sizeof(pin), .address = (uintptr_t)p, .length = len };

	(void)arg;
	CHECK_NE(p, MAP_FAILED);
	CHECK_EQ(madvise(p, len, MADV_NOHUGEPAGE), 0);
	start_ring();
	CHECK_EQ(ioctl(door, HPAGE_MAP_PIN, &pin), 0);
	close(pin.fd);
}

static void work_for_the_task_does_not_end_a_pin(void)
{
	CHECK_EQ(load(""), 0);
	CHECK_EXITS(spawn(pin_with_a_ring, NULL));
	CHECK_EQ(unload(), 0);
}

/* --- signals -------------------------------------------------------------------- */

static volatile unsigned int ticks;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

/* From now on; 0 for no more. */
static void tick_each(unsigned int microseconds, int flags)
{
	struct sigaction action = { .sa_handler = tick, .sa_flags = flags };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct timespec period = { .tv_nsec = 1000L * microseconds };
	static timer_t timer;

	/* One of processor time would only come when a call returns. */
	ticks = 0;
	CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
	if (!microseconds) {
		CHECK_EQ(timer_delete(timer), 0);
		return;
	}
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	CHECK_EQ(timer_settime(timer, 0, &(struct itimerspec){ period, period }, NULL), 0);
}

/* A profiler: what takes longer than a tick would never be done if each began it anew. */
static void ask_with_a_profiler(void *arg)
{
	struct hpage_map_alloc a = long_request(*(int *)arg);

	tick_each(10000, SA_RESTART);
	ask_and_say(&a, "with a profiling timer");
	tick_each(0, SA_RESTART);
}

static void a_profiling_timer_ends_nothing(void)
{
	int b;

	CHECK_EQ(load(""), 0);
	for (EACH_RUNG(b)) {
		pool_for(b);
		CHECK_EXITS(spawn(ask_with_a_profiler, &b));
	}
	pool_for(HPAGE_MAP_BACKING_THP);
	CHECK_EQ(unload(), 0);
}

/* Its handler runs when the call has returned, and no signal stays blocked. */
static void ticks_come_after_the_call(void)
{
	struct hpage_map_alloc a = long_request(HPAGE_MAP_BACKING_BASE);
	sigset_t before, after;

	CHECK_EQ(load(""), 0);
	CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &before), 0);
	tick_each(1000, SA_RESTART);
	ask_and_say(&a, "with a timer");
	CHECK_GT(ticks, 0);
	tick_each(0, SA_RESTART);
	CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &after), 0);
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		CHECK_EQ(sigismember(&before, sig), sigismember(&after, sig));
	CHECK_EQ(unload(), 0);
}

/* For ever, with handlers that restart calls. */
static void ask_with_handlers(void *arg)
{
	struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };
	const int signals[] = { SIGUSR1, SIGBUS, SIGSEGV };

	(void)arg;
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(sigaction(signals[i], &action, NULL), 0);
	for (;;) {
		struct hpage_map_alloc a = long_request(HPAGE_MAP_BACKING_BASE);

		CHECK_ALLOC(&a, 0);
		close(a.fd);
	}
}

/* The signals that a process has blocked; bit 0 is signal 1. */
static uint64_t blocked_by(pid_t pid)
{
	char path[64], text[4096];
	const char *line;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	read_text(path, text, sizeof(text));
	line = strstr(text, "SigBlk:");
	return line ? strtoull(line + strlen("SigBlk:"), NULL, 16) : 0;
}

/* If the task caused one of these while it was blocked, the kernel would end the task. */
static void signals_of_faults_are_not_put_off(void)
{
	const uint64_t faults = 1ULL << (SIGBUS - 1) | 1ULL << (SIGSEGV - 1);
	uint64_t blocked = 0;
	pid_t pid;

	CHECK_EQ(load(""), 0);
	pid = spawn(ask_with_handlers, NULL);
	CHECK_COMES((blocked = blocked_by(pid)) & 1ULL << (SIGUSR1 - 1));
	CHECK_EQ(blocked & faults, 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_KILLED(pid, SIGKILL);
	CHECK_EQ(unload(), 0);
}

static void other_signals_end_it(void)
{
	struct hpage_map_alloc a;
	int b, ret;

	CHECK_EQ(load(""), 0);
	for (EACH_RUNG(b)) {
		pool_for(b);
		tick_each(2000, 0);
		for (ret = 0; !ret; ) {		/* the alarm of the fixture is the bound */
			a = long_request(b);
			ret = try_alloc(&a);
			if (!ret)
				close(a.fd);
		}
		tick_each(0, SA_RESTART);
		if (ret != -EINTR)
			printf("# rung %d: %d (%s) %s\n", b, ret, strerror(-ret), answer);
		CHECK_EQ(ret, -EINTR);
	}
	pool_for(HPAGE_MAP_BACKING_THP);
	CHECK_EQ(unload(), 0);
}

/* --- stops ---------------------------------------------------------------------- */

static void open_default(void *backing)
{
	(void)backing;
	close(dev_open(O_RDWR));
}

static void create_one(void *backing)
{
	struct hpage_map_alloc a = long_request(*(int *)backing);
	int door = dev_open(HPAGE_MAP_O_DOOR);

	strcpy(a.name, "disturbed");
	CHECK_EQ(ioctl(door, HPAGE_MAP_CREATE, &a), 0);
	CHECK_EQ(destroy("disturbed"), 0);
}

/* Memory that is not there until it is pinned, and is counted where that of buffers is. */
static void pin_absent(void *backing)
{
	int huge = *(int *)backing == HPAGE_MAP_BACKING_HUGETLB ? MAP_HUGETLB : 0;
	char *p = map(-1, 96 * MIB, RW, MAP_SHARED | MAP_ANONYMOUS | huge, 0);
	struct hpage_map_pin pin = {
		.size = sizeof(pin), .address = (uintptr_t)p, .length = 96 * MIB,
	};

	CHECK_EQ(ioctl(dev_open(HPAGE_MAP_O_DOOR), HPAGE_MAP_PIN, &pin), 0);
}

/* What takes a while, and makes ever more memory of a rung be in use. */
static const struct call {
	const char *name;
	void (*run)(void *backing);
	size_t step;		/* bytes: a quarter of it */
	int enough;		/* times that it is met on a rung */
	int worst;		/* rung that it can use */
	bool once;		/* until the module is loaded anew */
} calls[] = {
	{ "ALLOC", ask_for, 24 * MIB, ROUNDS, HPAGE_MAP_BACKING_BASE, false },
	{ "CREATE", create_one, 24 * MIB, 1, HPAGE_MAP_BACKING_BASE, false },
	{ "PIN", pin_absent, 24 * MIB, 1, HPAGE_MAP_BACKING_BASE, false },
	{ "open", open_default, 5 * MIB, 1, HPAGE_MAP_BACKING_THP, true },
};

/* A way to stop a task for as long as one likes. */
struct stop {
	void (*stop)(pid_t pid);
	void (*await)(pid_t pid);	/* until it stands, or has ended */
	void (*go_on)(pid_t pid);
};

/* Stopped in the middle, @round of ROUNDS of the way. Return: whether that came to pass. */
static bool disturb(const struct call *c, int backing, int round, const struct stop *s)
{
	uint64_t before = used(backing);
	pid_t pid = spawn(c->run, &backing);
	bool met;

	while (running(pid) && used(backing) < before + (round + 1) * c->step)
		usleep(1000);	/* the task needs the processor */
	met = running(pid);
	s->stop(pid);
	s->await(pid);
	s->go_on(pid);
	CHECK_EXITS(pid);
	return met;
}

/* Return: how many times it was on its way. */
static int disturb_on(const struct call *c, int backing, const struct stop *s)
{
	int met = 0;

	pool_for(backing);
	for (int round = 0; round < ROUNDS && met < c->enough; round++) {
		met += disturb(c, backing, round, s);
		if (c->once) {
			CHECK_EQ(unload(), 0);
			CHECK_EQ(load(""), 0);
		}
	}
	return met;
}

/* Whatever is stopped goes on as if nothing had been: no call fails. */
static void disturb_all(const struct stop *s)
{
	int b, met;

	CHECK_EQ(load(""), 0);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		LABEL("%s", calls[i].name);
		met = 0;
		for (b = HPAGE_MAP_BACKING_HUGETLB; b <= calls[i].worst; b++)
			met += disturb_on(&calls[i], b, s);
		printf("# %s: %d times it was on its way\n", calls[i].name, met);
		CHECK_GT(met, 0);
	}
	pool_for(HPAGE_MAP_BACKING_THP);
	CHECK_EQ(unload(), 0);
}

static void await_stop(pid_t pid)
{
	siginfo_t info = {};

	CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WSTOPPED | WNOWAIT), 0);
}

static void send_stop(pid_t pid)
{
	CHECK_EQ(kill(pid, SIGSTOP), 0);
}

static void send_continue(pid_t pid)
{
	CHECK_EQ(kill(pid, SIGCONT), 0);
}

static const struct stop by_signal = { send_stop, await_stop, send_continue };

static void a_stop_is_not_seen(void)
{
	disturb_all(&by_signal);
}

static void do_nothing(int sig)
{
	(void)sig;
}

/* With a handler that is put off: so the mask of signals changes while pages are got. */
static void ask_until(void *over)
{
	struct sigaction action = { .sa_handler = do_nothing, .sa_flags = SA_RESTART };

	CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
	while (!*(volatile char *)over) {
		struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_BASE, 64 * MIB / base_page, 0);

		CHECK_ALLOC(&a, 0);
		close(a.fd);
	}
}

/* It ends the call, and is over before the call gives back what it has. */
static void a_stop_that_is_soon_over_is_not_seen(void)
{
	char *over = map(-1, base_page, RW, MAP_SHARED | MAP_ANONYMOUS, 0);
	unsigned int seed = 1;
	pid_t pid;

	CHECK_EQ(load(""), 0);
	pid = spawn(ask_until, over);
	for (int i = 0; i < 100; i++) {
		send_stop(pid);
		usleep(rand_r(&seed) % 20000);
		send_continue(pid);
		usleep(rand_r(&seed) % 100000);
	}
	*over = 1;
	CHECK_EXITS(pid);
	CHECK_EQ(unload(), 0);
}

/* As a debugger does that is told of a program at work. */
static void attach(pid_t pid)
{
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL))
		CHECK(!running(pid));
}

static void detach(pid_t pid)
{
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL))
		CHECK_EQ(errno, ESRCH);		/* it has ended */
}

static const struct stop by_tracer = { attach, await_stop, detach };

static void a_tracer_is_not_seen(void)
{
	disturb_all(&by_tracer);
}

static bool is_frozen(void)
{
	char text[256];

	read_text(GROUP "cgroup.events", text, sizeof(text));
	return strstr(text, "frozen 1");
}

static void freeze(pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	CHECK_EQ(write_text(GROUP "cgroup.procs", text), 0);
	CHECK_EQ(write_text(GROUP "cgroup.freeze", "1"), 0);
}

static void await_freeze(pid_t pid)
{
	(void)pid;
	CHECK_COMES(is_frozen());
}

static void thaw(pid_t pid)
{
	(void)pid;
	CHECK_EQ(write_text(GROUP "cgroup.freeze", "0"), 0);
}

static const struct stop by_freezer = { freeze, await_freeze, thaw };

static void a_freeze_is_not_seen(void)
{
	make_group("+memory");
	disturb_all(&by_freezer);
	remove_group();
}

/*
 * The machine begins to suspend, as when a lid is closed: all tasks and freezable workers are
 * frozen, but for us who ask for it. It goes no further, and they go on.
 */
static void suspend(pid_t pid)
{
	(void)pid;
	CHECK_EQ(write_text("/sys/power/state", "mem"), 0);
}

static void go_on_already(pid_t pid)
{
	(void)pid;
}

static const struct stop by_suspend = { suspend, go_on_already, go_on_already };

static void a_suspend_is_not_seen(void)
{
	CHECK_EQ(write_text("/sys/power/pm_test", "freezer"), 0);
	CHECK_EQ(write_text("/sys/module/suspend/parameters/pm_test_delay", "0"), 0);
	disturb_all(&by_suspend);
	CHECK_EQ(write_text("/sys/power/pm_test", "none"), 0);
}

/* --- the cache ------------------------------------------------------------------ */

static void pages_being_filled_are_no_cache(void)
{
	int b;

	CHECK_EQ(load(""), 0);
	for (EACH_RUNG(b)) {
		pid_t pid;

		pool_for(b);
		pid = spawn(ask_for, &b);
		while (running(pid))
			CHECK_EQ(write_text("/proc/sys/vm/drop_caches", "1"), 0);
		CHECK_EXITS(pid);
	}
	pool_for(HPAGE_MAP_BACKING_THP);
	CHECK_EQ(unload(), 0);
}

#define RESERVE_DIR	"/sys/class/hpage_map_reserve/thp-2048kB-node0/"

static void pages_that_are_ready_are_no_cache(void)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_THP, 8, HPAGE_MAP_RESERVE);

	CHECK_EQ(load(""), 0);
	CHECK_EQ(write_text(RESERVE_DIR "pages", "8"), 0);
	CHECK_COMES(read_u64(RESERVE_DIR "ready") == 8);
	CHECK_EQ(write_text("/proc/sys/vm/drop_caches", "3"), 0);
	CHECK_GE(memory("Shmem:"), 8 * pmd_size);
	CHECK_ALLOC(&a, 0);
	CHECK(a.got_attributes & HPAGE_MAP_ATTR_RESERVE);
	close(a.fd);
	CHECK_EQ(unload(), 0);
}

/* --- strangers ------------------------------------------------------------------ */

/* From here on nobody in the group gets more than a hundredth of a processor. */
static void throttle_group(void)
{
	make_group("+cpu");
	CHECK_EQ(write_text(GROUP "cpu.max", "1000 100000"), 0);
}

static void unthrottle(void)
{
	CHECK_EQ(write_text(GROUP "cpu.max", "max"), 0);
}

/* Since 6.18 a quota counts on the way to user space only. */
static bool quota_holds_the_kernel(void)
{
	struct utsname name;
	int major, minor;

	CHECK_EQ(uname(&name), 0);
	CHECK_EQ(sscanf(name.release, "%d.%d", &major, &minor), 2);
	return major < 6 || (major == 6 && minor < 18);
}

static int started[2];
static volatile int *reads;		/* shared with the reader */

static void read_slowly(void *arg)
{
	static char text[65536];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/smaps", *(pid_t *)arg);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK_GE(fd, 0);
	enter_group();
	step_done(started[1]);
	for (;;) {
		CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
		while (read(fd, text, sizeof(text)) > 0)
			;
		(*reads)++;
	}
}

static void ask_with_a_policy(void *arg)
{
	size_t len = 512 * MIB;
	char *p = mmap(NULL, len, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct hpage_map_alloc a;

	/* A mapping that takes the reader long. */
	CHECK_NE(p, MAP_FAILED);
	CHECK_EQ(madvise(p, len, MADV_NOHUGEPAGE), 0);
	for (size_t i = 0; i < len; i += base_page)
		p[i] = 1;
	step_done(((int *)arg)[0]);
	step_wait(((int *)arg)[1]);
	for (int i = 0; i < 64; i++) {
		a = wish_on(wish_of(HPAGE_MAP_BACKING_BASE, 256, 0), HPAGE_MAP_POLICY_PREFERRED, 0);
		ask_and_say(&a, "while somebody reads");
	}
	step_done(((int *)arg)[0]);
	step_wait(((int *)arg)[1]);
}

/*
 * A reader of /proc/PID/smaps refers to the policy of the task that it looks at, and reads as
 * slowly as it likes: here with a hundredth of a processor, for far longer than the requests take.
 */
static void a_slow_reader_delays_nobody(void)
{
	int ready[2], go[2], ends[2], before, passes;
	pid_t owner, reader;

	CHECK_EQ(load(""), 0);
	throttle_group();
	reads = mmap(NULL, base_page, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK_NE(reads, MAP_FAILED);
	CHECK_EQ(pipe(ready), 0);
	CHECK_EQ(pipe(go), 0);
	CHECK_EQ(pipe(started), 0);
	ends[0] = ready[1];
	ends[1] = go[0];
	owner = spawn(ask_with_a_policy, ends);
	step_wait(ready[0]);
	reader = spawn(read_slowly, &owner);
	step_wait(started[0]);
	before = *reads;
	step_done(go[1]);
	step_wait(ready[0]);
	/* Not later: of a task that ends there is nothing to read, which takes no time. */
	passes = *reads - before;
	step_done(go[1]);
	CHECK_EXITS(owner);
	printf("# the reader went through it %d times meanwhile\n", passes);
	CHECK(!quota_holds_the_kernel() || passes <= 1);
	unthrottle();
	CHECK_EQ(kill(reader, SIGKILL), 0);
	CHECK_KILLED(reader, SIGKILL);
	remove_group();
	CHECK_EQ(unload(), 0);
}

#define MANY	96

/* Chosen by address, but not in a row, which the pool need not have. */
static void collect_slowly(void *arg)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_HUGETLB, MANY,
					   HPAGE_MAP_BELOW_4G | HPAGE_MAP_EXACT);

	(void)arg;
	enter_group();
	printf("# the slow one: %d %s\n", try_alloc(&a), answer);
}

/* Chosen pages for one are not held up by another one who gets on slowly. */
static void a_throttled_collector_delays_nobody(void)
{
	struct hpage_map_alloc a;
	uint64_t nr = 2 * MANY;
	int served = 0;
	pid_t pid;

	CHECK_EQ(load(""), 0);
	tidy_memory();
	set_node_pool(0, nr);
	throttle_group();
	pid = spawn(collect_slowly, NULL);
	while (running(pid) && node_pool(0, "free") == nr)
		usleep(1000);
	for (int i = 0; i < 3; i++) {
		a = wish_on(wish_of(HPAGE_MAP_BACKING_HUGETLB, 2,
				    HPAGE_MAP_CONTIGUOUS | HPAGE_MAP_EXACT),
			    HPAGE_MAP_POLICY_STRICT, 0);
		CHECK_ALLOC(&a, 0);
		CHECK_EQ(a.got_runs, 1);
		close(a.fd);
		served += running(pid);
	}
	printf("# served %d times while the other one waits\n", served);
	CHECK(!quota_holds_the_kernel() || served == 3);
	unthrottle();
	CHECK_EQ(kill(pid, SIGKILL), 0);
	wait_for(pid);
	CHECK_COMES(node_pool(0, "free") == nr);
	remove_group();
	set_node_pool(0, 0);
	CHECK_EQ(unload(), 0);
}

/* Who collects chosen memory of node 0. */
static const struct collection {
	const char *name;
	enum hpage_map_backing backing;
	uint32_t flags;
	uint64_t in_pool;	/* pages that are there */
} collections[] = {
	{ "pool", HPAGE_MAP_BACKING_HUGETLB, HPAGE_MAP_BELOW_4G, 2 * MANY },
	{ "memory", HPAGE_MAP_BACKING_THP, HPAGE_MAP_CONTIGUOUS, 0 },
};

#define NR_COLLECTIONS	(sizeof(collections) / sizeof(*collections))

static struct hpage_map_alloc wish_for(const struct collection *c, size_t nr, uint32_t flags)
{
	return wish_on(wish_of(c->backing, nr, flags | HPAGE_MAP_EXACT),
		       HPAGE_MAP_POLICY_STRICT, 0);
}

/* Again and again, so that it is at it whenever somebody looks. */
static void collect_for_ever(void *arg)
{
	for (;;) {
		struct hpage_map_alloc a = wish_for(arg, MANY, ((struct collection *)arg)->flags);

		CHECK_ALLOC(&a, 0);
		close(a.fd);
	}
}

static void collect_once(void *arg)
{
	const struct collection *c = arg;
	struct hpage_map_alloc a = wish_for(c, MANY, c->flags);

	CHECK_ALLOC(&a, 0);
}

static uint64_t begin_collection(const struct collection *c)
{
	tidy_memory();
	set_node_pool(0, c->in_pool);
	return used(c->backing);
}

static bool holds_nothing(const struct collection *c, uint64_t before)
{
	return used(c->backing) < before + pmd_size;
}

/* It has some of what it asks for. */
static void await_collector(pid_t pid, const struct collection *c, uint64_t before)
{
	while (used(c->backing) < before + pmd_size && running(pid))
		usleep(1000);
	CHECK(running(pid));
}

/* How many times somebody else gets what he asks for before it has its buffer. */
static int serve_beside(pid_t pid, const struct collection *c)
{
	int served = 0;

	for (int i = 0; i < 3; i++) {
		struct hpage_map_alloc a = wish_for(c, 2, HPAGE_MAP_CONTIGUOUS);

		CHECK_ALLOC(&a, 0);
		CHECK_EQ(a.got_runs, 1);
		/* It keeps the buffer until it ends, which may take it long. */
		served += nr_buffers() == 1 && running(pid);
		close(a.fd);
	}
	return served;
}

static void end_collection(pid_t pid, const struct collection *c, uint64_t before)
{
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_KILLED(pid, SIGKILL);
	CHECK_COMES(holds_nothing(c, before));
	set_node_pool(0, 0);
}

#define STOPS	20

/* Stop it on its way, and not when it has its buffer. */
static void stop_collector(pid_t pid, const struct collection *c, uint64_t before,
			   const struct stop *s)
{
	for (int i = 0; i < STOPS; i++) {
		await_collector(pid, c, before);
		s->stop(pid);
		s->await(pid);
		if (!nr_buffers())
			return;
		s->go_on(pid);
	}
	CHECK(!"it stops before it is done");
}

/*
 * Who is stopped while he collects gives back what he has: else all that others would wait for
 * lies in the hands of somebody who may never go on.
 */
static void stopped_collectors_hold_nothing(const struct stop *s)
{
	CHECK_EQ(load(""), 0);
	for (size_t i = 0; i < NR_COLLECTIONS; i++) {
		const struct collection *c = &collections[i];
		uint64_t before = begin_collection(c);
		pid_t pid = spawn(collect_for_ever, (void *)c);

		LABEL("%s", c->name);
		stop_collector(pid, c, before, s);
		CHECK_COMES(holds_nothing(c, before));
		CHECK_EQ(serve_beside(pid, c), 3);
		s->go_on(pid);
		await_collector(pid, c, before);
		end_collection(pid, c, before);
	}
	CHECK_EQ(unload(), 0);
}

static void a_stopped_collector_delays_nobody(void)
{
	stopped_collectors_hold_nothing(&by_signal);
}

static void a_frozen_collector_delays_nobody(void)
{
	make_group("+memory");
	stopped_collectors_hold_nothing(&by_freezer);
	remove_group();
}

static void stay_on_cpu(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	CHECK_EQ(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
}

static void loop_for_ever(void *arg)
{
	(void)arg;
	stay_on_cpu(1);
	for (;;)
		;
}

static void collect_nicely(void *arg)
{
	stay_on_cpu(1);
	CHECK_EQ(nice(19), 19);
	collect_once(arg);
}

/* It gets a hundredth of what the one beside it gets, and those who wait do not wait for it. */
static void a_nice_collector_delays_nobody(void)
{
	CHECK_EQ(load(""), 0);
	for (size_t i = 0; i < NR_COLLECTIONS; i++) {
		const struct collection *c = &collections[i];
		uint64_t before = begin_collection(c);
		pid_t busy = spawn(loop_for_ever, NULL), pid = spawn(collect_nicely, (void *)c);
		int served;

		LABEL("%s", c->name);
		await_collector(pid, c, before);
		served = serve_beside(pid, c);
		printf("# %s: served %d times before it is done\n", c->name, served);
		CHECK_GE(served, 1);
		CHECK_EQ(kill(busy, SIGKILL), 0);
		CHECK_KILLED(busy, SIGKILL);
		CHECK_EXITS(pid);
		CHECK_COMES(holds_nothing(c, before));
		set_node_pool(0, 0);
	}
	CHECK_EQ(unload(), 0);
}

/* --- NUMA balancing -------------------------------------------------------------- */

#define SCAN		(16 * MIB)

static void set_mems(int mode, unsigned long nodes)
{
	CHECK_EQ(syscall(SYS_set_mempolicy, mode, nodes ? &nodes : NULL, nodes ? 64 : 0), 0);
}

/* Page faults that it takes to touch what has been touched before. */
static long touch(volatile char *p)
{
	long before = faults();

	for (size_t i = 0; i < SCAN; i += base_page)
		p[i]++;
	return faults() - before;
}

/*
 * Balancing makes pages inaccessible to see who uses them, to move them then: nothing of ours
 * moves. Ordinary shared memory beside it shows that it is at work.
 */
static void numa_balancing_leaves_buffers_alone(void)
{
	static const int rungs[] = { HPAGE_MAP_BACKING_THP, HPAGE_MAP_BACKING_BASE };
	int memfd = memfd_create("other", MFD_CLOEXEC);
	struct hpage_map_alloc a;
	char was[8], *other, *ours[2];
	long seen = 0, on_ours[2] = {};
	uint64_t updates, migrations;
	int rounds;

	CHECK_EQ(load(""), 0);
	CHECK_EQ(nr_nodes(), 2);
	read_text("/proc/sys/kernel/numa_balancing", was, sizeof(was));
	CHECK_EQ(write_text("/proc/sys/kernel/numa_balancing", "1"), 0);
	stay_on_cpu(0);
	for (int i = 0; i < 2; i++) {
		a = wish_on(wish_of(rungs[i], SCAN / page_of(rungs[i]), 0),
			    HPAGE_MAP_POLICY_STRICT, 1);
		CHECK_ALLOC(&a, 0);
		ours[i] = map_answer(&a);
		close(a.fd);
		touch(ours[i]);
	}
	CHECK_GE(memfd, 0);
	CHECK_EQ(ftruncate(memfd, SCAN), 0);
	set_mems(MPOL_BIND, 1UL << 1);
	other = map(memfd, SCAN, RW, MAP_SHARED | MAP_POPULATE, 0);
	set_mems(MPOL_DEFAULT, 0);
	touch(other);
	updates = vmstat("\nnuma_pte_updates ");
	migrations = vmstat("\npgmigrate_fail ");
	for (rounds = 0; rounds < 20000 && seen < 64; rounds++) {
		for (int i = 0; i < 2; i++)
			on_ours[i] += touch(ours[i]);
		seen += touch(other);
	}
	printf("# faults of balancing in round %d: %ld in other memory, %ld in thp, %ld in base; "
	       "%llu updates, %llu failed migrations\n", rounds, seen, on_ours[0], on_ours[1],
	       (unsigned long long)(vmstat("\nnuma_pte_updates ") - updates),
	       (unsigned long long)(vmstat("\npgmigrate_fail ") - migrations));
	CHECK_EQ(write_text("/proc/sys/kernel/numa_balancing", was), 0);
	CHECK_GE(seen, 64);
	/* One a page, if it were; the test's own code and stack are balanced, too. */
	CHECK_LT(on_ours[0], (long)(SCAN / pmd_size));
	CHECK_LT(on_ours[1], 64);
	for (int i = 0; i < 2; i++)
		munmap(ours[i], SCAN);
	CHECK_EQ(unload(), 0);
}

/* --- memory that is not there ----------------------------------------------------- */

/* Whoever goes on asking is refused while there is something left, and nobody is killed. */
static void asking_goes_on_until_a_refusal(void)
{
	static const int rungs[] = { HPAGE_MAP_BACKING_THP, HPAGE_MAP_BACKING_BASE };
	uint64_t kills = vmstat("\noom_kill ");
	struct hpage_map_alloc a;

	CHECK_EQ(load(""), 0);
	for (int i = 0; i < 2; i++) {
		int fds[64], nr = 0, ret;

		for (ret = 0; !ret && nr < 64; nr += !ret) {
			a = wish_on(wish_of(rungs[i], 128 * MIB / page_of(rungs[i]), 0),
				    HPAGE_MAP_POLICY_STRICT, 1);
			ret = try_alloc(&a);
			if (!ret)
				fds[nr] = a.fd;
		}
		printf("# %d times 128 MiB, then %s; %llu MiB are free\n", nr, answer,
		       (unsigned long long)node_memory(1, "MemFree:") / MIB);
		CHECK_EQ(ret, -ENOMEM);
		CHECK(*answer);
		CHECK_GT(node_memory(1, "MemFree:"), 8 * MIB);
		while (nr)
			close(fds[--nr]);
	}
	CHECK_EQ(vmstat("\noom_kill "), kills);
	CHECK_EQ(unload(), 0);
}

/* A group that is full of cache has room; what is over its limit all the same is refused. */
static void ask_in_a_full_group(void *arg)
{
	static char block[MIB];
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_BASE, 40 * MIB / base_page, 0);

	enter_group();
	for (int i = 0; i < 48; i++)
		CHECK_EQ(pread(*(int *)arg, block, MIB, i * MIB), MIB);
	ask_and_say(&a, "in a group full of cache");
	a = wish_of(HPAGE_MAP_BACKING_BASE, 96 * MIB / base_page, 0);
	CHECK_ALLOC(&a, -ENOMEM);
	CHECK_SAYS("memory.max");
}

static void a_group_s_limit_is_a_refusal(void)
{
	uint64_t kills = vmstat("\noom_kill ");
	int file;

	CHECK(getenv("HPM_DISK"));
	file = open(getenv("HPM_DISK"), O_RDONLY | O_CLOEXEC);
	CHECK_GE(file, 0);
	CHECK_EQ(load(""), 0);
	make_group("+memory");
	CHECK_EQ(write_text("/proc/sys/vm/drop_caches", "1"), 0);
	CHECK_EQ(write_text(GROUP "memory.max", "64M"), 0);
	CHECK_EXITS(spawn(ask_in_a_full_group, &file));
	close(file);
	CHECK_EQ(vmstat("\noom_kill "), kills);
	remove_group();
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(work_for_the_task_does_not_end_an_allocation, ON_NONE),
	TEST(work_for_the_task_does_not_end_an_open, ON_NONE),
	TEST(work_for_the_task_does_not_end_a_pin, ON_NONE),
	TEST(a_profiling_timer_ends_nothing, ON_NONE),
	TEST(ticks_come_after_the_call, ON_NONE),
	TEST(signals_of_faults_are_not_put_off, ON_NONE),
	TEST(other_signals_end_it, ON_NONE),
	TEST(a_stop_is_not_seen, ON_NONE),
	TEST(a_stop_that_is_soon_over_is_not_seen, ON_NONE),
	TEST(a_tracer_is_not_seen, ON_NONE),
	TEST(a_freeze_is_not_seen, ON_NONE),
	TEST(a_suspend_is_not_seen, ON_NONE),
	TEST(pages_being_filled_are_no_cache, ON_NONE),
	TEST(pages_that_are_ready_are_no_cache, ON_NONE),
	TEST(a_slow_reader_delays_nobody, ON_NONE),
	TEST(a_throttled_collector_delays_nobody, ON_NONE),
	TEST(a_stopped_collector_delays_nobody, ON_NONE),
	TEST(a_frozen_collector_delays_nobody, ON_NONE),
	TEST(a_nice_collector_delays_nobody, ON_NONE),
	TEST(numa_balancing_leaves_buffers_alone, ON_NONE),
	TEST(asking_goes_on_until_a_refusal, ON_NONE),
	TEST(a_group_s_limit_is_a_refusal, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
