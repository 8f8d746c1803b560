// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does a buffer cost, in numbers that are the same each time?
 *
 *	bench/counts NS		(inside a virtual machine that counts instructions; see bench/guard)
 *
 * The clock of such a machine goes on by NS nanoseconds with each instruction that it executes, so
 * it tells how many there were, those of interrupts included. For a buffer on each backing:
 *
 *	alloc, close			instructions of HPAGE_MAP_ALLOC, and of the last close()
 *	info, export, dma_map		instructions of the ioctl, and of the close() that ends it
 *	pin				the same of HPAGE_MAP_PIN of all that is mapped and written
 *	touch, unmap			instructions of mmap and a write to each 4 KiB; of munmap
 *	touch_faults, attach_faults	page faults of the former, and of the same in another
 *					process meanwhile
 *	touch_kib			page tables that the process gets for it
 *	huge				huge pages
 *	entries				bus addresses that a device without an IOMMU gets, where the
 *					buffer is one run
 *
 * Prints "KIND COUNT VALUE"; instructions are the median of several times. Those of 1 GiB are not
 * measured, which would take long.
 */
#define _GNU_SOURCE
#include <sys/wait.h>

#include "kinds.h"

#define TIMES	9

enum { ALLOC, CLOSE, INFO, EXPORT, DMA_MAP, TOUCH, PIN, UNMAP, NR_ACTIONS };

static const char *const actions[] = {
	"alloc", "close", "info", "export", "dma_map", "touch", "pin", "unmap"
};

static const struct buffer_kind {
	const char *name;
	enum hpage_map_backing backing;
	uint64_t bytes;
	uint32_t flags;
} buffers[] = {
	{ "hugetlb", HPAGE_MAP_BACKING_HUGETLB, 64 << 20, HPAGE_MAP_EXACT },
	{ "hugetlb-1G", HPAGE_MAP_BACKING_HUGETLB, 1 << 30, HPAGE_MAP_EXACT },
	{ "thp", HPAGE_MAP_BACKING_THP, 64 << 20, HPAGE_MAP_EXACT },
	{ "contiguous", HPAGE_MAP_BACKING_THP, 64 << 20, HPAGE_MAP_EXACT | HPAGE_MAP_CONTIGUOUS },
	{ "base", HPAGE_MAP_BACKING_BASE, 4 << 20, 0 },
};

static struct result {
	int64_t ns[NR_ACTIONS][TIMES];
	int64_t touch_faults, attach_faults, touch_kib, huge, entries;
} result;

static char device[32];		/* one that does DMA, and has a driver */

static int64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void *touch(int fd, int64_t *ns, int64_t *nr_faults)
{
	int64_t then = faults(), start = nanoseconds();
	volatile char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	for (uint64_t at = 0; at < size; at += BASE_PAGE)
		p[at] = 1;
	*ns = nanoseconds() - start;
	*nr_faults = faults() - then;
	return (void *)p;
}

/* Return: page faults of another process that does the same. */
static int64_t attach(int fd)
{
	int64_t nr_faults, ns;
	int done[2], status;
	pid_t pid;

	if (pipe(done))
		err(1, "pipe");
	pid = fork();
	if (!pid) {
		/* The stack is copied by now, and the code is there. */
		ns = nanoseconds() + faults();
		touch(fd, &ns, &nr_faults);
		_exit(write(done[1], &nr_faults, sizeof(nr_faults)) != sizeof(nr_faults));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status ||
	    read(done[0], &nr_faults, sizeof(nr_faults)) != sizeof(nr_faults))
		errx(1, "a process failed");
	close(done[0]);
	close(done[1]);
	return nr_faults;
}

static int64_t info(int fd)
{
	struct hpage_map_info request = { .size = sizeof(request) };
	int64_t start = nanoseconds(), ns;

	if (ioctl(fd, HPAGE_MAP_INFO, &request))
		err(1, "HPAGE_MAP_INFO");
	ns = nanoseconds() - start;
	result.huge = request.nr_huge;
	return ns;
}

static int64_t export(int fd)
{
	struct hpage_map_export request = { .size = sizeof(request) };
	int64_t start = nanoseconds();

	if (ioctl(fd, HPAGE_MAP_EXPORT, &request))
		err(1, "HPAGE_MAP_EXPORT");
	close(request.fd);
	return nanoseconds() - start;
}

