// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define POOLS	"/sys/kernel/mm/hugepages/hugepages-"
/* Few tests take this long, even emulated on a debug kernel, and they say so: others hang. */
#define HANG_SECONDS	300
#define EXIT_CHECK_FAILED	99
/* All is as it was before a test, or never will be if the machine did nothing for so long. */
#define BASELINE_MS	5000
#define COUNT_MS	5000

size_t buf_size, buf_page, pmd_size, base_page;
unsigned int suite_where;
const char *suite_user = "root";

static int kmsg = -1;

/* --- checks ----------------------------------------------------------- */

static __thread struct label *labels;	/* the innermost */

void label_begin(struct label *label, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(label->text, sizeof(label->text), fmt, ap);
	va_end(ap);
	label->outer = labels;
	labels = label;
}

void label_end(struct label *label)
{
	labels = label->outer;
}

static void print_labels(const struct label *label)
{
	if (!label)
		return;
	print_labels(label->outer);
	printf(" [%s]", label->text);
}

void check_failed(const char *file, int line, const char *what, int err)
{
	printf("# %s:%d: not so: %s", file, line, what);
	print_labels(labels);
	printf(" (errno %d, %s)\n", err, strerror(err));
	fflush(stdout);
	_exit(EXIT_CHECK_FAILED);
}

/* The expression, and what it is unless it says so itself. */
static void tell_side(char *text, size_t len, const char *expr, struct value v)
{
	char is[64];

	if (v.kind == SIGNED)
		snprintf(is, sizeof(is), "%lld", (long long)v.bits);
	else if (v.kind == POINTER)
		snprintf(is, sizeof(is), "%#llx", (unsigned long long)v.bits);
	else if (v.bits >> 32)
		snprintf(is, sizeof(is), "%llu = %#llx", (unsigned long long)v.bits,
			 (unsigned long long)v.bits);
	else
		snprintf(is, sizeof(is), "%llu", (unsigned long long)v.bits);
	if (strcmp(expr, is))
		snprintf(text, len, "%s (%s)", expr, is);
	else
		snprintf(text, len, "%s", expr);
}

void compare_failed(const char *file, int line, const char *a, struct value a_is,
		    const char *op, const char *b, struct value b_is, int err)
{
	char left[512], right[512], text[1100];

	tell_side(left, sizeof(left), a, a_is);
	tell_side(right, sizeof(right), b, b_is);
	snprintf(text, sizeof(text), "%s %s %s", left, op, right);
	check_failed(file, line, text, err);
}

void check_strings(const char *file, int line, const char *a, const char *a_is, bool same,
		   const char *b, const char *b_is)
{
	int err = errno;
	char text[1024];

	if (!strcmp(a_is, b_is) == same)
		return;
	if (*b == '"')	/* says itself what it is */
		snprintf(text, sizeof(text), "%s (\"%s\") %s %s", a, a_is, same ? "==" : "!=", b);
	else
		snprintf(text, sizeof(text), "%s (\"%s\") %s %s (\"%s\")", a, a_is,
			 same ? "==" : "!=", b, b_is);
	check_failed(file, line, text, err);
}

/* --- facts ------------------------------------------------------------ */

void read_text(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got = -1;

	/* Long files of proc come in parts. */
	while (fd >= 0 && (got = read(fd, buf + n, len - 1 - n)) > 0)
		n += got;
	if (got < 0)
		printf("# %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	while (n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
}

uint64_t read_u64(const char *path)
{
	char buf[64];

	read_text(path, buf, sizeof(buf));
	return strtoull(buf, NULL, 0);
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

void check_count(const char *file, int line, const char *name, uint64_t want)
{
	struct polls polls = {};
	uint64_t got;

	do
		got = class_u64(name);
	while (got != want && !strcmp(name, "mappings") && poll_again(&polls, COUNT_MS));
	if (got != want)
		compare_failed(file, line, name, VALUE(got), "==", "wanted",
			       VALUE(want), 0);
}

void class_text(const char *name, char *buf, size_t len)
{
	char path[256];

	snprintf(path, sizeof(path), CLASS "%s", name);
	read_text(path, buf, len);
}

uint64_t class_u64(const char *name)
{
	char buf[64];

	class_text(name, buf, sizeof(buf));
	return strtoull(buf, NULL, 0);
}

const char *size_text(uint64_t bytes)
{
	static char text[24];
	int unit = 0;

	for (bytes >>= 10; bytes && bytes % 1024 == 0; bytes /= 1024)
		unit++;
	snprintf(text, sizeof(text), "%llu %ciB", (unsigned long long)bytes, "KMGTPE"[unit]);
	return text;
}

uint64_t pool_of(size_t page_size, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), POOLS "%zukB/%s_hugepages", page_size / 1024, name);
	return read_u64(path);
}

