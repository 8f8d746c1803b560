// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command lines: one table of options, from which they are read and --help is
 * made. A command names those it takes.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "hpagectl.h"

static int set_size(struct args *a, const char *text)
{
	return size_read(text, &a->size) || !a->size;
}

static int set_page_size(struct args *a, const char *text)
{
	return size_read(text, &a->page_size) || !a->page_size;
}

static int set_node(struct args *a, const char *text)
{
	uint64_t node;

	if (number_read(text, &node) || node >= MAX_NODES)
		return -EINVAL;
	a->node = node;
	return 0;
}

static int set_near(struct args *a, const char *text)
{
	a->near_device = text;
	return 0;
}

static int set_mode(struct args *a, const char *text)
{
	return read_mode(text, &a->mode);
}

static int set_owner(struct args *a, const char *text)
{
	return read_user(text, &a->uid);
}

static int set_group(struct args *a, const char *text)
{
	return read_group(text, &a->gid);
}

static int set_set(struct args *a, const char *text)
{
	return number_read(text, &a->set);
}

static int set_backing(struct args *a, const char *text)
{
	a->backing = !strcmp(text, "thp") ? HPMAP_BACKING_THP : HPMAP_BACKING_HUGETLB;
	return strcmp(text, "thp") && strcmp(text, "hugetlb");
}

static int set_svg(struct args *a, const char *text)
{
	a->svg = text;
	return 0;
}

/**
 * struct spec - one option
 * @name: without the dashes
 * @letter: short form, or 0
 * @arg: what its argument is called, or NULL if it has none
 * @help: one line
 * @set: reads the argument; not 0 if it is nonsense
 * @flag: of hpmap_options, which the option sets
 */
static const struct spec {
	const char *name;
	char letter;
	const char *arg;
	const char *help;
	int (*set)(struct args *a, const char *text);
	uint32_t flag;
} specs[NR_OPTIONS] = {
	[OPT_SIZE] = { "size", 's', "SIZE", "bytes, with K, M, G or T: 64M, 1.5G", set_size, 0 },
	[OPT_PAGE_SIZE] = { "page-size", 'p', "SIZE", "of one page: 4K, 2M, 1G", set_page_size,
			    0 },
	[OPT_NODE] = { "node", 'n', "N", "NUMA node", set_node, 0 },
	[OPT_NEAR] = { "near", 0, "DEVICE", "the node of a PCI device, 0000:00:03.0", set_near, 0 },
	[OPT_STRICT] = { "strict", 0, NULL, "from that node or not at all", NULL, 0 },
	[OPT_CONTIGUOUS] = { "contiguous", 'c', NULL, "in one physical run", NULL,
			     HPMAP_CONTIGUOUS },
	[OPT_BELOW_4G] = { "below-4g", 0, NULL, "at addresses below 4 GiB", NULL,
			   HPMAP_BELOW_4G },
	[OPT_EXACT] = { "exact", 0, NULL, "no smaller pages than --page-size", NULL, HPMAP_EXACT },
	[OPT_ALLOW_BASE] = { "allow-base", 0, NULL, "small pages rather than none", NULL,
			     HPMAP_ALLOW_BASE },
	[OPT_RESERVE] = { "reserve", 0, NULL, "pages that the reserve keeps ready", NULL,
			  HPMAP_RESERVE },
	[OPT_NO_MODULE] = { "no-module", 0, NULL, "as if the module were not loaded", NULL,
			    HPMAP_NO_MODULE },
	[OPT_MODE] = { "mode", 'm', "BITS", "permissions, octal: 0660 (0600)", set_mode, 0 },
	[OPT_OWNER] = { "owner", 'o', "USER", "name or number (root)", set_owner, 0 },
	[OPT_GROUP] = { "group", 'g', "GROUP", "name or number (root)", set_group, 0 },
	[OPT_SET] = { "set", 0, "PAGES", "keep this many from now on", set_set, 0 },
	[OPT_BACKING] = { "backing", 0, "KIND", "hugetlb or thp (hugetlb)", set_backing, 0 },
	[OPT_SVG] = { "svg", 0, "FILE", "a picture; - for the standard output", set_svg, 0 },
	[OPT_JSON] = { "json", 'j', NULL, "for programs", NULL, 0 },
	[OPT_YES] = { "yes", 'y', NULL, "do not ask", NULL, 0 },
	[OPT_HELP] = { "help", 'h', NULL, "this", NULL, 0 },
};

int read_user(const char *text, uid_t *uid)
{
	struct passwd *user = getpwnam(text);
	uint64_t number;

	if (!user && (number_read(text, &number) || number >= UINT32_MAX))
		return -ENOENT;
	*uid = user ? user->pw_uid : (uid_t)number;
	return 0;
}

int read_group(const char *text, gid_t *gid)
{
	struct group *group = getgrnam(text);
	uint64_t number;

	if (!group && (number_read(text, &number) || number >= UINT32_MAX))
		return -ENOENT;
	*gid = group ? group->gr_gid : (gid_t)number;
	return 0;
}

int read_mode(const char *text, uint32_t *mode)
{
	char *end;
	unsigned long bits = strtoul(text, &end, 8);

	if (*text < '0' || *text > '7' || *end || !bits || bits > 0777)
		return -EINVAL;
	*mode = bits;
	return 0;
}

void args_help(const struct command *c)
{
	unsigned int i, wanted = c->options | BIT(OPT_HELP);
	char left[64];

	printf("usage: hpagectl %s%s%s\n\n%s\n\n", c->name, *c->synopsis ? " " : "", c->synopsis,
	       c->summary);
	for (i = 0; i < NR_OPTIONS; i++) {
		if (!(wanted & BIT(i)))
			continue;
		snprintf(left, sizeof(left), "%s%c%s --%s%s%s", specs[i].letter ? "-" : " ",
			 specs[i].letter ? specs[i].letter : ' ', specs[i].letter ? "," : " ",
			 specs[i].name, specs[i].arg ? " " : "", specs[i].arg ? specs[i].arg : "");
		printf("  %-24s %s\n", left, specs[i].help);
	}
	if (c->more)
		printf("\n%s", c->more);
}

