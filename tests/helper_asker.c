// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks for buffers in a cpuset that changes, for test_numa.
 *
 *	helper_asker	reads requests, struct hpage_map_alloc, from its input
 *
 * For each it says so with a byte, asks, waits for a byte that says that the change is over, and
 * writes a struct asked. It is a small program without shared libraries, because with each change
 * mm/ moves all of its memory, and of the C library it would move the pages of everybody.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/hpage_map.h>
#include <stdint.h>
#include <sys/ioctl.h>
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

int main(void)
{
	int door = open("/dev/hpage_map", HPAGE_MAP_O_DOOR);
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
		if (read(STDIN_FILENO, &byte, 1) != 1)
			return 1;
		if (!answer.err)
			count(&answer, a.fd);
		if (write(STDOUT_FILENO, &answer, sizeof(answer)) != sizeof(answer))
			return 1;
	}
	return 0;
}
