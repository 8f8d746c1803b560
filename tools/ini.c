// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files in the manner of systemd: [Section], Key=Value, comments with # or ;.
 * What is not understood, or stands there twice, is refused, with its line: a
 * buffer that is not quite the one that was meant helps nobody.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ini.h"
#include "report.h"

#define WRONG_ROOM	96

/**
 * struct ini_reader - a file that is being read
 * @ini: what it had so far
 * @sections: those of which it may have one, NULL behind the last
 * @began: the line in which the section began, or 0
 * @number: of this line
 * @wrong: with this line, or empty
 */
struct ini_reader {
	struct ini *ini;
	const char *const *sections;
	int began;
	int number;
	char wrong[WRONG_ROOM];
};

static char *text_trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* The number of a section from its line, or -1. */
static int section_find(const char *const *sections, const char *line)
{
	size_t length;
	int i;

	for (i = 0; sections[i]; i++) {
		length = strlen(sections[i]);
		/* In this order: the line may be shorter than the name. */
		if (!strncmp(line + 1, sections[i], length) && !strcmp(line + 1 + length, "]"))
			return i;
	}
	return -1;
}

static void section_read(struct ini_reader *r, const char *line)
{
	int section = section_find(r->sections, line);

	if (section < 0) {
		strcpy(r->wrong, "there is no such section");
	} else if (r->began) {
		snprintf(r->wrong, WRONG_ROOM, "[%.20s] stands in line %d already, and a file has "
			 "one", r->sections[r->ini->section], r->began);
	} else {
		r->ini->section = section;
		r->began = r->number;
	}
}

static void entry_read(struct ini_reader *r, const char *key, const char *value)
{
	struct ini *ini = r->ini;
	size_t i;

	for (i = 0; i < ini->nr; i++) {
		if (strcmp(ini->entries[i].key, key))
			continue;
		snprintf(r->wrong, WRONG_ROOM, "%.32s= stands in line %d already", key,
			 ini->entries[i].line);
		return;
	}
	ini->entries = realloc(ini->entries, (ini->nr + 1) * sizeof(*ini->entries));
	if (!ini->entries)
		abort();
	ini->entries[ini->nr++] = (struct ini_entry){
		.key = strdup(key), .value = strdup(value), .line = r->number,
	};
}

static void line_read(struct ini_reader *r, char *line)
{
	char *equals;

	line = text_trim(line);
	if (!*line || *line == '#' || *line == ';')
		return;
	equals = strchr(line, '=');
	if (*line == '[') {
		section_read(r, line);
	} else if (!equals) {
		strcpy(r->wrong, "this is no Key=Value");
	} else if (!r->began) {
		strcpy(r->wrong, "a section must come first");
	} else {
		*equals = '\0';
		entry_read(r, text_trim(line), text_trim(equals + 1));
	}
}

/*
 * Open a regular file: a FIFO would wait for a writer, and a device may never end. Complains if
 * @tell, and returns NULL with an exit code in @wrong.
 */
static FILE *ini_open(const char *path, bool tell, int *wrong)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), err = errno;
	FILE *file = NULL;
	struct stat st;

	*wrong = EXIT_FAILED;
	if (fd < 0) {
		*wrong = err == EACCES ? EXIT_DENIED : EXIT_NOT_THERE;
	} else if (fstat(fd, &st)) {
		err = errno;
	} else if (!S_ISREG(st.st_mode)) {
		err = S_ISDIR(st.st_mode) ? EISDIR : 0;
		*wrong = EXIT_USAGE;
	} else if (!(file = fdopen(fd, "r"))) {
		err = errno;
	}
	if (!file && tell)
		complain("%s: %s", path, err ? strerror(err) : "that is no regular file");
	if (!file && fd >= 0)
		close(fd);
	return file;
}

/* Which section does a file have? -1 for none that it may have; nobody is told. */
int ini_peek(const char *path, const char *const *sections)
{
	int section = -1, wrong;
	FILE *file = ini_open(path, false, &wrong);
	char *line = NULL, *text;
	size_t room = 0;

	while (file && section < 0 && getline(&line, &room, file) >= 0) {
		text = text_trim(line);
		if (*text == '[')
			section = section_find(sections, text);
	}
	free(line);
	if (file)
		fclose(file);
	return section;
}

/*
 * Read a file with one of these sections into @ini, which is for ini_free() in any case.
 * Complains, and returns an exit code.
 */
int ini_read(const char *path, const char *const *sections, struct ini *ini)
{
	struct ini_reader r = { .ini = ini, .sections = sections };
	int ret = 0, wrong;
	FILE *file = ini_open(path, true, &wrong);
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	*ini = (struct ini){ .section = -1 };
	if (!file)
		return wrong;
	while ((length = getline(&line, &room, file)) >= 0) {
		r.number++;
		*r.wrong = '\0';
		if (strlen(line) < (size_t)length)
			strcpy(r.wrong, "there is a NUL in it");
		else
			line_read(&r, line);
		if (!*r.wrong)
			continue;
		complain("%s:%d: %s", path, r.number, r.wrong);
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

void ini_free(struct ini *ini)
{
	size_t i;

	for (i = 0; i < ini->nr; i++) {
		free(ini->entries[i].key);
		free(ini->entries[i].value);
	}
	free(ini->entries);
}
