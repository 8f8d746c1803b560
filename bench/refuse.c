// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long does it take to be refused, or served, whatever state the memory is in?
 *
 *	bench/refuse MIB	(inside a virtual machine without swap; see bench/run)
 *
 * Asks for MIB, as each of the requests below, in each of these states of memory:
 *
 *	fresh	as the machine has booted
 *	full	others have nine tenths of it
 *	pieces	they gave three pages in four back; what they keep can be moved
 *	stuck	the same, but one page in each 2 MiB cannot be moved
 *
 * Prints "STATE REQUEST ANSWER MICROSECONDS"; ANSWER is served, or the error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/uio.h>

#include "bench.h"
#include "strangers.h"

#define POOL		"/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define PIPE_PAGES	256

static int door;

static const struct request {
	const char *name;
	uint32_t flags;
	uint32_t policy;
	const char *overcommit;		/* of the pool, which has no page of its own */
	uint64_t page_size;
} requests[] = {
	{ "huge", HPAGE_MAP_EXACT, HPAGE_MAP_POLICY_DEFAULT, "0", HUGE_PAGE },
	{ "huge-strict", HPAGE_MAP_EXACT, HPAGE_MAP_POLICY_STRICT, "0", HUGE_PAGE },
	{ "huge-surplus", HPAGE_MAP_EXACT, HPAGE_MAP_POLICY_DEFAULT, "1000000", HUGE_PAGE },
	{ "contiguous", HPAGE_MAP_CONTIGUOUS, HPAGE_MAP_POLICY_DEFAULT, "0", HUGE_PAGE },
	{ "below-4g", HPAGE_MAP_BELOW_4G, HPAGE_MAP_POLICY_DEFAULT, "0", HUGE_PAGE },
	{ "base", HPAGE_MAP_ALLOW_BASE, HPAGE_MAP_POLICY_DEFAULT, "0", BASE_PAGE },
};

static void ask(const char *state, const struct request *r, uint64_t bytes)
{
	struct hpage_map_alloc a = {
		.size = sizeof(a), .length = bytes, .flags = r->flags, .page_size = r->page_size,
		.policy = r->policy, .node = 0,
	};
	int64_t start;
	int ret;

	fprintf(stderr, "%s: %s\n", state, r->name);
	write_file(POOL "nr_overcommit_hugepages", r->overcommit);
	start = microseconds();
	ret = ioctl(door, HPAGE_MAP_ALLOC, &a);
	printf("%s %s %s %" PRId64 "\n", state, r->name,
	       ret ? strerrorname_np(errno) : "served", microseconds() - start);
	fflush(stdout);
	if (!ret)
		close(a.fd);
}

static void ask_all(const char *state, uint64_t bytes)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		ask(state, &requests[i], bytes);
}

/* The first page that the strangers kept behind @at. */
static char *kept_page(uint64_t at)
{
	unsigned char there = 0;

	for (;; at += BASE_PAGE) {
		if (mincore(strangers.p + at, BASE_PAGE, &there))
			err(1, "mincore");
		if (there & 1)
			return strangers.p + at;
	}
}

/* One page in each 2 MiB cannot be moved: it is in a pipe. */
static void fill_pipes(void)
{
	int left = 0, ends[2];

	for (uint64_t at = 0; at + HUGE_PAGE <= strangers.len; at += HUGE_PAGE) {
		struct iovec page = { kept_page(at), BASE_PAGE };

		if (!left--) {
			if (pipe2(ends, O_CLOEXEC) ||
			    fcntl(ends[1], F_SETPIPE_SZ, PIPE_PAGES * BASE_PAGE) < 0)
				err(1, "pipe");
			left = PIPE_PAGES - 1;
		}
		if (vmsplice(ends[1], &page, 1, 0) != (ssize_t)BASE_PAGE)
			err(1, "vmsplice");
	}
}

int main(int argc, char **argv)
{
	uint64_t bytes = argc == 2 ? strtoull(argv[1], NULL, 0) << 20 : 0;

	if (!bytes)
		errx(2, "usage: refuse MIB");
	door = open_door();
	ask_all("fresh", bytes);
	strangers_take(9);
	ask_all("full", bytes);
	strangers_go();
	strangers_come(9);
	ask_all("pieces", bytes);
	strangers_go();
	strangers_come(9);
	fill_pipes();
	ask_all("stuck", bytes);
	return 0;
}
