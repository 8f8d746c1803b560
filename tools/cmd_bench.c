// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl bench: what huge pages are worth on this machine, in seconds.
 *
 * The same three things with a buffer and with ordinary memory: have it, write
 * every 4 KiB once, read words at random. Each is done once; it is a look, not
 * a measurement to publish.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "hpagectl.h"

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
	char why[1024];
};

static volatile uint64_t sink;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* Each address depends on what was read before, so that nothing overlaps. */
static uint64_t read_at_random(const uint64_t *words, uint64_t nr)
{
	uint64_t x = 88172645463325252ULL, i, start = now();

	for (i = 0; i < READS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		x += words[x % nr] & 1;
	}
	sink = x;
	return (now() - start) * 1000 / READS;
}

static void use(void *memory, uint64_t length, struct figures *f)
{
	uint64_t start = now();

	f->faults = touch(memory, length);
	f->touch = now() - start;
	f->read = read_at_random(memory, length / sizeof(uint64_t));
}

/* In @length what was got, which is whole pages. */
static int with_buffer(const struct hpmap_options *o, struct figures *f, uint64_t *length)
{
	struct hpmap_info info = { .size = sizeof(info) };
	struct hpmap_buffer *buffer;
	uint64_t start = now();
	char page[SIZE_ROOM];
	void *memory;
	int ret = hpmap_alloc(o, &buffer);

	f->make = now() - start;
	if (ret)
		return failed(ret, NULL);
	ret = hpmap_map(buffer, 0, &memory);
	if (!ret)
		ret = hpmap_info(buffer, &info);
	if (ret) {
		hpmap_free(buffer);
		return failed(ret, NULL);
	}
	snprintf(f->name, sizeof(f->name), "%s, %s of %s", backend_name(info.backend),
		 size_show(info.page_size, page), backing_name(info.backing));
	snprintf(f->why, sizeof(f->why), "%s", hpmap_why(buffer));
	use(memory, info.length, f);
	*length = info.length;
	hpmap_free(buffer);
	return 0;
}

static int with_base_pages(uint64_t length, struct figures *f)
{
	uint64_t start = now();
	void *memory = ordinary_memory(length);

	f->make = now() - start;
	if (!memory)
		return EXIT_LESS;
	strcpy(f->name, "ordinary memory");
	use(memory, length, f);
	munmap(memory, length);
	return 0;
}

static void show(const struct figures *f)
{
	char make[24], touch[24], count[24], reading[24];

	snprintf(make, sizeof(make), "%.1f ms", f->make / 1e6);
	snprintf(touch, sizeof(touch), "%.1f ms", f->touch / 1e6);
	snprintf(count, sizeof(count), "%" PRIu64, f->faults);
	snprintf(reading, sizeof(reading), "%.1f ns", f->read / 1e3);
	table_row(5, f->name, make, touch, count, reading);
}

static struct json_object *json(const struct figures *f)
{
	struct json_object *o = json_object_new_object();

	json_text(o, "memory", f->name);
	json_number(o, "make_ns", f->make);
	json_number(o, "touch_ns", f->touch);
	json_number(o, "faults", f->faults);
	json_number(o, "read_ps", f->read);
	return o;
}

static int bench(const struct args *a)
{
	struct json_object *o, *array;
	struct hpmap_options options;
	struct figures f[2] = {};
	char size[SIZE_ROOM];
	uint64_t length = 0;
	int ret;

	args_options(a, &options);
	if (!options.length)
		options.length = DEFAULT_SIZE;
	ret = with_buffer(&options, &f[0], &length);
	if (!ret)
		ret = with_base_pages(length, &f[1]);
	if (ret)
		return ret;
	if (given(a, OPT_JSON)) {
		o = json_object_new_object();
		array = json_object_new_array();
		json_number(o, "length", length);
		json_object_array_add(array, json(&f[0]));
		json_object_array_add(array, json(&f[1]));
		json_object_object_add(o, "figures", array);
		json_text(o, "why", f[0].why);
		return print_json(o);
	}
	printf("%s, each done once\n\n", size_show(length, size));
	table_row(5, "MEMORY", "MADE IN", "FIRST TOUCH", "FAULTS", "RANDOM READ");
	show(&f[0]);
	show(&f[1]);
	table_print();
	if (*f[0].why)
		printf("\nnothing better, because: %s\n", f[0].why);
	printf("\nA buffer is zeroed when it is made, ordinary memory when it is first touched.\n");
	return EXIT_OK;
}

const struct command cmd_bench = {
	.name = "bench",
	.synopsis = "[--size SIZE] [OPTION]...",
	.summary = "compare a buffer with ordinary memory, in a few seconds",
	.options = PLACEMENT | BIT(OPT_NO_MODULE) | BIT(OPT_JSON),
	.run = bench,
};
