/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef INI_H
#define INI_H

#include <stddef.h>

/**
 * struct ini_entry - a line Key=Value
 * @key: before the sign
 * @value: behind it
 * @line: its number
 */
struct ini_entry {
	char *key;
	char *value;
	int line;
};

/**
 * struct ini - a file
 * @section: which it has, of those that it may have, or -1
 * @entries: each key once, @nr of them
 * @nr: how many
 */
struct ini {
	int section;
	struct ini_entry *entries;
	size_t nr;
};

int ini_read(const char *path, const char *const *sections, struct ini *ini);
int ini_peek(const char *path, const char *const *sections);
void ini_free(struct ini *ini);

#endif
