/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../lib/text.h"

/* Exit codes; hpagectl(1) documents them. */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,	/* anything else that went wrong */
	EXIT_USAGE = 2,		/* the command line makes no sense */
	EXIT_NOT_THERE = 3,	/* there is no such buffer, pool or reserve */
	EXIT_NO_MODULE = 4,	/* this needs the module */
	EXIT_DENIED = 5,	/* the user may not do this */
	EXIT_LESS = 6,		/* less memory was had than asked for, or none */
	EXIT_UNCONFIRMED = 7,	/* nobody said yes */
	/* Of "run", which ends as its program else: those of env(1) and timeout(1). */
	EXIT_BEFORE = 125,	/* any of the above, before there was a program */
	EXIT_NOT_RUN = 126,	/* the program cannot be run */
	EXIT_NO_PROGRAM = 127,	/* it is not there */
};

void report_begin(const char *command, char **words);
void report_as_json(void);
void report_end(int exit_status);
void report_about(const char *what);
void about_print(FILE *to);
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void try_this(const char *command);
void try_again(const char *before, const char *behind);
void try_help(void);
int exit_code(int ret);
int failed(int ret, const char *what);
const char *why_line(const char **why, int *length, bool *remedy);
void print_why(const char *why);
bool confirmed(bool yes, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool terminal_has_colours(FILE *to);
int terminal_width(void);
void progress(const char *what, uint64_t done, uint64_t all);
void progress_end(void);

#endif
