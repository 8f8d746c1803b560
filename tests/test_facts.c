// SPDX-License-Identifier: GPL-2.0-only
/* What sysfs and fdinfo tell about the buffer, and whether it is true. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void everybody_may_read_every_fact(void)
{
	static const char * const names[] = {
		"size", "page_size", "backing", "nr_pages", "nr_huge", "runs", "node",
		"descriptors", "mappings", "id", "asked", "below_4g", "reserve", "creator",
	};
	char path[128], text[64];
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), CLASS "%s", names[i]);
		CHECK_EQ(stat(path, &st), 0);
		CHECK_EQ(st.st_mode & 07777, 0444);
		read_text(path, text, sizeof(text));
		CHECK(*text && !strpbrk(text, " \n"));
	}
	CHECK_EQ(class_u64("nr_pages") * class_u64("page_size"), class_u64("size"));
}

static void descriptors_are_counted(void)
{
	int a = dev_open(O_RDONLY), b = dev_open(O_RDWR);

	CHECK_COUNT("descriptors", 2);
	CHECK_GE(refcnt(), 2);
	CHECK_GE(dup(a), 0);		/* the same open file */
	CHECK_COUNT("descriptors", 2);
	close(b);
	CHECK_COUNT("descriptors", 1);
}

static void mappings_are_counted(void)
{
	int fd = dev_open(O_RDWR);
	char *a = map(fd, buf_page, PROT_READ, MAP_SHARED, 0);
	char *b = map(fd, buf_page, PROT_READ, MAP_SHARED, buf_page);

	CHECK_COUNT("mappings", 2);
	close(fd);
	CHECK_COUNT("descriptors", 0);
	CHECK_COUNT("mappings", 2);
	CHECK_EQ(munmap(a, buf_page), 0);
	CHECK_COUNT("mappings", 1);
	CHECK_GE(refcnt(), 1);
	CHECK_EQ(munmap(b, buf_page), 0);
	CHECK_COUNT("mappings", 0);
}

/* A refused mmap is no mapping. */
static void failures_are_not_counted(void)
{
	unsigned int refs;
	int fd = dev_open(O_RDONLY);

	refs = refcnt();
	CHECK_ERR(mmap(NULL, buf_page, PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	CHECK_ERR(mmap(NULL, buf_page, PROT_READ, MAP_SHARED, fd, buf_size), EINVAL);
	CHECK_ERR(mmap(NULL, buf_size + buf_page, PROT_READ, MAP_SHARED, fd, 0), EINVAL);
	CHECK_COUNT("mappings", 0);
	CHECK_EQ(refcnt(), refs);
}

static bool has_line(const char *text, const char *key, const char *value)
{
	char line[128];

	snprintf(line, sizeof(line), "%s:\t%s\n", key, value);
	return strstr(text, line);
}

static void fdinfo_names_the_buffer(void)
{
	char path[64], text[2048], value[64];
	int fd = dev_open(O_RDONLY), info;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY);
	n = read(info, text, sizeof(text) - 1);
	CHECK_GT(n, 0);
	text[n] = '\0';
	CHECK(has_line(text, "hpage_map-buffer", "default"));
	class_text("id", value, sizeof(value));
	CHECK(has_line(text, "hpage_map-id", value));
	class_text("size", value, sizeof(value));
	CHECK(has_line(text, "hpage_map-size", value));
	class_text("page_size", value, sizeof(value));
	CHECK(has_line(text, "hpage_map-page_size", value));
	class_text("backing", value, sizeof(value));
	CHECK(has_line(text, "hpage_map-backing", value));
}

/* The page tables know better than anybody how many runs there are. */
static void runs_are_true(void)
{
	char *p = map_all(dev_open(O_RDWR), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE);
	uint64_t runs = 0, next = 0;

	for (size_t off = 0; off < buf_size; off += buf_page) {
		uint64_t pfn = pfn_of(p + off);

		if (suite_where != ON_BASE)
			CHECK_EQ(pfn * base_page % buf_page, 0);
		if (!runs || pfn != next)
			runs++;
		next = pfn + buf_page / base_page;
	}
	CHECK_EQ(class_u64("runs"), runs);
}

static const struct test tests[] = {
	TEST(everybody_may_read_every_fact, ON_ANY),
	TEST(descriptors_are_counted, ON_ANY),
	TEST(mappings_are_counted, ON_SMALL),
	TEST(failures_are_not_counted, ON_ANY),
	TEST(fdinfo_names_the_buffer, ON_ANY),
	TEST(runs_are_true, ON_ANY | NEEDS_ROOT),
};

int main(void)
{
	return RUN_TESTS(tests);
}
