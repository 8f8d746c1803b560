// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does it cost a task that mm/ is asked to move its memory?
 *
 *	bench/move BYTES	(inside a virtual machine with two nodes; see bench/run)
 *
 * The task maps BYTES of one kind of memory, all on node 0, and is asked for three things:
 *
 *	migrate		migrate_pages(2) to node 1, which a change of cpuset.mems does as well
 *	mbind		mbind(2) of the mapping to node 1 with MPOL_MF_MOVE
 *	compact		a write to /proc/sys/vm/compact_memory, by whoever
 *
 * Kinds: a buffer on each backing; a memfd of huge and of base pages that nobody has pinned, which
 * moves; and memfds that are pinned for long by HPAGE_MAP_PIN, as RDMA or VFIO pin them.
 *
 * Prints "KIND ACTION MICROSECONDS MOVED FAILED": base pages that moved, and attempts that failed,
 * by /proc/vmstat.
 */
#define _GNU_SOURCE
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "bench.h"

static uint64_t size;
static int door;

static int get_memfd(unsigned int flags)
{
	int fd = memfd_create("bench", MFD_CLOEXEC | flags);

	if (fd < 0 || ftruncate(fd, size))
		err(1, "memfd");
	return fd;
}

static void *map(int fd)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	for (uint64_t at = 0; at < size; at += 4096)
		p[at] = 1;
	return p;
}

static int pin(void *p)
{
	struct hpage_map_pin request = {
		.size = sizeof(request), .address = (uintptr_t)p, .length = size,
	};

	if (ioctl(door, HPAGE_MAP_PIN, &request))
		err(1, "HPAGE_MAP_PIN");
	return request.fd;
}

static void migrate(void *p)
{
	unsigned long from = 1, to = 2;

	(void)p;
	if (syscall(SYS_migrate_pages, 0, 8 * sizeof(from), &from, &to) < 0)
		err(1, "migrate_pages");
}

static void bind_to_node_1(void *p)
{
	unsigned long node = 2;

	/* EIO: not all has moved, which is what is measured. */
	syscall(SYS_mbind, p, size, MPOL_BIND, &node, 8 * sizeof(node), MPOL_MF_MOVE);
}

static void compact(void *p)
{
	(void)p;
	write_file("/proc/sys/vm/compact_memory", "1");
}

static const struct {
	const char *name;
	void (*act)(void *p);
} actions[] = {
	{ "migrate", migrate },
	{ "mbind", bind_to_node_1 },
	{ "compact", compact },
};

static int get_hugetlb(void)
{
	return get_buffer(door, HPAGE_MAP_BACKING_HUGETLB, size, HPAGE_MAP_EXACT).fd;
}

static int get_thp(void)
{
	return get_buffer(door, HPAGE_MAP_BACKING_THP, size, HPAGE_MAP_EXACT).fd;
}

static int get_base(void)
{
	return get_buffer(door, HPAGE_MAP_BACKING_BASE, size, 0).fd;
}

static int get_memfd_hugetlb(void)
{
	return get_memfd(MFD_HUGETLB | 21U << 26);
}

static int get_memfd_base(void)
{
	return get_memfd(0);
}

static const struct {
	const char *name;
	int (*get)(void);
	int pinned;
	int pool;		/* of huge pages, which are all that it may have */
} kinds[] = {
	{ "hpage_map-hugetlb", get_hugetlb, 0, 1 },
	{ "hpage_map-thp", get_thp, 0, 0 },
	{ "hpage_map-base", get_base, 0, 0 },
	{ "memfd-hugetlb-pinned", get_memfd_hugetlb, 1, 1 },
	{ "memfd-base-pinned", get_memfd_base, 1, 0 },
	{ "memfd-hugetlb", get_memfd_hugetlb, 0, 1 },
	{ "memfd-base", get_memfd_base, 0, 0 },
};

/* The machine has as many pages in the pools of both nodes as the kind may use, and no more. */
static void set_pools(int pool)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, pool ? size / HUGE_PAGE : 0);
	for (int node = 0; node < 2; node++) {
		char path[128];

		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/hugepages/"
			 "hugepages-2048kB/nr_hugepages", node);
		write_file(path, text);
	}
}

static void set_node(int node)
{
	unsigned long mask = 1UL << node;

	if (syscall(SYS_set_mempolicy, MPOL_PREFERRED, &mask, 8 * sizeof(mask)))
		err(1, "set_mempolicy");
}

static void measure(int kind, int action)
{
	int64_t moved, failed, start;
	int fd, pinned = -1;
	void *p;

	set_node(0);
	fd = kinds[kind].get();
	p = map(fd);
	if (kinds[kind].pinned)
		pinned = pin(p);
	moved = vmstat("pgmigrate_success");
	failed = vmstat("pgmigrate_fail");
	start = microseconds();
	actions[action].act(p);
	printf("%s %s %" PRId64 " ", kinds[kind].name, actions[action].name,
	       microseconds() - start);
	printf("%" PRId64 " %" PRId64 "\n", vmstat("pgmigrate_success") - moved,
	       vmstat("pgmigrate_fail") - failed);
	fflush(stdout);
	munmap(p, size);
	close(pinned);
	close(fd);
}

int main(int argc, char **argv)
{
	size = argc == 2 ? strtoull(argv[1], NULL, 0) : 0;
	if (!size)
		errx(2, "usage: move BYTES");
	door = open_door();
	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(*kinds); kind++) {
		fprintf(stderr, "measuring %s\n", kinds[kind].name);
		set_pools(kinds[kind].pool);
		for (size_t action = 0; action < sizeof(actions) / sizeof(*actions); action++)
			measure(kind, action);
	}
	set_pools(0);
	return 0;
}
