// SPDX-License-Identifier: GPL-2.0-only
/* Huge pages that are split while the buffer is made are not taken for whole ones. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SPLIT "/sys/kernel/debug/split_huge_pages"

static void split_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		write_text(SPLIT, "1");
}

/* What is written through the mapping is what read() finds, at every base page. */
static bool mapping_and_read_agree(void)
{
	size_t size = class_u64("size");
	int fd = dev_open(O_RDWR);
	bool agree = true;
	uint64_t found;
	char *p;

	p = map(fd, size, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	for (size_t off = 0; off < size; off += base_page)
		memcpy(p + off, &off, sizeof(off));
	for (size_t off = 0; off < size; off += base_page)
		agree &= pread(fd, &found, sizeof(found), off) == sizeof(found) && found == off;
	CHECK_EQ(munmap(p, size), 0);
	close(fd);
	return agree;
}

static void a_split_page_is_not_taken_for_a_whole_one(void)
{
	pid_t splitter = spawn(split_for_ever, NULL);
	int thp, mixed;

	CHECK_EQ(access(SPLIT, W_OK), 0);
	thp = load("size=16M hpage_size=2M");
	CHECK(thp == 0 || thp == -ENOMEM);
	if (thp == 0) {
		CHECK(mapping_and_read_agree());
		CHECK_EQ(unload(), 0);
	}
	mixed = load("size=16M allow_base=1");
	CHECK_EQ(mixed, 0);
	CHECK(mapping_and_read_agree());
	CHECK_EQ(unload(), 0);
	kill(splitter, SIGKILL);
	CHECK_KILLED(splitter, SIGKILL);
}

static const struct test tests[] = {
	TEST(a_split_page_is_not_taken_for_a_whole_one, ON_NONE | NEEDS_ROOT),
};

int main(void)
{
	return RUN_TESTS(tests);
}
