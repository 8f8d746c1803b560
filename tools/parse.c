// SPDX-License-Identifier: GPL-2.0-only
/* Figures and names as people write them, on a command line or in a file. */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "parse.h"

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
static uint64_t fraction_read(const char **text, unsigned int shift)
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

/* K, M, G, T, P or E for powers of 1024, also as KB or KiB; 0 for bytes, -1 for nonsense. */
static int unit_shift(const char *unit)
{
	static const char units[] = "KMGTPE";
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
	shift = unit_shift(unit);
	if (shift < 0 || (digits && !shift))
		return -EINVAL;
	if (digits)
		part = fraction_read(&digits, shift);
	if (whole > (UINT64_MAX - part) >> shift)
		return -ERANGE;
	*bytes = (whole << shift) + part;
	return 0;
}

static int id_read(const char *text, uint32_t *id)
{
	uint64_t number;

	if (number_read(text, &number) || number >= UINT32_MAX)
		return -ENOENT;
	*id = number;
	return 0;
}

/* A name, or a number. */
int user_read(const char *text, uid_t *uid)
{
	struct passwd *user = getpwnam(text);

	if (!user)
		return id_read(text, uid);
	*uid = user->pw_uid;
	return 0;
}

/* A name, or a number. */
int group_read(const char *text, gid_t *gid)
{
	struct group *group = getgrnam(text);

	if (!group)
		return id_read(text, gid);
	*gid = group->gr_gid;
	return 0;
}

/* Permission bits, octal. */
int mode_read(const char *text, uint32_t *mode)
{
	char *end;
	unsigned long bits = strtoul(text, &end, 8);

	if (*text < '0' || *text > '7' || *end || !bits || bits > 0777)
		return -EINVAL;
	*mode = bits;
	return 0;
}

/* The words of systemd. */
int truth_read(const char *text, bool *truth)
{
	static const char *const words[] = {
		"no", "yes", "false", "true", "off", "on", "0", "1",
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcasecmp(text, words[i]))
			continue;
		*truth = i % 2;
		return 0;
	}
	return -EINVAL;
}
