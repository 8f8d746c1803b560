// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that stay. One is there whole or not at all: it is written under another
 * name, which begins with a dot and so is read by nobody, and then renamed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "save.h"

#define PATH_ROOM	512

/* Complain about a path, and return an exit code. */
static int save_failed(const char *path, int err)
{
	complain("%s: %s", path, strerror(err));
	if (exit_code(-err) == EXIT_DENIED && geteuid())
		try_again("sudo ", "");
	return exit_code(-err);
}

/* Write the text, and have it on the disk. Returns 0 or errno. */
static int save_write(int fd, const char *text)
{
	size_t length = strlen(text), done = 0;
	ssize_t n;

	while (done < length) {
		n = write(fd, text + done, length - done);
		if (n < 0 && errno != EINTR)
			return errno;
		done += n > 0 ? n : 0;
	}
	return fchmod(fd, 0644) || fsync(fd) ? errno : 0;
}

/* Returns 0 or errno. */
static int save_rename(const char *dir, const char *from, const char *to)
{
	int fd, err = 0;

	if (rename(from, to))
		return errno;
	/* The name is on the disk with its directory. */
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		err = errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* Write a file, or for a dry run print it. Complains, and returns an exit code. */
int save_file(const char *dir, const char *name, const char *text, bool dry_run)
{
	char path[PATH_ROOM], hidden[PATH_ROOM];
	int fd, err;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= PATH_ROOM - 10)
		return save_failed(dir, ENAMETOOLONG);
	snprintf(hidden, sizeof(hidden), "%s/.%s.XXXXXX", dir, name);
	if (dry_run) {
		printf("would write %s:\n%s", path, text);
		return EXIT_OK;
	}
	if (mkdir(dir, 0755) && errno != EEXIST)
		return save_failed(dir, errno);
	fd = mkostemp(hidden, O_CLOEXEC);
	if (fd < 0)
		return save_failed(path, errno);
	err = save_write(fd, text);
	close(fd);
	if (!err)
		err = save_rename(dir, hidden, path);
	if (err) {
		unlink(hidden);
		return save_failed(path, err);
	}
	printf("%s is written\n", path);
	return EXIT_OK;
}

/* Remove what was written before, if it is there. Complains, and returns an exit code. */
int save_remove(const char *dir, const char *name, bool dry_run)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (access(path, F_OK))
		return EXIT_OK;
	if (!dry_run && unlink(path))
		return save_failed(path, errno);
	printf("%s %s\n", path, dry_run ? "would be removed" : "is removed");
	return EXIT_OK;
}
