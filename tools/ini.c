// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files in the manner of systemd: [Section], Key=Value, comments with # or ;.
 * What is not understood, or stands there twice, is refused, with its line: a
 * buffer that is not quite the one that was meant helps nobody.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hpagectl.h"

#define KEY_ROOM	32
#define WRONG_ROOM	96

/**
 * struct ini - a file that is being read
 * @section: the one that it may have
 * @set: takes a key
 * @data: for @set
 * @began: the line in which the section began, or 0
 * @keys: those that were given
 * @lines: where
 * @nr_keys: how many
 * @wrong: with the line that is read
 */
struct ini {
	const char *section;
	ini_fn set;
	void *data;
	int began;
	char (*keys)[KEY_ROOM];
	int *lines;
	size_t nr_keys;
	char wrong[WRONG_ROOM];
};

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

const char ini_no_such_key[] = "there is no such key";

static void section_read(struct ini *ini, const char *line, int number)
{
	size_t length = strlen(ini->section);

	/* In this order: the line may be shorter than the name. */
	if (strncmp(line + 1, ini->section, length) || strcmp(line + 1 + length, "]"))
		strcpy(ini->wrong, "there is no such section");
	else if (ini->began)
		snprintf(ini->wrong, WRONG_ROOM, "[%.20s] stands in line %d already, and a file "
			 "has one", ini->section, ini->began);
	else
		ini->began = number;
}

/* Keep in mind that it was given. Returns the line in which it was before, or 0. */
static int key_given(struct ini *ini, const char *key, int number)
{
	size_t i;

	for (i = 0; i < ini->nr_keys; i++)
		if (!strcmp(ini->keys[i], key))
			return ini->lines[i];
	ini->keys = realloc(ini->keys, (ini->nr_keys + 1) * sizeof(*ini->keys));
	ini->lines = realloc(ini->lines, (ini->nr_keys + 1) * sizeof(*ini->lines));
	if (!ini->keys || !ini->lines)
		abort();
	snprintf(ini->keys[ini->nr_keys], KEY_ROOM, "%s", key);
	ini->lines[ini->nr_keys++] = number;
	return 0;
}

static void key_read(struct ini *ini, const char *key, const char *value, int number)
{
	const char *wrong = ini->set(ini->data, key, value);
	int before;

	if (wrong)
		snprintf(ini->wrong, WRONG_ROOM, "%s", wrong);
	if (wrong == ini_no_such_key || strlen(key) >= KEY_ROOM)
		return;
	before = key_given(ini, key, number);
	if (before)
		snprintf(ini->wrong, WRONG_ROOM, "%s= stands in line %d already", key, before);
}

/* One line; what is wrong with it is in @ini->wrong. */
static void line_read(struct ini *ini, char *line, int number)
{
	char *equals;

	line = trim(line);
	if (!*line || *line == '#' || *line == ';')
		return;
	equals = strchr(line, '=');
	if (*line == '[') {
		section_read(ini, line, number);
	} else if (!equals) {
		strcpy(ini->wrong, "this is no Key=Value");
	} else if (!ini->began) {
		strcpy(ini->wrong, "a section must come first");
	} else {
		*equals = '\0';
		key_read(ini, trim(line), trim(equals + 1), number);
	}
}

/* Read a file with one section, [@section]. Complains, and returns an exit code. */
int ini_read(const char *path, const char *section, ini_fn set, void *data)
{
	struct ini ini = { .section = section, .set = set, .data = data };
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int number = 0, ret = 0;

	if (!file) {
		complain("%s: %s", path, strerror(errno));
		return errno == EACCES ? EXIT_DENIED : EXIT_NOT_THERE;
	}
	while ((length = getline(&line, &room, file)) >= 0) {
		number++;
		*ini.wrong = '\0';
		if (strlen(line) < (size_t)length)
			strcpy(ini.wrong, "there is a NUL in it");
		else
			line_read(&ini, line, number);
		if (!*ini.wrong)
			continue;
		complain("%s:%d: %s (try: man 5 hpage-map.d)", path, number, ini.wrong);
		ret = EXIT_USAGE;
	}
	if (ferror(file)) {
		complain("%s: %s", path, strerror(errno));
		ret = EXIT_FAILED;
	}
	free(ini.keys);
	free(ini.lines);
	free(line);
	fclose(file);
	return ret;
}
