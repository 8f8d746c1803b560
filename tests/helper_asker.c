// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks for buffers in a cpuset, see asker.h.
 *
 *	helper_asker [map|forecast]	reads requests, struct hpage_map_alloc, from its input
 *
 * It says with a byte that it runs. For each request it says so with a byte, asks, waits for a
 * byte that says that whatever changes meanwhile has changed, and writes a struct asked. With
 * "map" it maps what it has got, writes to all of it, and says that with a byte, too; after the
 * change it reads all, and EIO is that it is something else. With "forecast" it asks for that
 * as well, which looks at all memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/hpage_map.h>
#include <linux/mempolicy.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "asker.h"

static void count(struct asked *answer, int fd)
{
	struct hpage_map_nodes nodes = {
		.size = sizeof(nodes), .pages = (uintptr_t)answer->pages, .nr = 2,
	};

	if (ioctl(fd, HPAGE_MAP_NODES, &nodes))
		answer->err = errno;
	close(fd);
}

static void forecast(struct asked *answer, int door)
{
	for (int node = 0; node < 2; node++) {
		struct hpage_map_forecast f = { .size = sizeof(f), .node = node };

		if (ioctl(door, HPAGE_MAP_FORECAST, &f))
			answer->err = errno;
		answer->forecast[node] = f.length;
	}
}

/* Return: NULL if there is no buffer, or no mapping of it. */
static volatile char *map_and_write(const struct hpage_map_alloc *a, int err)
{
	volatile char *p = err ? MAP_FAILED : mmap(NULL, a->got_length, PROT_READ | PROT_WRITE,
						   MAP_SHARED, a->fd, 0);

	if (p == MAP_FAILED)
		return NULL;
	for (uint64_t at = 0; at < a->got_length; at += 4096)
		p[at] = 1;
	return p;
}

static int read_again(volatile char *p, uint64_t length)
{
	if (!p)
		return EIO;
	for (uint64_t at = 0; at < length; at += 4096)
		if (p[at] != 1)
			return EIO;
	return 0;
}

/* mm/ knows nothing of the driver. */
static void count_mapped(struct asked *answer, volatile char *p)
{
	for (uint64_t at = 0; at < answer->got.got_length; at += answer->got.got_page_size) {
		int node = -1;

		if (syscall(SYS_get_mempolicy, &node, NULL, 0, p + at, MPOL_F_NODE | MPOL_F_ADDR))
			answer->err = errno;
		else if (node == 0 || node == 1)
			answer->mapped[node]++;
	}
}

static bool tell(void)
{
	return write(STDOUT_FILENO, "", 1) == 1;
}

int main(int argc, char **argv)
{
	bool maps = argc > 1 && !strcmp(argv[1], "map");
	bool forecasts = argc > 1 && !strcmp(argv[1], "forecast");
	int door = open("/dev/hpage_map", HPAGE_MAP_O_DOOR);
	volatile char *p = NULL;
	struct hpage_map_alloc a;
	char byte;

	if (!tell())
		return 1;
	while (read(STDIN_FILENO, &a, sizeof(a)) == sizeof(a)) {
		static struct asked answer;

		memset(&answer, 0, sizeof(answer));
		a.text = (uintptr_t)answer.text;
		a.text_size = sizeof(answer.text);
		if (!tell())
			return 1;
		answer.err = ioctl(door, HPAGE_MAP_ALLOC, &a) ? errno : 0;
		answer.got = a;
		if (maps) {
			p = map_and_write(&a, answer.err);
			if (!tell())
				return 1;
		}
		if (read(STDIN_FILENO, &byte, 1) != 1)
			return 1;
		if (maps && !answer.err)
			answer.err = read_again(p, a.got_length);
		if (maps && !answer.err)
			count_mapped(&answer, p);
		if (p)
			munmap((void *)p, a.got_length);
		if (!answer.err)
			count(&answer, a.fd);
		if (forecasts && !answer.err)
			forecast(&answer, door);
		if (write(STDOUT_FILENO, &answer, sizeof(answer)) != sizeof(answer))
			return 1;
	}
	return 0;
}
