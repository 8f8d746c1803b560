// SPDX-License-Identifier: GPL-2.0-only
/* What the tracepoints report of a buffer, from its making to its end. */
#define _GNU_SOURCE
#include "buffers.h"

#include <linux/hpage_map.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#define TRACING	"/sys/kernel/tracing/"

/* The events of this test alone. */
static void begin(void)
{
	if (access(TRACING "trace", F_OK))
		CHECK_EQ(mount("tracefs", TRACING, "tracefs", 0, NULL), 0);
	CHECK_EQ(load(""), 0);
	CHECK_EQ(write_text(TRACING "trace", ""), 0);
	CHECK_EQ(write_text(TRACING "events/hpage_map/enable", "1"), 0);
}

static void end(void)
{
	CHECK_EQ(write_text(TRACING "events/hpage_map/enable", "0"), 0);
	CHECK_EQ(write_text(TRACING "trace", ""), 0);
	CHECK_EQ(unload(), 0);
}

/* How many events of a name have these first fields: "id=1 backing=2 size=4096 ret=0 ". */
static unsigned int seen(const char *event, uint32_t id, uint32_t backing, uint64_t size, int ret)
{
	char line[512], wanted[160];
	unsigned int nr = 0;
	FILE *f = fopen(TRACING "trace", "re");

	snprintf(wanted, sizeof(wanted), " hpage_map_%s: id=%u backing=%u size=%llu ret=%d us=",
		 event, id, backing, (unsigned long long)size, ret);
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		nr += strstr(line, wanted) != NULL;
	fclose(f);
	return nr;
}

static void the_life_of_a_buffer_is_traced(void)
{
	struct hpage_map_alloc a = { .size = sizeof(a), .length = 2 * pmd_size };
	char *p;

	begin();
	CHECK_ALLOC(&a, 0);
	p = map_answer(&a);
	CHECK_EQ(seen("make", a.id, a.got_backing, a.got_length, 0), 1);
	CHECK_EQ(seen("map", a.id, a.got_backing, a.got_length, 0), 1);
	CHECK_EQ(seen("unmap", a.id, a.got_backing, a.got_length, 0), 0);
	CHECK_EQ(munmap(p, a.got_length), 0);
	CHECK_EQ(seen("unmap", a.id, a.got_backing, a.got_length, 0), 1);
	CHECK_EQ(seen("free", a.id, a.got_backing, a.got_length, 0), 0);
	close(a.fd);
	CHECK_EQ(seen("free", a.id, a.got_backing, a.got_length, 0), 1);
	end();
}

static void a_refusal_is_traced_with_its_error(void)
{
	struct hpage_map_alloc a = {
		.size = sizeof(a), .length = UINT64_C(1) << 50, .flags = HPAGE_MAP_EXACT,
	};

	begin();
	CHECK_ALLOC(&a, -ENOMEM);
	CHECK_EQ(seen("make", 0, 0, a.length, -ENOMEM), 1);
	end();
}

/* Tracing does not hold the module: its events go with it, and what was recorded of them. */
static void the_module_goes_while_it_is_traced(void)
{
	struct hpage_map_alloc a = { .size = sizeof(a), .length = pmd_size };

	begin();
	CHECK_ALLOC(&a, 0);
	close(a.fd);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(access(TRACING "events/hpage_map", F_OK), -1);
	CHECK_EQ(seen("make", a.id, a.got_backing, a.got_length, 0), 0);
}

static const struct test tests[] = {
	TEST(the_life_of_a_buffer_is_traced, ON_NONE),
	TEST(a_refusal_is_traced_with_its_error, ON_NONE),
	TEST(the_module_goes_while_it_is_traced, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
