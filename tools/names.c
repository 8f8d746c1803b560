// SPDX-License-Identifier: GPL-2.0-only
/* What things are called, and which buffer is meant. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hpagectl.h"

const char *backing_name(uint32_t backing)
{
	static const char *const names[] = { "none", "hugetlb", "thp", "base", "user" };

	return backing < 5 ? names[backing] : "unknown";
}

const char *backend_name(uint32_t backend)
{
	return backend == HPMAP_BACKEND_MODULE ? "module" : "memfd";
}

const char *node_name(int node, char text[16])
{
	if (node == HPMAP_NODE_MIXED)
		return "mixed";
	snprintf(text, 16, "%d", node);
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

bool module_loaded(void)
{
	return !access("/sys/module/hpage_map", F_OK);
}

/* "default" is the default buffer, #7 the one with the id 7. */
static bool is_meant(const struct hpmap_info *info, const char *name)
{
	uint64_t id;

	if (*name == '#')
		return !number_read(name + 1, &id) && info->id == id;
	if (!strcmp(name, "default"))
		return info->attributes & HPMAP_ATTR_DEFAULT;
	return info->attributes & HPMAP_ATTR_NAMED && !strcmp(info->name, name);
}

/* Find a buffer by its name or #ID. Complains, and returns an exit code. */
int find_buffer(const char *name, struct hpmap_info *info)
{
	uint32_t id = 0;
	int ret;

	*info = (struct hpmap_info){ .size = sizeof(*info) };
	while (!(ret = hpmap_next(id, info))) {
		if (is_meant(info, name))
			return 0;
		id = info->id + 1;
	}
	if (ret != -ENOENT)
		return failed(ret, NULL);
	if (!strcmp(name, "default"))
		complain("the default buffer is not made yet (try: head -c 1 /dev/hpage_map)");
	else
		complain("there is no buffer %s (try: hpagectl list)", name);
	return EXIT_NOT_THERE;
}

/* Open it to look at. Complains, and returns an exit code. */
int open_buffer(const struct hpmap_info *info, struct hpmap_buffer **buffer)
{
	int ret;

	if (!(info->attributes & (HPMAP_ATTR_NAMED | HPMAP_ATTR_DEFAULT))) {
		complain("buffer #%u has no name, so nobody but its holders can open it", info->id);
		return EXIT_DENIED;
	}
	ret = hpmap_open(info->attributes & HPMAP_ATTR_NAMED ? info->name : NULL, HPMAP_READ_ONLY,
			 buffer);
	return ret ? failed(ret, NULL) : 0;
}

/* "64 MiB: 32 x 2 MiB of hugetlb, 3 runs, node 0" */
void describe(char *text, size_t size, uint64_t length, uint64_t page_size, uint32_t backing,
	      uint64_t nr_runs, int node)
{
	char all[SIZE_ROOM], page[SIZE_ROOM], number[16], runs[40] = "";

	if (nr_runs)
		snprintf(runs, sizeof(runs), ", %llu run%s", (unsigned long long)nr_runs,
			 nr_runs == 1 ? "" : "s");
	snprintf(text, size, "%s: %llu x %s of %s%s, %s%s", size_show(length, all),
		 (unsigned long long)(page_size ? length / page_size : 0), size_show(page_size, page),
		 backing_name(backing), runs, node == HPMAP_NODE_MIXED ? "nodes " : "node ",
		 node_name(node, number));
}

struct json_object *buffer_json(const struct hpmap_info *info)
{
	struct json_object *o = json_object_new_object();

	json_number(o, "id", info->id);
	json_text(o, "name", info->name);
	json_truth(o, "named", info->attributes & HPMAP_ATTR_NAMED);
	json_truth(o, "default", info->attributes & HPMAP_ATTR_DEFAULT);
	json_number(o, "length", info->length);
	json_number(o, "asked", info->asked);
	json_number(o, "page_size", info->page_size);
	json_text(o, "backing", backing_name(info->backing));
	json_signed(o, "node", info->node);
	json_number(o, "runs", info->nr_runs);
	json_truth(o, "contiguous", info->attributes & HPMAP_ATTR_CONTIGUOUS);
	json_truth(o, "below_4g", info->attributes & HPMAP_ATTR_BELOW_4G);
	json_truth(o, "reserve", info->attributes & HPMAP_ATTR_RESERVE);
	json_signed(o, "creator", info->creator);
	json_number(o, "uid", info->uid);
	json_number(o, "descriptors", info->descriptors);
	json_number(o, "mappings", info->mappings);
	return o;
}
