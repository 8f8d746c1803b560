// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl info: all about one buffer. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "hpagectl.h"

static void show_nodes(const struct hpmap_info *info, const uint64_t *pages, unsigned int nr)
{
	char size[SIZE_ROOM];
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (pages[i])
			printf("node %-9u %" PRIu64 " pages, %s\n", i, pages[i],
			       size_show(pages[i] * info->page_size, size));
}

static void show_maker(const struct hpmap_info *info)
{
	char comm[COMM_ROOM], user[USER_ROOM];

	printf("made by        user %s", user_name(info->uid, user));
	if (info->creator && process_name(info->creator, comm))
		printf(", process %d (%s)", info->creator, comm);
	else if (info->creator && kill(info->creator, 0) && errno == ESRCH)
		printf(", process %d, which is gone", info->creator);
	else if (info->creator)
		printf(", process %d", info->creator);
	putchar('\n');
}

static void show_held(const struct hpmap_info *info)
{
	const char *first = info->attributes & HPMAP_ATTR_NAMED ? "its name" :
			    info->attributes & HPMAP_ATTR_DEFAULT ? "the module" : "";
	struct held held;
	char text[HELD_ROOM];

	held_of(info, &held);
	held_show(&held, text);
	printf("held by        %s%s%s\n", first, *first && *text ? ", " : "",
	       *first || *text ? text : "nobody");
}

static void show(const struct hpmap_info *info)
{
	char all[SIZE_ROOM], asked[SIZE_ROOM], page[SIZE_ROOM];

	printf("buffer         id:%u %s\n", info->id, info->name);
	if (info->attributes & HPMAP_ATTR_NAMED)
		printf("device         /dev/hpage/%s\n", info->name);
	else if (info->attributes & HPMAP_ATTR_DEFAULT)
		printf("device         /dev/hpage_map\n");
	printf("size           %s", size_show(info->length, all));
	if (info->asked != info->length)
		printf(", asked for were %s", size_show(info->asked, asked));
	printf("\npages          %" PRIu64 " x %s of %s%s\n", info->nr_pages,
	       size_show(info->page_size, page), backing_name(info->backing),
	       info->attributes & HPMAP_ATTR_RESERVE ? ", from the reserve" : "");
	printf("runs           %" PRIu64 "%s%s\n", info->nr_runs,
	       info->attributes & HPMAP_ATTR_CONTIGUOUS ? ", contiguous" : "",
	       info->attributes & HPMAP_ATTR_BELOW_4G ? ", below 4 GiB" : "");
	if (info->address)
		printf("address        %#" PRIx64 "\n", info->address);
	show_maker(info);
	show_held(info);
}

static struct json_object *nodes_json(const uint64_t *pages, unsigned int nr)
{
	struct json_object *o = json_object_new_object();
	char name[16];
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (pages[i])
			json_number(o, node_name(i, name), pages[i]);
	return o;
}

/* What only a holder can ask; this process becomes one for a moment. */
static unsigned int count_nodes(const struct hpmap_info *info, uint64_t *pages)
{
	struct hpmap_buffer *buffer;
	unsigned int nr = MAX_NODES;

	if (hpmap_open(info->attributes & HPMAP_ATTR_NAMED ? info->name : NULL, HPMAP_READ_ONLY,
		       &buffer))
		return 0;
	if (hpmap_nodes(buffer, pages, &nr) || nr > MAX_NODES)
		nr = 0;
	hpmap_free(buffer);
	return nr;
}

static int info(const struct args *a)
{
	static uint64_t pages[MAX_NODES];
	struct hpmap_info i;
	unsigned int nr = 0;
	int ret = find_buffer(a->nr_words ? a->words[0] : "default", &i);

	if (ret)
		return ret;
	if (i.attributes & (HPMAP_ATTR_NAMED | HPMAP_ATTR_DEFAULT))
		nr = count_nodes(&i, pages);
	if (given(a, OPT_JSON)) {
		struct json_object *o = buffer_json(&i);

		json_number(o, "address", i.address);
		json_number(o, "pages", i.nr_pages);
		json_number(o, "huge", i.nr_huge);
		json_object_object_add(o, "nodes", nodes_json(pages, nr));
		return print_json(o);
	}
	show(&i);
	if (nr)
		show_nodes(&i, pages, nr);
	else if (i.node != HPMAP_NODE_MIXED)
		printf("node           %d\n", i.node);
	return EXIT_OK;
}

const struct command cmd_info = {
	.name = "info",
	.synopsis = "[NAME|ID] [--json]",
	.summary = "tell all about one buffer; without a name, the default one",
	.options = BIT(OPT_JSON),
	.max_words = 1,
	.run = info,
};
