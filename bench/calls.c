// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does each call cost, and does it grow with the buffers of others or with the pages of one?
 *
 *	bench/calls OTHERS BYTES	(inside a virtual machine; see bench/run)
 *
 * Measures each call on a buffer of 2 MiB and on one of BYTES, on each backing that there is; first
 * alone, and then while OTHERS buffers of one base page exist.
 *
 * Prints "OTHERS BACKING BYTES CALL MICROSECONDS", the median of several calls. ALLOC and close are
 * for the whole buffer; mmap is of all of it, without a touch, and the last munmap gives nothing
 * back, since the descriptor is there.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/resource.h>

#include "bench.h"

#define TIMES	9

static int door;

/* What one measurement has got so far. */
struct calls {
	int64_t alloc[TIMES], mmap[TIMES], munmap[TIMES], info[TIMES], list[TIMES], nodes[TIMES];
	int64_t runs[TIMES], export[TIMES], close[TIMES];
};

static int64_t timed(int fd, unsigned long command, void *request, const char *name)
{
	int64_t start = microseconds();

	if (ioctl(fd, command, request))
		err(1, "%s", name);
	return microseconds() - start;
}

static int64_t info(int fd)
{
	struct hpage_map_info request = { .size = sizeof(request) };

	return timed(fd, HPAGE_MAP_INFO, &request, "HPAGE_MAP_INFO");
}

/* One buffer, the last one, which stands behind all others. */
static int64_t list(uint32_t id)
{
	struct hpage_map_info request = { .size = sizeof(request), .id = id };

	return timed(door, HPAGE_MAP_LIST, &request, "HPAGE_MAP_LIST");
}

static int64_t nodes(int fd)
{
	uint64_t pages[64];
	struct hpage_map_nodes request = {
		.size = sizeof(request), .pages = (uintptr_t)pages, .nr = 64,
	};

	return timed(fd, HPAGE_MAP_NODES, &request, "HPAGE_MAP_NODES");
}

static int64_t runs(int fd)
{
	struct hpage_map_run some[16];
	struct hpage_map_runs request = {
		.size = sizeof(request), .runs = (uintptr_t)some, .nr = 16,
	};

	return timed(fd, HPAGE_MAP_RUNS, &request, "HPAGE_MAP_RUNS");
}

static int64_t export(int fd)
{
	struct hpage_map_export request = { .size = sizeof(request) };
	int64_t took = timed(fd, HPAGE_MAP_EXPORT, &request, "HPAGE_MAP_EXPORT");

	close(request.fd);
	return took;
}

static void measure_once(struct calls *c, int i, enum hpage_map_backing backing, uint64_t bytes)
{
	int64_t start = microseconds();
	uint32_t flags = backing == HPAGE_MAP_BACKING_BASE ? 0 : HPAGE_MAP_EXACT;
	struct hpage_map_alloc a = get_buffer(door, backing, bytes, flags);
	void *p;

	c->alloc[i] = microseconds() - start;
	start = microseconds();
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, a.fd, 0);
	if (p == MAP_FAILED)
		err(1, "mmap");
	c->mmap[i] = microseconds() - start;
	c->info[i] = info(a.fd);
	c->list[i] = list(a.id);
	c->nodes[i] = nodes(a.fd);
	c->runs[i] = runs(a.fd);
	c->export[i] = export(a.fd);
	start = microseconds();
	munmap(p, bytes);
	c->munmap[i] = microseconds() - start;
	start = microseconds();
	close(a.fd);
	c->close[i] = microseconds() - start;
}

static void show(int others, const char *backing, uint64_t bytes, const char *call, int64_t *times)
{
	printf("%d %s %" PRIu64 " %s %" PRId64 "\n", others, backing, bytes, call,
	       median(times, TIMES));
}

static void measure(int others, enum hpage_map_backing backing, const char *name, uint64_t bytes)
{
	static struct calls c;

	fprintf(stderr, "measuring %s, %" PRIu64 " MiB, beside %d others\n", name, bytes >> 20,
		others);
	for (int i = 0; i < TIMES; i++)
		measure_once(&c, i, backing, bytes);
	show(others, name, bytes, "ALLOC", c.alloc);
	show(others, name, bytes, "mmap", c.mmap);
	show(others, name, bytes, "INFO", c.info);
	show(others, name, bytes, "LIST", c.list);
	show(others, name, bytes, "NODES", c.nodes);
	show(others, name, bytes, "RUNS", c.runs);
	show(others, name, bytes, "EXPORT", c.export);
	show(others, name, bytes, "munmap", c.munmap);
	show(others, name, bytes, "close", c.close);
	fflush(stdout);
}

static void measure_all(int others, uint64_t bytes)
{
	static const struct {
		enum hpage_map_backing backing;
		const char *name;
	} backings[] = {
		{ HPAGE_MAP_BACKING_HUGETLB, "hugetlb" },
		{ HPAGE_MAP_BACKING_THP, "thp" },
		{ HPAGE_MAP_BACKING_BASE, "base" },
	};
	char text[24];

	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "%" PRIu64, i ? 0 : bytes / HUGE_PAGE);
		write_file("/proc/sys/vm/nr_hugepages", text);
		measure(others, backings[i].backing, backings[i].name, HUGE_PAGE);
		measure(others, backings[i].backing, backings[i].name, bytes);
	}
}

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	int others = argc == 3 ? atoi(argv[1]) : 0;
	int64_t start;

	if (others < 1)
		errx(2, "usage: calls OTHERS BYTES");
	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "setrlimit");
	door = open_door();
	measure_all(0, strtoull(argv[2], NULL, 0));
	start = microseconds();
	for (int i = 0; i < others; i++)
		get_buffer(door, HPAGE_MAP_BACKING_BASE, BASE_PAGE, 0);
	printf("%d base 4096 ALLOC-all %" PRId64 "\n", others, microseconds() - start);
	measure_all(others, strtoull(argv[2], NULL, 0));
	return 0;
}
