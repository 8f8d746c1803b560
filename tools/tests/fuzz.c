// SPDX-License-Identifier: GPL-2.0-only
/* Whatever is typed or stands in a file, the parsers neither crash nor read beyond it. */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../hpagectl.h"

#define MAX_WORDS	16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the place of say.c: thousands of complaints a second help nobody. */
void complain(const char *fmt, ...)
{
	(void)fmt;
}

static const char *set(void *data, const char *key, const char *value)
{
	(void)data;
	return !*key ? ini_no_such_key : strlen(key) + strlen(value) > 100 ? value : NULL;
}

static void read_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("ini", MFD_CLOEXEC);
	char path[32];

	if (fd >= 0 && write(fd, data, size) == (ssize_t)size) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ini_read(path, "Buffer", set, NULL);
	}
	close(fd);
}

/* A line is a word; the first bit of the first says whether the rest may be a program. */
static void read_line(char *text)
{
	const struct command all = {
		.name = "fuzz",
		.synopsis = "",
		.options = BIT(NR_OPTIONS) - 1,
		.max_words = *text & 1 ? -1 : 3,
	};
	char *argv[MAX_WORDS + 1] = { "fuzz" }, *rest = text;
	struct hpmap_options o;
	struct args a;
	int argc = 1;

	while (argc < MAX_WORDS && (argv[argc] = strsep(&rest, "\n")))
		argc++;
	argv[argc] = NULL;
	optind = 0;	/* glibc: begin anew */
	if (!args_read(&all, argc, argv, &a))
		args_options(&a, &o);
	free(a.words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), shown[SIZE_ROOM];
	uint64_t bytes;

	if (!size_read(text, &bytes))
		size_show(bytes, shown);
	number_read(text, &bytes);
	read_file(data, size);
	read_line(text);
	free(text);
	return 0;
}
