// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl: huge pages for people. Each subcommand is a file, cmd_NAME.c. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "command.h"
#include "report.h"
#include "suggest.h"

static const struct command *const commands[] = {
	&cmd_list, &cmd_create, &cmd_destroy, &cmd_info, &cmd_layout, &cmd_who, &cmd_pool,
	&cmd_reserve, &cmd_doctor, &cmd_run, &cmd_apply, &cmd_bench,
	&cmd_demo, &cmd_top, &cmd_cdi, &cmd_version, &cmd_help,
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(*commands))

static void help_print(FILE *to)
{
	size_t i;

	fputs("usage: hpagectl COMMAND [OPTION]... [WORD]...\n\n", to);
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nhpagectl COMMAND --help shows its options, and hpagectl-COMMAND(1) describes it.\n"
	      "New here? Type: hpagectl demo, and hpagectl doctor\n", to);
}

const struct command *command_find(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* Complains that @words do not begin with a command, and returns an exit code. */
int command_unknown(char **words)
{
	struct suggestion s;
	size_t i;

	suggestion_begin(&s, words[0], strlen(words[0]));
	for (i = 0; i < NR_COMMANDS; i++)
		suggestion_consider(&s, commands[i]->name);
	if (!s.best) {
		complain("there is no command %s" TRY "hpagectl --help", words[0]);
		return EXIT_USAGE;
	}
	complain("no command '%s'; did you mean '%s'?", words[0], s.best);
	words[0] = (char *)s.best;
	report_begin(NULL, words);
	try_again("", "");
	return EXIT_USAGE;
}

static int command_run(int argc, char **argv)
{
	const struct command *c = command_find(argv[0]);
	struct args a;
	int ret;

	if (!c)
		return command_unknown(argv);
	report_begin(c->name, argv);
	/* What is wrong with the others is reported as JSON then, too. */
	if (args_have(c, argc, argv, OPT_JSON))
		report_as_json();
	ret = args_read(c, argc, argv, &a);
	if (!ret && given(&a, OPT_HELP))
		args_help(c);
	else if (!ret)
		ret = c->run(&a);
	free(a.words);
	return ret && ret <= EXIT_UNCONFIRMED && c->failure ? c->failure : ret;
}

/*
 * Open /dev/null in place of a standard descriptor that is closed, so that no buffer gets its
 * number, and with it what is printed. It is open the wrong way round: reading the input and
 * writing an output fails as before.
 */
static void standard_fds_occupy(void)
{
	int fd, null;

	for (fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		null = open("/dev/null", fd ? O_RDONLY : O_WRONLY);
		if (null >= 0 && null != fd)
			close(null);
	}
}

int main(int argc, char **argv)
{
	const struct command *c;
	int ret = EXIT_OK;

	standard_fds_occupy();
	if (argc < 2) {
		help_print(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    (!strcmp(argv[1], "help") && argc == 2))
		help_print(stdout);
	else if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		printf("hpagectl %s\n", hpmap_version());
	else
		ret = command_run(argc - 1, argv + 1);

	/* A full disk behind > FILE is a failure, too. */
	if ((fflush(stdout) || ferror(stdout)) && !ret) {
		c = command_find(argv[1]);
		complain("the output cannot be written");
		ret = c && c->failure ? c->failure : EXIT_FAILED;
	}
	report_end(ret);
	return ret;
}