static int64_t dma_map(int fd)
{
	struct hpage_map_dma_map request = {
		.size = sizeof(request), .flags = HPAGE_MAP_DMA_FLAGS,
	};
	int64_t start;

	memcpy(request.device, device, sizeof(device));
	start = nanoseconds();
	if (ioctl(fd, HPAGE_MAP_DMA_MAP, &request))
		err(1, "HPAGE_MAP_DMA_MAP");
	close(request.fd);
	result.entries = request.nr_runs;
	return nanoseconds() - start;
}

static int64_t pin(int fd)
{
	int64_t ns, nr_faults;
	void *p = touch(fd, &ns, &nr_faults);
	struct hpage_map_pin request = {
		.size = sizeof(request), .address = (uintptr_t)p, .length = size,
	};
	int64_t start = nanoseconds();

	if (ioctl(door, HPAGE_MAP_PIN, &request))
		err(1, "HPAGE_MAP_PIN");
	close(request.fd);
	ns = nanoseconds() - start;
	munmap(p, size);
	return ns;
}

static void measure(const struct buffer_kind *kind, int i)
{
	int64_t kib, start = nanoseconds();
	int fd = get_buffer(door, kind->backing, size, kind->flags).fd;
	void *p;

	result.ns[ALLOC][i] = nanoseconds() - start;
	result.ns[INFO][i] = info(fd);
	result.ns[EXPORT][i] = export(fd);
	result.ns[DMA_MAP][i] = dma_map(fd);
	kib = page_table_kib();
	p = touch(fd, &result.ns[TOUCH][i], &result.touch_faults);
	result.touch_kib = page_table_kib() - kib;
	result.attach_faults = attach(fd);
	start = nanoseconds();
	munmap(p, size);
	result.ns[UNMAP][i] = nanoseconds() - start;
	/* Last: what it leaves to be done later would be counted with something else. */
	result.ns[PIN][i] = pin(fd);
	start = nanoseconds();
	close(fd);
	result.ns[CLOSE][i] = nanoseconds() - start;
}

/* Is it the same each time? Not what depends on the runs that there are, or is left to a worker. */
static int is_steady(const struct buffer_kind *kind, int action)
{
	switch (action) {
	case ALLOC:
		return !(kind->flags & HPAGE_MAP_CONTIGUOUS);
	case DMA_MAP:
	case PIN:
		return kind->flags & HPAGE_MAP_CONTIGUOUS;
	case TOUCH:
		return kind->backing != HPAGE_MAP_BACKING_HUGETLB;
	case CLOSE:
		return kind->backing == HPAGE_MAP_BACKING_THP;
	default:
		return 1;
	}
}

static void print(const struct buffer_kind *kind, int times, int ns)
{
	for (int action = 0; action < NR_ACTIONS; action++)
		if (times > 1 && is_steady(kind, action))
			printf("%s %s %" PRId64 "\n", kind->name, actions[action],
			       median(result.ns[action], times) / ns);
	printf("%s touch_faults %" PRId64 "\n", kind->name, result.touch_faults);
	printf("%s attach_faults %" PRId64 "\n", kind->name, result.attach_faults);
	printf("%s touch_kib %" PRId64 "\n", kind->name, result.touch_kib);
	printf("%s huge %" PRId64 "\n", kind->name, result.huge);
	if (kind->flags & HPAGE_MAP_CONTIGUOUS)
		printf("%s entries %" PRId64 "\n", kind->name, result.entries);
}

int main(int argc, char **argv)
{
	int ns = argc == 2 ? atoi(argv[1]) : 0;

	if (ns < 1)
		errx(2, "usage: bench/counts NS");
	choose_device(device, sizeof(device));
	door = open_door();
	for (size_t i = 0; i < sizeof(buffers) / sizeof(*buffers); i++) {
		int times = buffers[i].bytes > 64 << 20 ? 1 : TIMES;

		size = buffers[i].bytes;
		set_pool_pages(buffers[i].backing == HPAGE_MAP_BACKING_HUGETLB ?
			       size / HUGE_PAGE : 0);
		for (int time = 0; time < times; time++)
			measure(&buffers[i], time);
		print(&buffers[i], times, ns);
		fflush(stdout);
	}
	return 0;
}
