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
 * for the whole buffer; mmap is of all of it, without a touch. munmap gives nothing back, since the
 * descriptor is there; last-munmap comes after close, and gives everything back. DMA_MAP is for a
 * device without an IOMMU, close-DMA ends it, DMA_SYNC is of the whole buffer. PIN is of anonymous
 * memory: huge pages, or base pages for "base"; close-PIN ends it.
 *
 * What all OTHERS together cost is printed with BYTES 4096: ALLOC-all in microseconds, memory-all
 * in bytes (what is free before and after them, less their pages). sync and drop_caches belong to
 * no buffer: their BYTES are 0.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/resource.h>

#include "bench.h"

#define TIMES	9

enum call {
	ALLOC, MMAP, INFO, LIST, NODES, RUNS, EXPORT, DMA_MAP, DMA_SYNC, CLOSE_DMA, MUNMAP, CLOSE,
	LAST_MUNMAP, PIN, CLOSE_PIN, NR_CALLS
};

static const char * const names[NR_CALLS] = {
	"ALLOC", "mmap", "INFO", "LIST", "NODES", "RUNS", "EXPORT", "DMA_MAP", "DMA_SYNC",
	"close-DMA", "munmap", "close", "last-munmap", "PIN", "close-PIN",
};

static int door;
static char device[32];		/* one that does DMA, and has a driver */

/* What one measurement has got so far, in microseconds. */
static int64_t took[NR_CALLS][TIMES];

static int64_t timed(int fd, unsigned long command, void *request, const char *name)
{
	int64_t start = microseconds();

	if (ioctl(fd, command, request))
		err(1, "%s", name);
	return microseconds() - start;
}

static int64_t timed_close(int fd)
{
	int64_t start = microseconds();

	close(fd);
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
	int64_t us = timed(fd, HPAGE_MAP_EXPORT, &request, "HPAGE_MAP_EXPORT");

	close(request.fd);
	return us;
}

static void measure_device(int i, int fd, uint64_t bytes)
{
	struct hpage_map_dma_map map = {
		.size = sizeof(map),
		.flags = HPAGE_MAP_DMA_TO_DEVICE | HPAGE_MAP_DMA_FROM_DEVICE,
	};
	struct hpage_map_dma_sync sync = {
		.size = sizeof(sync), .flags = HPAGE_MAP_SYNC_FOR_CPU, .length = bytes,
	};

	memcpy(map.device, device, sizeof(device));
	took[DMA_MAP][i] = timed(fd, HPAGE_MAP_DMA_MAP, &map, "HPAGE_MAP_DMA_MAP");
	took[DMA_SYNC][i] = timed(map.fd, HPAGE_MAP_DMA_SYNC, &sync, "HPAGE_MAP_DMA_SYNC");
	took[CLOSE_DMA][i] = timed_close(map.fd);
}

static int64_t timed_munmap(void *p, uint64_t bytes)
{
	int64_t start = microseconds();

	munmap(p, bytes);
	return microseconds() - start;
}

static void *timed_mmap(int fd, uint64_t bytes, int64_t *us)
{
	int64_t start = microseconds();
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	*us = microseconds() - start;
	return p;
}

static void measure_once(int i, enum hpage_map_backing backing, uint64_t bytes)
{
	uint32_t flags = backing == HPAGE_MAP_BACKING_BASE ? 0 : HPAGE_MAP_EXACT;
	int64_t start = microseconds(), again;
	struct hpage_map_alloc a = get_buffer(door, backing, bytes, flags);
	void *p;

	took[ALLOC][i] = microseconds() - start;
	p = timed_mmap(a.fd, bytes, &took[MMAP][i]);
	took[INFO][i] = info(a.fd);
	took[LIST][i] = list(a.id);
	took[NODES][i] = nodes(a.fd);
	took[RUNS][i] = runs(a.fd);
	took[EXPORT][i] = export(a.fd);
	measure_device(i, a.fd, bytes);
	took[MUNMAP][i] = timed_munmap(p, bytes);
	took[CLOSE][i] = timed_close(a.fd);

	a = get_buffer(door, backing, bytes, flags);
	p = timed_mmap(a.fd, bytes, &again);
	close(a.fd);
	took[LAST_MUNMAP][i] = timed_munmap(p, bytes);
}

/* PIN is of the program's own memory, which has pages of about that kind. */
static void measure_pin(int i, void *memory, uint64_t bytes)
{
	struct hpage_map_pin pin = {
		.size = sizeof(pin), .address = (uintptr_t)memory, .length = bytes,
	};

	took[PIN][i] = timed(door, HPAGE_MAP_PIN, &pin, "HPAGE_MAP_PIN");
	took[CLOSE_PIN][i] = timed_close(pin.fd);
}

static void measure(int others, enum hpage_map_backing backing, const char *name, uint64_t bytes)
{
	int huge = backing != HPAGE_MAP_BACKING_BASE;
	char *memory, *aligned;

	fprintf(stderr, "measuring %s, %" PRIu64 " MiB, beside %d others\n", name, bytes >> 20,
		others);
	for (int i = 0; i < TIMES; i++)
		measure_once(i, backing, bytes);

	memory = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	aligned = (char *)(((uintptr_t)memory + HUGE_PAGE - 1) & -HUGE_PAGE);
	if (madvise(aligned, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		err(1, "madvise");
	memset(aligned, 1, bytes);
	for (int i = 0; i < TIMES; i++)
		measure_pin(i, aligned, bytes);
	munmap(memory, bytes + HUGE_PAGE);

	for (int call = 0; call < NR_CALLS; call++)
		printf("%d %s %" PRIu64 " %s %" PRId64 "\n", others, name, bytes, names[call],
		       median(took[call], TIMES));
	fflush(stdout);
}

static void measure_caches(int others)
{
	int64_t start = microseconds();

	sync();
	printf("%d - 0 sync %" PRId64 "\n", others, microseconds() - start);
	start = microseconds();
	write_file("/proc/sys/vm/drop_caches", "3");
	printf("%d - 0 drop_caches %" PRId64 "\n", others, microseconds() - start);
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
	measure_caches(others);
}

static int64_t free_memory(void)
{
	write_file("/proc/sys/vm/drop_caches", "3");
	return vmstat("nr_free_pages") * (int64_t)BASE_PAGE;
}

/* As many buffers of one page, which stay. */
static void make_others(int others)
{
	int64_t before = free_memory(), start = microseconds();

	for (int i = 0; i < others; i++)
		get_buffer(door, HPAGE_MAP_BACKING_BASE, BASE_PAGE, 0);
	printf("%d base 4096 ALLOC-all %" PRId64 "\n", others, microseconds() - start);
	printf("%d base 4096 memory-all %" PRId64 "\n", others,
	       before - free_memory() - others * (int64_t)BASE_PAGE);
}

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	int others = argc == 3 ? atoi(argv[1]) : 0;

	if (others < 1)
		errx(2, "usage: calls OTHERS BYTES");
	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "setrlimit");
	choose_device(device, sizeof(device));
	door = open_door();
	measure_all(0, strtoull(argv[2], NULL, 0));
	make_others(others);
	measure_all(others, strtoull(argv[2], NULL, 0));
	return 0;
}
