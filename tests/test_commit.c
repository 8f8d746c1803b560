// SPDX-License-Identifier: GPL-2.0-only
/* What the commit limit (vm.overcommit_memory=2) refuses is an errno with a reason. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define VM "/proc/sys/vm/"

static char ratio[16];

static uint64_t committed_kb(void)
{
	unsigned long long kb;
	char text[8192], *line;

	read_text("/proc/meminfo", text, sizeof(text));
	line = strstr(text, "Committed_AS:");
	CHECK(line);
	CHECK_EQ(sscanf(line, "Committed_AS: %llu", &kb), 1);
	return kb;
}

/* Until unlimit(), @kb more may be committed. No CHECK in between: all of the machine is held. */
static void limit(uint64_t kb)
{
	char text[24];

	read_text(VM "overcommit_ratio", ratio, sizeof(ratio));
	snprintf(text, sizeof(text), "%llu", (unsigned long long)(committed_kb() + kb));
	CHECK_EQ(write_text(VM "overcommit_kbytes", text), 0);
	CHECK_EQ(write_text(VM "overcommit_memory", "2"), 0);
}

static void unlimit(void)
{
	int memory = write_text(VM "overcommit_memory", "0");

	CHECK_EQ(memory, 0);
	CHECK_EQ(write_text(VM "overcommit_ratio", ratio), 0);
}

static void a_load_over_the_commit_limit_is_enomem(void)
{
	int thp, base;

	limit(12 << 10);
	thp = load("nr_hpages=10");
	base = load("size=20M hpage_size=4K");
	unlimit();
	CHECK_EQ(thp, -ENOMEM);
	CHECK_EQ(base, -ENOMEM);
	CHECK_EQ(load("nr_hpages=10"), 0);
	CHECK_EQ(unload(), 0);
}

/* The pool has the copies of a private mapping, and still they are committed. */
static void a_private_mapping_over_the_commit_limit_is_enomem(void)
{
	size_t size;
	void *p;
	int fd, err;

	CHECK_EQ(set_pool(pmd_size, "nr", 20), 0);
	CHECK_EQ(load("nr_hpages=10"), 0);
	size = class_u64("size");
	fd = dev_open(O_RDWR);
	limit(12 << 10);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	err = errno;
	unlimit();
	CHECK_EQ(p, MAP_FAILED);
	CHECK_EQ(err, ENOMEM);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK_NE(p, MAP_FAILED);
	CHECK_EQ(munmap(p, size), 0);
	close(fd);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(set_pool(pmd_size, "nr", 0), 0);
}

static const struct test tests[] = {
	TEST(a_load_over_the_commit_limit_is_enomem, ON_NONE | NEEDS_ROOT),
	TEST(a_private_mapping_over_the_commit_limit_is_enomem, ON_NONE | NEEDS_ROOT),
};

int main(void)
{
	return RUN_TESTS(tests);
}
