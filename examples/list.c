// SPDX-License-Identifier: MIT
/* List the buffers that the caller may see, and count the pages of the default buffer by node. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/hpage_map.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define NODES	8	/* of which the numbers are printed */

static void list(int door)
{
	struct hpage_map_info info = { .size = sizeof(info) };

	for (; !ioctl(door, HPAGE_MAP_LIST, &info); info.id++)
		printf("buffer %u %s: %llu bytes, descriptors %u, mappings %u\n", info.id,
		       *info.name ? info.name : "-", info.length, info.descriptors,
		       info.mappings);
	if (errno != ENOENT)
		err(1, "list");
}

static void count(int fd)
{
	__u64 pages[NODES];
	struct hpage_map_nodes nodes = {
		.size = sizeof(nodes),
		.pages = (uintptr_t)pages,
		.nr = NODES,
	};

	if (ioctl(fd, HPAGE_MAP_NODES, &nodes))
		err(1, "nodes");
	for (unsigned int i = 0; i < nodes.nr && i < NODES; i++)
		printf("node %u: %llu pages of the default buffer\n", i, pages[i]);
}

int main(void)
{
	/* Without O_NONBLOCK: the door, and the default buffer. */
	int fd = open("/dev/hpage_map", O_RDONLY);

	if (fd < 0)
		err(1, "open /dev/hpage_map");
	list(fd);
	count(fd);
	return 0;
}
