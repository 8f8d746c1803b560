// SPDX-License-Identifier: GPL-2.0-only
/* Command lines: the options of the table that a command takes, and words. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "report.h"
#include "rows.h"
#include "suggest.h"

/* The values of long options for getopt_long(), which are no letters. */
#define LONG	256

static bool option_takes(const struct command *c, int option)
{
	return (c->options | BIT(OPT_HELP)) & BIT(option);
}

void args_help(const struct command *c)
{
	const struct option_spec *spec;
	char left[64];
	int i;

	printf("usage: hpagectl %s%s%s\n\n%s\n\n", c->name, *c->synopsis ? " " : "", c->synopsis,
	       c->summary);
	for (i = 0; i < NR_OPTIONS; i++) {
		if (!option_takes(c, i))
			continue;
		spec = &option_specs[i];
		snprintf(left, sizeof(left), "%c%c%c --%s%s%s", spec->letter ? '-' : ' ',
			 spec->letter ? spec->letter : ' ', spec->letter ? ',' : ' ', spec->name,
			 spec->arg ? " " : "", spec->arg ? spec->arg : "");
		printf("  %-24s %s\n", left, spec->help);
	}
	if (option_takes(c, OPT_OUTPUT))
		columns_help(c->columns, c->nr_columns);
	if (c->more)
		printf("\n%s", c->more);
}

/* What getopt_long() takes for the options of @c. */
static void getopt_prepare(const struct command *c, struct option *longs, char *shorts)
{
	const struct option_spec *spec;
	int i;

	/* It stops at a word, and returns ':' for an argument that is missing. */
	*shorts++ = '+';
	*shorts++ = ':';
	for (i = 0; i < NR_OPTIONS; i++) {
		if (!option_takes(c, i))
			continue;
		spec = &option_specs[i];
		*longs++ = (struct option){
			.name = spec->name,
			.has_arg = spec->arg ? required_argument : no_argument,
			.val = LONG + i,
		};
		if (!spec->letter)
			continue;
		*shorts++ = spec->letter;
		if (spec->arg)
			*shorts++ = ':';
	}
	*longs = (struct option){};
	*shorts = '\0';
	/* Begin anew, and say nothing. */
	optind = 0;
	opterr = 0;
}

/* The option that getopt_long() has found. */
static int option_of(const struct command *c, int value)
{
	int i;

	if (value >= LONG)
		return value - LONG;
	for (i = 0; i < NR_OPTIONS; i++)
		if (option_takes(c, i) && option_specs[i].letter == value)
			return i;
	return -1;
}

/* How many options of @c a long one, as "--s" or "--s=1", may be short for. */
static int options_meant(const struct command *c, const char *word)
{
	size_t length = strcspn(word + 2, "=");
	int nr = 0, i;

	for (i = 0; i < NR_OPTIONS; i++)
		nr += option_takes(c, i) && !strncmp(option_specs[i].name, word + 2, length);
	return nr;
}

/* The option of @c that a long one which is none of its may have meant, or NULL. */
static const char *option_suggest(const struct command *c, const char *word)
{
	struct suggestion s;
	int i;

	suggestion_begin(&s, word + 2, strcspn(word + 2, "="));
	for (i = 0; i < NR_OPTIONS; i++)
		if (option_takes(c, i))
			suggestion_consider(&s, option_specs[i].name);
	return s.best;
}

/* getopt_long() has returned @value. Of letters together, as "-zj", only one is wrong. */
static int option_wrong(const struct command *c, int value, char **argv)
{
	const char *word = argv[optind - 1], *meant = NULL;
	char what[256];

	if (optopt >= LONG)
		snprintf(what, sizeof(what), "--%s", option_specs[optopt - LONG].name);
	else if (optopt)
		snprintf(what, sizeof(what), "-%c", optopt);
	else
		snprintf(what, sizeof(what), "%.*s", (int)strcspn(word, "="), word);
	if (value != ':' && !optopt && options_meant(c, word) < 2)
		meant = option_suggest(c, word);
	complain("%s %s%s%s%s" TRY "hpagectl %s --help", what,
		 value == ':' ? "needs an argument" :
		 optopt >= LONG ? "takes no argument" :
		 !optopt && options_meant(c, word) > 1 ? "is short for several options" :
		 "is no option here", meant ? "; did you mean '--" : "", meant ? meant : "",
		 meant ? "'?" : "", c->name);
	return EXIT_USAGE;
}

static int option_take(const struct command *c, int option, struct args *a)
{
	const struct option_spec *spec = &option_specs[option];

	if (!option_set(a, option, optarg))
		return 0;
	complain("--%s %s is not understood; %s is %s" TRY "hpagectl %s --help", spec->name,
		 optarg, spec->arg, spec->help, c->name);
	return EXIT_USAGE;
}

/* Is what follows words alone? The program of "run" has options of its own. */
static bool options_ended(const struct command *c, char **argv)
{
	return c->max_words < 0 || !strcmp(argv[optind - 1], "--");
}

/* Is an option among the words, whatever is wrong with the others? */
bool args_have(const struct command *c, int argc, char **argv, enum opt option)
{
	struct option longs[NR_OPTIONS + 1];
	char shorts[2 * NR_OPTIONS + 3];
	int value;

	getopt_prepare(c, longs, shorts);
	do {
		while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
			if (value != '?' && value != ':' && option_of(c, value) == (int)option)
				return true;
	} while (optind < argc && !options_ended(c, argv) && ++optind);
	return false;
}

/* Words and options may come in any order. */
static bool word_take(const struct command *c, int argc, char **argv, struct args *a)
{
	if (optind >= argc)
		return false;
	if (options_ended(c, argv)) {
		while (optind < argc)
			a->words[a->nr_words++] = argv[optind++];
		return false;
	}
	a->words[a->nr_words++] = argv[optind++];
	return true;
}

/* Complains, and returns an exit code. */
int args_read(const struct command *c, int argc, char **argv, struct args *a)
{
	struct option longs[NR_OPTIONS + 1];
	char shorts[2 * NR_OPTIONS + 3];
	int value, ret;

	options_init(a);
	a->words = calloc(argc + 1, sizeof(*a->words));
	if (!a->words)
		return EXIT_FAILED;
	getopt_prepare(c, longs, shorts);
	do {
		while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
			if (value == '?' || value == ':')
				return option_wrong(c, value, argv);
			ret = option_take(c, option_of(c, value), a);
			if (ret)
				return ret;
		}
	} while (word_take(c, argc, argv, a));
	if (given(a, OPT_HELP))
		return 0;
	if (a->nr_words < c->min_words || (c->max_words >= 0 && a->nr_words > c->max_words)) {
		complain("usage: hpagectl %s %s" TRY "hpagectl %s --help", c->name, c->synopsis,
			 c->name);
		return EXIT_USAGE;
	}
	return options_check(a, NULL);
}
