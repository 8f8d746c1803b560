// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl run: a buffer for one program, gone with it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hpagectl.h"

static void put_number(const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	setenv(name, text, 1);
}

static int run(const struct args *a)
{
	struct hpmap_buffer *buffer;
	struct hpmap_options o;
	int ret, fd;

	if (!given(a, OPT_SIZE)) {
		complain("how large? (try: hpagectl run --size 64M -- %s)", a->words[0]);
		return EXIT_USAGE;
	}
	args_options(a, &o);
	ret = hpmap_alloc(&o, &buffer);
	if (ret)
		return failed(ret, NULL);
	/* The descriptor is to outlive this program, and its buffer with it. */
	fd = hpmap_fd(buffer);
	fcntl(fd, F_SETFD, 0);
	put_number("HPAGE_MAP_FD", fd);
	put_number("HPAGE_MAP_SIZE", hpmap_length(buffer));
	put_number("HPAGE_MAP_PAGE_SIZE", hpmap_page_size(buffer));
	execvp(a->words[0], a->words);
	ret = errno;
	complain("%s: %s", a->words[0], strerror(ret));
	hpmap_free(buffer);
	return ret == ENOENT ? 127 : 126;
}

const struct command cmd_run = {
	.name = "run",
	.synopsis = "--size SIZE [OPTION]... -- PROGRAM [ARGUMENT]...",
	.summary = "run a program with a buffer of its own; needs no root and no module",
	.more = "The program finds HPAGE_MAP_FD, HPAGE_MAP_SIZE and HPAGE_MAP_PAGE_SIZE in its\n"
		"environment. The exit code is the program's, or 126 if it cannot be run, or 127\n"
		"if it is not there.\n",
	.options = PLACEMENT | BIT(OPT_NO_MODULE),
	.min_words = 1,
	.max_words = -1,
	.run = run,
};
