/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_FILES_H
#define HPMAP_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int file_open(const char *path, int flags);
ssize_t file_text(const char *path, char *text, size_t size);
int file_number(const char *path, uint64_t *value);
int file_number_in(const char *dir, const char *name, uint64_t *value);
int file_put_text(const char *path, const char *text);
int file_put_number_in(const char *dir, const char *name, uint64_t value);

/**
 * struct lines - a file that is read line by line, without memory from malloc()
 * @fd: of the file
 * @err: errno of what went wrong, or 0
 * @begin: where the next line begins in @text
 * @end: behind what was read into it
 * @text: the rest of a longer line is left out
 */
struct lines {
	int fd;
	int err;
	size_t begin, end;
	char text[4096];
};

int lines_open(struct lines *l, const char *path);
char *lines_next(struct lines *l);
int lines_close(struct lines *l);

#endif
