// SPDX-License-Identifier: GPL-2.0-only
/* Memory runs short: an errno for who asks too much, and lent pages stay. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)
#define ROOT	"/sys/fs/cgroup/"
#define GROUP	ROOT "hpage_map-test/"
#define MIB	(1UL << 20)
#define NR_DEFAULT 10

static void make_group(void)
{
	CHECK_EQ(write_text(ROOT "cgroup.subtree_control", "+memory +hugetlb"), 0);
	rmdir(GROUP);	/* of a test that failed */
	CHECK_EQ(mkdir(GROUP, 0755), 0);
}

static void remove_group(void)
{
	CHECK_EQ(rmdir(GROUP), 0);
}

static void enter_group(void)
{
	CHECK_EQ(write_text(GROUP "cgroup.procs", "0"), 0);
}

/* The number behind key in a file of lines "key number". */
static uint64_t group_stat(const char *file, const char *key)
{
	char path[128], text[8192], want[64], *s;

	snprintf(path, sizeof(path), GROUP "%s", file);
	text[0] = '\n';
	read_text(path, text + 1, sizeof(text) - 1);
	snprintf(want, sizeof(want), "\n%s ", key);
	s = strstr(text, want);
	CHECK(s);
	return strtoull(s + strlen(want), NULL, 10);
}

static bool backed_by(const char *name)
{
	char text[32];

	class_text("backing", text, sizeof(text));
	return !strcmp(text, name);
}

static void open_is_enomem(void *arg)
{
	(void)arg;
	enter_group();
	CHECK_ERR(open(DEV, O_RDWR), ENOMEM);
	CHECK_ERR(open(DEV, O_RDONLY), ENOMEM);
}

static void load_is_enomem(void *params)
{
	enter_group();
	CHECK_EQ(load(params), -ENOMEM);
}

/* Whoever opens is charged, and refused; the next one may have more room. */
static void over_memory_max_is_enomem(void)
{
	make_group();
	CHECK_EQ(write_text(GROUP "memory.max", "8M"), 0);
	CHECK_EQ(load(""), 0);
	CHECK_EXITS(spawn(open_is_enomem, NULL));
	CHECK(backed_by("none"));
	close(dev_open(O_RDWR));
	CHECK(backed_by("thp"));
	CHECK_EQ(unload(), 0);
	CHECK_EXITS(spawn(load_is_enomem, "nr_hpages=10"));
	CHECK_EXITS(spawn(load_is_enomem, "size=32M hpage_size=4K"));
	CHECK_EXITS(spawn(load_is_enomem, "size=32M allow_base=1"));
	CHECK(!loaded());
	CHECK_EQ(group_stat("memory.events", "oom_kill"), 0);
	remove_group();
}

static void open_from_group(void *arg)
{
	(void)arg;
	enter_group();
	close(dev_open(O_RDWR));
}

static void the_first_opener_is_charged(void)
{
	make_group();
	CHECK_EQ(load(""), 0);
	CHECK_EXITS(spawn(open_from_group, NULL));
	CHECK(backed_by("thp"));
	CHECK_GE(group_stat("memory.stat", "shmem"), NR_DEFAULT * pmd_size);
	CHECK_EQ(unload(), 0);
	remove_group();
}

static void hugetlb_limits_count_too(void)
{
	make_group();
	CHECK_EQ(set_pool(pmd_size, "nr", 16), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 16);
	CHECK_EQ(load(""), 0);
	CHECK_EXITS(spawn(open_from_group, NULL));
	CHECK(backed_by("hugetlb"));
	CHECK_EQ(read_u64(GROUP "hugetlb.2MB.current"), NR_DEFAULT * pmd_size);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(read_u64(GROUP "hugetlb.2MB.current"), 0);

	/* The limit is met in the middle: the rest goes back, another rung serves. */
	CHECK_EQ(write_text(GROUP "hugetlb.2MB.max", "8M"), 0);
	CHECK_EQ(load(""), 0);
	CHECK_EXITS(spawn(open_from_group, NULL));
	CHECK(backed_by("thp"));
	CHECK_EQ(read_u64(GROUP "hugetlb.2MB.current"), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 16);
	CHECK_EQ(unload(), 0);
	remove_group();
}

static void map_and_hog(void *arg)
{
	const size_t hog = 36 * MIB;
	char *p, *h;

	(void)arg;
	enter_group();
	CHECK_EQ(load("nr_hpages=10"), 0);
	buf_size = class_u64("size");
	CHECK(backed_by("thp"));
	p = map_all(dev_open(O_RDWR), RW, MAP_SHARED | MAP_POPULATE);
	fill(p, buf_size, 1);
	h = mmap(NULL, hog, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_NE(h, MAP_FAILED);
	fill(h, hog, 2);
	CHECK_GT(read_u64(GROUP "memory.swap.current"), 0);	/* it was tight */
	write_text(GROUP "memory.reclaim", "16M");	/* or what there is */
	CHECK_EQ(write_text("/proc/sys/vm/drop_caches", "3"), 0);
	CHECK_EQ(smaps(p, "ShmemPmdMapped"), (long)(buf_size / 1024));
	CHECK(filled(p, buf_size, 1));
	CHECK(filled(h, MIB, 2));
	CHECK_EQ(smaps(p, "ShmemPmdMapped"), (long)(buf_size / 1024));
}

/* Reclaim unmaps what it may take, pinned or not: it must not think it may. */
static void reclaim_leaves_huge_mappings(void)
{
	char command[128];
	int status;

	CHECK(getenv("HPM_DISK"));
	snprintf(command, sizeof(command), "mkswap -q %s", getenv("HPM_DISK"));
	CHECK_EQ(system(command), 0);
	make_group();
	CHECK_EQ(write_text(GROUP "memory.max", "48M"), 0);
	CHECK_EQ(swapon(getenv("HPM_DISK"), 0), 0);
	status = wait_for(spawn(map_and_hog, NULL));
	CHECK_EQ(swapoff(getenv("HPM_DISK")), 0);	/* first: others write to the disk */
	CHECK_EQ(status, 0);
	CHECK_EQ(group_stat("memory.events", "oom_kill"), 0);
	CHECK_EQ(unload(), 0);
	remove_group();
}

static const struct test tests[] = {
	TEST(over_memory_max_is_enomem, ON_NONE),
	TEST(the_first_opener_is_charged, ON_NONE),
	TEST(hugetlb_limits_count_too, ON_NONE),
	TEST(reclaim_leaves_huge_mappings, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
