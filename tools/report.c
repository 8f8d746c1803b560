// SPDX-License-Identifier: GPL-2.0-only
/* What people read beside tables: failures with their remedies, questions, progress. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../lib/hpage_map.h"
#include "json.h"
#include "report.h"

static const char *command_name;
static char **command_words;
static const char *about;
/* What failed, where it is collected; else NULL. */
static struct json_object *errors;

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

/*
 * The name of a file is not to move a cursor or to look like a line of its own: what does so is
 * replaced, also where it has two bytes in UTF-8. @lines keeps the ends of lines.
 */
static char *text_tame(char *text, bool lines)
{
	unsigned char *c;

	for (c = (unsigned char *)text; *c; c++) {
		if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			*c++ = '?';
		else if ((*c >= ' ' && *c != 0x7f) || (lines && *c == '\n'))
			continue;
		*c = '?';
	}
	return text;
}

void about_print(FILE *to)
{
	char *text = about ? strdup(about) : NULL;

	if (text)
		fprintf(to, "%s: ", text_tame(text, false));
	free(text);
}

/* From now on what fails is collected, and printed by report_end(). */
void report_as_json(void)
{
	if (!errors)
		errors = json_object_new_array();
}

/* The last of what failed gets a remedy. */
static void error_add_remedy(const char *remedy, int length)
{
	size_t nr = json_object_array_length(errors);
	struct json_object *try;

	if (nr && json_object_object_get_ex(json_object_array_get_idx(errors, nr - 1), "try", &try))
		json_object_array_add(try, json_string_of(remedy, length));
}

/* A message, whose further lines are remedies. */
static void error_add(const char *text)
{
	struct json_object *o = json_object_new_object();
	const char *line;
	bool remedy;
	int length;

	line = why_line(&text, &length, &remedy);
	json_object_object_add(o, "message", json_string_of(line ? line : "", length));
	json_object_object_add(o, "try", json_object_new_array());
	json_object_array_add(errors, o);
	while ((line = why_line(&text, &length, &remedy)))
		if (remedy)
			error_add_remedy(line + strlen(REMEDY), length - strlen(REMEDY));
}

/* Print what was collected, if anything was. */
void report_end(int exit_status)
{
	struct json_object *o;

	if (!errors || !json_object_array_length(errors))
		return;
	o = json_object_new_object();
	json_text(o, "command", command_name ? command_name : "");
	json_number(o, "exit_code", exit_status);
	json_object_object_add(o, "errors", errors);
	fflush(stdout);
	fprintf(stderr, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
							       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	errors = NULL;
}

/* Print what failed; behind TRY, on the next line, a remedy. */
void complain(const char *fmt, ...)
{
	char *text;
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = vasprintf(&text, fmt, args);
	va_end(args);
	if (ret < 0)
		abort();
	if (errors && about) {
		char *with = text;

		if (asprintf(&text, "%s: %s", about, with) < 0)
			abort();
		free(with);
	}
	if (errors) {
		error_add(text);
	} else {
		fflush(stdout);
		fprintf(stderr, "hpagectl%s%s: ", command_name ? " " : "",
			command_name ? command_name : "");
		about_print(stderr);
		fprintf(stderr, "%s\n", text_tame(text, true));
	}
	free(text);
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
	if (errors)
		error_add_remedy(command, strlen(command));
	else
		fprintf(stderr, REMEDY "%s\n", command);
}

/* The remedy is the same command, with something before it and behind. */
void try_again(const char *before, const char *behind)
{
	char *text, **word;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	if (!to)
		abort();
	fprintf(to, "%shpagectl", before);
	for (word = command_words; *word; word++) {
		fputc(' ', to);
		word_print(to, *word);
	}
	fputs(behind, to);
	if (fclose(to))
		abort();
	try_this(text);
	free(text);
}

void try_help(void)
{
	char text[64];

	snprintf(text, sizeof(text), "hpagectl %s --help", command_name);
	try_this(text);
}

int exit_code(int ret)
{
	switch (ret) {
	case 0:
		return EXIT_OK;
	case -EINVAL:
	case -ENOTDIR:
	case -EISDIR:
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

/* A remedy that ends with its line. */
static void try_line(const char *line, int length)
{
	if (errors)
		error_add_remedy(line, length);
	else
		fprintf(stderr, REMEDY "%.*s\n", length, line);
}

/* Print why a call of the library failed, which may be about @what. Returns an exit code. */
int failed(int ret, const char *what)
{
	const char *why = hpmap_why(NULL), *line;
	bool remedy;
	int length;

	while ((line = why_line(&why, &length, &remedy))) {
		if (remedy)
			try_line(line + strlen(REMEDY), length - strlen(REMEDY));
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
	/* Who reads JSON is not asked. */
	if (!errors) {
		va_start(args, fmt);
		vfprintf(stderr, fmt, args);
		va_end(args);
	}
	if (errors || !isatty(0) || !isatty(2)) {
		if (!errors)
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
