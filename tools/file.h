/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>

int file_read(char *text, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int file_write(const char *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
