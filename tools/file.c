// SPDX-License-Identifier: GPL-2.0-only
/* Small files of the kernel, whose paths are put together. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "../lib/files.h"
#include "file.h"

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
	int length;

	va_start(args, fmt);
	length = vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	return length >= PATH_SIZE ? -ENAMETOOLONG : file_put_text(path, text);
}
