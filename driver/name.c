// SPDX-License-Identifier: GPL-2.0-only
/* What a buffer may be called: something that is safe in a path, in the log and in a shell. */
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <uapi/linux/hpage_map.h>

#include "name.h"
#include "why.h"

/*
 * Are these up to HPAGE_MAP_NAME_SIZE bytes a name? Letters, digits and, after the first, '.',
 * '_' and '-'; and a NUL at the end.
 */
bool hpm_name_valid(const char *name)
{
	int i;

	for (i = 0; i < HPAGE_MAP_NAME_SIZE && name[i]; i++)
		if (!isascii(name[i]) || !(isalnum(name[i]) || (i && strchr("._-", name[i]))))
			return false;
	return i && i < HPAGE_MAP_NAME_SIZE;
}

/* For a name, or a tag, that may be empty. Return: 0, or -EINVAL. */
int hpm_name_check(const char *name, struct hpm_why *why)
{
	return !*name || hpm_name_valid(name) ? 0 :
	       hpm_why_invalid(why, "a name is made of letters, digits, '.', '_' and '-'");
}
