// SPDX-License-Identifier: MIT
/*
 * Make a buffer, say what it is made of, and share it with a child:
 *
 *	alloc			16 MiB
 *	alloc 1G		1 GiB; K, M and G are understood
 *
 * The buffer has no name. Whoever has a descriptor or a mapping of it holds
 * it, and it is gone with the last of them.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/hpage_map.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t bytes(const char *text)
{
	const char suffixes[] = "KMG", *suffix;
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	if (*end && (suffix = strchr(suffixes, *end))) {
		n <<= 10 * (suffix - suffixes + 1);
		end++;
	}
	if (!n || *end)
		errx(2, "usage: alloc [BYTES]");
	return n;
}

static struct hpage_map_alloc allocate(uint64_t length)
{
	static char text[HPAGE_MAP_TEXT_SIZE];
	struct hpage_map_alloc a = {
		.size = sizeof(a),
		.flags = HPAGE_MAP_ALLOW_BASE,
		.length = length,
		.name = "example",
		.text = (uintptr_t)text,
		.text_size = sizeof(text),
	};
	/* The door alone: the default buffer is not made for our sake. */
	int door = open("/dev/hpage_map", HPAGE_MAP_O_DOOR);

	if (door < 0)
		err(1, "open /dev/hpage_map");
	/* The text is written on failure, too. */
	if (ioctl(door, HPAGE_MAP_ALLOC, &a))
		err(1, "no buffer%s%s", *text ? ": " : "", text);
	close(door);

	const char *const backings[] = { "?", "hugetlb", "thp", "base" };
	unsigned int backing = a.got_backing > HPAGE_MAP_BACKING_BASE ? 0 : a.got_backing;

	printf("buffer %u: %llu pages of %llu kB from %s, physical runs: %llu, node %d\n", a.id,
	       a.got_length / a.got_page_size, a.got_page_size >> 10, backings[backing],
	       a.got_runs, a.got_node);
	if (*text)
		printf("why not better: %s\n", text);
	return a;
}

static char *map(const struct hpage_map_alloc *a)
{
	char *buffer = mmap(NULL, a->got_length, PROT_READ | PROT_WRITE, MAP_SHARED, a->fd, 0);

	if (buffer == MAP_FAILED)
		err(1, "mmap %llu bytes", a->got_length);
	return buffer;
}

int main(int argc, char **argv)
{
	struct hpage_map_alloc a = allocate(bytes(argc > 1 ? argv[1] : "16M"));
	int status;
	pid_t child;

	/*
	 * A child inherits the descriptor. A program that is no relative gets it
	 * over a Unix socket, with SCM_RIGHTS.
	 */
	fflush(stdout);
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child) {
		strcpy(map(&a), "written by the child");
		return 0;
	}
	if (wait(&status) != child || status)
		errx(1, "the child failed");
	printf("the parent reads: %s\n", map(&a));
	return 0;
}
