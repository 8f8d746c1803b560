// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does it cost a process to map memory, to touch all of it, to fork, and to unmap?
 *
 *	bench/map ROUNDS MIB...		(inside a virtual machine; see bench/run)
 *
 * Each round goes through all kinds of memory, one after the other, so that what disturbs the
 * machine disturbs all of them. Memory that has a descriptor is filled before it is measured;
 * anonymous memory is zeroed when it is touched, which is its nature. For each kind and size:
 *
 *	touch		mmap, and a write to each 4 KiB
 *	fork		fork of a process that has touched all, until it returns in the parent
 *	unmap		munmap
 *	populate	mmap, and MADV_POPULATE_WRITE
 *	attach		touch in another process, while the first one has the memory mapped
 *	attach-8th	the same in an eighth one, while seven have
 *
 * Prints "KIND MIB ACTION MICROSECONDS FAULTS KIB": medians of the rounds; page faults of the
 * process; page tables that it got, by VmPTE, where they are counted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/udmabuf.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "bench.h"

#define MAX_ROUNDS	99
#define MAX_SIZES	8
#define OTHERS		8	/* processes */
#define POOL		"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"

static uint64_t size;
static int door;

/* --- kinds of memory ------------------------------------------------------------ */

static int get_ours(enum hpage_map_backing backing)
{
	return get_buffer(door, backing, size,
			  backing == HPAGE_MAP_BACKING_BASE ? 0 : HPAGE_MAP_EXACT).fd;
}

static int get_hugetlb(void)
{
	return get_ours(HPAGE_MAP_BACKING_HUGETLB);
}

static int get_thp(void)
{
	return get_ours(HPAGE_MAP_BACKING_THP);
}

static int get_base(void)
{
	return get_ours(HPAGE_MAP_BACKING_BASE);
}

/* Filled. Memory of tmpfs gets the pages that its mapping asks for. */
static int get_memfd(unsigned int flags, int advice)
{
	int fd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
	void *p;

	if (fd < 0 || ftruncate(fd, size))
		err(1, "memfd");
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || madvise(p, size, advice) ||
	    madvise(p, size, MADV_POPULATE_WRITE))
		err(1, "memfd of %" PRIu64 " bytes", size);
	munmap(p, size);
	return fd;
}

static int get_memfd_hugetlb(void)
{
	return get_memfd(MFD_HUGETLB | 21U << 26, MADV_NORMAL);
}

static int get_memfd_thp(void)
{
	return get_memfd(0, MADV_HUGEPAGE);
}

static int get_memfd_base(void)
{
	return get_memfd(0, MADV_NOHUGEPAGE);
}

/* The kernel's own dma-buf of a memfd. It has a limit for its size, which we raise. */
static int get_udmabuf(void)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = size };
	int fd, device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);

	if (device < 0)
		return -1;
	write_file("/sys/module/udmabuf/parameters/size_limit_mb", "65536");
	create.memfd = get_memfd_hugetlb();
	if (fcntl(create.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		err(1, "F_ADD_SEALS");
	fd = ioctl(device, UDMABUF_CREATE, &create);
	close(create.memfd);
	close(device);
	return fd;
}

static int get_heap(void)
{
	return access(SYSTEM_HEAP, F_OK) ? -1 : get_from_heap(SYSTEM_HEAP, size);
}

static const struct kind {
	const char *name;
	int (*get)(void);		/* NULL: anonymous memory */
	int flags, advice;		/* of its mapping */
	int pool;			/* it is made of pages of the pool */
} kinds[] = {
	{ "hpage_map-hugetlb", get_hugetlb, MAP_SHARED, MADV_NORMAL, 1 },
	{ "hpage_map-thp", get_thp, MAP_SHARED, MADV_NORMAL, 0 },
	{ "hpage_map-base", get_base, MAP_SHARED, MADV_NORMAL, 0 },
	{ "memfd-hugetlb", get_memfd_hugetlb, MAP_SHARED, MADV_NORMAL, 1 },
	{ "memfd-thp", get_memfd_thp, MAP_SHARED, MADV_HUGEPAGE, 0 },
	{ "memfd-base", get_memfd_base, MAP_SHARED, MADV_NORMAL, 0 },
	{ "udmabuf-hugetlb", get_udmabuf, MAP_SHARED, MADV_NORMAL, 1 },
	{ "dma-heap-system", get_heap, MAP_SHARED, MADV_NORMAL, 0 },
	{ "anon-hugetlb", NULL, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 21 << MAP_HUGE_SHIFT,
	  MADV_NORMAL, 1 },
	{ "anon-thp", NULL, MAP_PRIVATE | MAP_ANONYMOUS, MADV_HUGEPAGE, 0 },
	{ "anon-base", NULL, MAP_PRIVATE | MAP_ANONYMOUS, MADV_NOHUGEPAGE, 0 },
};

#define NR_KINDS	(sizeof(kinds) / sizeof(*kinds))

/* --- what is measured ------------------------------------------------------------- */

enum { TOUCH, FORK, UNMAP, POPULATE, ATTACH, ATTACH_8TH, NR_ACTIONS };

static const char *const actions[] = {
	"touch", "fork", "unmap", "populate", "attach", "attach-8th"
};

struct cost {
	int64_t microseconds, faults, kib;
};

static struct cost costs[NR_KINDS][NR_ACTIONS][MAX_ROUNDS];

static int64_t page_table_kib(void)
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

static int64_t faults(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		err(1, "getrusage");
	return usage.ru_minflt;
}

static struct cost so_far(void)
{
	struct cost cost = { .kib = page_table_kib() };

	cost.faults = faults();
	cost.microseconds = microseconds();
	return cost;
}

/* What was spent since then. */
static struct cost since(struct cost then)
{
	struct cost cost = { .microseconds = microseconds() - then.microseconds };

	cost.faults = faults() - then.faults;
	cost.kib = page_table_kib() - then.kib;
	return cost;
}

static void *map(const struct kind *kind, int fd)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, kind->flags, fd, 0);

	if (p == MAP_FAILED)
		err(1, "%s: mmap of %" PRIu64 " bytes", kind->name, size);
	if (kind->advice != MADV_NORMAL && madvise(p, size, kind->advice))
		err(1, "%s: madvise", kind->name);
	return p;
}

