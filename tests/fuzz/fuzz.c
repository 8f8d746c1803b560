// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fuzzer of the driver: what libFuzzer calls, in a virtual machine of tests/fuzz/run.
 *
 * Each input runs in a process of its own. Its end undoes what no list of ours could: limits,
 * another user id, timers, threads. KCOV tells which parts of the driver the process ran, and
 * each is a counter of libFuzzer; so is each errno of each call. What workers of the kernel do
 * later is not seen. Afterwards the machine must be as it was before, at least after a while.
 *
 * When the kernel dies, so do we. So each input is written to a file before it runs.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/hpage_map.h>
#include <linux/kcov.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"

#define MAX_CALLS	24
#define MAX_PCS		8192	/* of which there are some thousands */
#define MAX_TEXT	(1 << 20)	/* bytes of the driver's code */
#define TRACE		(1 << 17)	/* PCs of one input that are looked at */
#define ERRNOS		134
#define MAX_BYTES	1024	/* bytes, as tests/fuzz/run has it */
#define RECENT		64	/* inputs of which there are files */
#define PATIENCE	40	/* inputs after which what they left must have gone */
#define HANG_SECONDS	60

struct step {
	unsigned int call;
	bool beside;	/* at the same time as the calls that follow */
	uint8_t args[MAX_ARGS];
};

struct program {
	unsigned int nr;
	struct step steps[MAX_CALLS];
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
				 uint8_t *out, size_t out_size, unsigned int seed);

/* How often each part of the driver ran, then which call ended how. */
static struct {
	uint8_t pcs[MAX_PCS];
	uint8_t ends[64][ERRNOS];
} counters __attribute__((section("__libfuzzer_extra_counters")));

/* With the process of an input: what it is to do, and what it tells us. */
static struct shared {
	struct program program;
	int machine_is_changed;
	unsigned int nr_calls;
	uint8_t ends[64][ERRNOS];
} *shared;

static unsigned long *trace;
static int kcov = -1, door, nursery;
static unsigned long text_start, text_size;
static long references;
static unsigned int nr_pcs, calls_done, inputs_done, unclean, most_calls;
static const char *out_dir;	/* NULL when an input is replayed */
static const char *corpus_dir;
static unsigned int seed;

static unsigned int any(unsigned int below)
{
	return rand_r(&seed) % below;
}

/* --- inputs as text */

/* What cannot be understood is left out. */
static void program_read(struct program *p, const uint8_t *data, size_t size)
{
	char text[2 * MAX_BYTES], *line, *rest = text, *word, *words;

	p->nr = 0;
	snprintf(text, sizeof(text), "%.*s", (int)size, (const char *)data);
	while (p->nr < MAX_CALLS && (line = strsep(&rest, "\n"))) {
		struct step *s = &p->steps[p->nr];

		word = strtok_r(line, " ", &words);
		if (!word)
			continue;
		*s = (struct step){ .beside = *word == '&' };
		word += s->beside;
		while (s->call < nr_calls && strcmp(word, calls[s->call].name))
			s->call++;
		if (s->call == nr_calls)
			continue;
		for (unsigned int i = 0; i < MAX_ARGS && (word = strtok_r(NULL, " ", &words)); i++)
			s->args[i] = atoi(word);
		p->nr++;
	}
}

static size_t step_write(const struct step *s, char *text, size_t size)
{
	const struct call *c = &calls[s->call];
	size_t len = snprintf(text, size, "%s%s", s->beside ? "&" : "", c->name);

	for (unsigned int i = 0; i < c->nr_args && len < size; i++)
		len += snprintf(text + len, size - len, " %u", s->args[i]);
	return len;
}

/* As many calls as there is room for. */
static size_t program_write(const struct program *p, uint8_t *data, size_t size)
{
	size_t len, done = 0;
	char line[64];

	for (unsigned int i = 0; i < p->nr; i++) {
		len = step_write(&p->steps[i], line, sizeof(line) - 1);
		if (done + len + 1 > size)
			break;
		line[len++] = '\n';
		memcpy(data + done, line, len);
		done += len;
	}
	return done;
}

/* --- mutations */

/* The first values of a list are those that are most use, and so is the newest object. */
static uint8_t any_arg(void)
{
	return any(3) ? any(4) : any(2) ? any(24) : any(256);
}

static void step_make(struct step *s)
{
	s->call = any(nr_calls);
	s->beside = !any(16);
	for (unsigned int i = 0; i < MAX_ARGS; i++)
		s->args[i] = any_arg();
}

