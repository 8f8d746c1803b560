// SPDX-License-Identifier: GPL-2.0-only
/* Memory that broke: EIO and SIGBUS there, and nothing anywhere else. */
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

#define FLAG(nr)	(1ULL << (nr))	/* of linux/kernel-page-flags.h */
#define END_OF_MEMORY	((16ULL << 30) / base_page)	/* a page frame beyond all memory */

/* The first huge page from a page frame on that has all of these flags and none of those. */
static uint64_t huge_page_with(uint64_t pfn, uint64_t all, uint64_t none)
{
	uint64_t flags, step = pmd_size / base_page;
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);

	CHECK_GE(fd, 0);
	for (; pfn < END_OF_MEMORY; pfn += step) {
		if (pread(fd, &flags, 8, pfn * 8) == 8 && (flags & (all | none)) == all)
			break;
	}
	close(fd);
	return pfn;
}

/* Huge pages of the page allocator of which the first part is broken, and which are not free. */
static unsigned int broken_huge_pages(void)
{
	uint64_t pfn = 0, step = pmd_size / base_page;
	unsigned int nr = 0;

	for (;; pfn += step, nr++) {
		pfn = huge_page_with(pfn, FLAG(KPF_HWPOISON) | FLAG(KPF_COMPOUND_HEAD),
				     FLAG(KPF_HUGE));
		if (pfn >= END_OF_MEMORY)
			return nr;
	}
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
	unsigned int before = broken_huge_pages();

	check_poison("nr_hpages=4", "thp");
	/* It stays whole and away from the page allocator, which would give it to others. */
	CHECK_EQ(broken_huge_pages(), before + 1);
}

static void a_poisoned_base_page_is_eio(void)
{
	check_poison("nr_hpages=4 hpage_size=4K", "base");
}

/* --- in the reserve -------------------------------------------------------- */

#define READY	6

#define IN_FILE		(FLAG(KPF_DIRTY) | FLAG(KPF_COMPOUND_HEAD))
#define ELSEWHERE	(FLAG(KPF_HWPOISON) | FLAG(KPF_MMAP) | FLAG(KPF_ANON))

/* The first page frame of a good huge page in a file that nobody maps: the reserve has it. */
static uint64_t page_in_reserve(enum hpage_map_backing backing)
{
	uint64_t huge = FLAG(backing == HPAGE_MAP_BACKING_THP ? KPF_THP : KPF_HUGE);

	return huge_page_with(0, IN_FILE | huge, ELSEWHERE);
}

/* A file of the reserve of a backing on node 0. */
static const char *reserve_file(enum hpage_map_backing backing, const char *name)
{
	static char path[96];

	snprintf(path, sizeof(path), "/sys/class/hpage_map_reserve/%s-%zukB-node0/%s",
		 backing == HPAGE_MAP_BACKING_THP ? "thp" : "hugetlb", pmd_size / 1024, name);
	return path;
}

static uint64_t ready(enum hpage_map_backing backing)
{
	return read_u64(reserve_file(backing, "ready"));
}

static void keep_ready(enum hpage_map_backing backing, uint64_t pages)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)pages);
	CHECK_EQ(write_text(reserve_file(backing, "pages"), text), 0);
	CHECK_COMES(ready(backing) == pages);
}

/* The memory of this page frame fails. */
static void break_page(uint64_t pfn)
{
	char text[24];

	snprintf(text, sizeof(text), "%#llx", (unsigned long long)pfn * base_page);
	CHECK_EQ(write_text("/sys/devices/system/memory/hard_offline_page", text), 0);
}

/* Every byte of a buffer can be read: none of its pages is broken. */
static void check_good(int fd, uint64_t nr)
{
	size_t size = nr * pmd_size;
	char *own = malloc(size);

	CHECK(own);
	CHECK_EQ(pread(fd, own, size, 0), (ssize_t)size);
	free(own);
}

/* What is taken at once is good, or else it is told that there was a broken one. */
static bool check_lent(enum hpage_map_backing backing)
{
	struct hpage_map_alloc a = wish_of(backing, READY, HPAGE_MAP_RESERVE);
	int ret = try_alloc(&a);

	if (ret) {
		CHECK_SAYS("broken");
		return false;
	}
	check_good(a.fd, READY);
	close(a.fd);
	return true;
}

/* It would be an EIO, a SIGBUS, and a machine check for a driver. */
static void a_broken_page_of_the_reserve_is_not_lent(void)
{
	char path[96];

	/* Some more than the reserve has: what earlier tests broke may be among them, or beside. */
	snprintf(path, sizeof(path), "/sys/devices/system/node/node0/hugepages/hugepages-%zukB/%s",
		 pmd_size / 1024, "nr_hugepages");
	CHECK_EQ(write_text(path, "16"), 0);
	CHECK_GE(node_pool(0, "nr"), 2 * READY + 4);
	CHECK_EQ(load(""), 0);
	keep_ready(HPAGE_MAP_BACKING_HUGETLB, 2 * READY);
	break_page(page_in_reserve(HPAGE_MAP_BACKING_HUGETLB));
	CHECK_EQ(ready(HPAGE_MAP_BACKING_HUGETLB), 2 * READY - 1);
	check_lent(HPAGE_MAP_BACKING_HUGETLB);
	keep_ready(HPAGE_MAP_BACKING_HUGETLB, 0);
	CHECK_EQ(unload(), 0);
}

/*
 * A huge page of tmpfs is split when a part of it breaks: then it is none any more, whatever is
 * left of it.
 */
static void check_thp_reserve(size_t part)
{
	uint64_t nr = 2 * READY;
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_THP, nr, HPAGE_MAP_RESERVE);

	keep_ready(HPAGE_MAP_BACKING_THP, nr);
	break_page(page_in_reserve(HPAGE_MAP_BACKING_THP) + part);
	CHECK_ALLOC(&a, 0);
	/*
	 * Those that were ready are dropped for the one, and new ones come in their place: from
	 * the page allocator, or from the reserve if that is full again by then.
	 */
	CHECK_SAYS(part ? "split" : "broken");
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_THP);
	check_good(a.fd, nr);
	close(a.fd);
	CHECK_COMES(ready(HPAGE_MAP_BACKING_THP) == nr);
	CHECK(check_lent(HPAGE_MAP_BACKING_THP));
	keep_ready(HPAGE_MAP_BACKING_THP, 0);
}

static void a_broken_page_of_the_thp_reserve_is_not_lent(void)
{
	static const size_t parts[] = { 0, 1, 511 };

	CHECK_EQ(set_pool(pmd_size, "nr", 0), 0);
	CHECK_EQ(load(""), 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		LABEL("base page %zu", parts[i]);
		check_thp_reserve(parts[i]);
	}
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(a_poisoned_hugetlb_page_is_eio, ON_NONE | LOSES_PAGES),
	TEST(a_poisoned_thp_page_is_eio, ON_NONE | LOSES_PAGES),
	TEST(a_poisoned_base_page_is_eio, ON_NONE | LOSES_PAGES),
	TEST(a_broken_page_of_the_reserve_is_not_lent, ON_NONE | LOSES_PAGES),
	TEST(a_broken_page_of_the_thp_reserve_is_not_lent, ON_NONE | LOSES_PAGES),
};

int main(void)
{
	return RUN_TESTS(tests);
}
