// SPDX-License-Identifier: GPL-2.0-only
/* What is got for what is asked, and what is said when it is not the best. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)
#define SHMEM	"/sys/kernel/mm/transparent_hugepage/shmem_enabled"

/* Leave no page of a PMD's size in the pool to promise, as any user can. */
static void eat_pool(void)
{
	size_t left = pool_of(pmd_size, "free") - pool_of(pmd_size, "resv");

	if (left)
		map(-1, left * pmd_size, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, 0);
	CHECK_EQ(pool_of(pmd_size, "free"), pool_of(pmd_size, "resv"));
}

static char why[TEXT];

static int try_alloc(struct hpage_map_alloc *a)
{
	static int door = -1;
	int ret;

	if (door < 0)
		door = dev_open(HPAGE_MAP_O_DOOR);
	memset(why, 0x55, sizeof(why));
	a->text = (uintptr_t)why;
	a->text_size = sizeof(why);
	ret = ioctl(door, HPAGE_MAP_ALLOC, a);
	CHECK(memchr(why, '\0', sizeof(why)));
	return ret;
}

/* Does the text say so many, in so many words? */
static bool told(const char *fmt, unsigned long a, unsigned long b, unsigned long c)
{
	char want[160];

	snprintf(want, sizeof(want), fmt, a, b, c);
	if (strstr(why, want))
		return true;
	printf("# no '%s' in '%s'\n", want, why);
	return false;
}

/* The pool of a page size has too few of the @nr pages that are needed. */
static bool told_short(unsigned long nr, size_t page_size, unsigned long left)
{
	char want[160];

	snprintf(want, sizeof(want), "hugetlb: %lu page%s of %s needed, %lu of", nr,
		 nr == 1 ? "" : "s", size_text(page_size), left);
	return told(want, 0, 0, 0);
}

static void the_best_is_got_without_a_word(void)
{
	struct hpage_map_alloc a = request(1, buf_page == pmd_size ? 0 : buf_page, 0);

	CHECK_EQ(try_alloc(&a), 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	CHECK_EQ(a.got_page_size, buf_page);
	CHECK(!*why);
}

/* Another rung is no secret, and the way to the better one is told with figures. */
static void a_short_pool_falls_to_thp_and_says_why(void)
{
	struct hpage_map_alloc a = request(2 * pmd_size, 0, 0);
	uint64_t before = pool_of(pmd_size, "free");

	eat_pool();
	CHECK_EQ(try_alloc(&a), 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_THP);
	CHECK_EQ(a.got_page_size, pmd_size);
	CHECK(told_short(2, pmd_size, 0));
	CHECK(told("(try: echo %lu > /sys/kernel/mm/hugepages/hugepages-%lukB/nr_hugepages)",
		   pool_of(pmd_size, "nr") + 2, pmd_size / 1024, 0));
	CHECK_EQ(pool_of(pmd_size, "free"), before);
}

/* A page size that is not the best is the one that was asked for: nothing to say. */
static void base_pages_are_got_when_asked_for(void)
{
	struct hpage_map_alloc a = request(3 * base_page - 5, base_page, HPAGE_MAP_EXACT);

	CHECK_EQ(try_alloc(&a), 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_BASE);
	CHECK_EQ(a.got_page_size, base_page);
	CHECK_EQ(a.got_length, 3 * base_page);
	CHECK(!*why);
}

static void exact_makes_a_refusal_of_a_fallback(void)
{
	struct hpage_map_alloc a = request(1, 1UL << 30, HPAGE_MAP_EXACT), before;
	uint64_t left = pool_of(1UL << 30, "free");

	CHECK_EQ(left, 0);
	before = a;
	CHECK_ERR(try_alloc(&a), ENOMEM);
	CHECK(told_short(1, 1UL << 30, left));
	CHECK(!strstr(why, "thp"));
	before.text = a.text;
	before.text_size = a.text_size;
	CHECK_EQ(memcmp(&a, &before, sizeof(a)), 0);
}

/* One page of a gigantic size is not what is got then, but as little as serves. */
static void a_gigantic_page_falls_to_a_pmd(void)
{
	uint64_t left = pool_of(pmd_size, "free") - pool_of(pmd_size, "resv");
	struct hpage_map_alloc a = request(1, 1UL << 30, 0);

	CHECK_EQ(try_alloc(&a), 0);
	CHECK_EQ(a.got_page_size, pmd_size);
	CHECK_EQ(a.got_length, pmd_size);
	CHECK(told_short(1, 1UL << 30, pool_of(1UL << 30, "free")));
	CHECK_EQ(a.got_backing, left ? HPAGE_MAP_BACKING_HUGETLB : HPAGE_MAP_BACKING_THP);
}

/* Forbid folios that a PMD maps; the old setting is put back by allow_thp(). */
static char shmem_was[32];

static void deny_thp(void)
{
	char text[128], *start, *end;

	read_text(SHMEM, text, sizeof(text));
	start = strchr(text, '[');
	end = strchr(text, ']');
	CHECK(start && end);
	*end = '\0';
	strcpy(shmem_was, start + 1);
	CHECK_EQ(write_text(SHMEM, "deny"), 0);
}

static void allow_thp(void)
{
	CHECK_EQ(write_text(SHMEM, shmem_was), 0);
}

static void alloc_without_huge_pages(void *arg)
{
	struct hpage_map_alloc a = request(0, 0, HPAGE_MAP_ALLOW_BASE);
	size_t left = pool_of(pmd_size, "free") - pool_of(pmd_size, "resv");

	(void)arg;
	a.length = (left + 1) * pmd_size + 1;
	CHECK_EQ(try_alloc(&a), 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_BASE);
	CHECK_EQ(a.got_page_size, base_page);
	CHECK_EQ(a.got_length, (left + 1) * pmd_size + base_page);
	CHECK_EQ(ask(a.fd).nr_huge, 0);
	CHECK(told_short(left + 2, pmd_size, left));
	CHECK(told("; thp: no PMD-sized folio after 0 KiB (try: echo never", 0, 0, 0));
	CHECK_EQ(close(a.fd), 0);

	a.flags = 0;
	CHECK_ERR(try_alloc(&a), ENOMEM);
	CHECK(told_short(left + 2, pmd_size, left));
	CHECK(told("; thp: no PMD-sized folio after 0 KiB", 0, 0, 0));
	a.flags = HPAGE_MAP_EXACT;
	CHECK_ERR(try_alloc(&a), ENOMEM);
}

static void base_pages_are_got_only_when_allowed(void)
{
	int status;

	deny_thp();
	status = wait_for(spawn(alloc_without_huge_pages, NULL));
	allow_thp();
	CHECK_EQ(status, 0);
}

static void a_size_that_no_machine_has_is_told(void)
{
	struct hpage_map_alloc a = request(1ULL << 50, 0, HPAGE_MAP_ALLOW_BASE);

	CHECK_ERR(try_alloc(&a), ENOMEM);
	CHECK_STREQ(why, "more than this machine's memory (try: a smaller size)");
	a = request(1, 8 * base_page, HPAGE_MAP_EXACT);
	CHECK_ERR(try_alloc(&a), EINVAL);
	CHECK(strstr(why, "hugetlb: no pages of "));
	CHECK(strstr(why, size_text(8 * base_page)));
}

/* --- the text itself ----------------------------------------------------- */

/* A request that is refused with the text "a size of 0". */
static void a_text_is_cut_to_its_room(void)
{
	const char whole[] = "a size of 0";
	struct hpage_map_alloc a = request(0, 0, 0);
	int door = dev_open(O_RDWR);
	char text[TEXT];

	for (size_t room = 1; room < sizeof(whole) + 2; room++) {
		size_t len = room < sizeof(whole) ? room - 1 : sizeof(whole) - 1;

		memset(text, 0x55, sizeof(text));
		a.text = (uintptr_t)text;
		a.text_size = room;
		CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EINVAL);
		CHECK_EQ(memcmp(text, whole, len), 0);
		CHECK_EQ(text[len], '\0');
		CHECK_EQ(text[len + 1], 0x55);
	}
	a.text_size = 0xffffffff;	/* room that is not there is not looked at */
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EINVAL);
	CHECK_STREQ(text, whole);
	a.text = 0;
	a.text_size = 0;
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EINVAL);
}

