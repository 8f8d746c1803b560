// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <glob.h>
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
#include <unistd.h>

#include <cmocka.h>

#define POOLS	"/sys/kernel/mm/hugepages/hugepages-"
/* No test takes this long, even emulated on a debug kernel: it hangs. */
#define HANG_SECONDS	300
#define EXIT_CHECK_FAILED	99

size_t buf_size, buf_page, pmd_size, base_page;
unsigned int suite_where;
const char *suite_user = "root";

static int kmsg = -1;

void check_failed(const char *file, int line, const char *what, int err)
{
	printf("# %s:%d: not so: %s (errno %d, %s)\n", file, line, what, err, strerror(err));
	fflush(stdout);
	_exit(EXIT_CHECK_FAILED);
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
	uint64_t got = class_u64(name);

	if (got == want)
		return;
	printf("# %s: %llu, not %llu\n", name, (unsigned long long)got,
	       (unsigned long long)want);
	check_failed(file, line, name, 0);
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

	CHECK(getrusage(RUSAGE_SELF, &ru) == 0);
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

	CHECK(fd >= 0);
	CHECK(pread(fd, &entry, 8, (uintptr_t)addr / base_page * 8) == 8);
	close(fd);
	CHECK(entry >> 63);	/* present */
	CHECK(entry << 9);	/* not hidden from us */
	return entry & ((1ULL << 55) - 1);
}

/* --- device and memory ------------------------------------------------ */

int dev_open(int flags)
{
	int fd = open(DEV, flags | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

char *map(int fd, size_t len, int prot, int flags, off_t off)
{
	char *p = mmap(NULL, len, prot, flags, fd, off);

	CHECK(p != MAP_FAILED);
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

	CHECK(p != MAP_FAILED);
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
	CHECK(a->got_length >= a->length && a->fd >= 0);
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

	CHECK(ioctl(fd, HPAGE_MAP_INFO, &info) == 0);
	CHECK(info.size == sizeof(info));
	return info;
}

bool next_buffer(int door, struct hpage_map_info *info)
{
	info->size = sizeof(*info);
	info->flags = 0;
	if (!ioctl(door, HPAGE_MAP_LIST, info))
		return true;
	CHECK(errno == ENOENT);
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
	CHECK(pid >= 0);
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
	CHECK(write(fd, "", 1) == 1);
}

void step_wait(int fd)
{
	char c;

	CHECK(read(fd, &c, 1) == 1);
}

/* --- loading ---------------------------------------------------------- */

int load(const char *params)
{
	int fd = open(getenv("HPM_KO"), O_RDONLY | O_CLOEXEC);
	int err = 0;

	CHECK(fd >= 0);
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
				if (pool_sizes || !strstr("nr surplus", pool_facts[j]))
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
	/* As vm/splat.sh has them, which looks at the whole log afterwards. */
	static const char * const words[] = {
		"BUG:", "kernel BUG at", "WARNING:", "Oops", "KASAN:", "UBSAN:", "ODEBUG:",
		"refcount_t:", "Internal error:", "Unable to handle kernel", "Bad page",
		"INFO: task", "suspicious RCU", "possible recursive locking",
		"possible circular locking", "inconsistent lock state", "bad unlock balance",
		"sleeping function called", "scheduling while atomic", "still has locks held",
		"list_add corruption", "list_del corruption", "detected stalls", "DMA-API:",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(record, words[i]))
			return true;
	return false;
}

static bool log_is_clean(void)
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
		if (is_splat(record)) {
			printf("# kernel log: %s\n", strchr(record, ';') ?: record);
			clean = false;
		}
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
		"hpm_importer", "hpm_holder", "hpage_map_minimal", "hpage_map_edu",
	};
	bool left = loaded();

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!syscall(SYS_delete_module, others[i], O_NONBLOCK))
			left = true;

	if (left)
		printf("# left loaded (unload: %d)\n", loaded() ? unload() : 0);
	set_pool(pmd_size, "nr_overcommit", 0);
	set_pool(pmd_size, "nr", 0);
	return left;
}

static void run_one(void **state)
{
	const struct test *t = *state;
	struct baseline before, now;
	int status;
	pid_t pid;

	mark_log(t->name);
	take_baseline(&before, !(t->where & LOSES_PAGES));
	fflush(stdout);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		/* cmocka's handlers would jump into the parent's part. */
		for (int sig = 1; sig < NSIG; sig++)
			signal(sig, SIG_DFL);
		setpgid(0, 0);
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		alarm(HANG_SECONDS);
		t->fn();
		fflush(stdout);
		_exit(0);
	}
	status = wait_for(pid);
	/* Children of a test that failed hold what it held. */
	kill(-pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	if (suite_where == ON_NONE && clean_up())
		status = 1;
	take_baseline(&now, !(t->where & LOSES_PAGES));
	if (status < 0)
		printf("# %s: killed by signal %d\n", t->name, -status);
	if (strcmp(before.text, now.text)) {
		print_changes(&before, &now);
		status = 1;
	}
	if (!log_is_clean())
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
