// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sizes for people. Units are powers of 1024. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "text.h"

static const char units[] = "BKMGTPE";

/* Is it whole tenths of 2^@shift bytes? */
static bool size_is_exact(uint64_t bytes, int shift)
{
	uint64_t mask = (1ULL << shift) - 1;

	return !((bytes & mask) * 10 & mask);
}

/* 2 MiB, 1.5 GiB, 100 B: exact with one decimal, or rounded down to four digits if possible. */
const char *size_text(uint64_t bytes, char text[SIZE_ROOM])
{
	unsigned int tenths;
	int unit = 0, shift;

	while (unit < 6 && bytes >> (10 * (unit + 1)))
		unit++;
	if (!size_is_exact(bytes, 10 * unit) && bytes >> (10 * (unit - 1)) < 10000)
		unit--;
	shift = 10 * unit;
	tenths = (bytes & ((1ULL << shift) - 1)) * 10 >> shift;
	if (!unit)
		snprintf(text, SIZE_ROOM, "%" PRIu64 " B", bytes);
	else if (tenths)
		snprintf(text, SIZE_ROOM, "%u.%u %ciB", (unsigned int)(bytes >> shift), tenths,
			 units[unit]);
	else
		snprintf(text, SIZE_ROOM, "%u %ciB", (unsigned int)(bytes >> shift), units[unit]);
	return text;
}

/* 2M, 1G: exact, as hpagectl reads it. */
const char *size_word(uint64_t bytes, char text[SIZE_ROOM])
{
	int unit = 0;

	for (; bytes && !(bytes % 1024); bytes /= 1024)
		unit++;
	if (unit)
		snprintf(text, SIZE_ROOM, "%" PRIu64 "%c", bytes, units[unit]);
	else
		snprintf(text, SIZE_ROOM, "%" PRIu64, bytes);
	return text;
}
