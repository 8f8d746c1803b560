// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be asked for: one table, of which the command line has the options,
 * the files of hpage-map.d(5) the keys, and --help the texts.
 */
#include <errno.h>
#include <string.h>

#include "options.h"
#include "parse.h"
#include "report.h"

static int name_set(struct args *a, const char *text)
{
	a->o.name = text;
	return 0;
}

static int size_set(struct args *a, const char *text)
{
	return size_read(text, &a->o.size) || !a->o.size;
}

static int page_size_set(struct args *a, const char *text)
{
	return size_read(text, &a->o.page_size) || !a->o.page_size;
}

static int node_set(struct args *a, const char *text)
{
	uint64_t node;

	if (number_read(text, &node) || node >= MAX_NODES)
		return -EINVAL;
	a->o.node = node;
	return 0;
}

static int near_set(struct args *a, const char *text)
{
	a->o.near_device = text;
	return 0;
}

static int mode_set(struct args *a, const char *text)
{
	return mode_read(text, &a->o.mode);
}

static int owner_set(struct args *a, const char *text)
{
	return user_read(text, &a->o.uid);
}

static int group_set(struct args *a, const char *text)
{
	return group_read(text, &a->o.gid);
}

static int pages_set(struct args *a, const char *text)
{
	return amount_read(text, &a->set);
}

static int overcommit_set(struct args *a, const char *text)
{
	return amount_read(text, &a->overcommit);
}

static int backing_set(struct args *a, const char *text)
{
	a->backing = !strcmp(text, "thp") ? HPMAP_BACKING_THP : HPMAP_BACKING_HUGETLB;
	return strcmp(text, "thp") && strcmp(text, "hugetlb");
}

static int svg_set(struct args *a, const char *text)
{
	a->svg = text;
	return 0;
}

static int write_set(struct args *a, const char *text)
{
	a->directory = text;
	return 0;
}

static int interval_set(struct args *a, const char *text)
{
	/* Longer than anybody waits. */
	return number_read(text, &a->interval) || a->interval > UINT32_MAX;
}

static int iterations_set(struct args *a, const char *text)
{
	return number_read(text, &a->iterations) || !a->iterations;
}

static int output_set(struct args *a, const char *text)
{
	a->output = text;
	return 0;
}

const struct option_spec option_specs[NR_OPTIONS] = {
	[OPT_NAME] = {
		.key = "Name", .set = name_set,
		.arg = "NAME", .help = "of the buffer, below /dev/hpage",
	},
	[OPT_SIZE] = {
		.name = "size", .letter = 's', .key = "Size", .set = size_set,
		.arg = "SIZE", .help = "bytes, with K, M, G or T: 64M, 1.5G",
	},
	[OPT_PAGE_SIZE] = {
		.name = "page-size", .letter = 'p', .key = "PageSize", .set = page_size_set,
		.arg = "SIZE", .help = "of one page: 4K, 2M, 1G",
	},
	[OPT_NODE] = {
		.name = "node", .letter = 'n', .key = "Node", .set = node_set,
		.arg = "N", .help = "NUMA node",
	},
	[OPT_NEAR] = {
		.name = "near", .key = "Near", .set = near_set,
		.arg = "DEVICE", .help = "the node of a PCI device, 0000:00:03.0",
	},
	[OPT_STRICT] = {
		.name = "strict", .key = "Strict",
		.help = "from that node or not at all",
	},
	[OPT_CONTIGUOUS] = {
		.name = "contiguous", .letter = 'c', .key = "Contiguous", .flag = HPMAP_CONTIGUOUS,
		.help = "in one physical run",
	},
	[OPT_BELOW_4G] = {
		.name = "below-4g", .key = "Below4G", .flag = HPMAP_BELOW_4G,
		.help = "at addresses below 4 GiB",
	},
	[OPT_EXACT] = {
		.name = "exact", .key = "Exact", .flag = HPMAP_EXACT,
		.help = "no smaller pages than --page-size",
	},
	[OPT_ALLOW_BASE] = {
		.name = "allow-base", .key = "AllowBase", .flag = HPMAP_ALLOW_BASE,
		.help = "small pages rather than none",
	},
	[OPT_RESERVE] = {
		.name = "reserve", .key = "Reserve", .flag = HPMAP_RESERVE,
		.help = "pages that the reserve keeps ready",
	},
	[OPT_NO_MODULE] = {
		.name = "no-module", .flag = HPMAP_NO_MODULE,
		.help = "as if the module were not loaded",
	},
	[OPT_MODE] = {
		.name = "mode", .letter = 'm', .key = "Mode", .set = mode_set,
		.arg = "BITS", .help = "permissions, octal: 0660 (0600)",
	},
	[OPT_OWNER] = {
		.name = "owner", .letter = 'o', .key = "Owner", .set = owner_set,
		.arg = "USER", .help = "name or number (root)",
	},
	[OPT_GROUP] = {
		.name = "group", .letter = 'g', .key = "Group", .set = group_set,
		.arg = "GROUP", .help = "name or number (root)",
	},
	[OPT_SET] = {
		.name = "set", .key = "Pages", .set = pages_set,
		.arg = "PAGES", .help = "keep this many: 512, 1G; or more, less: +64, -1G",
	},
	[OPT_OVERCOMMIT] = {
		.name = "overcommit", .key = "Overcommit", .set = overcommit_set,
		.arg = "PAGES", .help = "the pool may take these beyond, on demand",
	},
	[OPT_BACKING] = {
		.name = "backing", .key = "Backing", .set = backing_set,
		.arg = "KIND", .help = "hugetlb or thp (hugetlb)",
	},
	[OPT_SVG] = {
		.name = "svg", .set = svg_set,
		.arg = "FILE", .help = "a picture; - for the standard output",
	},
	[OPT_INTERVAL] = {
		.name = "interval", .set = interval_set,
		.arg = "SECONDS", .help = "between two looks (2)",
	},
	[OPT_ONCE] = { .name = "once", .help = "look once" },
	[OPT_ITERATIONS] = {
		.name = "iterations", .set = iterations_set,
		.arg = "N", .help = "look so many times",
	},
	[OPT_OUTPUT] = {
		.name = "output", .letter = 'o', .set = output_set,
		.arg = "COLUMNS", .help = "these, separated by commas",
	},
	[OPT_NOHEADINGS] = { .name = "noheadings", .help = "rows alone" },
	[OPT_BYTES] = { .name = "bytes", .letter = 'b', .help = "sizes in bytes, without a unit" },
	[OPT_JSON] = { .name = "json", .letter = 'j', .help = "for programs" },
	[OPT_OPENMETRICS] = { .name = "openmetrics", .help = "for Prometheus" },
	[OPT_WRITE] = {
		.name = "write", .set = write_set,
		.arg = "DIRECTORY", .help = "store it there: /etc/cdi, /var/run/cdi",
	},
	[OPT_SAVE] = { .name = "save", .help = "have it after a boot, too: /etc/hpage-map.d" },
	[OPT_DRY_RUN] = { .name = "dry-run", .help = "show what would be done, and do nothing" },
	[OPT_YES] = { .name = "yes", .letter = 'y', .help = "do not ask" },
	[OPT_HELP] = { .name = "help", .letter = 'h', .help = "this" },
};

