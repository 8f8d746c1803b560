// SPDX-License-Identifier: GPL-2.0-only
/* What things are called. */
#include <pwd.h>
#include <stdio.h>

#include "../lib/hpage_map.h"
#include "file.h"
#include "names.h"

const char *backing_name(uint32_t backing)
{
	static const char *const names[] = { "none", "hugetlb", "thp", "base", "user" };

	return backing < 5 ? names[backing] : "unknown";
}

const char *backend_name(uint32_t backend)
{
	return backend == HPMAP_BACKEND_MODULE ? "module" : "memfd";
}

const char *node_name(int node, char text[NODE_ROOM])
{
	if (node == HPMAP_NODE_MIXED)
		return "mixed";
	if (node == HPMAP_NODE_UNKNOWN)
		return "unknown";
	snprintf(text, NODE_ROOM, "%d", node);
	return text;
}

/*
 * A process calls itself what it likes, which is neither to move a cursor nor to break JSON.
 * Returns whether there is such a process.
 */
bool process_name(pid_t pid, char comm[COMM_ROOM])
{
	char *c;

	if (file_read(comm, COMM_ROOM, "/proc/%d/comm", pid) < 0)
		return false;
	for (c = comm; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return true;
}

/* A user has a number if not a name. */
const char *user_name(uid_t uid, char text[USER_ROOM])
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(text, USER_ROOM, "%s", user->pw_name);
	else
		snprintf(text, USER_ROOM, "%u", uid);
	return text;
}
