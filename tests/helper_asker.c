// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks for buffers in a cpuset that changes, for test_numa.
 *
 *	helper_asker [map]	reads requests, struct hpage_map_alloc, from its input
 *
 * For each it says so with a byte, asks, waits for a byte that says that the change is over, and
 * writes a struct asked. With "map" it maps what it has got, writes to all of it, and says that
 * with a byte, too; after the change it reads all, and EIO is that it is something else.
 *
 * It is a small program without shared libraries, because with each change mm/ moves all of its
 * memory, and of the C library it would move the pages of everybody.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/hpage_map.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helper_asker.h"

static void count(struct asked *answer, int fd)
{
	struct hpage_map_nodes nodes = {
		.size = sizeof(nodes), .pages = (uintptr_t)answer->pages, .nr = 2,
	};

	if (ioctl(fd, HPAGE_MAP_NODES, &nodes))
		answer->err = errno;
	close(fd);
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
	int err = p ? 0 : EIO;

	for (uint64_t at = 0; p && at < length; at += 4096)
		if (p[at] != 1)
			err = EIO;
	if (p)
		munmap((void *)p, length);
	return err;
}

int main(int argc, char **argv)
{
	bool maps = argc > 1 && !strcmp(argv[1], "map");
	int door = open("/dev/hpage_map", HPAGE_MAP_O_DOOR);
	volatile char *p = NULL;
	static char text[HPAGE_MAP_TEXT_SIZE];
	struct hpage_map_alloc a;
	char byte = 0;

	while (read(STDIN_FILENO, &a, sizeof(a)) == sizeof(a)) {
		struct asked answer = { .err = 0 };

		a.text = (uintptr_t)text;
		a.text_size = sizeof(text);
		if (write(STDOUT_FILENO, &byte, 1) != 1)
			return 1;
		answer.err = ioctl(door, HPAGE_MAP_ALLOC, &a) ? errno : 0;
		answer.says_why = *text != '\0';
		if (maps) {
			p = map_and_write(&a, answer.err);
			if (write(STDOUT_FILENO, &byte, 1) != 1)
				return 1;
		}
		if (read(STDIN_FILENO, &byte, 1) != 1)
			return 1;
		if (maps && !answer.err)
			answer.err = read_again(p, a.got_length);
		if (!answer.err)
			count(&answer, a.fd);
		if (write(STDOUT_FILENO, &answer, sizeof(answer)) != sizeof(answer))
			return 1;
	}
	return 0;
}
