// SPDX-License-Identifier: GPL-2.0-only
/* Small files of the kernel. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hpagectl.h"

static int open_named(int flags, const char *fmt, va_list args)
{
	char path[512];

	if (vsnprintf(path, sizeof(path), fmt, args) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return open(path, flags | O_CLOEXEC);
}

/* Read a file whole, without the newline at its end. Returns its length or -errno. */
int file_read(char *text, size_t size, const char *fmt, ...)
{
	size_t length = 0;
	ssize_t n = 0;
	va_list args;
	int fd;

	va_start(args, fmt);
	fd = open_named(O_RDONLY, fmt, args);
	va_end(args);
	*text = '\0';
	if (fd < 0)
		return -errno;
	/* Those in /proc come in pieces. */
	while (length + 1 < size && (n = read(fd, text + length, size - 1 - length)) > 0)
		length += n;
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	if (length && text[length - 1] == '\n')
		length--;
	text[length] = '\0';
	return length;
}

/* Returns 0 or -errno. */
int file_write(const char *text, const char *fmt, ...)
{
	va_list args;
	ssize_t n;
	int fd, ret = 0;

	va_start(args, fmt);
	fd = open_named(O_WRONLY, fmt, args);
	va_end(args);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n < 0)
		ret = -errno;
	else if ((size_t)n < strlen(text))
		ret = -EIO;
	close(fd);
	return ret;
}

/* The NUMA nodes with memory, from a list as 0-1,3; 0 if that is out of sight. Returns how many. */
int nodes_online(int nodes[MAX_NODES])
{
	char text[8192], *at = text, *end;
	int nr = 0;
	long from, to;

	if (file_read(text, sizeof(text), "/sys/devices/system/node/has_memory") <= 0)
		strcpy(text, "0");
	while (*at) {
		from = to = strtol(at, &end, 10);
		if (end == at)
			break;
		if (*end == '-')
			to = strtol(end + 1, &end, 10);
		for (; from <= to && nr < MAX_NODES; from++)
			nodes[nr++] = from;
		at = *end == ',' ? end + 1 : end;
	}
	return nr;
}

/* Has this node memory? Complains if not. */
bool node_there(int node)
{
	int nodes[MAX_NODES], nr = nodes_online(nodes), i;

	for (i = 0; i < nr; i++)
		if (nodes[i] == node)
			return true;
	complain("there is no node %d with memory (try: cat /sys/devices/system/node/has_memory)",
		 node);
	return false;
}
