// SPDX-License-Identifier: LGPL-2.1-or-later
/* HPAGE_MAP_BACKING: what is forced is had, or the call fails with the reason. */
#define _GNU_SOURCE
#include "fixture.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define VARIABLE	"HPAGE_MAP_BACKING"

static void force(const char *words)
{
	print_message("%s=%s\n", VARIABLE, words);
	assert_int_equal(setenv(VARIABLE, words, 1), 0);
}

static int unforced(void **state)
{
	assert_int_equal(unsetenv(VARIABLE), 0);
	return after(state);
}

#define FORCED(name)	cmocka_unit_test_setup_teardown(name, before, unforced)

static void a_word_that_is_none_is_refused(void **state)
{
	static const char *const odd[] = {
		"hugetbl", "THP", " thp", "thp,", ",thp", "memfd;thp", "memfd,module", "thp,base",
		"thp,thp", ",", "user", "memfd,,thp",
	};
	char is[64];
	struct hpmap_buffer *b = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		force(odd[i]);
		snprintf(is, sizeof(is), VARIABLE " is '%s'", odd[i]);
		assert_true(refused(hpmap_alloc(HPMAP_OPTIONS(.size = MIB), &b), -EINVAL, is));
		assert_non_null(strstr(hpmap_why(NULL), "\ntry: export " VARIABLE "="));
		assert_true(refused(hpmap_create(HPMAP_OPTIONS(.size = MIB, .name = "odd"), &b),
				    -EINVAL, is));
	}
	assert_null(b);
}

/* As services and scripts take a variable away. */
static void an_empty_one_forces_nothing(void **state)
{
	struct hpmap_buffer *b;

	(void)state;
	force("");
	b = alloc(2 * MIB);
	assert_null(strstr(hpmap_why(b), VARIABLE));
	assert_int_not_equal(info_of(b).backing, HPMAP_BACKING_BASE);
	hpmap_close(b);
}

/* By programs that have not asked for base pages, whatever page size they name. */
static void base_pages_are_forced_on_every_request(void **state)
{
	const uint64_t sizes[] = { 0, sysconf(_SC_PAGESIZE), 2 * MIB, 1024 * MIB };
	static const char *const forced[] = { "base", "memfd,base", "base,memfd" };
	struct hpmap_buffer *b = NULL;

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		force(forced[i / 4]);
		ok(hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB + 1, .page_size = sizes[i % 4]), &b));
		assert_int_equal(info_of(b).backing, HPMAP_BACKING_BASE);
		assert_int_equal(hpmap_size(b), 2 * MIB + sysconf(_SC_PAGESIZE));
		assert_int_equal(info_of(b).backend, with_module && i < 4 ?
				 HPMAP_BACKEND_MODULE : HPMAP_BACKEND_MEMFD);
		/* Who wonders why learns of it. */
		assert_non_null(strstr(hpmap_why(b), "\ntry: unset " VARIABLE));
		hpmap_close(b);
	}
	assert_true(refused(hpmap_alloc(HPMAP_OPTIONS(.size = MIB, .flags = HPMAP_EXACT), &b),
			    -EINVAL, "with HPMAP_EXACT, and " VARIABLE " is 'base,memfd'"));
}

static void transparent_huge_pages_are_forced(void **state)
{
	struct hpmap_buffer *b = NULL;

	(void)state;
	force("memfd,thp");
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB, .page_size = sysconf(_SC_PAGESIZE)), &b));
	assert_int_equal(info_of(b).backend, HPMAP_BACKEND_MEMFD);
	assert_int_equal(info_of(b).backing, HPMAP_BACKING_THP);
	hpmap_close(b);
	assert_true(refused(hpmap_alloc(HPMAP_OPTIONS(.size = MIB, .page_size = 1024 * MIB,
						      .flags = HPMAP_EXACT), &b),
			    -EINVAL, VARIABLE));
}

/* What the program cannot do without is not taken from it. */
static void contradictions_are_refused(void **state)
{
	static const uint32_t flags[] = {
		HPMAP_MODULE_ONLY, HPMAP_CONTIGUOUS, HPMAP_BELOW_4G, HPMAP_RESERVE,
	};
	struct hpmap_buffer *b = NULL;

	(void)state;
	force("memfd");
	for (size_t i = 0; i < 4; i++)
		assert_true(refused(hpmap_alloc(HPMAP_OPTIONS(.size = MIB, .flags = flags[i]), &b),
				    -EINVAL, VARIABLE " is 'memfd'\ntry: unset"));
	assert_true(refused(hpmap_create(HPMAP_OPTIONS(.size = MIB, .name = "n"), &b), -EINVAL,
			    VARIABLE " is 'memfd'"));
	force("module");
	assert_true(refused(hpmap_alloc(HPMAP_OPTIONS(.size = MIB, .flags = HPMAP_NO_MODULE), &b),
			    -EINVAL, "HPMAP_NO_MODULE, and " VARIABLE " is 'module'"));
	assert_null(b);
}

