/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/hpage_map.h"
#include "amount.h"

#define MAX_NODES	1024	/* as many as Linux can have */

/* In the order of the table, and of --help. */
enum opt {
	OPT_NAME, OPT_SIZE, OPT_PAGE_SIZE, OPT_NODE, OPT_NEAR, OPT_STRICT, OPT_CONTIGUOUS,
	OPT_BELOW_4G, OPT_EXACT, OPT_ALLOW_BASE, OPT_RESERVE, OPT_NO_MODULE, OPT_MODE, OPT_OWNER,
	OPT_GROUP, OPT_SET, OPT_OVERCOMMIT, OPT_BACKING, OPT_SVG, OPT_INTERVAL, OPT_ONCE,
	OPT_ITERATIONS, OPT_OUTPUT, OPT_NOHEADINGS, OPT_BYTES, OPT_JSON, OPT_OPENMETRICS,
	OPT_WRITE, OPT_SAVE, OPT_DRY_RUN, OPT_YES, OPT_HELP, NR_OPTIONS
};

#define BIT(option)	(1ULL << (option))
#define PLACEMENT	(BIT(OPT_SIZE) | BIT(OPT_PAGE_SIZE) | BIT(OPT_NODE) | BIT(OPT_NEAR) | \
			 BIT(OPT_STRICT) | BIT(OPT_CONTIGUOUS) | BIT(OPT_BELOW_4G) | \
			 BIT(OPT_EXACT) | BIT(OPT_ALLOW_BASE) | BIT(OPT_RESERVE))
#define TABLE		(BIT(OPT_OUTPUT) | BIT(OPT_NOHEADINGS) | BIT(OPT_BYTES) | \
			 BIT(OPT_JSON))

/**
 * struct args - what is asked for, by a command line or by a file
 * @given: bits of the options that were given
 * @o: of the buffer; its node is -1 if none was given
 * @set: pages of a pool or a reserve
 * @overcommit: pages that a pool may take beyond these
 * @backing: of a reserve
 * @svg: file name
 * @directory: where a file is to be written
 * @interval: seconds between two looks
 * @iterations: how many looks
 * @output: names of columns, or NULL
 * @words: what is left of a command line, @nr_words of them
 */
struct args {
	uint64_t given;
	struct hpmap_options o;
	struct amount set;
	struct amount overcommit;
	enum hpmap_backing backing;
	const char *svg;
	const char *directory;
	uint64_t interval;
	uint64_t iterations;
	const char *output;
	char **words;
	int nr_words;
};

static inline bool given(const struct args *a, enum opt option)
{
	return a->given & BIT(option);
}

/**
 * struct option_spec - an option of the command line, a key in a file, or both
 * @name: of the option, without the dashes, or NULL
 * @letter: its short form, or 0
 * @key: in a file, or NULL
 * @arg: what the argument is called, or NULL if the option has none and the key is yes or no
 * @help: one line
 * @set: reads the argument; not 0 if it is nonsense
 * @flag: of hpmap_options, where there is no argument
 */
struct option_spec {
	const char *name;
	char letter;
	const char *key;
	const char *arg;
	const char *help;
	int (*set)(struct args *a, const char *text);
	uint32_t flag;
};

extern const struct option_spec option_specs[NR_OPTIONS];

void options_init(struct args *a);
int option_set(struct args *a, enum opt option, const char *text);
int option_by_key(const char *key);
int options_check(struct args *a, const char *file);

#endif