/* A notice that cannot be given, about a buffer that could have been. */
static void a_text_without_its_room_is_efault_and_no_buffer(void)
{
	struct hpage_map_alloc a = request(1, 1UL << 30, 0), before;
	char *page = map(-1, 2 * base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	unsigned int buffers = nr_buffers();
	int door = dev_open(O_RDWR);

	CHECK_EQ(munmap(page + base_page, base_page), 0);
	a.text = (uintptr_t)page + base_page - 4;	/* good for an empty one */
	a.text_size = TEXT;
	before = a;
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EFAULT);
	CHECK_EQ(memcmp(&a, &before, sizeof(a)), 0);
	CHECK_EQ(nr_buffers(), buffers);

	a.text = (uintptr_t)page;
	CHECK_EQ(ioctl(door, HPAGE_MAP_ALLOC, &a), 0);
	CHECK(*page);
	close(a.fd);
	CHECK_EQ(mprotect(page, base_page, PROT_READ), 0);
	CHECK_ERR(ioctl(door, HPAGE_MAP_ALLOC, &a), EFAULT);
	CHECK_EQ(nr_buffers(), buffers);
}

static const struct test tests[] = {
	TEST(the_best_is_got_without_a_word, ON_HUGETLB),
	TEST(a_short_pool_falls_to_thp_and_says_why, ON_HUGETLB | ON_THP),
	TEST(base_pages_are_got_when_asked_for, ON_ANY),
	TEST(exact_makes_a_refusal_of_a_fallback, ON_ANY),
	TEST(a_gigantic_page_falls_to_a_pmd, ON_ANY),
	TEST(base_pages_are_got_only_when_allowed, ON_ANY | NEEDS_ROOT),
	TEST(a_size_that_no_machine_has_is_told, ON_ANY),
	TEST(a_text_is_cut_to_its_room, ON_ANY),
	TEST(a_text_without_its_room_is_efault_and_no_buffer, ON_ANY),
};

int main(void)
{
	return RUN_TESTS(tests);
}
