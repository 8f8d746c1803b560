/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_WHY_H
#define HPMAP_WHY_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

#define WHY_SIZE	4096	/* the reasons of the module, and those of memfd */

/**
 * struct why - reasons for people
 * @length: bytes used of @text
 * @reasons: how many were added, repeated ones included
 * @full: @text ends with a mark, since not all of them fit
 * @text: a line for each reason and each remedy
 */
struct why {
	size_t length;
	unsigned int reasons;
	bool full;
	char text[WHY_SIZE];
};

__attribute__((format(printf, 2, 3))) void why_add(struct why *why, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) int fail(int ret, const char *fmt, ...);
int fail_why(int ret, const struct why *why);
const char *why_latest(void);

#endif
