// SPDX-License-Identifier: GPL-2.0-only
/*
 * Huge pages that are split while the buffer is made are not taken for whole ones.
 *
 * The kernel goes through all memory, page by page, when it is told to split. Nothing ends that
 * before its time, and a module cannot go meanwhile. So it is told once, and buffers are made and
 * looked at for as long as it takes.
 */
#define _GNU_SOURCE
#include "buffers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPLIT	"/sys/kernel/debug/split_huge_pages"
#define PAGES	16	/* of each buffer, if they are huge */
#define PASSES	40	/* through all memory, at the most */
#define ENOUGH	4	/* buffers of which a page was split */

static void split_all(void *unused)
{
	(void)unused;
	CHECK_EQ(write_text(SPLIT, "1"), 0);
}

static bool ended(pid_t pid)
{
	int status = 0;
	pid_t ret = waitpid(pid, &status, WNOHANG);

	CHECK_GE(ret, 0);
	CHECK_EQ(status, 0);
	return ret == pid;
}

/* What is written through the mapping is what read() finds, at every base page. */
static void check_mapping_and_read_agree(const struct hpage_map_alloc *a)
{
	char *p = map_answer(a), *found = malloc(pmd_size);

	CHECK(found);
	for (uint64_t off = 0; off < a->got_length; off += base_page)
		memcpy(p + off, &off, sizeof(off));
	for (uint64_t off = 0; off < a->got_length; off += base_page) {
		if (off % pmd_size == 0)
			CHECK_EQ(pread(a->fd, found, pmd_size, off), (ssize_t)pmd_size);
		CHECK_EQ(memcmp(found + off % pmd_size, &off, sizeof(off)), 0);
	}
	free(found);
	CHECK_EQ(munmap(p, a->got_length), 0);
	close(a->fd);
}

static unsigned int whole, refused, mixed;

static void make_some(void)
{
	struct hpage_map_alloc a = wish(PAGES * pmd_size, pmd_size, 0);
	int ret = try_alloc(&a);

	CHECK(ret == 0 || ret == -ENOMEM);
	if (ret) {
		refused++;
	} else {
		whole++;
		check_mapping_and_read_agree(&a);
	}
	a = wish(PAGES * pmd_size, 0, HPAGE_MAP_ALLOW_BASE);
	CHECK_ALLOC(&a, 0);
	mixed += a.got_page_size != pmd_size;
	check_mapping_and_read_agree(&a);
}

static void a_split_page_is_not_taken_for_a_whole_one(void)
{
	pid_t splitter;

	CHECK_EQ(access(SPLIT, W_OK), 0);
	CHECK_EQ(load(""), 0);
	for (int i = 0; i < PASSES && refused + mixed < ENOUGH; i++) {
		splitter = spawn(split_all, NULL);
		do {
			make_some();
		} while (!ended(splitter));
	}
	printf("# %u whole, %u refused, %u with split pages\n", whole, refused, mixed);
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(a_split_page_is_not_taken_for_a_whole_one, ON_NONE | NEEDS_ROOT),
};

int main(void)
{
	return RUN_TESTS(tests);
}
