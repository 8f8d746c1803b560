// SPDX-License-Identifier: GPL-2.0-only
/* Whatever is typed or stands in a file, the parsers neither crash nor read beyond it. */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/text.h"
#include "../args.h"
#include "../ini.h"
#include "../parse.h"
#include "../report.h"
#include "../rows.h"

#define MAX_WORDS	16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the place of report.c: thousands of complaints a second help nobody. */
void complain(const char *fmt, ...)
{
	(void)fmt;
}

/* In the place of rows.c, which --help needs. */
void columns_help(const struct column *columns, unsigned int nr)
{
	(void)columns;
	(void)nr;
}

/* As hpagectl apply reads a file. */
static void file_read(const uint8_t *data, size_t size)
{
	int fd = memfd_create("ini", MFD_CLOEXEC), option;
	struct ini ini = {};
	struct args a;
	char path[32];
	size_t i;

	options_init(&a);
	if (fd >= 0 && write(fd, data, size) == (ssize_t)size) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ini_read(path, (const char *const []){ "Pool", "Buffer", NULL }, &ini);
		ini_peek(path, (const char *const []){ "Buffer", NULL });
	}
	for (i = 0; i < ini.nr; i++) {
		option = option_by_key(ini.entries[i].key);
		if (option >= 0)
			option_set(&a, option, ini.entries[i].value);
	}
	options_check(&a, path);
	ini_free(&ini);
	close(fd);
}

/* A line is a word; the first bit of the first decides whether the rest may be a program. */
static void line_read(char *text)
{
	const struct command all = {
		.name = "fuzz",
		.synopsis = "",
		.options = (BIT(NR_OPTIONS) - 1) & ~BIT(OPT_NAME),
		.max_words = *text & 1 ? -1 : 3,
	};
	char *argv[MAX_WORDS + 1] = { "fuzz" }, *rest = text;
	struct args a;
	int argc = 1;

	while (argc < MAX_WORDS && (argv[argc] = strsep(&rest, "\n")))
		argc++;
	argv[argc] = NULL;
	args_have(&all, argc, argv, OPT_JSON);
	args_read(&all, argc, argv, &a);
	free(a.words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), shown[SIZE_ROOM];
	uint64_t bytes;

	if (!size_read(text, &bytes)) {
		size_text(bytes, shown);
		size_word(bytes, shown);
	}
	number_read(text, &bytes);
	file_read(data, size);
	line_read(text);
	free(text);
	return 0;
}
