// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl list: the module's buffers. */
#include <errno.h>
#include <unistd.h>

#include "hpagectl.h"

static void show(const struct hpmap_info *i)
{
	char id[16], size[SIZE_ROOM], page[SIZE_ROOM], node[16], runs[24], open[16], mapped[16];
	char name[HPMAP_NAME_SIZE + 2], other[24], lingering[16], user[USER_ROOM];
	bool named = i->attributes & (HPMAP_ATTR_NAMED | HPMAP_ATTR_DEFAULT);
	struct held held;

	held_of(i, &held);

	/* A tag is not a name. */
	snprintf(name, sizeof(name), named ? "%s" : *i->name ? "(%s)" : "-", i->name);
	snprintf(id, sizeof(id), "id:%u", i->id);
	snprintf(runs, sizeof(runs), "%llu", (unsigned long long)i->nr_runs);
	snprintf(open, sizeof(open), "%u", held.descriptors);
	snprintf(mapped, sizeof(mapped), "%u", held.mappings);
	snprintf(other, sizeof(other), "%llu",
		 (unsigned long long)held.exports + held.drivers + held.devices);
	snprintf(lingering, sizeof(lingering), "%u", held.lingering);
	table_row(12, name, id, size_show(i->length, size), size_show(i->page_size, page),
		  backing_name(i->backing), node_name(i->node, node), runs, open, mapped,
		  other, lingering, user_name(i->uid, user));
}

static int list(const struct args *a)
{
	struct hpmap_info info = { .size = sizeof(info) };
	struct json_object *o = NULL, *array = NULL;
	uint32_t id = 0, nr = 0;
	int ret;

	if (given(a, OPT_JSON)) {
		o = json_object_new_object();
		array = json_object_new_array();
		json_object_object_add(o, "buffers", array);
	} else {
		table_row(12, "NAME", "ID", "SIZE", "PAGE", "BACKING", "NODE", "RUNS", "OPEN",
			  "MAPPED", "OTHER", "LINGERING", "BY");
	}
	while (!(ret = hpmap_next(id, &info))) {
		id = info.id + 1;
		nr++;
		if (given(a, OPT_JSON))
			json_object_array_add(array, buffer_json(&info));
		else
			show(&info);
	}
	if (ret != -ENOENT)
		return failed(ret, NULL);
	if (given(a, OPT_JSON))
		return print_json(o);
	if (!nr)
		printf("there are no buffers%s (try: hpagectl create NAME --size 64M, as root)\n",
		       geteuid() ? " that you may see" : "");
	else
		table_print();
	return EXIT_OK;
}

const struct command cmd_list = {
	.name = "list",
	.synopsis = "[--json]",
	.summary = "list the buffers that there are",
	.more = "Buffers without a name are shown to those who made them, and to root.\n",
	.options = BIT(OPT_JSON),
	.run = list,
};
