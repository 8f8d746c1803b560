// SPDX-License-Identifier: GPL-2.0-only
/* Talking to people and to programs. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "hpagectl.h"

const char *command_name;

void complain(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "hpagectl%s%s: ", command_name ? " " : "",
		command_name ? command_name : "");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
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

/*
 * Say why a call of the library failed. Where it finds no device it takes the module for not
 * loaded, which a container may be wrong about.
 */
int failed(int ret, const char *what)
{
	if (ret == -ENOTSUP && access("/dev/hpage_map", F_OK) && module_loaded() != NO) {
		complain("%s%shpage_map %s, and there is no /dev/hpage_map here (try: hpagectl "
			 "doctor)", what ? what : "", what ? ": " : "", module_loaded() == YES ?
			 "is loaded" : "may be loaded, which cannot be seen from here");
		return EXIT_NO_MODULE;
	}
	complain("%s%s%s", what ? what : "", what ? ": " : "", hpmap_why(NULL));
	return exit_code(ret);
}

/* May it be done? The question tells what happens. */
bool confirmed(const struct args *a, const char *fmt, ...)
{
	char answer[16] = "";
	va_list args;

	if (given(a, OPT_YES))
		return true;
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	if (!isatty(0) || !isatty(2)) {
		fputc('\n', stderr);
		complain("not done, since there is no terminal to ask on "
			 "(try: the same with --yes)");
		return false;
	}
	fputs(" Go on? [y/N] ", stderr);
	return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

/* NO_COLOR is honoured, as is a terminal that has none. */
bool colourful(FILE *to)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(fileno(to)) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

/* Of the terminal; what is not one has 80 columns. */
int width(void)
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

int print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	return EXIT_OK;
}

void json_text(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, json_object_new_string(text));
}

void json_number(struct json_object *to, const char *name, uint64_t number)
{
	json_object_object_add(to, name, json_object_new_uint64(number));
}

void json_signed(struct json_object *to, const char *name, int64_t number)
{
	json_object_object_add(to, name, json_object_new_int64(number));
}

void json_truth(struct json_object *to, const char *name, bool truth)
{
	json_object_object_add(to, name, json_object_new_boolean(truth));
}
