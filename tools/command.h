/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMMAND_H
#define COMMAND_H

#include "options.h"

struct column;

/**
 * struct command - one subcommand
 * @name: as it is typed
 * @synopsis: its words, as --help shows them
 * @summary: one line
 * @more: a paragraph for --help, or NULL
 * @options: bits of enum opt
 * @columns: those that --output can choose, @nr_columns of them
 * @min_words: how many words at least
 * @max_words: how many at most; -1 for a program and its arguments
 * @failure: the exit code in place of 1 to 7, or 0
 * @run: does it; returns an exit code
 */
struct command {
	const char *name;
	const char *synopsis;
	const char *summary;
	const char *more;
	uint64_t options;
	const struct column *columns;
	unsigned int nr_columns;
	int min_words;
	int max_words;
	int failure;
	int (*run)(const struct args *a);
};

extern const struct command cmd_list, cmd_create, cmd_destroy, cmd_info, cmd_layout, cmd_who,
	cmd_pool, cmd_reserve, cmd_doctor, cmd_run, cmd_apply, cmd_bench, cmd_demo,
	cmd_top, cmd_cdi, cmd_version, cmd_help;

const struct command *command_find(const char *name);
int command_unknown(char **words);

#endif
