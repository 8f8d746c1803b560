/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_FORCED_H
#define HPMAP_FORCED_H

#include <stdbool.h>

#include "internal.h"

/**
 * struct forced - what HPAGE_MAP_BACKING demands
 * @text: the variable, or NULL when it demands nothing
 * @backend: who shall keep the pages, or 0
 * @backing: where they shall come from, or 0
 */
struct forced {
	const char *text;
	enum hpmap_backend backend;
	enum hpmap_backing backing;
};

int forced_apply(struct forced *f, struct hpmap_options *o, bool named);
void forced_tell(const struct forced *f, struct why *why);
int forced_check(const struct forced *f, struct hpmap_buffer *b);

#endif
