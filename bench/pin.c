// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does it cost to pin memory, and to read and write a disk with it?
 *
 *	bench/pin ROUNDS FILE MIB...		(inside a virtual machine; see bench/run)
 *
 * FILE is on the file system whose disk is used. Each round goes through all kinds of memory, one
 * after the other. All of the memory is mapped and has been written to:
 *
 *	register	io_uring_register_buffers() of all of it
 *	unregister	what ends that
 *	write, read	with O_DIRECT, of up to 64 MiB in one call
 *	write-fixed	the same write by io_uring, from memory that is registered
 *	pin		HPAGE_MAP_PIN of all of it
 *	unpin		close(), which ends that
 *
 * Prints "KIND MIB ACTION MICROSECONDS MIN MAX REQUESTS": median, least and most of the rounds, and
 * the median of the requests that the disk got. Memory that cannot be pinned has no line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <liburing.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kinds.h"

#define MAX_ROUNDS	99
#define MAX_IO		(UINT64_C(64) << 20)

enum { REGISTER, UNREGISTER, WRITE, READ, WRITE_FIXED, PIN, UNPIN, NR_ACTIONS };

static const char *const actions[] = {
	"register", "unregister", "write", "read", "write-fixed", "pin", "unpin"
};

static int64_t took[NR_KINDS][NR_ACTIONS][MAX_ROUNDS];		/* -1: refused */
static int64_t requests[NR_KINDS][NR_ACTIONS][MAX_ROUNDS];
static int file;
static char disk[64];		/* a path of /sys, its counters */

/* Reads and writes that the disk has been asked for. */
static int64_t requests_so_far(void)
{
	int64_t reads, writes;
	FILE *f = fopen(disk, "re");

	if (!f || fscanf(f, "%" SCNd64 " %*d %*d %*d %" SCNd64, &reads, &writes) != 2)
		err(1, "%s", disk);
	fclose(f);
	return reads + writes;
}

/* One request to the ring, and what it returns. */
static int complete(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int ret;

	if (io_uring_submit(ring) != 1 || io_uring_wait_cqe(ring, &cqe))
		errx(1, "io_uring");
	ret = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

/* Return: what the action does, 0 or more, or -1 where such memory is refused. */
static int64_t act(int action, struct io_uring *ring, char *p, int *pinned)
{
	struct hpage_map_pin pin = {
		.size = sizeof(pin), .address = (uintptr_t)p, .length = size,
	};
	struct iovec all = { p, size };
	uint64_t io = size < MAX_IO ? size : MAX_IO;

	switch (action) {
	case REGISTER:
		return io_uring_register_buffers(ring, &all, 1) ? -1 : 0;
	case UNREGISTER:
		return io_uring_unregister_buffers(ring) ? -1 : 0;
	case WRITE:
		return pwrite(file, p, io, 0);
	case READ:
		return pread(file, p, io, 0);
	case WRITE_FIXED:
		io_uring_prep_write_fixed(io_uring_get_sqe(ring), file, p, io, 0, 0);
		return complete(ring);
	case PIN:
		*pinned = ioctl(door, HPAGE_MAP_PIN, &pin) ? -1 : pin.fd;
		return *pinned;
	default:
		return close(*pinned);
	}
}

static void measure_action(size_t kind, int action, int round, struct io_uring *ring, char *p)
{
	int64_t *us = &took[kind][action][round], *nr = &requests[kind][action][round];
	static int pinned;
	int64_t start, ret;

	/* What was not begun cannot be ended. */
	if ((action == WRITE_FIXED && took[kind][REGISTER][round] < 0) ||
	    (action == UNREGISTER && took[kind][REGISTER][round] < 0) ||
	    (action == UNPIN && took[kind][PIN][round] < 0)) {
		*us = -1;
		return;
	}
	*nr = requests_so_far();
	start = microseconds();
	ret = act(action, ring, p, &pinned);
	*us = microseconds() - start;
	*nr = requests_so_far() - *nr;
	if (ret < 0)
		*us = -1;
	else if (ret != (int64_t)(size < MAX_IO ? size : MAX_IO) &&
		 (action == WRITE || action == READ || action == WRITE_FIXED))
		errx(1, "%s: %s is short", kinds[kind].name, actions[action]);
}

/* Return: 0 where the kernel has no such memory. */
static int measure(size_t kind, int round)
{
	static const int order[] = { REGISTER, WRITE_FIXED, UNREGISTER, WRITE, READ, PIN, UNPIN };
	struct io_uring ring;
	int fd = -1;
	char *p;

	set_pool(&kinds[kind]);
	if (kinds[kind].get) {
		fd = kinds[kind].get();
		if (fd < 0)
			return 0;
	}
	p = map(&kinds[kind], fd);
	for (uint64_t at = 0; at < size; at += BASE_PAGE)
		p[at] = 1;
	if (io_uring_queue_init(4, &ring, 0))
		errx(1, "io_uring");
	for (size_t i = 0; i < NR_ACTIONS; i++)
		measure_action(kind, order[i], round, &ring, p);
	io_uring_queue_exit(&ring);
	munmap(p, size);
	if (fd >= 0)
		close(fd);
	return 1;
}

static void print(size_t kind, int action, int rounds)
{
	int64_t *us = took[kind][action], us_median = median(us, rounds);

	if (us[0] >= 0)
		printf("%s %" PRIu64 " %s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
		       kinds[kind].name, size >> 20, actions[action], us_median, us[0],
		       us[rounds - 1], median(requests[kind][action], rounds));
}

/* As long as all that is written, so that later no block has to be found for it. */
static void make_file(const char *path)
{
	struct stat st;
	void *zeroes;

	file = open(path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
	if (file < 0 || fstat(file, &st) || posix_memalign(&zeroes, BASE_PAGE, MAX_IO))
		err(1, "%s", path);
	memset(zeroes, 0, MAX_IO);
	if (write(file, zeroes, MAX_IO) != (ssize_t)MAX_IO || fsync(file))
		err(1, "%s", path);
	free(zeroes);
	snprintf(disk, sizeof(disk), "/sys/dev/block/%u:%u/stat", major(st.st_dev),
		 minor(st.st_dev));
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0, there[NR_KINDS];

	if (argc < 4 || rounds < 1 || rounds > MAX_ROUNDS)
		errx(2, "usage: bench/pin ROUNDS FILE MIB...");
	door = open_door();
	make_file(argv[2]);
	for (int i = 3; i < argc; i++) {
		size = strtoull(argv[i], NULL, 10) << 20;
		for (int round = 0; round < rounds; round++)
			for (size_t kind = 0; kind < NR_KINDS; kind++)
				there[kind] = measure(kind, round);
		for (size_t kind = 0; kind < NR_KINDS; kind++)
			for (int action = 0; action < NR_ACTIONS; action++)
				if (there[kind])
					print(kind, action, rounds);
		fflush(stdout);
	}
	return 0;
}
