// SPDX-License-Identifier: GPL-2.0-only
/* Memory under a lent page stays online. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY	"/sys/devices/system/memory/"

static uint64_t block_size(void)
{
	char text[32];

	read_text(MEMORY "block_size_bytes", text, sizeof(text));
	return strtoull(text, NULL, 16);
}

/* How often the driver said, since @kmsg was opened, that memory stays. */
static unsigned int refusals(int kmsg)
{
	char record[1024];
	unsigned int n = 0;
	ssize_t len;

	for (;;) {
		len = read(kmsg, record, sizeof(record) - 1);
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			return n;
		record[len] = '\0';
		n += strstr(record, "hpage_map: memory at ") &&
		     strstr(record, "stays online");
	}
}

/*
 * A large buffer, so that at least one block of memory holds little else: mm/
 * itself refuses, before it asks anybody, a block with pages of its own.
 */
static void memory_under_a_buffer_stays_online(void)
{
	uint64_t size = block_size(), block, last = UINT64_MAX;
	unsigned int tried = 0;
	char path[96], text[16];
	int fd, kmsg, ret;
	char *p;

	CHECK_EQ(load("size=512M hpage_size=2M"), 0);
	buf_size = class_u64("size");
	buf_page = class_u64("page_size");
	fd = dev_open(O_RDWR);
	p = map_all(fd, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE);
	fill(p, buf_page, 11);

	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	CHECK_GE(kmsg, 0);
	CHECK_EQ(lseek(kmsg, 0, SEEK_END), 0);
	for (size_t off = 0; off < buf_size; off += buf_page) {
		block = pfn_of(p + off) * base_page / size;
		if (block == last)
			continue;
		last = block;
		snprintf(path, sizeof(path), MEMORY "memory%" PRIu64 "/state", block);
		ret = write_text(path, "offline");
		/* mm/ does not even try with a block that lies in two zones. */
		CHECK(ret == -EBUSY || ret == -EINVAL);
		read_text(path, text, sizeof(text));
		CHECK_EQ(strncmp(text, "online", 6), 0);
		tried++;
	}
	CHECK_GT(tried, 0);
	CHECK_GT(refusals(kmsg), 0);
	CHECK(filled(p, buf_page, 11));
	close(kmsg);

	CHECK_EQ(munmap(p, buf_size), 0);
	close(fd);
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(memory_under_a_buffer_stays_online, ON_NONE | NEEDS_ROOT),
};

int main(void)
{
	return RUN_TESTS(tests);
}
