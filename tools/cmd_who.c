// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl who: which processes hold a buffer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hpagectl.h"

/* The name of a buffer as it is typed. */
static const char *name_of(uint32_t id, char text[HPMAP_NAME_SIZE])
{
	struct hpmap_info info = { .size = sizeof(info) };

	if (!id)
		return "?";
	snprintf(text, HPMAP_NAME_SIZE, "id:%u", id);
	if (!hpmap_next(id, &info) && info.id == id &&
	    info.attributes & (HPMAP_ATTR_NAMED | HPMAP_ATTR_DEFAULT))
		memcpy(text, info.name, HPMAP_NAME_SIZE);
	return text;
}

static void show(const struct holder *h, struct json_object *array)
{
	char name[HPMAP_NAME_SIZE], pid[16], fds[16], maps[16], size[SIZE_ROOM];
	struct json_object *o;

	if (array) {
		o = json_object_new_object();
		json_text(o, "buffer", name_of(h->id, name));
		json_number(o, "id", h->id);
		json_signed(o, "pid", h->pid);
		json_text(o, "command", h->comm);
		json_number(o, "descriptors", h->descriptors);
		json_number(o, "mappings", h->mappings);
		json_number(o, "mapped", h->mapped);
		json_object_array_add(array, o);
		return;
	}
	snprintf(pid, sizeof(pid), "%d", h->pid);
	snprintf(fds, sizeof(fds), "%u", h->descriptors);
	snprintf(maps, sizeof(maps), "%u", h->mappings);
	table_row(6, name_of(h->id, name), pid, fds, maps, size_show(h->mapped, size), h->comm);
}

/* What the processes that were seen have of a buffer. */
static void count(const struct holder *holders, size_t nr, uint32_t id, struct held *seen)
{
	size_t i;

	*seen = (struct held){};
	for (i = 0; i < nr; i++) {
		if (holders[i].id != id)
			continue;
		seen->descriptors += holders[i].descriptors;
		seen->mappings += holders[i].mappings;
	}
}

static void row(const char *name, const char *open, const char *mapped, const char *what)
{
	char text[HELD_ROOM + 2];

	snprintf(text, sizeof(text), "(%s)", what);
	table_row(6, name, "-", open, mapped, "-", text);
}

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Holders that are no process, or in none that was seen. Returns how many rows they take. */
static int show_others(uint32_t id, const struct holder *holders, size_t nr,
		       struct json_object *array)
{
	char name[HPMAP_NAME_SIZE], fds[16], maps[16], text[HELD_ROOM];
	struct held held, seen, rest;
	struct json_object *o;
	int rows = 0;

	if (held_read(id, &held))
		return 0;
	if (array) {
		o = json_object_new_object();
		json_text(o, "buffer", name_of(id, name));
		json_number(o, "id", id);
		held_json(o, &held);
		json_object_array_add(array, o);
		return 0;
	}
	count(holders, nr, id, &seen);
	rest = held;
	rest.descriptors -= min(seen.descriptors, held.descriptors);
	rest.mappings -= min(seen.mappings, held.mappings);
	if (rest.descriptors || rest.mappings) {
		snprintf(fds, sizeof(fds), "%u", rest.descriptors);
		snprintf(maps, sizeof(maps), "%u", rest.mappings);
		row(name_of(id, name), fds, maps, "in no process that is seen");
		rows++;
	}
	rest.descriptors = rest.mappings = 0;
	if (*held_show(&rest, text)) {
		row(name_of(id, name), "-", "-", text);
		rows++;
	}
	return rows;
}

static int show_all_others(const struct hpmap_info *only, const struct holder *holders, size_t nr,
			   struct json_object *array)
{
	struct hpmap_info info = { .size = sizeof(info) };
	uint32_t id = 0;
	int rows = 0;

	if (only)
		return show_others(only->id, holders, nr, array);
	while (!hpmap_next(id, &info)) {
		rows += show_others(info.id, holders, nr, array);
		id = info.id + 1;
	}
	return rows;
}

static void complain_of_hidden(int closed)
{
	if (closed < 0)
		complain("/proc cannot be read, so processes are not seen (try: mount -t proc proc "
			 "/proc, as root)");
	else if (closed)
		complain("%d processes of other users could not be looked at (try: as root)",
			 closed);
}

static int who(const struct args *a)
{
	struct json_object *o = NULL, *array = NULL, *others = NULL;
	struct hpmap_info info = { .size = sizeof(info) };
	const char *name = a->nr_words ? a->words[0] : NULL;
	struct holder *holders;
	int ret, closed, rows = 0;
	size_t nr, i;

	if (module_loaded() == NO) {
		complain("hpage_map is not loaded, so nobody holds a buffer of it "
			 "(try: modprobe hpage_map)");
		return EXIT_NO_MODULE;
	}
	/* Without a name this only asks whether the door is open. */
	ret = name ? find_buffer(name, &info) : hpmap_next(0, &info);
	if (ret && (name || ret != -ENOENT))
		return name ? ret : failed(ret, NULL);
	closed = holders_find(&holders, &nr);
	if (given(a, OPT_JSON)) {
		o = json_object_new_object();
		array = json_object_new_array();
		others = json_object_new_array();
		json_object_object_add(o, "holders", array);
		json_object_object_add(o, "buffers", others);
		json_number(o, "hidden_processes", closed < 0 ? 0 : closed);
	} else {
		table_row(6, "BUFFER", "PID", "OPEN", "MAPPED", "SIZE", "COMMAND");
	}
	for (i = 0; i < nr; i++) {
		/* What cannot be told apart may be the one that is asked for. */
		if (name && holders[i].id && holders[i].id != info.id)
			continue;
		show(&holders[i], array);
		rows++;
	}
	rows += show_all_others(name ? &info : NULL, holders, nr, others);
	free(holders);
	if (given(a, OPT_JSON))
		print_json(o);
	else if (rows)
		table_print();
	else
		printf("nobody%s holds %s\n", geteuid() ? " that you may see" : "",
		       name ? name : "a buffer");
	complain_of_hidden(closed);
	return closed < 0 ? EXIT_FAILED : EXIT_OK;
}

const struct command cmd_who = {
	.name = "who",
	.synopsis = "[NAME|ID] [--json]",
	.summary = "tell what holds a buffer: processes, and what is no process",
	.more = "A \"?\" is a mapping that is all that is left of a buffer without a name.\n"
		"In parentheses: dma-bufs, drivers, devices, and pages that linger.\n"
		"Root sees all processes, others their own.\n",
	.options = BIT(OPT_JSON),
	.max_words = 1,
	.run = who,
};
