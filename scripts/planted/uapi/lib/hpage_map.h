/* SPDX-License-Identifier: GPL-2.0-only */
/* What the library's header must not have: a word of C++, and what C++98 does not know. */
enum {
	PLANTED_LAST = 1,
};
typedef int new;
