// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measure a mapping of /dev/hpage_map, and one of 4 KiB pages for comparison.
 *
 * Prints one "key value" a line and judges nothing: demo/inside compares the
 * values with what was promised. Two mappings are measured in the same way:
 *
 *	buffer	the whole device, shared
 *	plain	as much anonymous memory, kept to base pages (MADV_NOHUGEPAGE)
 *
 * For each: page faults while one byte in every base page is written, the time
 * that takes, and the physical runs. For the buffer also its lines of
 * /proc/self/smaps and what HPAGE_MAP_INFO says. Needs root: page frame
 * numbers in /proc/self/pagemap read as zero otherwise.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/hpage_map.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PAGEMAP_PRESENT	(UINT64_C(1) << 63)
#define PAGEMAP_PFN	((UINT64_C(1) << 55) - 1)

static size_t base_page;

static long minor_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

static int64_t microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void touch(volatile char *start, size_t length)
{
	for (size_t at = 0; at < length; at += base_page)
		start[at] = 1;
}

static void print_touch_costs(const char *name, char *start, size_t length)
{
	long faults = minor_faults();
	int64_t since = microseconds();

	touch(start, length);
	since = microseconds() - since;
	faults = minor_faults() - faults;
	printf("%s_faults %ld\n%s_microseconds %" PRId64 "\n", name, faults, name, since);
}

/* Field NAME of the mapping that starts at START, in kB; -1 if it has none. */
static long smaps_field(const void *start, const char *name)
{
	unsigned long from, to;
	char line[512];
	int inside = 0;
	long value = -1;
	FILE *smaps = fopen("/proc/self/smaps", "re");

	if (!smaps)
		err(1, "open /proc/self/smaps");
	while (value < 0 && fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from == (unsigned long)start;
		else if (inside && !strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			value = strtol(line + strlen(name) + 1, NULL, 10);
	}
	fclose(smaps);
	return value;
}

/*
 * Physically contiguous runs in the order of their offsets: their number, and
 * with LIST a line for each, "run OFFSET ADDRESS LENGTH", all in bytes.
 */
static void print_runs(const char *name, const char *start, size_t length, int list)
{
	size_t count = length / base_page, runs = 0, run_start = 0;
	ssize_t bytes = count * sizeof(uint64_t);
	uint64_t *entry = malloc(bytes);
	off_t from = (uintptr_t)start / base_page * sizeof(*entry);
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (!entry || pagemap < 0)
		err(1, "open /proc/self/pagemap");
	if (pread(pagemap, entry, bytes, from) != bytes)
		err(1, "read /proc/self/pagemap");
	close(pagemap);

	for (size_t i = 0; i < count; i++) {
		if (!(entry[i] & PAGEMAP_PRESENT) || !(entry[i] & PAGEMAP_PFN))
			errx(1, "page %zu of %s has no frame number (not root, or not mapped)",
			     i, name);
		if (i + 1 < count && (entry[i + 1] & PAGEMAP_PFN) == (entry[i] & PAGEMAP_PFN) + 1)
			continue;
		if (list)
			printf("run %zu %" PRIu64 " %zu\n", run_start * base_page,
			       (entry[run_start] & PAGEMAP_PFN) * base_page,
			       (i + 1 - run_start) * base_page);
		run_start = i + 1;
		runs++;
	}
	printf("%s_runs %zu\n", name, runs);
	free(entry);
}

static const char *backing_name(uint32_t backing)
{
	switch (backing) {
	case HPAGE_MAP_BACKING_HUGETLB: return "hugetlb";
	case HPAGE_MAP_BACKING_THP: return "thp";
	case HPAGE_MAP_BACKING_BASE: return "base";
	}
	return "unknown";
}

static void print_info(const struct hpage_map_info *info)
{
	printf("backing %s\n", backing_name(info->backing));
	printf("page_size %" PRIu64 "\n", (uint64_t)info->page_size);
	printf("length %" PRIu64 "\n", (uint64_t)info->length);
	printf("nr_pages %" PRIu64 "\n", (uint64_t)info->nr_pages);
	printf("nr_runs %" PRIu64 "\n", (uint64_t)info->nr_runs);
	printf("node %d\n", info->node);
}

static char *map(size_t length, int flags, int fd)
{
	char *start = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (start == MAP_FAILED)
		err(1, "mmap %zu bytes", length);
	return start;
}

static void measure_buffer(int fd, size_t length)
{
	char *start = map(length, MAP_SHARED, fd);

	print_touch_costs("buffer", start, length);
	printf("KernelPageSize %ld\n", smaps_field(start, "KernelPageSize"));
	printf("ShmemPmdMapped %ld\n", smaps_field(start, "ShmemPmdMapped"));
	printf("Shared_Hugetlb %ld\n", smaps_field(start, "Shared_Hugetlb"));
	printf("Private_Hugetlb %ld\n", smaps_field(start, "Private_Hugetlb"));
	print_runs("buffer", start, length, 1);
	munmap(start, length);

	start = map(length, MAP_SHARED | MAP_POPULATE, fd);
	print_touch_costs("populated", start, length);
	munmap(start, length);
}

static void measure_plain(size_t length)
{
	char *start = map(length, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	/* EINVAL: a kernel without transparent huge pages, where all are small. */
	if (madvise(start, length, MADV_NOHUGEPAGE) && errno != EINVAL)
		err(1, "MADV_NOHUGEPAGE");
	print_touch_costs("plain", start, length);
	print_runs("plain", start, length, 0);
	munmap(start, length);
}

int main(void)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	int fd = open("/dev/hpage_map", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "open /dev/hpage_map");
	if (ioctl(fd, HPAGE_MAP_INFO, &info))
		err(1, "HPAGE_MAP_INFO");
	base_page = sysconf(_SC_PAGESIZE);

	/* First faults of this program's own pages must not be counted below. */
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	print_info(&info);
	char *warm_up = map(base_page, MAP_SHARED | MAP_ANONYMOUS, -1);
	touch(warm_up, base_page);
	minor_faults();
	microseconds();

	measure_buffer(fd, info.length);
	measure_plain(info.length);
	close(fd);
	return 0;
}
