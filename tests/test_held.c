// SPDX-License-Identifier: GPL-2.0-only
/* What somebody else in the kernel holds: devices of the module, a page that it would have. */
#define _GNU_SOURCE
#include "lent.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool says_yes(const char *parameter)
{
	char text[8];

	read_text(parameter, text, sizeof(text));
	return *text == 'Y';
}

static bool holds(void)
{
	return says_yes("/sys/module/hpm_holder/parameters/holds");
}

/* Does the process wait in the function that takes the names away? Or it has ended. */
static bool waits_or_ended(pid_t pid)
{
	char path[64], text[4096];
	siginfo_t info = {};

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	read_text(path, text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	if (strstr(text, "hpm_named_exit"))
		return true;
	CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	return info.si_pid == pid;
}

static void unloads(void *arg)
{
	(void)arg;
	CHECK_EQ(unload(), 0);
}

/* The device of a name is freed by code of the module, which must be there for it. */
static void unload_waits_for_the_device_of_a_name(bool destroyed)
{
	pid_t pid;

	CHECK_EQ(load(""), 0);
	CHECK_EQ(insert("hpm_holder", "name=held"), 0);
	close(create("held", 1, base_page));
	CHECK(holds());
	if (destroyed)
		CHECK_EQ(destroy("held"), 0);
	pid = spawn(unloads, NULL);
	CHECK_COMES(waits_or_ended(pid));
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	CHECK_EQ(take_out("hpm_holder"), 0);
	CHECK_EXITS(pid);
	CHECK(!loaded());
}

static void the_device_of_a_destroyed_name_may_be_held(void)
{
	unload_waits_for_the_device_of_a_name(true);
}

static void the_device_of_a_name_may_be_held_at_unload(void)
{
	unload_waits_for_the_device_of_a_name(false);
}

/* All others are freed by the kernel itself. */
static void other_devices_may_be_held_beyond_the_module(void)
{
	static const char * const formats[] = { "hpage_map", "thp-%zukB-node0" };
	char name[64], params[128];

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		snprintf(name, sizeof(name), formats[i], pmd_size / 1024);
		snprintf(params, sizeof(params), "name=%s", name);
		CHECK_EQ(insert("hpm_holder", params), 0);
		CHECK_EQ(load(""), 0);
		CHECK(holds());
		CHECK_EQ(unload(), 0);
		CHECK_EQ(take_out("hpm_holder"), 0);
	}
}

/* A run is made elsewhere, however long the page is held. Its place is free after that. */
static void a_page_that_is_looked_at_delays_no_run(void)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_THP, 4, HPAGE_MAP_CONTIGUOUS);

	CHECK_EQ(load(""), 0);
	CHECK_EQ(insert("hpm_keeper", ""), 0);
	CHECK_ALLOC(&a, 0);
	CHECK(says_yes("/sys/module/hpm_keeper/parameters/keeps"));
	CHECK_EQ(a.got_runs, 1);
	close(a.fd);
	CHECK_EQ(take_out("hpm_keeper"), 0);
	a = wish_of(HPAGE_MAP_BACKING_THP, 4, HPAGE_MAP_CONTIGUOUS);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_runs, 1);
	close(a.fd);
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(the_device_of_a_destroyed_name_may_be_held, ON_NONE),
	TEST(the_device_of_a_name_may_be_held_at_unload, ON_NONE),
	TEST(other_devices_may_be_held_beyond_the_module, ON_NONE),
	TEST(a_page_that_is_looked_at_delays_no_run, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
