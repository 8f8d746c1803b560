// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl bench: what huge pages are worth on this machine, in seconds.
 *
 * The same three things with a buffer, with a memfd if the buffer is the
 * module's, and with ordinary memory: have it, write every 4 KiB once, read
 * words at random. They take turns, so that what else the machine does meets all
 * of them, and the median of each figure counts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
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
#define READS		500000UL
#define ROUNDS		5	/* odd, for the median */

/* What is measured; in nanoseconds, but for a read, which is in picoseconds. */
enum { MAKE, TOUCH, READY, FAULTS, READ, NR_FIGURES };

/**
 * struct kind - a kind of memory
 * @name: for people
 * @figures: of each round
 */
struct kind {
	char name[48];
	uint64_t figures[NR_FIGURES][ROUNDS];
};

/**
 * struct bench - what is compared
 * @kinds: the buffer, a memfd if the buffer is the module's, ordinary memory
 * @nr_kinds: how many these are
 * @length: bytes of each
 * @page_size: bytes of a page of the buffer
 * @why: the buffer is nothing better, or empty
 */
struct bench {
	struct kind kinds[3];
	unsigned int nr_kinds;
	uint64_t length;
	uint64_t page_size;
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

static void memory_use(void *memory, uint64_t length, struct kind *kind, unsigned int round)
{
	uint64_t start = clock_now();

	kind->figures[FAULTS][round] = touch(memory, length);
	kind->figures[TOUCH][round] = clock_now() - start;
	kind->figures[READY][round] = kind->figures[MAKE][round] + kind->figures[TOUCH][round];
	kind->figures[READ][round] = memory_read(memory, length / sizeof(uint64_t));
}

/* One round with a buffer. Complains, and returns an exit code. */
static int bench_buffer(struct bench *b, const struct hpmap_options *o, struct kind *kind,
			unsigned int round)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	uint64_t start = clock_now();
	struct hpmap_buffer *buffer;
	void *memory;
	int ret = hpmap_alloc(o, &buffer);

	kind->figures[MAKE][round] = clock_now() - start;
	if (ret)
		return failed(ret, NULL);
	ret = hpmap_map(buffer, 0, &memory);
	if (!ret)
		ret = hpmap_info(buffer, &info);
	if (ret) {
		hpmap_close(buffer);
		return failed(ret, NULL);
	}
	snprintf(kind->name, sizeof(kind->name), "%s, %s of %s", backend_name(info.backend),
		 SIZE_TEXT(info.page_size), backing_name(info.backing));
	if (kind == b->kinds && !round) {
		b->length = info.size;
		b->page_size = info.page_size;
		b->nr_kinds = info.backend == HPMAP_BACKEND_MODULE ? 3 : 2;
		snprintf(b->why, sizeof(b->why), "%s", hpmap_why(buffer));
	}
	memory_use(memory, b->length, kind, round);
	hpmap_close(buffer);
	return 0;
}

/* The same with a memfd, which may have smaller pages. */
static int bench_memfd(struct bench *b, struct kind *kind, unsigned int round)
{
	return bench_buffer(b, HPMAP_OPTIONS(.size = b->length, .page_size = b->page_size,
					     .flags = HPMAP_NO_MODULE | HPMAP_ALLOW_BASE),
			    kind, round);
}

static int bench_ordinary(struct bench *b, struct kind *kind, unsigned int round)
{
	uint64_t start = clock_now();
	void *memory = ordinary_memory(b->length);

	kind->figures[MAKE][round] = clock_now() - start;
	if (!memory)
		return EXIT_LESS;
	strcpy(kind->name, "ordinary memory");
	memory_use(memory, b->length, kind, round);
	munmap(memory, b->length);
	return 0;
}

static int bench_rounds(struct bench *b, const struct hpmap_options *o)
{
	unsigned int round;
	int ret = 0;

	for (round = 0; round < ROUNDS && !ret; round++) {
		progress("rounds", round, ROUNDS);
		ret = bench_buffer(b, o, b->kinds, round);
		if (!ret && b->nr_kinds > 2)
			ret = bench_memfd(b, b->kinds + 1, round);
		if (!ret)
			ret = bench_ordinary(b, b->kinds + b->nr_kinds - 1, round);
	}
	progress_end();
	return ret;
}

