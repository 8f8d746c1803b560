// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl who: which processes hold a buffer. */
#include <stdlib.h>
#include <string.h>

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

static int who(const struct args *a)
{
	struct json_object *o = NULL, *array = NULL;
	struct hpmap_info info = {};
	struct holder *holders;
	size_t nr, i;
	int ret, closed;

	if (!module_loaded()) {
		complain("hpage_map is not loaded, so nobody holds a buffer of it "
			 "(try: modprobe hpage_map)");
		return EXIT_NO_MODULE;
	}
	if (a->nr_words) {
		ret = find_buffer(a->words[0], &info);
		if (ret)
			return ret;
	}
	closed = holders_find(&holders, &nr);
	if (given(a, OPT_JSON)) {
		o = json_object_new_object();
		array = json_object_new_array();
		json_object_object_add(o, "holders", array);
		json_number(o, "hidden_processes", closed);
	} else {
		table_row(6, "BUFFER", "PID", "OPEN", "MAPPED", "SIZE", "COMMAND");
	}
	for (i = 0; i < nr; i++)
		/* What cannot be told apart may be the one that is asked for. */
		if (!a->nr_words || !holders[i].id || holders[i].id == info.id)
			show(&holders[i], array);
	free(holders);
	if (given(a, OPT_JSON))
		return print_json(o);
	table_print();
	if (closed)
		complain("%d processes of other users could not be looked at (try: as root)",
			 closed);
	return EXIT_OK;
}

const struct command cmd_who = {
	.name = "who",
	.synopsis = "[NAME|ID] [--json]",
	.summary = "tell which processes have a buffer open or mapped",
	.more = "A \"?\" is a mapping that is all that is left of a buffer without a name.\n"
		"Root sees all processes, others their own.\n",
	.options = BIT(OPT_JSON),
	.max_words = 1,
	.run = who,
};