/* What getopt_long() wants, for the options of @c; values are their numbers from 256 on. */
static void translate(const struct command *c, struct option *longs, char *shorts)
{
	unsigned int i, wanted = c->options | BIT(OPT_HELP);

	/* A program's own options are not ours; a missing argument is told apart. */
	*shorts++ = '+';
	*shorts++ = ':';
	for (i = 0; i < NR_OPTIONS; i++) {
		if (!(wanted & BIT(i)))
			continue;
		*longs++ = (struct option){
			.name = specs[i].name,
			.has_arg = specs[i].arg ? required_argument : no_argument,
			.val = 256 + i,
		};
		if (!specs[i].letter)
			continue;
		*shorts++ = specs[i].letter;
		if (specs[i].arg)
			*shorts++ = ':';
	}
	*longs = (struct option){};
	*shorts = '\0';
}

static int number_of(int value)
{
	int i;

	if (value >= 256)
		return value - 256;
	for (i = 0; i < NR_OPTIONS; i++)
		if (specs[i].letter == value)
			return i;
	return -1;
}

static int take(const struct command *c, int i, struct args *a)
{
	const struct spec *spec = &specs[i];

	if (spec->set && spec->set(a, optarg)) {
		complain("--%s %s is not understood; %s is %s (try: hpagectl %s --help)",
			 spec->name, optarg, spec->arg, spec->help, c->name);
		return EXIT_USAGE;
	}
	a->given |= BIT(i);
	a->flags |= spec->flag;
	return 0;
}

/* How many options of @c a long one, as "--s" or "--s=1", may be short for. */
static int nr_meant(const struct command *c, const char *word)
{
	unsigned int i, wanted = c->options | BIT(OPT_HELP);
	size_t length = strcspn(word + 2, "=");
	int nr = 0;

	for (i = 0; i < NR_OPTIONS; i++)
		nr += wanted & BIT(i) && !strncmp(specs[i].name, word + 2, length);
	return nr;
}

/* What getopt_long() has answered with @value; of "-zj" it is the letter that is told. */
static void complain_of(const struct command *c, int value, char **argv)
{
	const char *word = argv[optind - 1];
	char what[256];

	if (optopt >= 256)
		snprintf(what, sizeof(what), "--%s", specs[optopt - 256].name);
	else if (optopt)
		snprintf(what, sizeof(what), "-%c", optopt);
	else
		snprintf(what, sizeof(what), "%.*s", (int)strcspn(word, "="), word);
	complain("%s %s (try: hpagectl %s --help)", what,
		 value == ':' ? "needs an argument" :
		 optopt >= 256 ? "takes no argument" :
		 !optopt && nr_meant(c, word) > 1 ? "is short for several options" :
		 "is no option here", c->name);
}

static int check(const struct command *c, struct args *a)
{
	if (a->nr_words < c->min_words ||
	    (c->max_words >= 0 && a->nr_words > c->max_words)) {
		complain("usage: hpagectl %s %s (try: hpagectl %s --help)", c->name, c->synopsis,
			 c->name);
		return EXIT_USAGE;
	}
	if (given(a, OPT_NODE) && given(a, OPT_NEAR)) {
		complain("--node and --near exclude each other");
		return EXIT_USAGE;
	}
	if (given(a, OPT_STRICT) && !given(a, OPT_NODE) && !given(a, OPT_NEAR)) {
		complain("--strict needs --node or --near");
		return EXIT_USAGE;
	}
	if (given(a, OPT_NODE) || given(a, OPT_NEAR))
		a->policy = given(a, OPT_STRICT) ? HPMAP_POLICY_STRICT : HPMAP_POLICY_PREFERRED;
	return 0;
}

/* getopt stops at the first word; words and options may come in any order but for "run". */
static int next_word(const struct command *c, int argc, char **argv, struct args *a)
{
	if (optind >= argc)
		return 0;
	if (c->max_words < 0 || !strcmp(argv[optind - 1], "--")) {
		while (optind < argc)
			a->words[a->nr_words++] = argv[optind++];
		return 0;
	}
	a->words[a->nr_words++] = argv[optind++];
	return 1;
}

int args_read(const struct command *c, int argc, char **argv, struct args *a)
{
	struct option longs[NR_OPTIONS + 1];
	char shorts[2 * NR_OPTIONS + 3];
	int value, ret;

	*a = (struct args){ .node = -1, .backing = HPMAP_BACKING_HUGETLB };
	a->words = calloc(argc + 1, sizeof(*a->words));
	if (!a->words)
		return EXIT_FAILED;
	translate(c, longs, shorts);
	opterr = 0;
	do {
		while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
			if (value == '?' || value == ':') {
				complain_of(c, value, argv);
				return EXIT_USAGE;
			}
			ret = take(c, number_of(value), a);
			if (ret)
				return ret;
		}
	} while (next_word(c, argc, argv, a));
	return given(a, OPT_HELP) ? 0 : check(c, a);
}

void args_options(const struct args *a, struct hpmap_options *o)
{
	*o = (struct hpmap_options){
		.size = sizeof(*o),
		.flags = a->flags,
		.length = a->size,
		.page_size = a->page_size,
		.policy = a->policy,
		.node = given(a, OPT_NODE) ? a->node : 0,
		.near_device = a->near_device,
		.mode = a->mode,
		.uid = a->uid,
		.gid = a->gid,
	};
}
