// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is this a container or another sandbox, from which not all of the machine can be seen, and whose
 * programs are not to load its modules? For hpagectl as well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox.h"

/* Is it the namespace that the machine started with? The kernel gives those fixed numbers. */
static enum answer namespace_is_first(const char *name, unsigned int number)
{
	char path[64], link[64] = "", first[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	if (readlink(path, link, sizeof(link) - 1) < 0)
		return UNSEEN;
	snprintf(first, sizeof(first), "%s:[%u]", name, number);
	return strcmp(link, first) ? NO : YES;
}

enum answer first_user_namespace(void)
{
	return namespace_is_first("user", 4026531837);
}

enum answer first_cgroup_namespace(void)
{
	return namespace_is_first("cgroup", 4026531835);
}

/* Files as /.dockerenv are no sign: they stay in the image when that becomes a machine's. */
bool in_sandbox(void)
{
	return namespace_is_first("pid", 4026531836) == NO ||
		first_user_namespace() == NO || first_cgroup_namespace() == NO ||
		namespace_is_first("ipc", 4026531839) == NO ||
		namespace_is_first("uts", 4026531838) == NO || getenv("container");
}
