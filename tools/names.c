// SPDX-License-Identifier: GPL-2.0-only
/* What things are called, and which buffer is meant. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hpagectl.h"

#define DEFAULT_NAME	"default"

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

/* /sys may be missing, as in containers, and /proc/modules where the kernel has none. */
enum answer module_loaded(void)
{
	bool sys = !access("/sys/module", F_OK), proc = false, there = false;
	char line[512];
	FILE *modules;

	if (!access("/sys/module/hpage_map", F_OK))
		return YES;
	modules = fopen("/proc/modules", "re");
	while (modules && !there && fgets(line, sizeof(line), modules)) {
		proc = true;
		there = !strncmp(line, "hpage_map ", strlen("hpage_map "));
	}
	if (modules)
		fclose(modules);
	return there ? YES : sys || proc ? NO : UNSEEN;
}

/* Complain that @what needs the module, or cannot be seen. Returns an exit code. */
int no_module(const char *what)
{
	switch (module_loaded()) {
	case NO:
		complain("%s needs the module hpage_map, which is not loaded (try: modprobe "
			 "hpage_map)", what);
		return EXIT_NO_MODULE;
	case YES:
		complain("hpage_map is loaded, but %s cannot be seen from here (try: hpagectl "
			 "doctor)", what);
		return EXIT_NO_MODULE;
	default:
		complain("whether hpage_map is loaded cannot be seen from here, and so %s cannot "
			 "(try: hpagectl doctor)", what);
		return EXIT_NO_MODULE;
	}
}

/* "#7" and "id:7" mean the buffer with the id 7. Returns whether @name is of that kind. */
static bool id_read(const char *name, uint64_t *id)
{
	if (*name == '#')
		return !number_read(name + 1, id);
	return !strncmp(name, "id:", 3) && !number_read(name + 3, id);
}

/* Is it meant by a name? "default" is the default buffer. */
static bool is_named(const struct hpmap_info *info, const char *name)
{
	if (!strcmp(name, DEFAULT_NAME))
		return info->attributes & HPMAP_ATTR_DEFAULT;
	return info->attributes & HPMAP_ATTR_NAMED && !strcmp(info->name, name);
}

/* A buffer by its name, or else by its id, of which "7" is short. Returns 0 or -errno. */
static int look_for(const char *name, struct hpmap_info *info)
{
	struct hpmap_info next = { .size = sizeof(next) };
	bool by_id, short_id, found = false;
	uint64_t wanted = 0;
	uint32_t id = 0;
	int ret;

	by_id = id_read(name, &wanted);
	short_id = !by_id && !number_read(name, &wanted);
	while (!(ret = hpmap_next(id, &next))) {
		if (by_id ? next.id == wanted : is_named(&next, name)) {
			*info = next;
			return 0;
		}
		if (short_id && next.id == wanted) {
			*info = next;
			found = true;
		}
		if (next.id == UINT32_MAX)
			return found ? 0 : -ENOENT;
		id = next.id + 1;
	}
	return found && ret == -ENOENT ? 0 : ret;
}

/* Find a buffer by its name or id. Complains, and returns an exit code. */
int find_buffer(const char *name, struct hpmap_info *info)
{
	int ret = look_for(name, info);

	if (ret != -ENOENT)
		return ret ? failed(ret, NULL) : 0;
	if (!strcmp(name, DEFAULT_NAME))
		complain("the default buffer is not made yet (try: head -c 1 /dev/hpage_map)");
	else
		complain("there is no buffer %s (try: hpagectl list)", name);
	return EXIT_NOT_THERE;
}

/* Does a buffer have this name? The driver decides, but only after it has got the pages. */
bool name_taken(const char *name)
{
	struct hpmap_info info;

	return !look_for(name, &info) && info.attributes & HPMAP_ATTR_NAMED &&
		!strcmp(info.name, name);
}

/* May a buffer get this name? Complains, and returns an exit code. */
int check_name(const char *what, const char *name)
{
	if (strcmp(name, DEFAULT_NAME))
		return 0;
	complain("%s: %s is what the buffer of /dev/hpage_map is called (try: another name)", what,
		 name);
	return EXIT_USAGE;
}

/* Open it to look at. Complains, and returns an exit code. */
int open_buffer(const struct hpmap_info *info, struct hpmap_buffer **buffer)
{
	int ret;

	if (!(info->attributes & (HPMAP_ATTR_NAMED | HPMAP_ATTR_DEFAULT))) {
		complain("buffer id:%u has no name, so nobody but its holders can open it",
			 info->id);
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
		 (unsigned long long)(page_size ? length / page_size : 0),
		 size_show(page_size, page),
		 backing_name(backing), runs, node == HPMAP_NODE_MIXED ? "nodes " : "node ",
		 node_name(node, number));
}

struct json_object *buffer_json(const struct hpmap_info *info)
{
	struct json_object *o = json_object_new_object();
	struct held held;

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
	held_of(info, &held);
	held_json(o, &held);
	return o;
}
