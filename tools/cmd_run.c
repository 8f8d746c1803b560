// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl run: a buffer for one program, gone with it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "report.h"

static int number_export(const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return setenv(name, text, 1);
}

/* The descriptor is to outlive this program, and its buffer with it. Not 0 if that fails. */
static int buffer_hand_over(const struct hpmap_buffer *buffer)
{
	int fd = hpmap_fd(buffer);

	return fcntl(fd, F_SETFD, 0) || number_export("HPAGE_MAP_FD", fd) ||
		number_export("HPAGE_MAP_SIZE", hpmap_size(buffer)) ||
		number_export("HPAGE_MAP_PAGE_SIZE", hpmap_page_size(buffer)) ||
		setenv("HPAGE_MAP_WHY", hpmap_why(buffer), 1);
}

static int run_run(const struct args *a)
{
	struct hpmap_buffer *buffer;
	int ret;

	if (!given(a, OPT_SIZE)) {
		complain("how large?" TRY "hpagectl run --size 64M -- %s", a->words[0]);
		return EXIT_USAGE;
	}
	ret = hpmap_alloc(&a->o, &buffer);
	if (ret)
		return failed(ret, NULL);
	if (!buffer_hand_over(buffer)) {
		execvp(a->words[0], a->words);
		ret = errno == ENOENT ? EXIT_NO_PROGRAM : EXIT_NOT_RUN;
		complain("%s: %s", a->words[0], strerror(errno));
	} else {
		ret = EXIT_FAILED;
		complain("the environment of the program cannot be set: %s", strerror(errno));
	}
	hpmap_close(buffer);
	return ret;
}

const struct command cmd_run = {
	.name = "run",
	.synopsis = "--size SIZE [OPTION]... -- PROGRAM [ARGUMENT]...",
	.summary = "run a program with a buffer of its own; needs no root and no module",
	.more = "The program finds HPAGE_MAP_FD, _SIZE, _PAGE_SIZE and _WHY in its environment.\n"
		"The exit code is the program's; 125 if there is no buffer for it, 126 if it\n"
		"cannot be run, 127 if it is not there.\n",
	.options = PLACEMENT | BIT(OPT_NO_MODULE),
	.min_words = 1,
	.max_words = -1,
	.failure = EXIT_BEFORE,
	.run = run_run,
};
