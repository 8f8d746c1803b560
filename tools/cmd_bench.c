// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl bench: what huge pages are worth on this machine, in seconds.
 *
 * The same three things with a buffer and with ordinary memory: have it, write
 * every 4 KiB once, read words at random. Each is done once; it is a look, not
 * a measurement to publish.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "command.h"
#include "json.h"
#include "names.h"
#include "report.h"
#include "rows.h"
#include "touch.h"

#define DEFAULT_SIZE	(256UL << 20)
#define READS		2000000UL

/**
 * struct figures - of one kind of memory
 * @name: for people
 * @make: nanoseconds to have it
 * @touch: nanoseconds to write every 4 KiB once
 * @faults: page faults while that was done
 * @read: picoseconds for one read
 * @why: the buffer is nothing better, or empty
 */
struct figures {
	char name[48];
	uint64_t make;
	uint64_t touch;
	uint64_t faults;
	uint64_t read;
	char why[4096];
};

enum { BENCH_MEMORY, BENCH_MADE, BENCH_TOUCHED, BENCH_FAULTS, BENCH_READ, NR_BENCH };

static const struct column bench_columns[NR_BENCH] = {
	[BENCH_MEMORY] = { "MEMORY", "memory", 0 },
	[BENCH_MADE] = { "MADE", "make_ns", COLUMN_RIGHT },
	[BENCH_TOUCHED] = { "TOUCHED", "touch_ns", COLUMN_RIGHT },
	[BENCH_FAULTS] = { "FAULTS", "faults", COLUMN_RIGHT },
	[BENCH_READ] = { "READ", "read_ps", COLUMN_RIGHT },
};

static volatile uint64_t sink;

static uint64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* Picoseconds of a read. Each address depends on the read before, so that nothing overlaps. */
static uint64_t memory_read(const uint64_t *words, uint64_t nr)
{
	uint64_t x = 88172645463325252ULL, i, start = clock_now();

	for (i = 0; i < READS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		x += words[x % nr] & 1;
	}
	sink = x;
	return (clock_now() - start) * 1000 / READS;
}

static void memory_use(void *memory, uint64_t length, struct figures *f)
{
	uint64_t start = clock_now();

	f->faults = touch(memory, length);
	f->touch = clock_now() - start;
	f->read = memory_read(memory, length / sizeof(uint64_t));
}

/* In @length what was got, which is whole pages. */
static int bench_buffer(const struct hpmap_options *o, struct figures *f, uint64_t *length)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	uint64_t start = clock_now();
	struct hpmap_buffer *buffer;
	void *memory;
	int ret = hpmap_alloc(o, &buffer);

	f->make = clock_now() - start;
	if (ret)
		return failed(ret, NULL);
	ret = hpmap_map(buffer, 0, &memory);
	if (!ret)
		ret = hpmap_info(buffer, &info);
	if (ret) {
		hpmap_close(buffer);
		return failed(ret, NULL);
	}
	snprintf(f->name, sizeof(f->name), "%s, %s of %s", backend_name(info.backend),
		 SIZE_TEXT(info.page_size), backing_name(info.backing));
	snprintf(f->why, sizeof(f->why), "%s", hpmap_why(buffer));
	memory_use(memory, info.size, f);
	*length = info.size;
	hpmap_close(buffer);
	return 0;
}

static int bench_ordinary(uint64_t length, struct figures *f)
{
	uint64_t start = clock_now();
	void *memory = ordinary_memory(length);

	f->make = clock_now() - start;
	if (!memory)
		return EXIT_LESS;
	strcpy(f->name, "ordinary memory");
	memory_use(memory, length, f);
	munmap(memory, length);
	return 0;
}

static void bench_show(struct rows *r, unsigned int column, double value, const char *unit)
{
	char text[32];

	snprintf(text, sizeof(text), "%.1f %s", value, unit);
	row_show(r, column, text);
}

static void bench_row(struct rows *r, const struct figures *f)
{
	rows_add(r);
	row_text(r, BENCH_MEMORY, f->name);
	row_number(r, BENCH_MADE, f->make);
	bench_show(r, BENCH_MADE, f->make / 1e6, "ms");
	row_number(r, BENCH_TOUCHED, f->touch);
	bench_show(r, BENCH_TOUCHED, f->touch / 1e6, "ms");
	row_number(r, BENCH_FAULTS, f->faults);
	row_number(r, BENCH_READ, f->read);
	bench_show(r, BENCH_READ, f->read / 1e3, "ns");
}

static int bench_print(struct rows *r, uint64_t length, const char *why)
{
	struct json_object *o;

	if (r->array) {
		o = json_object_new_object();
		json_number(o, "length", length);
		json_object_object_add(o, "figures", r->array);
		json_text(o, "why", why);
		return json_print(o);
	}
	printf("%s, each done once\n\n", SIZE_TEXT(length));
	rows_print(r);
	putchar('\n');
	print_why(why);
	if (*why)
		putchar('\n');
	printf("A buffer is zeroed when it is made, ordinary memory when it is first touched.\n");
	return EXIT_OK;
}

static int bench_run(const struct args *a)
{
	struct hpmap_options options = a->o;
	struct figures f[2] = {};
	uint64_t length = 0;
	struct rows r;
	int ret;

	if (!options.size)
		options.size = DEFAULT_SIZE;
	ret = bench_buffer(&options, &f[0], &length);
	if (!ret)
		ret = bench_ordinary(length, &f[1]);
	if (!ret)
		ret = rows_begin(&r, bench_columns, NR_BENCH, a);
	if (ret)
		return ret;
	bench_row(&r, &f[0]);
	bench_row(&r, &f[1]);
	return bench_print(&r, length, f[0].why);
}

const struct command cmd_bench = {
	.name = "bench",
	.synopsis = "[--size SIZE] [OPTION]...",
	.summary = "compare a buffer with ordinary memory, in a few seconds",
	.more = "TOUCHED is the first touch of every 4 KiB, READ one read at random.\n",
	.options = PLACEMENT | BIT(OPT_NO_MODULE) | BIT(OPT_JSON),
	.run = bench_run,
};
