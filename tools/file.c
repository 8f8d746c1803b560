// SPDX-License-Identifier: GPL-2.0-only
/* Small files of the kernel, whose paths are put together. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/files.h"
#include "file.h"
#include "report.h"

#define PATH_SIZE	512

/* Read a file whole, without the newline at its end. Returns its length or -errno. */
int file_read(char *text, size_t size, const char *fmt, ...)
{
	char path[PATH_SIZE];
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	*text = '\0';
	return length >= PATH_SIZE ? -ENAMETOOLONG : file_text(path, text, size);
}

/* Returns 0 or -errno. */
int file_write(const char *text, const char *fmt, ...)
{
	char path[PATH_SIZE];
	va_list args;
	ssize_t n;
	int fd, ret = 0;

	va_start(args, fmt);
	n = vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	if (n >= PATH_SIZE)
		return -ENAMETOOLONG;
	fd = file_open(path, O_WRONLY);
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

/* The same; but a dry run prints what would be written, as a shell does it. */
int file_put(const char *path, const char *text, bool dry_run)
{
	if (!dry_run)
		return file_write(text, "%s", path);
	about_print(stdout);
	printf("echo %s > %s\n", text, path);
	return 0;
}