static void program_mutate(struct program *p)
{
	unsigned int at = any(p->nr + 1), args;
	struct step *s = &p->steps[at], other;

	if (at == p->nr || (!any(2) && p->nr < MAX_CALLS)) {
		if (p->nr == MAX_CALLS)
			return;
		if (p->nr && !any(4))
			other = p->steps[any(p->nr)];
		else
			step_make(&other);
		memmove(s + 1, s, (p->nr++ - at) * sizeof(*s));
		*s = other;
		return;
	}
	args = calls[s->call].nr_args;
	switch (any(6)) {
	case 0:
		memmove(s, s + 1, (--p->nr - at) * sizeof(*s));
		break;
	case 1:
		other = *s;
		*s = p->steps[0];
		p->steps[0] = other;
		break;
	case 2:
		step_make(s);
		break;
	default:
		if (args)
			s->args[any(args)] = any_arg();
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int new_seed)
{
	struct program p;

	seed = new_seed;
	program_read(&p, data, size);
	for (unsigned int i = 1 + any(4); i; i--)
		program_mutate(&p);
	return program_write(&p, data, max_size);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
				 uint8_t *out, size_t out_size, unsigned int new_seed)
{
	struct program p, q;

	seed = new_seed;
	program_read(&p, a, a_size);
	program_read(&q, b, b_size);
	p.nr = any(p.nr + 1);
	for (unsigned int i = any(q.nr + 1); i < q.nr && p.nr < MAX_CALLS; i++)
		p.steps[p.nr++] = q.steps[i];
	return program_write(&p, out, out_size);
}

/* --- running one, in a process of its own */

static void step_run(const struct step *s)
{
	const struct call *c = &calls[s->call];
	int err = c->fn(s->args) == -1 ? errno : 0;
	char line[64];

	shared->ends[s->call][err] = 1;
	shared->nr_calls++;
	if (out_dir)
		return;
	line[step_write(s, line, sizeof(line) - 1)] = '\0';
	printf("%s: %s\n", line, err ? strerror(err) : "ok");
	fflush(stdout);
}

static void *step_run_beside(void *s)
{
	step_run(s);
	return NULL;
}

static void program_run(struct program *p)
{
	pthread_t threads[MAX_CALLS];
	unsigned int i, nr = 0;

	for (i = 0; i < p->nr; i++)
		if (!p->steps[i].beside ||
		    pthread_create(&threads[nr++], NULL, step_run_beside, &p->steps[i]))
			step_run(&p->steps[i]);
	while (nr)
		pthread_join(threads[--nr], NULL);
}

static void child(struct program *p)
{
	struct sigevent kill_us = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	struct itimerspec when = { .it_value.tv_sec = HANG_SECONDS };
	timer_t timer;

	setpgid(0, 0);
	prctl(PR_SET_DUMPABLE, 1);
	if (timer_create(CLOCK_MONOTONIC, &kill_us, &timer) == 0)
		timer_settime(timer, 0, &when, NULL);
	objects_init();
	if (kcov >= 0 && ioctl(kcov, KCOV_ENABLE, KCOV_TRACE_PC))
		perror("KCOV_ENABLE");
	if (trace)
		trace[0] = 0;
	program_run(p);
	objects_drop();
	_exit(0);
}

/*
 * The parent of all processes of inputs, which it is asked for by a byte. It is forked before
 * libFuzzer has its tables, and so much smaller than we: to fork is what takes longest.
 */
static void nurse(int asked)
{
	char byte;
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (read(asked, &byte, 1) == 1) {
		pid = fork();
		if (pid == 0) {
			close(asked);
			child(&shared->program);
		}
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		/* Its children are ours now. */
		kill(-pid, SIGKILL);
		while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
			;
		if (write(asked, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static void nursery_open(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		perror("socketpair");
		exit(1);
	}
	if (fork() == 0) {
		close(ends[0]);
		nurse(ends[1]);
	}
	close(ends[1]);
	nursery = ends[0];
}

/* A number for each PC, in the order in which they are met. */
static unsigned int pc_number(unsigned long pc)
{
	static uint16_t numbers[MAX_TEXT];
	unsigned long offset = pc - text_start;

	if (offset >= text_size)
		return 0;
	if (!numbers[offset] && nr_pcs < MAX_PCS - 1)
		numbers[offset] = ++nr_pcs;
	return numbers[offset];
}

static void feed_back(void)
{
	unsigned long nr = trace ? trace[0] : 0;

	for (unsigned long i = 1; i <= nr && i < TRACE; i++) {
		unsigned int n = pc_number(trace[i]);

		if (n && counters.pcs[n] < UINT8_MAX)
			counters.pcs[n]++;
	}
	memcpy(counters.ends, shared->ends, sizeof(shared->ends));
}

/* --- what must be so afterwards */

static long number_in(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		text[0] = '\0';
	close(fd);
	return *text ? atol(text) : -1;
}

#define REFERENCES "/sys/module/hpage_map/refcnt"

/* Return: NULL, or what there is still. Only the default buffer stays, once it is there. */
static const char *leftover(void)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	static char text[256];
	long missing = 0, free, nr;

	for (; ioctl(door, HPAGE_MAP_LIST, &info) == 0; info.id++) {
		if (!(info.attributes & HPAGE_MAP_ATTR_DEFAULT)) {
			snprintf(text, sizeof(text),
				 "buffer %u '%s': backing %u, attributes %#x, %u descriptors, %u "
				 "mappings, %u dma-bufs, %u devices, %u pages linger",
				 info.id, info.name, info.backing, info.attributes,
				 info.descriptors, info.mappings, info.exports, info.devices,
				 info.lingering);
			return text;
		}
		if (info.descriptors || info.mappings || info.exports || info.devices)
			return "a holder of the default buffer";
		if (info.backing == HPAGE_MAP_BACKING_HUGETLB)
			missing = info.nr_pages;
	}
	nr = number_in(HUGE "nr_hugepages");
	free = number_in(HUGE "free_hugepages");
	snprintf(text, sizeof(text), "pool of %ld: %ld free, %ld in the default one, %ld reserved",
		 nr, free, missing, number_in(HUGE "resv_hugepages"));
	if (free + missing != nr || number_in(HUGE "resv_hugepages"))
		return text;
	snprintf(text, sizeof(text), "%ld references of the module, not %ld",
		 number_in(REFERENCES), references);
	return number_in(REFERENCES) == references ? NULL : text;
}

static void check_machine(void)
{
	const char *left = leftover();

	unclean = left ? unclean + 1 : 0;
	if (left && (!out_dir || unclean >= PATIENCE)) {
		for (unsigned int i = 0; left && i < 200; i++) {
			usleep(100000);
			left = leftover();
		}
		unclean = 0;
	}
	if (left && !unclean) {
		printf("fuzz: left behind: %s\n", left);
		fflush(stdout);
		abort();
	}
}

/* --- around it */

static unsigned int files_in(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int nr = 0;

	while (dir && readdir(dir))
		nr++;
	if (dir)
		closedir(dir);
	return nr > 2 ? nr - 2 : 0;
}

static void progress(bool last)
{
	static time_t first, told;
	struct timespec now;
	long seconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	first = first ?: now.tv_sec;
	if (!out_dir || (!last && now.tv_sec < told + 5))
		return;
	told = now.tv_sec;
	seconds = told - first;
	printf("fuzz: %4ld s, %u inputs, %u calls (%ld/s), ", seconds, inputs_done, calls_done,
	       calls_done / (seconds ?: 1));
	printf("%u PCs of the driver, %u inputs kept\n", nr_pcs, files_in(corpus_dir));
	fflush(stdout);
}

static void at_end(void)
{
	progress(true);
}

/*
 * Files that stay open, and are all of one length: the way to the host is long. What is not written
 * there at once is lost when the kernel dies.
 */
static void keep(const uint8_t *data, size_t size)
{
	static int fds[RECENT];
	unsigned int i = inputs_done % RECENT;
	char path[256], text[MAX_BYTES] __attribute__((aligned(MAX_BYTES)));

	if (!out_dir)
		return;
	if (!fds[i]) {
		snprintf(path, sizeof(path), "%s/recent/%02u", out_dir, i);
		fds[i] = open(path, O_WRONLY | O_CREAT | O_DIRECT | O_CLOEXEC, 0644);
	}
	memset(text, '\n', sizeof(text));
	memcpy(text, data, size < sizeof(text) ? size : sizeof(text));
	if (pwrite(fds[i], text, sizeof(text), 0) < 0)
		perror(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char byte = 0;
	ssize_t ret;

	program_read(&shared->program, data, size);
	if (!shared->program.nr)
		return 0;
	keep(data, size);
	memset(shared->ends, 0, sizeof(shared->ends));
	shared->nr_calls = 0;
	ret = write(nursery, &byte, 1);
	/* A timer of libFuzzer interrupts us. */
	while (ret == 1 && read(nursery, &byte, 1) != 1)
		if (errno != EINTR)
			abort();
	feed_back();
	calls_done += shared->nr_calls;
	inputs_done++;
	machine_restore(door);
	check_machine();
	progress(false);
	if (most_calls && calls_done >= most_calls) {
		progress(true);
		_exit(0);
	}
	return 0;
}

static void kcov_open(void)
{
	char line[256];
	FILE *f;

	kcov = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (kcov < 0)
		return;
	f = fopen("/proc/modules", "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "hpage_map %lu %*s %*s %*s %lx", &text_size, &text_start) == 2)
			break;
	if (f)
		fclose(f);
	if (text_size > MAX_TEXT)
		text_size = MAX_TEXT;
	if (ioctl(kcov, KCOV_INIT_TRACE, TRACE) == 0)
		trace = mmap(NULL, TRACE * sizeof(*trace), PROT_READ | PROT_WRITE, MAP_SHARED,
			     kcov, 0);
	if (!trace || trace == MAP_FAILED || !text_start) {
		perror("KCOV");
		exit(1);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	corpus_dir = (*argv)[1];
	out_dir = getenv("HPM_OUT");
	most_calls = atoi(getenv("HPM_CALLS") ?: "0");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	door = open("/dev/hpage_map", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (shared == MAP_FAILED || door < 0) {
		perror("/dev/hpage_map");
		exit(1);
	}
	machine_is_changed = &shared->machine_is_changed;
	*machine_is_changed = 1;
	machine_restore(door);
	references = number_in(REFERENCES);
	kcov_open();
	nursery_open();
	atexit(at_end);
	return 0;
}
