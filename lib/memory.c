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
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define CGROUP	"/sys/fs/cgroup"

/* The number behind @name in @text, or 0. */
static uint64_t number_in(const char *text, const char *name)
{
	const char *found = strstr(text, name);

	return found ? strtoull(found + strlen(name), NULL, 10) : 0;
}

/*
 * What is free in a meminfo of the machine or of a node, or would be without swapping; and what of
 * that the machine says can be used.
 */
static bool usable(const char *path, uint64_t *bytes, uint64_t *available)
{
	char text[4096];

	if (read_file(path, text, sizeof(text)) < 0)
		return false;
	*bytes = (number_in(text, "MemFree:") + number_in(text, "Active(file):") +
		  number_in(text, "Inactive(file):") + number_in(text, "KReclaimable:")) << 10;
	*available = number_in(text, "MemAvailable:") << 10;
	return true;
}

/* The same of @nodes, if there are others; false if not, or if it cannot be read. */
static bool usable_on(const unsigned long nodes[NODE_WORDS], uint64_t *sum)
{
	uint64_t bytes, available;
	int node, last = highest_node();
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
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
		if (!usable(path, &bytes, &available))
			return false;
		*sum += bytes;
	}
	return others;
}

static void lower(struct room *room, uint64_t bytes, const char *where, const char *remedy)
{
	if (bytes >= room->bytes)
		return;
	room->bytes = bytes;
	room->where = where;
	snprintf(room->remedy, sizeof(room->remedy), "%s", remedy);
}

/* The kernel keeps a part of what is usable for itself; all of that may be on any node. */
static void look_at_machine(uint32_t policy, int node, struct room *room)
{
	uint64_t available, all, on_nodes, kept;
	unsigned long nodes[NODE_WORDS];

	if (!usable("/proc/meminfo", &all, &available) || !available)
		return;
	lower(room, available, "in this machine", "free -m");
	kept = all > available ? all - available : 0;
	if (policy_nodes(policy, node, nodes) && usable_on(nodes, &on_nodes))
		lower(room, on_nodes > kept ? on_nodes - kept : 0,
		      "on the nodes to be used", "numactl --hardware");
}

/**
 * struct cgroup_files - how a version of cgroups says it
 * @root: where they are
 * @limit: file: bytes, or a word or a huge number where there is no limit
 * @used: file: bytes
 * @active: in memory.stat: page cache of the cgroup and those below, which would be freed
 * @inactive: the rest of it
 */
struct cgroup_files {
	const char *root, *limit, *used, *active, *inactive;
};

static const struct cgroup_files version_1 = {
	CGROUP "/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
	"\ntotal_active_file ", "\ntotal_inactive_file ",
};

static const struct cgroup_files version_2 = {
	CGROUP, "memory.max", "memory.current", "\nactive_file ", "\ninactive_file ",
};

static void look_at_cgroup(const struct cgroup_files *files, const char *name, struct room *room)
{
	char path[512], text[8192], remedy[sizeof(room->remedy)];
	uint64_t limit, used, cache = 0;

	snprintf(path, sizeof(path), "%s%s/%s", files->root, name, files->used);
	if (read_u64(path, &used))
		return;
	snprintf(path, sizeof(path), "%s%s/memory.stat", files->root, name);
	if (read_file(path, text, sizeof(text)) > 0)
		cache = number_in(text, files->active) + number_in(text, files->inactive);
	snprintf(path, sizeof(path), "%s%s/%s", files->root, name, files->limit);
	if (read_u64(path, &limit))
		return;
	snprintf(remedy, sizeof(remedy), "cat %.300s", path);
	used = used > cache ? used - cache : 0;
	lower(room, limit > used ? limit - used : 0, "in the cgroup", remedy);
}

/* The cgroup @name and all that it is in. */
static void look_at_cgroups(const struct cgroup_files *files, char *name, struct room *room)
{
	char *end;

	while ((end = strrchr(name, '/'))) {
		look_at_cgroup(files, end[1] ? name : "", room);
		if (end == name && !end[1])
			break;
		end[end == name] = '\0';
	}
}

/* A line "ID:CONTROLLERS:NAME" is a hierarchy; that of version 2 has the ID 0. */
static int look_at_own_cgroups(struct room *room)
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
			look_at_cgroups(&version_2, name, room);
		else if (strstr(controllers, "memory"))
			look_at_cgroups(&version_1, name, room);
	}
	return lines_close(&lines);
}

/*
 * What the machine does not tell does not count. Return: 0, or -EMFILE or -ENFILE, since whoever
 * has no descriptor left to look with does not know that.
 */
int memory_room(uint32_t policy, int node, struct room *room)
{
	int ret;

	*room = (struct room){ .bytes = UINT64_MAX };
	look_at_machine(policy, node, room);
	ret = look_at_own_cgroups(room);
	return ret == -EMFILE || ret == -ENFILE ? ret : 0;
}
