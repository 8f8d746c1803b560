/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people read: figures, and what to try. For hpagectl as well. */
#ifndef HPMAP_TEXT_H
#define HPMAP_TEXT_H

#include <stdint.h>

/* Begins a remedy, which is a line of its own below its reason. */
#define REMEDY	"try: "
#define TRY	"\n" REMEDY

#define SIZE_ROOM	24

const char *size_text(uint64_t bytes, char text[SIZE_ROOM]);
const char *size_word(uint64_t bytes, char text[SIZE_ROOM]);

/* In place, as an argument of printf(): they last until the end of the block. */
#define SIZE_TEXT(bytes)	size_text(bytes, (char [SIZE_ROOM]){ 0 })
#define SIZE_WORD(bytes)	size_word(bytes, (char [SIZE_ROOM]){ 0 })

/* Ends a word that counts something. */
static inline const char *plural(uint64_t number)
{
	return number == 1 ? "" : "s";
}

#endif
