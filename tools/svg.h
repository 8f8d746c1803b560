/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SVG_H
#define SVG_H

#include "../lib/hpage_map.h"

/**
 * struct picture - where the pages of a buffer are
 * @info: of the buffer
 * @runs: its runs, @nr of them
 * @nodes: the node of each; -1 if it is not known
 * @nr: how many
 */
struct picture {
	const struct hpmap_info *info;
	const struct hpmap_run *runs;
	const int *nodes;
	unsigned int nr;
};

int svg_write(const char *path, const struct picture *p);

#endif
