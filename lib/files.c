// SPDX-License-Identifier: LGPL-2.1-or-later
/* Files and descriptors. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

/* Open what exists, close-on-exec; for files that make nothing which a signal is meant to end. */
int open_file(const char *path, int flags)
{
	int fd;

	do {
		fd = open(path, flags | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

/* Return: 0, or -errno. */
int lines_open(struct lines *l, const char *path)
{
	l->fd = open_file(path, O_RDONLY);
	l->begin = l->end = 0;
	l->err = l->fd < 0 ? errno : 0;
	return -l->err;
}

/* Read on behind what is there. False at the end of the file. */
static bool read_on(struct lines *l)
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
		if (!read_on(l))
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

/*
 * A descriptor that stays is none of 0 to 2, where a program that has closed those would print into
 * the buffer. Returns @fd, or another instead of it.
 */
int above_standard(int fd)
{
	int other;

	if (fd < 0 || fd > 2)
		return fd;
	other = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (other < 0)
		return fd;
	close(fd);
	return other;
}

/* Files of the module say in fdinfo what they are. */
static bool says_hpage_map(int fd)
{
	struct lines lines;
	char path[64], *line;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (lines_open(&lines, path))
		return false;
	do {
		line = lines_next(&lines);
	} while (line && strncmp(line, "hpage_map", strlen("hpage_map")));
	lines_close(&lines);
	return line;
}

/*
 * May a descriptor of somebody else be asked by ioctls? A file may be one of a FUSE server, who
 * would get the question, and need not answer; so not even its attributes are asked from there.
 * Those of the module are device nodes, of no file system, or say what they are.
 */
bool may_be_asked(int fd)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx))
		return errno == ENOSYS || errno == EPERM;
	return !(stx.stx_mode & S_IFMT) || S_ISCHR(stx.stx_mode) ||
	       (S_ISREG(stx.stx_mode) && says_hpage_map(fd));
}
