// SPDX-License-Identifier: GPL-2.0-only
/* The contract at the top of the uAPI header, line by line. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <linux/hpage_map.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)

static struct hpage_map_info ask(int fd)
{
	struct hpage_map_info info = { .size = sizeof(info) };

	CHECK(ioctl(fd, HPAGE_MAP_INFO, &info) == 0);
	CHECK(info.size == sizeof(info));
	return info;
}

static void info_agrees_with_sysfs(void)
{
	static const char * const names[] = { "none", "hugetlb", "thp", "base" };
	struct hpage_map_info info = ask(dev_open(O_RDWR));
	char text[32];

	CHECK(info.length == buf_size && info.length == class_u64("size"));
	CHECK(info.page_size == class_u64("page_size"));
	CHECK(info.nr_pages == class_u64("nr_pages"));
	CHECK(info.nr_pages * info.page_size == info.length);
	CHECK(info.nr_huge == class_u64("nr_huge"));
	CHECK(info.nr_runs == class_u64("runs"));
	CHECK(info.nr_runs >= 1 && info.nr_runs <= info.nr_pages);
	class_text("node", text, sizeof(text));
	CHECK(info.node == atoi(text));
	class_text("backing", text, sizeof(text));
	CHECK(info.backing >= 1 && info.backing <= 3 && !strcmp(text, names[info.backing]));
	CHECK(info.flags == 0);
	CHECK(info.features & HPAGE_MAP_FEATURE_HUGETLB);
	CHECK(info.features & HPAGE_MAP_FEATURE_THP);
	if (suite_where == ON_THP)
		CHECK(info.page_size == pmd_size && info.nr_huge == info.nr_pages);
}

static void any_descriptor_may_ask(void)
{
	ask(dev_open(O_RDONLY));
	ask(dev_open(O_WRONLY));
}

static void a_short_struct_is_refused(void)
{
	int fd = dev_open(O_RDWR);
	struct hpage_map_info info, before;

	for (__u32 size = 0; size < sizeof(info); size++) {
		memset(&info, 0, sizeof(info));
		info.size = size;
		before = info;
		CHECK_ERR(ioctl(fd, HPAGE_MAP_INFO, &info), EINVAL);
		CHECK(memcmp(&info, &before, sizeof(info)) == 0);
	}
}

struct longer {
	struct hpage_map_info info;
	unsigned char tail[HPAGE_MAP_STRUCT_MAX];
};

static void a_longer_struct_is_for_zeroes_only(void)
{
	struct longer l;
	static const size_t tails[] = { 1, 8, 64, HPAGE_MAP_STRUCT_MAX - sizeof(l.info) };
	int fd = dev_open(O_RDWR);

	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		memset(&l, 0, sizeof(l));
		l.info.size = sizeof(l.info) + tails[i];
		CHECK(ioctl(fd, HPAGE_MAP_INFO, &l) == 0);
		CHECK(l.info.size == sizeof(l.info) + tails[i]);
		CHECK(l.info.length == buf_size);
		CHECK(zeroed(l.tail, sizeof(l.tail)));

		memset(&l, 0, sizeof(l));
		l.info.size = sizeof(l.info) + tails[i];
		l.tail[tails[i] - 1] = 1;
		CHECK_ERR(ioctl(fd, HPAGE_MAP_INFO, &l), E2BIG);
		CHECK(l.info.length == 0);
	}
	memset(&l, 0, sizeof(l));
	l.info.size = HPAGE_MAP_STRUCT_MAX + 1;
	CHECK_ERR(ioctl(fd, HPAGE_MAP_INFO, &l), E2BIG);
	l.info.size = sizeof(l.info) + 8;
	l.tail[8] = 1;		/* not ours any more */
	CHECK(ioctl(fd, HPAGE_MAP_INFO, &l) == 0);
	CHECK(l.tail[8] == 1);
}

static void every_unknown_flag_is_refused(void)
{
	int fd = dev_open(O_RDWR);

	for (int bit = 0; bit < 32; bit++) {
		struct hpage_map_info info = { .size = sizeof(info), .flags = 1u << bit };

		CHECK_ERR(ioctl(fd, HPAGE_MAP_INFO, &info), EINVAL);
		CHECK(info.length == 0);
	}
}