uint64_t pool(const char *name)
{
	return pool_of(buf_page, name);
}

int set_pool(size_t page_size, const char *name, uint64_t pages)
{
	char path[256], text[32];

	snprintf(path, sizeof(path), POOLS "%zukB/%s_hugepages", page_size / 1024, name);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)pages);
	return write_text(path, text);
}

bool loaded(void)
{
	return access("/sys/module/hpage_map", F_OK) == 0;
}

unsigned int refcnt(void)
{
	return loaded() ? (unsigned int)read_u64("/sys/module/hpage_map/refcnt") : 0;
}

long faults(void)
{
	struct rusage ru;

	CHECK_EQ(getrusage(RUSAGE_SELF, &ru), 0);
	return ru.ru_minflt + ru.ru_majflt;
}

long smaps(const void *addr, const char *field)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long start, end;
	char line[512], *colon;
	bool in = false;
	long kb = -1;

	CHECK(f);
	while (kb < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			in = (unsigned long)addr >= start && (unsigned long)addr < end;
		else if (in && (colon = strchr(line, ':')) &&
			 strlen(field) == (size_t)(colon - line) &&
			 !strncmp(line, field, strlen(field)))
			kb = strtol(colon + 1, NULL, 10);
	}
	fclose(f);
	return kb;
}

uint64_t pfn_of(const void *addr)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	CHECK_GE(fd, 0);
	CHECK_EQ(pread(fd, &entry, 8, (uintptr_t)addr / base_page * 8), 8);
	close(fd);
	CHECK(entry >> 63);	/* present */
	CHECK(entry << 9);	/* not hidden from us */
	return entry & ((1ULL << 55) - 1);
}

/*
 * For how many milliseconds, at the least, no processor had anything to do. Idle is what was
 * measured as such: time that the host took away from a busy processor is not.
 */
static int64_t idle_ms(void)
{
	long nr = sysconf(_SC_NPROCESSORS_ONLN), hz = sysconf(_SC_CLK_TCK);
	unsigned long long idle = 0;
	struct timespec now;
	char line[256] = "";
	FILE *f = fopen("/proc/stat", "re");

	CHECK(f);
	CHECK(fgets(line, sizeof(line), f));
	fclose(f);
	CHECK_EQ(sscanf(line, "cpu %*u %*u %*u %llu", &idle), 1);
	CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return idle * 1000 / hz - (nr - 1) * (now.tv_sec * 1000LL + now.tv_nsec / 1000000);
}

#define POLL_MS		10	/* the first sleep; each is longer, so that polling is no work */
#define POLL_MAX_MS	200
#define LOOK_EACH	10	/* polls: /proc/stat takes the kernel long */

bool poll_again(struct polls *polls, unsigned int limit_ms)
{
	unsigned int ms = polls->nr * POLL_MS + POLL_MS;

	if (!polls->nr++)
		polls->idle = idle_ms();
	else if (polls->nr % LOOK_EACH == 0 && idle_ms() - polls->idle >= limit_ms)
		return false;
	usleep((ms < POLL_MAX_MS ? ms : POLL_MAX_MS) * 1000);
	return true;
}

/* --- device and memory ------------------------------------------------ */

int dev_open(int flags)
{
	int fd = open(DEV, flags | O_CLOEXEC);

	CHECK_GE(fd, 0);
	return fd;
}

char *map(int fd, size_t len, int prot, int flags, off_t off)
{
	char *p = mmap(NULL, len, prot, flags, fd, off);

	CHECK_NE(p, MAP_FAILED);
	return p;
}

char *map_all(int fd, int prot, int flags)
{
	return map(fd, buf_size, prot, flags, 0);
}

