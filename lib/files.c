// SPDX-License-Identifier: LGPL-2.1-or-later
/* Files of the kernel: small ones whole, long ones by line. For hpagectl as well. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

/* Open what exists, close-on-exec; for files that make nothing which a signal is meant to end. */
int file_open(const char *path, int flags)
{
	int fd;

	do {
		fd = open(path, flags | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

/* Read a small file, without the newline at its end. Returns the length or -errno. */
ssize_t file_text(const char *path, char *text, size_t size)
{
	int fd = file_open(path, O_RDONLY);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	/* Those in /proc come in pieces. */
	do {
		got = read(fd, text + n, size - 1 - n);
		if (got > 0)
			n += got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	got = got < 0 ? -errno : 0;
	close(fd);
	if (got < 0)
		return got;
	if (n && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	return n;
}

/* Return: 0, or -errno. */
int file_number(const char *path, uint64_t *value)
{
	char text[32], *end;
	ssize_t n = file_text(path, text, sizeof(text));

	if (n < 0)
		return n;
	*value = strtoull(text, &end, 10);
	return end == text ? -EINVAL : 0;
}

/* Return: 0, or -errno. */
int file_number_in(const char *dir, const char *name, uint64_t *value)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return file_number(path, value);
}

/* Write to a file that takes the text whole. Return: 0, or -errno. */
int file_put_text(const char *path, const char *text)
{
	size_t length = strlen(text);
	int fd = file_open(path, O_WRONLY), ret = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, length);
	if (n < 0)
		ret = -errno;
	else if ((size_t)n < length)
		ret = -EIO;
	close(fd);
	return ret;
}

/* Return: 0, or -errno. */
int file_put_number_in(const char *dir, const char *name, uint64_t value)
{
	char path[192], text[24];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return file_put_text(path, text);
}

/* Return: 0, or -errno. */
int lines_open(struct lines *l, const char *path)
{
	l->fd = file_open(path, O_RDONLY);
	l->begin = l->end = 0;
	l->err = l->fd < 0 ? errno : 0;
	return -l->err;
}

/* Read on behind what is there. False at the end of the file. */
static bool lines_read_on(struct lines *l)
{
	ssize_t n;

	do {
		n = read(l->fd, l->text + l->end, sizeof(l->text) - 1 - l->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		l->err = errno;
	if (n <= 0)
		return false;
	l->end += n;
	return true;
}

/* The next line without its newline, valid until the next call. NULL behind the last. */
char *lines_next(struct lines *l)
{
	bool cut = false;
	char *line, *end;

	for (;;) {
		line = l->text + l->begin;
		end = memchr(line, '\n', l->end - l->begin);
		if (end && !cut)
			break;
		if (end) {
			/* The rest of what was too long. */
			l->begin = end + 1 - l->text;
			cut = false;
			continue;
		}
		memmove(l->text, line, l->end - l->begin);
		l->end -= l->begin;
		l->begin = 0;
		if (l->end == sizeof(l->text) - 1) {
			cut = true;
			l->end = 0;
		}
		if (!lines_read_on(l))
			return NULL;
	}
	*end = '\0';
	l->begin = end + 1 - l->text;
	return line;
}

/* Return: 0, or -errno of what could not be read. */
int lines_close(struct lines *l)
{
	close(l->fd);
	return -l->err;
}
