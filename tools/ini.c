// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files in the manner of systemd: [Section], Key=Value, comments with # or ;.
 * What is not understood is refused, with its line: a buffer that is not quite
 * the one that was meant helps nobody.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hpagectl.h"

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* One line; @inside tells whether the section has begun. Returns what is wrong with it. */
static const char *line_read(char *line, const char *section, bool *inside, ini_fn set, void *data)
{
	char *equals;
	size_t length;

	line = trim(line);
	length = strlen(line);
	if (!*line || *line == '#' || *line == ';')
		return NULL;
	if (*line == '[') {
		*inside = length == strlen(section) + 2 && line[length - 1] == ']' &&
			  !strncmp(line + 1, section, length - 2);
		return *inside ? NULL : "there is no such section";
	}
	equals = strchr(line, '=');
	if (!equals)
		return "this is no Key=Value";
	if (!*inside)
		return "a section must come first";
	*equals = '\0';
	switch (set(data, trim(line), trim(equals + 1))) {
	case 0:
		return NULL;
	case -ENOENT:
		return "there is no such key";
	default:
		return "the value makes no sense";
	}
}

/* Read a file with one section, [@section]. Complains, and returns an exit code. */
int ini_read(const char *path, const char *section, ini_fn set, void *data)
{
	FILE *file = fopen(path, "re");
	bool inside = false;
	const char *wrong;
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
		wrong = strlen(line) < (size_t)length ? "there is a NUL in it" :
			line_read(line, section, &inside, set, data);
		if (!wrong)
			continue;
		complain("%s:%d: %s (try: man 5 hpage-map.d)", path, number, wrong);
		ret = EXIT_USAGE;
	}
	if (ferror(file)) {
		complain("%s: %s", path, strerror(errno));
		ret = EXIT_FAILED;
	}
	free(line);
	fclose(file);
	return ret;
}