char *reserve(size_t len)
{
	size_t align = buf_page > pmd_size ? buf_page : pmd_size;
	char *p = mmap(NULL, len + align, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK_NE(p, MAP_FAILED);
	return (char *)(((uintptr_t)p + align - 1) & ~(align - 1));
}

/* --- buffers on demand ------------------------------------------------- */

struct hpage_map_alloc request(size_t len, size_t page_size, unsigned int flags)
{
	return (struct hpage_map_alloc){
		.size = sizeof(struct hpage_map_alloc),
		.flags = flags,
		.length = len,
		.page_size = page_size,
	};
}

static int make_buffer(unsigned long cmd, struct hpage_map_alloc *a)
{
	int door = dev_open(HPAGE_MAP_O_DOOR);
	char text[TEXT] = "";

	a->text = (uintptr_t)text;
	a->text_size = sizeof(text);
	if (ioctl(door, cmd, a)) {
		printf("# no buffer of %llu bytes: %s\n", (unsigned long long)a->length, text);
		CHECK(!"a buffer");
	}
	close(door);
	CHECK_GE(a->got_length, a->length);
	CHECK_GE(a->fd, 0);
	return a->fd;
}

int alloc(size_t len, size_t page_size, unsigned int flags)
{
	struct hpage_map_alloc a = request(len, page_size, flags);

	return make_buffer(HPAGE_MAP_ALLOC, &a);
}

/* As the default buffer of this suite is made, and nothing else. */
int alloc_mine(size_t pages)
{
	return alloc(pages * buf_page, buf_page, HPAGE_MAP_EXACT);
}

/* How many pages a test may have here: the pool's, or an ordinary user's limit. */
size_t plenty(void)
{
	if (suite_where & ON_POOL)
		return pool("free") - pool("resv");
	return (strcmp(suite_user, "root") ? 4UL << 20 : 64UL << 20) / buf_page;
}

uint64_t pages_free(void)
{
	return suite_where & ON_POOL ? pool("free") : 0;
}

int create(const char *name, size_t len, size_t page_size)
{
	struct hpage_map_alloc a = request(len, page_size, 0);

	strcpy(a.name, name);
	return make_buffer(HPAGE_MAP_CREATE, &a);
}

int destroy(const char *name)
{
	struct hpage_map_destroy d = { .size = sizeof(d) };
	int door = dev_open(HPAGE_MAP_O_DOOR);
	int err;

	strcpy(d.name, name);
	err = ioctl(door, HPAGE_MAP_DESTROY, &d) ? -errno : 0;
	close(door);
	return err;
}

struct hpage_map_info ask(int fd)
{
	struct hpage_map_info info = { .size = sizeof(info) };

	CHECK_EQ(ioctl(fd, HPAGE_MAP_INFO, &info), 0);
	CHECK_EQ(info.size, sizeof(info));
	return info;
}

bool next_buffer(int door, struct hpage_map_info *info)
{
	info->size = sizeof(*info);
	info->flags = 0;
	if (!ioctl(door, HPAGE_MAP_LIST, info))
		return true;
	CHECK_EQ(errno, ENOENT);
	return false;
}

unsigned int nr_buffers(void)
{
	struct hpage_map_info info = {};
	int door = dev_open(HPAGE_MAP_O_DOOR);
	unsigned int n = 0;

	for (; next_buffer(door, &info); info.id++)
		n++;
	close(door);
	return n;
}

static uint64_t word(uint64_t seed, size_t i)
{
	return (seed << 48) ^ (i * 0x9e3779b97f4a7c15ULL);
}

void fill(void *p, size_t len, uint64_t seed)
{
	uint64_t *w = p;

	for (size_t i = 0; i < len / 8; i++)
		w[i] = word(seed, i);
}

bool filled(const void *p, size_t len, uint64_t seed)
{
	const uint64_t *w = p;

	for (size_t i = 0; i < len / 8; i++) {
		if (w[i] == word(seed, i))
			continue;
		printf("# word %zu of seed %llu is %016llx\n", i, (unsigned long long)seed,
		       (unsigned long long)w[i]);
		return false;
	}
	return true;
}

bool zeroed(const void *p, size_t len)
{
	const uint64_t *w = p;

	for (size_t i = 0; i < len / 8; i++)
		if (w[i])
			return false;
	return true;
}

/* --- children --------------------------------------------------------- */

pid_t spawn(void (*fn)(void *), void *arg)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK_GE(pid, 0);
	if (pid)
		return pid;
	fn(arg);
	_exit(0);
}