/* The first of a line goes with none of the others. */
static const struct {
	enum opt one;
	uint64_t others;
} option_pairs[] = {
	{ OPT_NODE, BIT(OPT_NEAR) | BIT(OPT_OVERCOMMIT) },
	{ OPT_EXACT, BIT(OPT_ALLOW_BASE) },
	{ OPT_NO_MODULE, BIT(OPT_CONTIGUOUS) | BIT(OPT_BELOW_4G) | BIT(OPT_RESERVE) },
	{ OPT_SET, TABLE & ~BIT(OPT_JSON) },
	{ OPT_OVERCOMMIT, TABLE & ~BIT(OPT_JSON) },
	{ OPT_DRY_RUN, BIT(OPT_JSON) },
	{ OPT_SAVE, TABLE },
	{ OPT_OPENMETRICS, TABLE },
	{ OPT_ONCE, BIT(OPT_ITERATIONS) },
	{ OPT_SVG, BIT(OPT_JSON) },
	{ OPT_OUTPUT, BIT(OPT_JSON) },
	{ OPT_NOHEADINGS, BIT(OPT_JSON) },
	{ OPT_BYTES, BIT(OPT_JSON) },
};

void options_init(struct args *a)
{
	*a = (struct args){
		.o = { .struct_size = sizeof(a->o), .node = -1 }, .backing = HPMAP_BACKING_HUGETLB,
	};
}

/* Read the argument of an option or key; of one without, NULL or yes or no. Not 0: nonsense. */
int option_set(struct args *a, enum opt option, const char *text)
{
	const struct option_spec *spec = &option_specs[option];
	bool truth = true;

	if (spec->arg ? spec->set(a, text) : text && truth_read(text, &truth))
		return -EINVAL;
	if (!truth)
		return 0;
	a->given |= BIT(option);
	a->o.flags |= spec->flag;
	return 0;
}

/* The number of a key, or -1. */
int option_by_key(const char *key)
{
	int i;

	for (i = 0; i < NR_OPTIONS; i++)
		if (option_specs[i].key && !strcmp(option_specs[i].key, key))
			return i;
	return -1;
}

/* As it stands on the command line, or in a file. */
static const char *option_label(enum opt option, const char *file, char text[32])
{
	if (file)
		snprintf(text, 32, "%s=", option_specs[option].key);
	else
		snprintf(text, 32, "--%s", option_specs[option].name);
	return text;
}

/*
 * Do they go together? Complains, about @file if that is not NULL, and returns an exit code. Then
 * the policy is known.
 */
int options_check(struct args *a, const char *file)
{
	char one[32], other[32], strict[32];
	const char *colon = file ? ": " : "";
	bool node = given(a, OPT_NODE) || given(a, OPT_NEAR);
	uint64_t both;
	size_t i;

	for (i = 0; i < sizeof(option_pairs) / sizeof(*option_pairs); i++) {
		both = a->given & option_pairs[i].others;
		if (!given(a, option_pairs[i].one) || !both)
			continue;
		complain("%s%s%s and %s exclude each other", file ? file : "", colon,
			 option_label(option_pairs[i].one, file, one),
			 option_label(__builtin_ctzll(both), file, other));
		return EXIT_USAGE;
	}
	if (given(a, OPT_STRICT) && !node) {
		complain("%s%s%s needs %s or %s", file ? file : "", colon,
			 option_label(OPT_STRICT, file, strict), option_label(OPT_NODE, file, one),
			 option_label(OPT_NEAR, file, other));
		return EXIT_USAGE;
	}
	if (node)
		a->o.policy = given(a, OPT_STRICT) ? HPMAP_POLICY_STRICT : HPMAP_POLICY_PREFERRED;
	return 0;
}