/* An answer needs no input: what was in the output fields is overwritten. */
static void output_fields_may_hold_anything(void)
{
	int fd = dev_open(O_RDWR);
	struct hpage_map_info want = ask(fd), info;

	memset(&info, 0xff, sizeof(info));
	info.size = sizeof(info);
	info.flags = 0;
	CHECK(ioctl(fd, HPAGE_MAP_INFO, &info) == 0);
	CHECK(memcmp(&info, &want, sizeof(info)) == 0);
}

static void bad_pointers_are_efault(void)
{
	int fd = dev_open(O_RDWR);
	char *page = mmap(NULL, 2 * base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct hpage_map_info *info = (void *)(page + base_page - sizeof(*info));

	CHECK(munmap(page + base_page, base_page) == 0);
	CHECK_ERR(ioctl(fd, HPAGE_MAP_INFO, NULL), EFAULT);
	CHECK_ERR(ioctl(fd, HPAGE_MAP_INFO, -1L), EFAULT);
	CHECK_ERR(ioctl(fd, HPAGE_MAP_INFO, page + base_page), EFAULT);
	CHECK_ERR(ioctl(fd, HPAGE_MAP_INFO, page + base_page - 2), EFAULT);
	info->size = sizeof(*info);
	CHECK(ioctl(fd, HPAGE_MAP_INFO, info) == 0);
	info->size = sizeof(*info) + 8;		/* the tail is nobody's */
	CHECK_ERR(ioctl(fd, HPAGE_MAP_INFO, info), EFAULT);
	info = (void *)(page + base_page - 8);
	memset(info, 0, 8);
	info->size = sizeof(*info);
	CHECK_ERR(ioctl(fd, HPAGE_MAP_INFO, info), EFAULT);
	info->size = 0xffffffff;
	CHECK_ERR(ioctl(fd, HPAGE_MAP_INFO, info), E2BIG);
	memset(page, 0, 8);
	info = (void *)page;
	info->size = sizeof(*info);
	CHECK(mprotect(page, base_page, PROT_READ) == 0);
	CHECK_ERR(ioctl(fd, HPAGE_MAP_INFO, info), EFAULT);
}

static void other_numbers_are_enotty(void)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	int fd = dev_open(O_RDWR);

	for (unsigned int nr = 0; nr < 256; nr++)
		if (nr != HPAGE_MAP_CMD_INFO)
			CHECK_ERR(ioctl(fd, _IO(HPAGE_MAP_IOC_TYPE, nr), &info), ENOTTY);
	CHECK_ERR(ioctl(fd, _IO(0xBA, HPAGE_MAP_CMD_INFO), &info), ENOTTY);
	CHECK_ERR(ioctl(fd, _IOWR(HPAGE_MAP_IOC_TYPE, HPAGE_MAP_CMD_INFO, info), &info), ENOTTY);
	CHECK(info.length == 0);
}

#ifdef __x86_64__
/* A 32-bit program's system call: the layout is the same for it. */
static void thirty_two_bit_programs_may_ask(void)
{
	struct hpage_map_info *info = mmap(NULL, base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS |
					   MAP_32BIT, -1, 0);
	long ret, fd = dev_open(O_RDWR);
	struct hpage_map_info want = ask(fd);

	CHECK(info != MAP_FAILED);
	info->size = sizeof(*info);
	asm volatile("int $0x80" : "=a"(ret)
		     : "a"(54L), "b"(fd), "c"((long)HPAGE_MAP_INFO), "d"(info)
		     : "memory", "r8", "r9", "r10", "r11");
	CHECK(ret == 0);
	CHECK(memcmp(info, &want, sizeof(want)) == 0);
}
#endif

static const struct test tests[] = {
	TEST(info_agrees_with_sysfs, ON_ANY),
	TEST(any_descriptor_may_ask, ON_ANY),
	TEST(a_short_struct_is_refused, ON_ANY),
	TEST(a_longer_struct_is_for_zeroes_only, ON_ANY),
	TEST(every_unknown_flag_is_refused, ON_ANY),
	TEST(output_fields_may_hold_anything, ON_ANY),
	TEST(bad_pointers_are_efault, ON_ANY),
	TEST(other_numbers_are_enotty, ON_ANY),
#ifdef __x86_64__
	TEST(thirty_two_bit_programs_may_ask, ON_ANY),
#endif
};

int main(void)
{
	return RUN_TESTS(tests);
}