static void *map_and_touch(const struct kind *kind, int fd, struct cost *cost)
{
	struct cost then = so_far();
	volatile char *p = map(kind, fd);

	for (uint64_t i = 0; i < size; i += BASE_PAGE)
		p[i] = 1;
	*cost = since(then);
	return (void *)p;
}

static struct cost fork_once(void)
{
	struct cost then = so_far(), cost;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	cost = since(then);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		err(1, "fork");
	return cost;
}

/* In OTHERS processes, one after the other; each stays until the last is done. */
static void attach(const struct kind *kind, int fd, struct cost *first, struct cost *last)
{
	int done[2], stay[2], status;
	struct cost cost;

	if (pipe2(stay, O_CLOEXEC))
		err(1, "pipe");
	for (int i = 0; i < OTHERS; i++) {
		pid_t pid;

		if (pipe2(done, O_CLOEXEC))
			err(1, "pipe");
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			close(stay[1]);
			/* The stack is copied by now, and the code is there. */
			cost = since(so_far());
			map_and_touch(kind, fd, &cost);
			if (write(done[1], &cost, sizeof(cost)) != sizeof(cost))
				_exit(1);
			_exit(read(stay[0], &status, 1) != 0);
		}
		close(done[1]);
		if (read(done[0], &cost, sizeof(cost)) != sizeof(cost))
			errx(1, "%s: a process failed", kind->name);
		close(done[0]);
		if (!i)
			*first = cost;
		*last = cost;
	}
	close(stay[1]);
	while (wait(&status) > 0)
		if (status)
			errx(1, "%s: a process failed", kind->name);
	close(stay[0]);
}

/* Return: 0 where the kernel has no such memory. */
static int measure(const struct kind *kind, struct cost (*cost)[MAX_ROUNDS], int round)
{
	struct cost then;
	int fd = -1;
	char text[24];
	void *p;

	snprintf(text, sizeof(text), "%" PRIu64, kind->pool ? size / HUGE_PAGE : 0);
	write_file(POOL, text);
	if (kind->get) {
		fd = kind->get();
		if (fd < 0)
			return 0;
	}
	p = map_and_touch(kind, fd, &cost[TOUCH][round]);
	cost[FORK][round] = fork_once();
	if (kind->get)
		attach(kind, fd, &cost[ATTACH][round], &cost[ATTACH_8TH][round]);
	then = so_far();
	munmap(p, size);
	cost[UNMAP][round] = since(then);

	then = so_far();
	p = map(kind, fd);
	cost[POPULATE][round] = (struct cost){ .microseconds = -1 };
	if (!madvise(p, size, MADV_POPULATE_WRITE))	/* or it has no pages: VM_PFNMAP */
		cost[POPULATE][round] = since(then);
	munmap(p, size);
	if (fd >= 0)
		close(fd);
	return 1;
}

/* --- what is printed ---------------------------------------------------------------- */

static int64_t median_of(const struct cost *cost, size_t offset, int rounds)
{
	int64_t values[MAX_ROUNDS];

	for (int i = 0; i < rounds; i++)
		values[i] = *(const int64_t *)((const char *)&cost[i] + offset);
	return median(values, rounds);
}

static void print(size_t kind, int action, int rounds)
{
	const struct cost *cost = costs[kind][action];
	int64_t time = median_of(cost, offsetof(struct cost, microseconds), rounds);

	if (time < 0 || (!kinds[kind].get && action >= ATTACH))
		return;
	printf("%s %" PRIu64 " %s %" PRId64 " %" PRId64 " %" PRId64 "\n", kinds[kind].name,
	       size >> 20, actions[action], time,
	       median_of(cost, offsetof(struct cost, faults), rounds),
	       median_of(cost, offsetof(struct cost, kib), rounds));
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0, there[NR_KINDS];

	if (argc < 3 || argc > 2 + MAX_SIZES || rounds < 1 || rounds > MAX_ROUNDS)
		errx(1, "usage: bench/map ROUNDS MIB...");
	door = open_door();
	for (int i = 2; i < argc; i++) {
		size = strtoull(argv[i], NULL, 10) << 20;
		for (int round = 0; round < rounds; round++)
			for (size_t kind = 0; kind < NR_KINDS; kind++)
				there[kind] = measure(&kinds[kind], costs[kind], round);
		for (size_t kind = 0; kind < NR_KINDS; kind++)
			for (int action = 0; action < NR_ACTIONS; action++)
				if (there[kind])
					print(kind, action, rounds);
		fflush(stdout);
	}
	return 0;
}
