// SPDX-License-Identifier: LGPL-2.1-or-later
/* Descriptors: those that are given out, and those of strangers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "files.h"

#ifndef STATX_TYPE	/* as in musl before 1.2.5 */
#include <linux/stat.h>
#include <sys/syscall.h>

#define statx(fd, path, flags, mask, stx)	syscall(SYS_statx, fd, path, flags, mask, stx)
#endif

/*
 * A descriptor that stays is none of 0 to 2, where a program that has closed those would print into
 * the buffer. Returns @fd, or another instead of it.
 */
int fd_above_standard(int fd)
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

/* Another descriptor of the same file; or -errno, which is -EINVAL when @fd is none. */
int fd_duplicate(int fd)
{
	int other = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (other >= 0)
		return other;
	/* Where no descriptor is allowed at all, even the lowest is too high. */
	return errno == EBADF ? -EINVAL : errno == EINVAL ? -EMFILE : -errno;
}

/* Files of the module have lines of their own in fdinfo. */
static bool fd_has_fdinfo(int fd)
{
	struct lines lines;
	char path[64], *line;

	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
	if (lines_open(&lines, path))
		return false;
	do {
		line = lines_next(&lines);
	} while (line && strncmp(line, "hpage_map", strlen("hpage_map")));
	lines_close(&lines);
	return line;
}

/*
 * May a descriptor of somebody else be given to ioctl()? A file may be on a FUSE file system, whose
 * server would get the ioctl and need not answer; so not even its attributes are asked from there.
 * Files of the module are device nodes, of no file system, or known by their fdinfo.
 */
bool fd_may_be_asked(int fd)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx))
		return errno == ENOSYS || errno == EPERM;
	return !(stx.stx_mode & S_IFMT) || S_ISCHR(stx.stx_mode) ||
	       (S_ISREG(stx.stx_mode) && fd_has_fdinfo(fd));
}