static int figure_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The one in the middle is the median then. */
static void figures_sort(struct kind *kind)
{
	int i;

	for (i = 0; i < NR_FIGURES; i++)
		qsort(kind->figures[i], ROUNDS, sizeof(uint64_t), figure_compare);
}

static uint64_t figure_median(const struct kind *kind, int figure)
{
	return kind->figures[figure][ROUNDS / 2];
}

static void bench_show(struct rows *r, unsigned int column, double value, const char *unit)
{
	char text[32];

	snprintf(text, sizeof(text), "%.1f %s", value, unit);
	row_show(r, column, text);
}

static void bench_row(struct rows *r, const struct kind *kind)
{
	rows_add(r);
	row_text(r, BENCH_MEMORY, kind->name);
	row_number(r, BENCH_MADE, figure_median(kind, MAKE));
	bench_show(r, BENCH_MADE, figure_median(kind, MAKE) / 1e6, "ms");
	row_number(r, BENCH_TOUCHED, figure_median(kind, TOUCH));
	bench_show(r, BENCH_TOUCHED, figure_median(kind, TOUCH) / 1e6, "ms");
	row_number(r, BENCH_FAULTS, figure_median(kind, FAULTS));
	row_number(r, BENCH_READ, figure_median(kind, READ));
	bench_show(r, BENCH_READ, figure_median(kind, READ) / 1e3, "ns");
}

/* Is a figure smaller by a twentieth, and by more than the rounds differ but for the worst? */
static bool figure_less(const struct kind *one, const struct kind *other, int figure)
{
	return figure_median(one, figure) * 1.05 < figure_median(other, figure) &&
	       one->figures[figure][ROUNDS - 2] < other->figures[figure][1];
}

static const char *verdict_text(const struct kind *ours, const struct kind *theirs, int figure,
				char text[32])
{
	double x = figure_median(ours, figure), y = figure_median(theirs, figure);

	if (figure_less(ours, theirs, figure))
		snprintf(text, 32, "%.1f times as fast", y / x);
	else if (figure_less(theirs, ours, figure))
		snprintf(text, 32, "%.1f times as slow", x / y);
	else
		strcpy(text, "as fast");
	return text;
}

static void verdict_print(const struct kind *ours, const struct kind *theirs)
{
	char ready[32], reads[32];

	printf("The buffer against %s: made and touched %s, read %s.\n", theirs->name,
	       verdict_text(ours, theirs, READY, ready), verdict_text(ours, theirs, READ, reads));
}

static int bench_print(struct rows *r, const struct bench *b)
{
	struct json_object *o;
	unsigned int i;

	if (r->array) {
		o = json_object_new_object();
		json_number(o, "length", b->length);
		json_number(o, "rounds", ROUNDS);
		json_object_object_add(o, "figures", r->array);
		json_text(o, "why", b->why);
		return json_print(o);
	}
	printf("%s, medians of %d rounds\n\n", SIZE_TEXT(b->length), ROUNDS);
	rows_print(r);
	putchar('\n');
	print_why(b->why);
	if (*b->why)
		putchar('\n');
	for (i = 1; i < b->nr_kinds; i++)
		verdict_print(b->kinds, b->kinds + i);
	printf("A buffer is zeroed when it is made, ordinary memory when it is first touched.\n");
	return EXIT_OK;
}

static int bench_run(const struct args *a)
{
	struct hpmap_options options = a->o;
	struct bench b = {};
	unsigned int i;
	struct rows r;
	int ret;

	if (!options.size)
		options.size = DEFAULT_SIZE;
	ret = bench_rounds(&b, &options);
	if (!ret)
		ret = rows_begin(&r, bench_columns, NR_BENCH, a);
	if (ret)
		return ret;
	for (i = 0; i < b.nr_kinds; i++) {
		figures_sort(b.kinds + i);
		bench_row(&r, b.kinds + i);
	}
	return bench_print(&r, &b);
}

const struct command cmd_bench = {
	.name = "bench",
	.synopsis = "[--size SIZE] [OPTION]...",
	.summary = "compare a buffer with other memory, in a few seconds",
	.more = "TOUCHED is the first touch of every 4 KiB, READ one read at random.\n",
	.options = PLACEMENT | BIT(OPT_NO_MODULE) | BIT(OPT_JSON),
	.run = bench_run,
};
