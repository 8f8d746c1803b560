// SPDX-License-Identifier: GPL-2.0-only
/* Memory that broke: EIO and SIGBUS there, and nothing anywhere else. */
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif

static void touch(void *p)
{
	(void)*(volatile char *)p;
}

static void poison(void *p)
{
	/* What is left of the page's users decides the answer, not the poison. */
	madvise(p, base_page, MADV_HWPOISON);
}

static void use_it(void *arg)
{
	const char *backing = arg;
	char b[200], text[32], *p;
	int fd = dev_open(O_RDWR);

	buf_size = class_u64("size");
	buf_page = class_u64("page_size");
	class_text("backing", text, sizeof(text));
	CHECK_STREQ(text, backing);
	p = map_all(fd, RW, MAP_SHARED);
	fill(p, buf_size, 1);
	wait_for(spawn(poison, p + buf_page));

	CHECK_KILLED(spawn(touch, p + buf_page), SIGBUS);
	CHECK_ERR(pread(fd, b, 200, buf_page), EIO);
	CHECK_ERR(pwrite(fd, b, 200, buf_page), EIO);
	CHECK_EQ(pread(fd, b, 200, buf_page - 100), 100);
	CHECK_EQ(pwrite(fd, b, 200, buf_page - 100), 100);
	CHECK_EQ(lseek(fd, buf_page - 100, SEEK_SET), (off_t)buf_page - 100);
	CHECK_EQ(read(fd, b, 200), 100);
	CHECK_ERR(read(fd, b, 200), EIO);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), (off_t)buf_page);

	CHECK_EQ(pread(fd, b, 200, 0), 200);
	CHECK_EQ(pread(fd, b, 200, 2 * buf_page), 200);
	fill(p, buf_page, 2);
	CHECK(filled(p, buf_page, 2));
	fill(p + 2 * buf_page, buf_page, 3);
	CHECK(filled(p + 2 * buf_page, buf_page, 3));
}

static void check_poison(const char *params, const char *backing)
{
	CHECK_EQ(load(params), 0);
	CHECK_EXITS(spawn(use_it, (void *)backing));
	CHECK_EQ(unload(), 0);
}

static void a_poisoned_hugetlb_page_is_eio(void)
{
	CHECK_EQ(set_pool(pmd_size, "nr", 4), 0);
	check_poison("nr_hpages=4", "hugetlb");
	/* The three others are back; the broken one is nobody's any more. */
	CHECK_GE(pool_of(pmd_size, "free"), 3);
}

static void a_poisoned_thp_page_is_eio(void)
{
	check_poison("nr_hpages=4", "thp");
}

static void a_poisoned_base_page_is_eio(void)
{
	check_poison("nr_hpages=4 hpage_size=4K", "base");
}

/* --- in the reserve -------------------------------------------------------- */

#define READY	6

/* The physical address of a good hugetlb page in a file, which only the reserve has. */
static uint64_t page_of_the_pool(void)
{
	uint64_t lent = 1 << 17 | 1 << 15 | 1 << 4, broken = 1 << 19, flags, pfn;
	uint64_t step = pmd_size / base_page;
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);

	CHECK_GE(fd, 0);
	for (pfn = 0; pfn < (16ULL << 30) / base_page; pfn += step) {
		if (pread(fd, &flags, 8, pfn * 8) == 8 &&
		    (flags & (lent | broken)) == lent)
			break;
	}
	close(fd);
	return pfn * base_page;
}

static uint64_t ready(void)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/hpage_map_reserve/hugetlb-%zukB-node0/ready",
		 pmd_size / 1024);
	return read_u64(path);
}

/* It would be an EIO, a SIGBUS, and a machine check for a driver. */
static void a_broken_page_of_the_reserve_is_not_lent(void)
{
	struct hpage_map_alloc a;
	char path[96], text[32], byte;

	/* Some more than the reserve has: what earlier tests broke may be among them, or beside. */
	snprintf(path, sizeof(path), "/sys/devices/system/node/node0/hugepages/hugepages-%zukB/%s",
		 pmd_size / 1024, "nr_hugepages");
	CHECK_EQ(write_text(path, "16"), 0);
	CHECK_GE(node_pool(0, "nr"), 2 * READY + 4);
	CHECK_EQ(load(""), 0);
	snprintf(path, sizeof(path), "/sys/class/hpage_map_reserve/hugetlb-%zukB-node0/pages",
		 pmd_size / 1024);
	CHECK_EQ(write_text(path, "12"), 0);
	CHECK_COMES(ready() == 2 * READY);
	snprintf(text, sizeof(text), "%#llx", (unsigned long long)page_of_the_pool());
	CHECK_EQ(write_text("/sys/devices/system/memory/hard_offline_page", text), 0);
	CHECK_EQ(ready(), 2 * READY - 1);

	a = wish_of(HPAGE_MAP_BACKING_HUGETLB, READY, HPAGE_MAP_RESERVE);
	if (!try_alloc(&a)) {
		for (size_t at = 0; at < READY; at++)
			CHECK_EQ(pread(a.fd, &byte, 1, at * pmd_size), 1);
		close(a.fd);
	} else {
		CHECK_SAYS("broken");
	}
	CHECK_EQ(write_text(path, "0"), 0);
	CHECK_COMES(ready() == 0);
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(a_poisoned_hugetlb_page_is_eio, ON_NONE | LOSES_PAGES),
	TEST(a_poisoned_thp_page_is_eio, ON_NONE | LOSES_PAGES),
	TEST(a_poisoned_base_page_is_eio, ON_NONE | LOSES_PAGES),
	TEST(a_broken_page_of_the_reserve_is_not_lent, ON_NONE | LOSES_PAGES),
};

int main(void)
{
	return RUN_TESTS(tests);
}
