/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs that measure share. Each ends with a line on stderr when it cannot measure. */
#ifndef HPM_BENCH_H
#define HPM_BENCH_H

#include <err.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <linux/dma-heap.h>
#include <linux/hpage_map.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SYSTEM_HEAP	"/dev/dma_heap/system"
#define HUGE_PAGE	(UINT64_C(2) << 20)	/* bytes, on x86-64, as BASE_PAGE */
#define BASE_PAGE	(UINT64_C(4) << 10)	/* a constant: loops that are measured use it */

static inline int64_t microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* Page faults of this process by now, of those that need no disk. */
static inline int64_t faults(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		err(1, "getrusage");
	return usage.ru_minflt;
}

/* Page tables of this process. */
static inline int64_t page_table_kib(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	int64_t kib = 0;

	if (!f)
		err(1, "/proc/self/status");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmPTE: %" SCNd64, &kib) == 1)
			break;
	fclose(f);
	return kib;
}

/* The name of a device that does DMA and has a driver: any of virtio. */
static inline void choose_device(char *name, size_t size)
{
	glob_t found;

	if (glob("/sys/bus/pci/drivers/virtio-pci/0000:*", 0, NULL, &found))
		errx(1, "this machine has no device of virtio-pci");
	snprintf(name, size, "%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
}

static inline int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Sorts the values. 0 if there are none. */
static inline int64_t median(int64_t *values, int nr)
{
	qsort(values, nr, sizeof(*values), compare);
	return nr ? values[nr / 2] : 0;
}

/* A dma-buf from the dma-heap @name. Return: a descriptor, or -1. */
static inline int get_from_heap(const char *name, uint64_t size)
{
	struct dma_heap_allocation_data data = { .len = size, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open(name, O_RDWR | O_CLOEXEC), ret;

	if (heap < 0)
		err(1, "%s", name);
	ret = ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	close(heap);
	return ret ? -1 : (int)data.fd;
}

static inline int open_door(void)
{
	int door = open("/dev/hpage_map", HPAGE_MAP_O_DOOR | O_CLOEXEC);

	if (door < 0)
		err(1, "/dev/hpage_map");
	return door;
}

/* A new buffer of @length bytes, on no other backing than @backing; flags of HPAGE_MAP_ALLOC. */
static inline struct hpage_map_alloc get_buffer(int door, enum hpage_map_backing backing,
						uint64_t length, uint32_t flags)
{
	static char text[HPAGE_MAP_TEXT_SIZE];
	struct hpage_map_alloc a = {
		.size = sizeof(a), .length = length, .flags = flags,
		.page_size = backing == HPAGE_MAP_BACKING_BASE ? BASE_PAGE : HUGE_PAGE,
		.text = (uintptr_t)text, .text_size = sizeof(text),
	};

	if (ioctl(door, HPAGE_MAP_ALLOC, &a))
		err(1, "hpage_map: %s", text);
	if (a.got_backing != backing)
		errx(1, "hpage_map gave something else: %s", text);
	return a;
}

/* A number of /proc/vmstat, or 0 where the kernel does not count it. */
static inline int64_t vmstat(const char *name)
{
	FILE *f = fopen("/proc/vmstat", "re");
	int64_t value, found = 0;
	char key[64];

	if (!f)
		err(1, "/proc/vmstat");
	while (fscanf(f, "%63s %" SCNd64, key, &value) == 2)
		if (!strcmp(key, name))
			found = value;
	fclose(f);
	return found;
}

static inline void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

#endif