static void a_module_that_is_not_there_is_enotsup(void **state)
{
	struct hpmap_buffer *b = NULL;

	(void)state;
	force("module,base");
	assert_true(refused(hpmap_alloc(HPMAP_OPTIONS(.size = MIB), &b), -ENOTSUP,
			    "modprobe hpage_map"));
	assert_non_null(strstr(hpmap_why(NULL), VARIABLE "=module,base\ntry: unset"));
	assert_null(b);
}

/* There is a pool, which the ladder of the module begins with. */
static void of_the_module_all_is_forced_but_pages_beside_the_pool(void **state)
{
	struct hpmap_buffer *b = NULL;

	(void)state;
	force("module,hugetlb");
	b = alloc(2 * MIB);
	assert_int_equal(info_of(b).backing, HPMAP_BACKING_HUGETLB);
	assert_int_equal(info_of(b).backend, HPMAP_BACKEND_MODULE);
	hpmap_close(b);
	b = NULL;
	force("module,thp");
	assert_true(refused(hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB), &b), -ENOMEM,
			    "\ntry: export " VARIABLE "=memfd,thp"));
	assert_null(b);
	assert_true(refused(hpmap_create(HPMAP_OPTIONS(.size = 2 * MIB, .name = "left"), &b),
			    -ENOMEM, "pages of the pool"));
	assert_null(b);
	assert_int_equal(hpmap_open("left", 0, &b), -ENOENT);
	force("thp");
	b = alloc(2 * MIB);
	assert_int_equal(info_of(b).backing, HPMAP_BACKING_THP);
	assert_int_equal(info_of(b).backend, HPMAP_BACKEND_MEMFD);
	hpmap_close(b);
}

static void without_a_pool_transparent_ones_are_the_modules(void **state)
{
	struct hpmap_pool pool = { .struct_size = sizeof(pool) };
	struct hpmap_buffer *b = NULL;

	(void)state;
	ok(hpmap_get_pool(2 * MIB, -1, &pool));
	ok(hpmap_set_pool(2 * MIB, -1, 0, NULL));
	force("module,thp");
	b = alloc(2 * MIB);
	assert_int_equal(info_of(b).backing, HPMAP_BACKING_THP);
	assert_int_equal(info_of(b).backend, HPMAP_BACKEND_MODULE);
	hpmap_close(b);
	b = NULL;
	force("hugetlb");
	assert_true(refused(hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB), &b), -ENOMEM,
			    "2 MiB needed, 0 of 0 free"));
	force("memfd,hugetlb");
	assert_true(refused(hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB), &b), -ENOMEM,
			    "hpagectl pool"));
	assert_null(b);
	ok(hpmap_set_pool(2 * MIB, -1, pool.total, NULL));
}

/* In a program of its own: 0 if it gets a buffer, although the variable has a word that is none. */
int forced_program(void)
{
	struct hpmap_buffer *b = NULL;
	int ret = hpmap_alloc(HPMAP_OPTIONS(.size = MIB, .flags = HPMAP_ALLOW_BASE), &b);

	hpmap_close(b);
	return ret == -EINVAL ? 3 : ret ? 4 : 0;
}

static const char *program;	/* that is run */

static int run_program(void)
{
	setenv("HPMAP_TEST", "forced", 1);
	execl(program, program, NULL);
	return 5;
}

/* It shall not matter who starts a set-user-ID program. /run and /dev/shm do not have any. */
static void a_program_of_another_user_ignores_it(void **state)
{
	char dir[] = "/run/hpmap-forced-XXXXXX", path[32], command[64];
	pid_t child;
	int status;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mount("none", dir, "tmpfs", 0, "mode=755"), 0);
	snprintf(path, sizeof(path), "%s/test", dir);
	snprintf(command, sizeof(command), "cp /proc/%d/exe %s", getpid(), path);
	assert_int_equal(system(command), 0);
	program = path;
	force("nonsense");
	child = fork();
	assert_true(child >= 0);
	if (!child)
		_exit(run_program());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_int_equal(chmod(path, 04755), 0);
	assert_int_equal(as_nobody(run_program), 0);
	assert_int_equal(umount(dir), 0);
	assert_int_equal(rmdir(dir), 0);
}

static const struct CMUnitTest tests[] = {
	FORCED(a_word_that_is_none_is_refused),
	FORCED(an_empty_one_forces_nothing),
	FORCED(base_pages_are_forced_on_every_request),
	FORCED(transparent_huge_pages_are_forced),
	FORCED(contradictions_are_refused),
};

static const struct CMUnitTest without_module[] = {
	FORCED(a_module_that_is_not_there_is_enotsup),
};

static const struct CMUnitTest of_module[] = {
	FORCED(of_the_module_all_is_forced_but_pages_beside_the_pool),
	FORCED(without_a_pool_transparent_ones_are_the_modules),
	FORCED(a_program_of_another_user_ignores_it),
};

int test_forced(void)
{
	return RUN("forced", tests) + (with_module ? RUN("forced, with the module", of_module) :
					RUN("forced, without it", without_module));
}
