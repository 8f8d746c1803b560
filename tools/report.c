// SPDX-License-Identifier: GPL-2.0-only
/* What people read beside tables: failures with their remedies, questions, progress. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../lib/hpage_map.h"
#include "report.h"

static const char *command_name;
static char **command_words;
static const char *about;

/* From now on this command is meant; its words begin with its name. */
void report_begin(const char *command, char **words)
{
	command_name = command;
	command_words = words;
}

/* From now on, until NULL, it is about a file that has others beside it. */
void report_about(const char *what)
{
	about = what;
}

void about_print(FILE *to)
{
	if (about)
		fprintf(to, "%s: ", about);
}

/* Print what failed; behind TRY, on the next line, a remedy. */
void complain(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "hpagectl%s%s: ", command_name ? " " : "",
		command_name ? command_name : "");
	about_print(stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

/* A word as a shell takes it. */
static void word_print(FILE *to, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";

	if (*word && !word[strspn(word, plain)]) {
		fputs(word, to);
		return;
	}
	fputc('\'', to);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", to);
		else
			fputc(*word, to);
	fputc('\'', to);
}

/* Print a remedy for what was complained of. */
void try_this(const char *command)
{
	fprintf(stderr, REMEDY "%s\n", command);
}

/* The remedy is the same command, with something before it and behind. */
void try_again(const char *before, const char *behind)
{
	char **word;

	fprintf(stderr, REMEDY "%shpagectl", before);
	for (word = command_words; *word; word++) {
		fputc(' ', stderr);
		word_print(stderr, *word);
	}
	fprintf(stderr, "%s\n", behind);
}

void try_help(void)
{
	fprintf(stderr, REMEDY "hpagectl %s --help\n", command_name);
}

int exit_code(int ret)
{
	switch (ret) {
	case 0:
		return EXIT_OK;
	case -EINVAL:
		return EXIT_USAGE;
	case -ENOENT:
	case -ENODEV:
		return EXIT_NOT_THERE;
	case -ENOTSUP:
		return EXIT_NO_MODULE;
	case -EACCES:
	case -EPERM:
		return EXIT_DENIED;
	case -ENOMEM:
	case -EDQUOT:
		return EXIT_LESS;
	default:
		return EXIT_FAILED;
	}
}

/* The next line that hpmap_why() has returned, and whether it is a remedy. NULL behind the last. */
const char *why_line(const char **why, int *length, bool *remedy)
{
	const char *line = *why;

	*length = strcspn(line, "\n");
	*remedy = !strncmp(line, REMEDY, strlen(REMEDY));
	*why += *length + (line[*length] == '\n');
	return *line ? line : NULL;
}

/* Print why a call of the library failed, which may be about @what. Returns an exit code. */
int failed(int ret, const char *what)
{
	const char *why = hpmap_why(NULL), *line;
	bool remedy;
	int length;

	while ((line = why_line(&why, &length, &remedy))) {
		if (remedy)
			fprintf(stderr, "%.*s\n", length, line);
		else
			complain("%s%s%.*s", what ? what : "", what ? ": " : "", length, line);
	}
	if (ret == -EPERM && geteuid())
		try_again("sudo ", "");
	return exit_code(ret);
}

/* Print why a buffer is nothing better; nothing if there is no reason. */
void print_why(const char *why)
{
	const char *line;
	bool remedy;
	int length;

	while ((line = why_line(&why, &length, &remedy)))
		printf("%s%.*s\n", remedy ? "" : "nothing better: ", length, line);
}

/* May it be done? @yes answers beforehand; the question describes what happens. */
bool confirmed(bool yes, const char *fmt, ...)
{
	char answer[16] = "";
	va_list args;

	if (yes)
		return true;
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	if (!isatty(0) || !isatty(2)) {
		fputc('\n', stderr);
		complain("not done, since there is no terminal to ask on");
		try_again("", " --yes");
		return false;
	}
	fputs(" Go on? [y/N] ", stderr);
	return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

/* NO_COLOR is honoured, as is a terminal that has none. */
bool terminal_has_colours(FILE *to)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(fileno(to)) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

/* Of the standard output; what is no terminal has 80 columns. */
int terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 40)
		return 80;
	return size.ws_col;
}

/* A bar, where somebody sees it. */
void progress(const char *what, uint64_t done, uint64_t all)
{
	unsigned int full = all ? done * 30 / all : 30;

	if (!isatty(2))
		return;
	fprintf(stderr, "\r%s [%.*s%*s] %llu of %llu", what, full,
		"##############################", 30 - full, "", (unsigned long long)done,
		(unsigned long long)all);
	fflush(stderr);
}

void progress_end(void)
{
	if (isatty(2))
		fputs("\r\033[K", stderr);
}
