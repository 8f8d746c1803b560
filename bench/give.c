// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does it cost to give memory to a device as a dma-buf, and how many entries does it get?
 *
 *	bench/give ROUNDS MIB...	(inside a virtual machine with hpm_importer; see bench/run)
 *
 * The device is one without an IOMMU, which takes entries of any length. Each round goes through
 * all kinds of memory, one after the other:
 *
 *	attach		dma_buf_attach() and dma_buf_map_attachment(), timed by the importer
 *	detach		what ends both
 *
 * Prints "KIND MIB ACTION MICROSECONDS MIN MAX ENTRIES": median, least and most of the rounds; the
 * median of the entries of the table.
 */
#define _GNU_SOURCE
#include "../tests/modules/hpm_importer.h"
#include "kinds.h"

#define MAX_ROUNDS	99

static int export(int fd)
{
	struct hpage_map_export request = { .size = sizeof(request) };

	if (ioctl(fd, HPAGE_MAP_EXPORT, &request))
		err(1, "HPAGE_MAP_EXPORT");
	close(fd);
	return request.fd;
}

static int export_hugetlb(void)
{
	return export(get_hugetlb());
}

static int export_thp(void)
{
	return export(get_thp());
}

static int export_contiguous(void)
{
	return export(get_buffer(door, HPAGE_MAP_BACKING_THP, size,
				 HPAGE_MAP_EXACT | HPAGE_MAP_CONTIGUOUS).fd);
}

static int export_base(void)
{
	return export(get_base());
}

static const struct way {
	const char *name;
	int (*get)(void);
	int pool;
} ways[] = {
	{ "hpage_map-hugetlb", export_hugetlb, 1 },
	{ "hpage_map-thp", export_thp, 0 },
	{ "hpage_map-contiguous", export_contiguous, 0 },
	{ "hpage_map-base", export_base, 0 },
	{ "udmabuf-hugetlb", get_udmabuf, 1 },
	{ "udmabuf-base", get_udmabuf_base, 0 },
	{ "dma-heap-system", get_heap, 0 },
};

#define NR_WAYS	(sizeof(ways) / sizeof(*ways))

static int64_t attach_us[NR_WAYS][MAX_ROUNDS], detach_us[NR_WAYS][MAX_ROUNDS];
static int64_t entries[NR_WAYS][MAX_ROUNDS];

/* Return: 0 where the kernel has no such memory. */
static int measure(size_t way, int round)
{
	int importer = open("/dev/hpm_importer", O_RDWR | O_CLOEXEC);
	struct importer_attach attach = { .fd = -1 };
	int64_t start;

	if (importer < 0)
		err(1, "/dev/hpm_importer");
	set_pool_pages(ways[way].pool ? size / HUGE_PAGE : 0);
	attach.fd = ways[way].get();
	if (attach.fd < 0)
		return 0;
	if (ioctl(importer, IMPORTER_ATTACH, &attach))
		err(1, "%s: IMPORTER_ATTACH", ways[way].name);
	if (attach.bytes != size)
		errx(1, "%s: the device got %llu bytes", ways[way].name, attach.bytes);
	attach_us[way][round] = attach.ns / 1000;
	entries[way][round] = attach.entries;
	start = microseconds();
	close(importer);
	detach_us[way][round] = microseconds() - start;
	close(attach.fd);
	return 1;
}

static void print(size_t way, const char *action, int64_t *us, int rounds)
{
	int64_t us_median = median(us, rounds);

	printf("%s %" PRIu64 " %s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
	       ways[way].name, size >> 20, action, us_median, us[0], us[rounds - 1],
	       median(entries[way], rounds));
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0, there[NR_WAYS];

	if (argc < 3 || rounds < 1 || rounds > MAX_ROUNDS)
		errx(2, "usage: bench/give ROUNDS MIB...");
	door = open_door();
	for (int i = 2; i < argc; i++) {
		size = strtoull(argv[i], NULL, 10) << 20;
		for (int round = 0; round < rounds; round++)
			for (size_t way = 0; way < NR_WAYS; way++)
				there[way] = measure(way, round);
		for (size_t way = 0; way < NR_WAYS; way++) {
			if (!there[way])
				continue;
			print(way, "attach", attach_us[way], rounds);
			print(way, "detach", detach_us[way], rounds);
		}
		fflush(stdout);
	}
	return 0;
}