int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1000 - errno;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

void step_done(int fd)
{
	CHECK_EQ(write(fd, "", 1), 1);
}

void step_wait(int fd)
{
	char c;

	CHECK_EQ(read(fd, &c, 1), 1);
}

/* --- loading ---------------------------------------------------------- */

int load(const char *params)
{
	int fd = open(getenv("HPM_KO"), O_RDONLY | O_CLOEXEC);
	int err = 0;

	CHECK_GE(fd, 0);
	if (syscall(SYS_finit_module, fd, params, 0))
		err = -errno;
	close(fd);
	return err;
}

int unload(void)
{
	return syscall(SYS_delete_module, "hpage_map", O_NONBLOCK) ? -errno : 0;
}

/* --- what a test may not change ---------------------------------------- */

static const char * const pool_facts[] = {
	"nr", "free", "resv", "surplus", "nr_overcommit",
};

struct baseline {
	char text[16384];
};

static void note(struct baseline *b, const char *fmt, ...)
{
	size_t at = strlen(b->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(b->text + at, sizeof(b->text) - at, fmt, ap);
	va_end(ap);
}

/* Of the buffers that this user sees. */
static void note_buffers(struct baseline *b)
{
	int door = open(DEV, HPAGE_MAP_O_DOOR | O_CLOEXEC);
	struct hpage_map_info info = {};
	glob_t g;

	for (; door >= 0 && next_buffer(door, &info); info.id++)
		note(b, "buffer %u, %s: %u descriptors, %u mappings\n", info.id,
		     *info.name ? info.name : "without a name", info.descriptors, info.mappings);
	if (door >= 0)
		close(door);
	if (!glob(NODES "*", 0, NULL, &g)) {
		for (size_t i = 0; i < g.gl_pathc; i++)
			note(b, "%s\n", g.gl_pathv[i]);
		globfree(&g);
	}
}

static void take_baseline(struct baseline *b, bool pool_sizes)
{
	static const char * const counts[] = { "size", "backing", "descriptors", "mappings" };
	char buf[64];
	glob_t g;

	b->text[0] = '\0';
	if (!glob(POOLS "*", 0, NULL, &g)) {
		for (size_t i = 0; i < g.gl_pathc; i++) {
			size_t kb = strtoul(g.gl_pathv[i] + strlen(POOLS), NULL, 10);

			for (size_t j = 0; j < sizeof(pool_facts) / sizeof(*pool_facts); j++)
				if (pool_sizes || !strstr("nr surplus free", pool_facts[j]))
					note(b, "pool of %zu kB, %s: %llu\n", kb, pool_facts[j],
					     (unsigned long long)pool_of(kb * 1024,
									 pool_facts[j]));
		}
		globfree(&g);
	}
	note(b, "module loaded: %d, references: %u\n", loaded(), refcnt());
	for (size_t i = 0; loaded() && i < sizeof(counts) / sizeof(*counts); i++) {
		class_text(counts[i], buf, sizeof(buf));
		note(b, "%s: %s\n", counts[i], buf);
	}
	note_buffers(b);
}

/* Print the lines of now that are not in before. */
static void print_changes(const struct baseline *before, struct baseline *now)
{
	for (char *s = now->text, *end; (end = strchr(s, '\n')); s = end + 1) {
		*end = '\0';
		if (!strstr(before->text, s))
			printf("# left behind: %s\n", s);
	}
}

static bool is_splat(const char *record)
{
	static const char pattern[] =
#include "splats.h"
		;
	static regex_t splats;
	static bool ready;

	if (!ready)
		assert_int_equal(regcomp(&splats, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ready = true;
	return !regexec(&splats, record, 0, NULL, 0);
}

/* What came to the log since the last time: splats are printed, or all of it. */
static bool read_log(bool all)
{
	char record[8192];
	bool clean = true;
	ssize_t n;

	if (kmsg < 0)
		return true;
	for (;;) {
		n = read(kmsg, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)	/* overtaken by new records */
			continue;
		if (n <= 0)
			return clean;
		record[n] = '\0';
		if (is_splat(record))
			clean = false;
		else if (!all)
			continue;
		printf("# kernel log: %s\n", strchr(record, ';') ?: record);
	}
}

static void mark_log(const char *name)
{
	char line[128];	/* dprintf() wants to know its place in the file first */
	int n = snprintf(line, sizeof(line), "<6>hpage_map test: %s\n", name);

	if (kmsg >= 0) {
		lseek(kmsg, 0, SEEK_END);
		if (write(kmsg, line, n) != n)
			printf("# no mark in the kernel log: %s\n", strerror(errno));
	}
}

/* --- the runner --------------------------------------------------------- */

/*
 * Tests that load the module also set the pools, and need not set them back.
 * Leaving the module loaded is a failure, but not one for the next test too.
 */
static bool clean_up(void)
{
	static const char * const others[] = {
		"hpm_importer", "hpm_holder", "hpm_keeper", "hpage_map_minimal", "hpage_map_edu",
	};
	/* Dma-heaps stay for good, and what they are made with. */
	bool left = loaded() && access("/sys/module/hpage_map_heap", F_OK);

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!syscall(SYS_delete_module, others[i], O_NONBLOCK))
			left = true;

	if (left)
		printf("# left loaded (unload: %d)\n", loaded() ? unload() : 0);
	set_pool(pmd_size, "nr_overcommit", 0);
	set_pool(pmd_size, "nr", 0);
	return left;
}

/* A test that runs, and what was before it. */
struct watch {
	pid_t pid;
	char vmstat[16384];
};

static unsigned int *patience;	/* in seconds, shared with the test */

void may_take(unsigned int seconds)
{
	*patience = seconds;
}

/* By /proc/PID/stat. */
static pid_t parent_of(pid_t pid)
{
	char path[64], stat[512];
	int ppid = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	read_text(path, stat, sizeof(stat));
	sscanf(strrchr(stat, ')') ?: "", ") %*c %d", &ppid);
	return ppid;
}

static bool descends_from(pid_t pid, pid_t from)
{
	while (pid > 1 && pid != from)
		pid = parent_of(pid);
	return pid == from;
}

static void print_file(const char *path)
{
	char text[8192];

	read_text(path, text, sizeof(text));
	printf("# %s:\n", path);
	for (char *s = strtok(text, "\n"); s; s = strtok(NULL, "\n"))
		printf("#   %s\n", s);
}

/* Where the threads of the test stand, as far as this user may know. */
static void print_stacks(pid_t test)
{
	static const char * const files[] = { "comm", "wchan", "stack" };
	char path[PATH_MAX];
	glob_t g;

	if (glob("/proc/[1-9]*/task/[1-9]*", 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		if (!descends_from(atoi(g.gl_pathv[i] + strlen("/proc/")), test))
			continue;
		for (size_t j = 0; j < sizeof(files) / sizeof(*files); j++) {
			snprintf(path, sizeof(path), "%s/%s", g.gl_pathv[i], files[j]);
			print_file(path);
		}
	}
	globfree(&g);
}

/* What of /proc/vmstat is not as it was when the test began. */
static void print_vmstat(const char *before)
{
	char now[16384];

	read_text("/proc/vmstat", now, sizeof(now));
	for (char *s = strtok(now, "\n"); s; s = strtok(NULL, "\n")) {
		int name = strcspn(s, " ");
		const char *was = before;

		while (was && strncmp(was, s, name + 1)) {
			was = strchr(was, '\n');
			was = was ? was + 1 : NULL;
		}
		if (was && strtoll(s + name, NULL, 10) != strtoll(was + name, NULL, 10))
			printf("# vmstat: %.*s %+lld\n", name, s,
			       strtoll(s + name, NULL, 10) - strtoll(was + name, NULL, 10));
	}
}

/* Before a test that hangs is killed: where it is, and where the machine. */
static void print_hang(const struct watch *w)
{
	int fd = getenv("HPM_SYSRQ") ? atoi(getenv("HPM_SYSRQ")) : -1;

	printf("# it hangs: not done after %u s\n", *patience);
	print_stacks(w->pid);
	print_vmstat(w->vmstat);
	/* Backtraces of the processors, and the tasks that nothing can kill. */
	if (fd >= 0 && (write(fd, "l", 1) != 1 || write(fd, "w", 1) != 1))
		printf("# no sysrq: %s\n", strerror(errno));
	if (!read_log(true))
		printf("# there is a splat in this part of the log\n");
	fflush(stdout);
}

static int wait_or_kill(const struct watch *w)
{
	struct pollfd p = { .fd = syscall(SYS_pidfd_open, w->pid, 0), .events = POLLIN };
	unsigned int waited = 0;

	assert_true(p.fd >= 0);
	while (!poll(&p, 1, 1000))
		if (++waited >= *patience) {
			print_hang(w);
			kill(w->pid, SIGKILL);
			break;
		}
	close(p.fd);
	return wait_for(w->pid);
}

static void run_one(void **state)
{
	const struct test *t = *state;
	static struct watch w;
	struct baseline before, now;
	struct polls polls = {};
	int status;

	mark_log(t->name);
	read_text("/proc/vmstat", w.vmstat, sizeof(w.vmstat));
	may_take(HANG_SECONDS);
	take_baseline(&before, !(t->where & LOSES_PAGES));
	fflush(stdout);
	w.pid = fork();
	assert_true(w.pid >= 0);
	if (!w.pid) {
		/* cmocka's handlers would jump into the parent's part. */
		for (int sig = 1; sig < NSIG; sig++)
			signal(sig, SIG_DFL);
		setpgid(0, 0);
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		t->fn();
		fflush(stdout);
		_exit(0);
	}
	status = wait_or_kill(&w);
	if (status < 0)
		printf("# %s: killed by signal %d\n", t->name, -status);
	/* Children of a test that failed hold what it held. */
	kill(-w.pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	if (suite_where == ON_NONE && clean_up())
		status = 1;
	/* A large buffer comes back a moment after its last holder has gone. */
	do {
		take_baseline(&now, !(t->where & LOSES_PAGES));
	} while (strcmp(before.text, now.text) && polls.nr < HANG_SECONDS * 1000 / POLL_MAX_MS &&
		 poll_again(&polls, BASELINE_MS));
	if (strcmp(before.text, now.text)) {
		print_changes(&before, &now);
		status = 1;
	}
	if (!read_log(false))
		status = 1;
	assert_int_equal(status, 0);
}

/* Is name one of the words of list? A null list has them all if empty says so. */
static bool listed(const char *list, const char *name, bool empty)
{
	size_t n = strlen(name);

	if (!list || !*list)
		return empty;
	for (const char *s = list; (s = strstr(s, name)); s += n)
		if ((s == list || s[-1] == ' ') && (!s[n] || s[n] == ' '))
			return true;
	return false;
}

static unsigned int where_of(const char *backing)
{
	if (!strcmp(backing, "hugetlb"))
		return buf_page > pmd_size ? ON_GIGANTIC : ON_HUGETLB;
	if (!strcmp(backing, "thp"))
		return ON_THP;
	return !strcmp(backing, "base") ? ON_BASE : ON_NONE;
}

static void learn_suite(void)
{
	char backing[32] = "none";

	base_page = sysconf(_SC_PAGESIZE);
	pmd_size = base_page / 8 * base_page;
	if (loaded()) {
		buf_size = class_u64("size");
		buf_page = class_u64("page_size");
		class_text("backing", backing, sizeof(backing));
	}
	suite_where = where_of(backing);
	suite_user = getenv("HPM_USER") ?: "root";
	if (getenv("HPM_KMSG")) {
		kmsg = atoi(getenv("HPM_KMSG"));
		fcntl(kmsg, F_SETFL, O_NONBLOCK);
	}
}

int run_suite(const struct test *tests, size_t n)
{
	struct CMUnitTest *chosen = calloc(n, sizeof(*chosen));
	bool root;
	size_t count = 0;

	learn_suite();
	root = !strcmp(suite_user, "root");
	patience = mmap(NULL, sizeof(*patience), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (patience == MAP_FAILED)
		return 1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (size_t i = 0; i < n; i++) {
		const struct test *t = &tests[i];

		if (!(t->where & suite_where) || ((t->where & NEEDS_ROOT) && !root))
			continue;
		if (!listed(getenv("HPM_TESTS"), t->name, true))
			continue;
		if (listed(getenv("HPM_NOT_HERE"), t->name, false)) {
			printf("# not run here: %s\n", t->name);
			continue;
		}
		chosen[count++] = (struct CMUnitTest){
			.name = t->name, .test_func = run_one, .initial_state = (void *)t,
		};
	}
	fflush(stdout);
	if (!count) {
		printf("1..0\n");
		return 0;
	}
	return _cmocka_run_group_tests(program_invocation_short_name, chosen, count, NULL, NULL);
}
