// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl help: the manual page of a command; where there is none, what --help prints. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "args.h"
#include "report.h"

extern char **environ;

/* Is there a program man, and has it this page? */
static bool page_is_there(char *page)
{
	char *const argv[] = { "man", "-w", page, NULL };
	posix_spawn_file_actions_t quiet;
	int status = -1, ret;
	pid_t pid;

	if (posix_spawn_file_actions_init(&quiet))
		return false;
	ret = posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(&quiet, STDOUT_FILENO, STDERR_FILENO);
	if (!ret)
		ret = posix_spawnp(&pid, "man", &quiet, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&quiet);
	while (!ret && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return !ret && !status;
}

static int help_run(const struct args *a)
{
	const struct command *c = command_find(a->nr_words ? a->words[0] : "help");
	char page[64];

	if (!c)
		return command_unknown((char *[]){ a->words[0], "--help", NULL });
	snprintf(page, sizeof(page), "hpagectl-%s", c->name);
	if (page_is_there(page)) {
		fflush(stdout);
		execlp("man", "man", page, NULL);
	}
	args_help(c);
	return EXIT_OK;
}

const struct command cmd_help = {
	.name = "help",
	.synopsis = "[COMMAND]",
	.summary = "show the manual page of a command, or else what its --help prints",
	.max_words = 1,
	.run = help_run,
};
