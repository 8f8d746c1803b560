// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tests say when they fail: each test here runs this program again, for one of the tests that
 * are meant to fail, and reads what that tells.
 */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- meant to fail ------------------------------------------------------ */

static void unequal(void)
{
	uint64_t big = 1ULL << 40;
	int five = 5;

	CHECK_NE(five, -5);
	CHECK_EQ(five, big);
}

static void negative(void)
{
	long minus = -2;

	CHECK_LT(minus, 0);
	CHECK_GE(minus, 0);
}

static void pointers(void)
{
	char *p = (char *)0x1000;

	CHECK_EQ(p, MAP_FAILED);
}

static void strings(void)
{
	const char *got = "thp";

	CHECK_STREQ(got, "thp");
	CHECK_STREQ(got, "hugetlb");
}

static void looped(void)
{
	for (int i = 0; i < 3; i++) {
		LABEL("round %d", i);
		for (int j = 0; j < 3; j++) {
			LABEL("part %d", j);
			CHECK(i < 1 || j < 1);
		}
	}
}

static void outside_of_the_loop(void)
{
	for (int i = 0; i < 3; i++) {
		LABEL("round %d", i);
		CHECK_LT(i, 3);
	}
	CHECK(!"labelled");
}

static void ends_by_a_signal(void)
{
	abort();
}

static void hangs(void)
{
	may_take(2);
	for (;;)
		pause();
}

/* Into what these tests have in place of the kernel log. */
static void splats(void)
{
	CHECK(write(atoi(getenv("HPM_KMSG")), "6,1;list_del corruption\n", 24) == 24);
}

static const struct test failing[] = {
	TEST(unequal, ON_NONE),
	TEST(negative, ON_NONE),
	TEST(pointers, ON_NONE),
	TEST(strings, ON_NONE),
	TEST(looped, ON_NONE),
	TEST(outside_of_the_loop, ON_NONE),
	TEST(ends_by_a_signal, ON_NONE),
	TEST(hangs, ON_NONE),
	TEST(splats, ON_NONE),
};

/* --- what they tell ------------------------------------------------------ */

static char told[65536];

static void run(const char *test)
{
	FILE *f;
	size_t n;

	setenv("HPM_TESTS", test, 1);
	setenv("HPM_MEANT_TO_FAIL", "1", 1);
	f = popen(program_invocation_name, "r");
	CHECK(f);
	n = fread(told, 1, sizeof(told) - 1, f);
	told[n] = '\0';
	CHECK(pclose(f) == 1 << 8);
}

static void check_told(int line, const char *words)
{
	if (strstr(told, words))
		return;
	printf("# line %d: not told: %s\n", line, words);
	for (char *text = strtok(told, "\n"); text; text = strtok(NULL, "\n"))
		printf("#   %s\n", text);
	CHECK(!"told");
}

#define CHECK_TOLD(words)	check_told(__LINE__, words)

/* Who reads the log of a night's run has nothing else. */
static void a_comparison_tells_both_values(void)
{
	run("unequal");
	CHECK_TOLD("not so: five (5) == big (1099511627776 = 0x10000000000) (errno");
	run("negative");
	CHECK_TOLD("not so: minus (-2) >= 0 (errno");
	run("pointers");
	CHECK_TOLD("not so: p (0x1000) == MAP_FAILED (0xffffffffffffffff) (errno");
	run("strings");
	CHECK_TOLD("not so: got (\"thp\") == \"hugetlb\" (errno");
}

static void a_check_in_a_loop_tells_its_label(void)
{
	run("looped");
	CHECK_TOLD("not so: i < 1 || j < 1 [round 1] [part 1] (errno");
	run("outside_of_the_loop");
	CHECK_TOLD("not so: !\"labelled\" (errno");
}

/* Also where nothing is loaded and there is something to clean up. */
static void a_signal_is_told(void)
{
	run("ends_by_a_signal");
	CHECK_TOLD("ends_by_a_signal: killed by signal 6");
	CHECK(load("") == 0);
	run("ends_by_a_signal");
	CHECK_TOLD("ends_by_a_signal: killed by signal 6");
	CHECK(!loaded());
}

/* Nobody can look at it any more when it is killed. */
static void a_hang_is_described(void)
{
	run("hangs");
	CHECK_TOLD("it hangs: not done after 2 s");
	CHECK_TOLD("/stack:");
	CHECK_TOLD("# vmstat: ");
	CHECK_TOLD("sysrq: Show backtrace of all active CPUs");
	CHECK_TOLD("sysrq: Show Blocked State");
	CHECK_TOLD("hangs: killed by signal 9");
}

/* vm/run would find a true one, too. */
static void a_splat_fails_a_test(void)
{
	char path[] = "/tmp/hpm-told.XXXXXX", number[16];
	int fd;

	CHECK(mkdtemp(path) && !rmdir(path) && !mkfifo(path, 0600));
	fd = open(path, O_RDWR);
	CHECK(fd >= 0 && !unlink(path));
	snprintf(number, sizeof(number), "%d", fd);
	setenv("HPM_KMSG", number, 1);
	run("splats");
	CHECK_TOLD("# kernel log: ;list_del corruption");
}

static const struct test tests[] = {
	TEST(a_comparison_tells_both_values, ON_NONE),
	TEST(a_check_in_a_loop_tells_its_label, ON_NONE),
	TEST(a_signal_is_told, ON_NONE),
	TEST(a_hang_is_described, ON_NONE),
	TEST(a_splat_fails_a_test, ON_NONE),
};

int main(void)
{
	return getenv("HPM_MEANT_TO_FAIL") ? RUN_TESTS(failing) : RUN_TESTS(tests);
}
