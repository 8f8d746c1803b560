// SPDX-License-Identifier: GPL-2.0-only
/* Sizes as people write and read them. Units are powers of 1024. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hpagectl.h"

static const char units[] = "KMGTPE";

/* Only digits. */
int number_read(const char *text, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return *end || errno ? -EINVAL : 0;
}

/* Digits of a fraction, in 2^-@shift, rounded down; @text is moved behind them. */
static uint64_t fraction(const char **text, unsigned int shift)
{
	uint64_t unit = 1ULL << (shift < 50 ? shift : 50), sum = 0, scale = 1;

	while (isdigit((unsigned char)**text)) {
		if (scale < 10000) {
			scale *= 10;
			sum = sum * 10 + (**text - '0');
		}
		++*text;
	}
	return (unit / scale * sum + unit % scale * sum / scale) << (shift < 50 ? 0 : shift - 50);
}

/* K, M, G, T, P or E, also as KB or KiB; 0 for bytes, -1 for nonsense. */
static int shift_of(const char *unit)
{
	const char *found;

	if (!*unit || !strcasecmp(unit, "B"))
		return 0;
	found = strchr(units, toupper((unsigned char)*unit));
	if (!found || (unit[1] && strcasecmp(unit + 1, "B") && strcasecmp(unit + 1, "iB")))
		return -1;
	return 10 * (int)(found - units + 1);
}

/* 4096, 64M, 2 MiB, 1.5G */
int size_read(const char *text, uint64_t *bytes)
{
	const char *dot, *digits;
	uint64_t whole, part = 0;
	char *unit;
	int shift;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	whole = strtoull(text, &unit, 10);
	if (errno)
		return -EINVAL;
	dot = digits = *unit == '.' ? unit + 1 : NULL;
	if (dot && !isdigit((unsigned char)*dot))
		return -EINVAL;
	while (dot && isdigit((unsigned char)*dot))
		dot++;
	if (dot)
		unit = (char *)dot;
	if (*unit == ' ' && unit[1])
		unit++;
	shift = shift_of(unit);
	if (shift < 0 || (digits && !shift))
		return -EINVAL;
	if (digits)
		part = fraction(&digits, shift);
	if (whole > (UINT64_MAX - part) >> shift)
		return -ERANGE;
	*bytes = (whole << shift) + part;
	return 0;
}

/* 2 MiB, 1.5 GiB, 100 B; exact where it can be with one decimal, else rounded down. */
const char *size_show(uint64_t bytes, char text[SIZE_ROOM])
{
	uint64_t tenths;
	int unit = -1;

	while (unit < 5 && bytes >> (10 * (unit + 2)))
		unit++;
	if (unit < 0) {
		snprintf(text, SIZE_ROOM, "%u B", (unsigned int)bytes);
		return text;
	}
	tenths = (bytes >> (10 * unit)) * 10 / 1024;
	if (tenths % 10)
		snprintf(text, SIZE_ROOM, "%u.%u %ciB", (unsigned int)(tenths / 10),
			 (unsigned int)(tenths % 10), units[unit]);
	else
		snprintf(text, SIZE_ROOM, "%u %ciB", (unsigned int)(tenths / 10), units[unit]);
	return text;
}
