// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How much memory the calling thread could be given now.
 *
 * Whoever touches more meets the OOM killer where an errno was promised: in the
 * whole machine, on the nodes that a policy or a cpuset leaves it, or in its
 * memory cgroup. So each of them is asked, and the least counts. The figures
 * are the kernel's: proc_meminfo(5), and cgroup-v1 and -v2 of its documentation.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "memory.h"
#include "policy.h"
#include "sysfs.h"

#define CGROUP	"/sys/fs/cgroup"

/* The number behind @name in @text, or 0. */
static uint64_t number_behind(const char *text, const char *name)
{
	const char *found = strstr(text, name);

	return found ? strtoull(found + strlen(name), NULL, 10) : 0;
}

/*
 * What is free in a meminfo of the machine or of a node, or would be without swapping; and the
 * MemAvailable of it.
 */
static bool meminfo_read(const char *path, uint64_t *bytes, uint64_t *available)
{
	char text[4096];

	if (file_text(path, text, sizeof(text)) < 0)
		return false;
	*bytes = (number_behind(text, "MemFree:") + number_behind(text, "KReclaimable:") +
		  number_behind(text, "Active(file):") +
		  number_behind(text, "Inactive(file):")) << 10;
	*available = number_behind(text, "MemAvailable:") << 10;
	return true;
}

/* The same of @nodes, if there are others; false if not, or if it cannot be read. */
static bool meminfo_of_nodes(const unsigned long nodes[NODE_WORDS], uint64_t *sum)
{
	uint64_t bytes, available;
	int node, last = node_highest();
	bool others = false;
	char path[64];

	*sum = 0;
	for (node = 0; node <= last; node++) {
		if (!node_has_memory(node))
			continue;
		if (!(nodes[node / WORD_BITS] >> node % WORD_BITS & 1)) {
			others = true;
			continue;
		}
		snprintf(path, sizeof(path), SYSFS_NODES "/node%d/meminfo", node);
		if (!meminfo_read(path, &bytes, &available))
			return false;
		*sum += bytes;
	}
	return others;
}

static void room_lower(struct room *room, uint64_t bytes, const char *where, const char *remedy)
{
	if (bytes >= room->bytes)
		return;
	room->bytes = bytes;
	room->where = where;
	snprintf(room->remedy, sizeof(room->remedy), "%s", remedy);
}

/* The kernel keeps a part of what is usable for itself; all of that may be on any node. */
static void room_in_machine(uint32_t policy, int node, struct room *room)
{
	uint64_t available, all, on_nodes, kept;
	unsigned long nodes[NODE_WORDS];

	if (!meminfo_read("/proc/meminfo", &all, &available) || !available)
		return;
	room_lower(room, available, "in this machine", "free -m");
	kept = all > available ? all - available : 0;
	if (policy_nodes(policy, node, nodes) && meminfo_of_nodes(nodes, &on_nodes))
		room_lower(room, on_nodes > kept ? on_nodes - kept : 0,
		      "on the nodes to be used", "numactl --hardware");
}

/**
 * struct cgroup_files - the files of a version of cgroups
 * @root: where they are
 * @limit: file: bytes, or a word or a huge number where there is no limit
 * @used: file: bytes
 * @active: in memory.stat: page cache of the cgroup and those below, which would be freed
 * @inactive: the rest of it
 */
struct cgroup_files {
	const char *root, *limit, *used, *active, *inactive;
};

static const struct cgroup_files cgroup_v1 = {
	CGROUP "/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
	"\ntotal_active_file ", "\ntotal_inactive_file ",
};

static const struct cgroup_files cgroup_v2 = {
	CGROUP, "memory.max", "memory.current", "\nactive_file ", "\ninactive_file ",
};

static void room_in_cgroup(const struct cgroup_files *files, const char *name, struct room *room)
{
	char path[512], text[8192], remedy[sizeof(room->remedy)];
	uint64_t limit, used, cache = 0;

	snprintf(path, sizeof(path), "%s%s/%s", files->root, name, files->used);
	if (file_number(path, &used))
		return;
	snprintf(path, sizeof(path), "%s%s/memory.stat", files->root, name);
	if (file_text(path, text, sizeof(text)) > 0)
		cache = number_behind(text, files->active) + number_behind(text, files->inactive);
	snprintf(path, sizeof(path), "%s%s/%s", files->root, name, files->limit);
	if (file_number(path, &limit))
		return;
	snprintf(remedy, sizeof(remedy), "cat %.300s", path);
	used = used > cache ? used - cache : 0;
	room_lower(room, limit > used ? limit - used : 0, "in the cgroup", remedy);
}

/* The cgroup @name and all that it is in. */
static void room_in_cgroups(const struct cgroup_files *files, char *name, struct room *room)
{
	char *end;

	while ((end = strrchr(name, '/'))) {
		room_in_cgroup(files, end[1] ? name : "", room);
		if (end == name && !end[1])
			break;
		end[end == name] = '\0';
	}
}

/* A line "ID:CONTROLLERS:NAME" is a hierarchy; that of version 2 has the ID 0. */
static int room_in_own_cgroups(struct room *room)
{
	struct lines lines;
	char *line, *controllers, *name;
	int ret = lines_open(&lines, "/proc/self/cgroup");

	if (ret)
		return ret;
	while ((line = lines_next(&lines))) {
		controllers = strchr(line, ':');
		name = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!name)
			continue;
		*name++ = '\0';
		if (!strcmp(controllers, ":"))
			room_in_cgroups(&cgroup_v2, name, room);
		else if (strstr(controllers, "memory"))
			room_in_cgroups(&cgroup_v1, name, room);
	}
	return lines_close(&lines);
}

/*
 * A figure that cannot be read does not count. Return: 0, or -EMFILE or -ENFILE, since without a
 * descriptor to read with nothing is known.
 */
int memory_room(uint32_t policy, int node, struct room *room)
{
	int ret;

	*room = (struct room){ .bytes = UINT64_MAX };
	room_in_machine(policy, node, room);
	ret = room_in_own_cgroups(room);
	return ret == -EMFILE || ret == -ENFILE ? ret : 0;
}
