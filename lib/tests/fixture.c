// SPDX-License-Identifier: LGPL-2.1-or-later
#define _GNU_SOURCE
#include "fixture.h"

#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>

bool with_module;

static size_t count(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static size_t mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	char line[512];
	size_t n = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		n += strstr(line, "hpage_map") || strstr(line, "memfd:");
	fclose(file);
	return n;
}

static size_t fds_before, mappings_before;

int before(void **state)
{
	(void)state;
	fds_before = count("/proc/self/fd");
	mappings_before = mappings();
	return 0;
}

int after(void **state)
{
	(void)state;
	assert_int_equal(count("/proc/self/fd"), fds_before);
	assert_int_equal(mappings(), mappings_before);
	return 0;
}

struct hpmap_info info_of(const struct hpmap_buffer *b)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };

	ok(hpmap_info(b, &info));
	return info;
}

struct hpmap_buffer *alloc(size_t length)
{
	struct hpmap_buffer *b = NULL;

	ok(hpmap_alloc(HPMAP_OPTIONS(.size = length), &b));
	return b;
}

struct hpmap_buffer *pinned_in_runs(void **memory, size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE), i;
	struct hpmap_buffer *b = NULL;
	char *p, *between;

	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	between = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	assert_ptr_not_equal(between, MAP_FAILED);
	madvise(p, size, MADV_NOHUGEPAGE);
	madvise(between, size, MADV_NOHUGEPAGE);
	/* Neighbours go to different mappings. */
	for (i = 0; i < size; i += page)
		p[i] = between[i] = 1;
	munmap(between, size);
	ok(hpmap_pin(p, size, &b));
	*memory = p;
	return b;
}

void dmabuf_has_hello(int dmabuf, size_t length)
{
	char *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	assert_string_equal(p, "hello");
	munmap(p, length);
	close(dmabuf);
}

bool in_child(bool (*fn)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child)
		_exit(fn() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int as_nobody(int (*fn)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(255);
		_exit(fn());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

bool refused(int ret, int want, const char *words)
{
	if (ret == want && strstr(hpmap_why(NULL), words))
		return true;
	fprintf(stderr, "%d and not %d, or not for '%s': %s\n", ret, want, words, hpmap_why(NULL));
	return false;
}

static bool filter(unsigned int nr, unsigned int arg, unsigned int test, unsigned int with,
		   unsigned int action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[arg])),
		BPF_JUMP(BPF_JMP | test | BPF_K, with, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(*code), code };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

bool forbid_if(unsigned int nr, unsigned int arg, unsigned int test, unsigned int with,
	       unsigned int err)
{
	return filter(nr, arg, test, with, SECCOMP_RET_ERRNO | err);
}

bool deadly(unsigned int nr)
{
	return filter(nr, 0, BPF_JGE, 0, SECCOMP_RET_KILL_PROCESS);
}

bool forbid(unsigned int nr, unsigned int err)
{
	return forbid_if(nr, 0, BPF_JGE, 0, err);
}

#ifdef WRAPPED
#define FAULTS	test_faults
#else
#define FAULTS()	0
#endif

/*
 * The same program runs unprivileged on a machine without the module, and with
 * HPMAP_TEST=module where it is. With HPMAP_TEST=nodes there is more than one word of nodes, and
 * with HPMAP_TEST=forced it is a program that a test of this one runs.
 */
int main(void)
{
	const char *test = getenv("HPMAP_TEST");

	if (test && !strcmp(test, "nodes"))
		return test_nodes();
	if (test && !strcmp(test, "forced"))
		return forced_program();
	with_module = test && !strcmp(test, "module");
	return test_options() + test_buffer() + test_window() + test_populate() + test_threads() +
	       test_socket() + test_shortage() + test_stranger() + test_old() + test_forced() +
	       FAULTS() +
	       (with_module ? test_module() + test_setters() : 0);
}
