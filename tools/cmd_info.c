// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl info: one buffer, with all that is known of it. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "buffer.h"
#include "command.h"
#include "json.h"
#include "names.h"
#include "report.h"

/* In place, as an argument of printf(): it lasts until the end of the block. */
#define INFO_SIZE(bytes, size)	info_size_text(bytes, size, (char [SIZE_ROOM]){ 0 })

static const char *info_size_text(bool bytes, uint64_t size, char text[SIZE_ROOM])
{
	if (!bytes)
		return size_text(size, text);
	snprintf(text, SIZE_ROOM, "%" PRIu64, size);
	return text;
}

static void info_print_nodes(const struct hpmap_info *info, const uint64_t *pages, unsigned int nr,
			     bool bytes)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (pages[i])
			printf("node %-9u %" PRIu64 " page%s, %s\n", i, pages[i], plural(pages[i]),
			       INFO_SIZE(bytes, pages[i] * info->page_size));
	if (!nr && info->node >= 0)
		printf("node           %d\n", info->node);
}

static void info_print_maker(const struct hpmap_info *info)
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

static void info_print_held(const struct hpmap_info *info)
{
	const char *first = info->attributes & HPMAP_ATTR_NAMED ? "its name" :
			    info->attributes & HPMAP_ATTR_DEFAULT ? "the module" : "";
	struct held held;
	char text[HELD_ROOM];

	held_of(info, &held);
	held_text(&held, text);
	printf("held by        %s%s%s\n", first, *first && *text ? ", " : "",
	       *first || *text ? text : "nobody");
}

static void info_print(const struct hpmap_info *info, bool bytes)
{
	printf("buffer         id:%u %s\n", info->id, info->name);
	if (info->attributes & HPMAP_ATTR_NAMED)
		printf("device         /dev/hpage/%s\n", info->name);
	else if (info->attributes & HPMAP_ATTR_DEFAULT)
		printf("device         /dev/hpage_map\n");
	printf("size           %s", INFO_SIZE(bytes, info->size));
	if (info->asked != info->size)
		printf(", asked for were %s", INFO_SIZE(bytes, info->asked));
	printf("\npages          %" PRIu64 " x %s of %s%s\n", info->nr_pages,
	       INFO_SIZE(bytes, info->page_size), backing_name(info->backing),
	       info->attributes & HPMAP_ATTR_RESERVE ? ", from the reserve" : "");
	printf("runs           %" PRIu64 "%s%s\n", info->nr_runs,
	       info->attributes & HPMAP_ATTR_CONTIGUOUS ? ", contiguous" : "",
	       info->attributes & HPMAP_ATTR_BELOW_4G ? ", below 4 GiB" : "");
	if (info->address)
		printf("address        %#" PRIx64 "\n", info->address);
	if (info->alignment)
		printf("aligned to     %s\n", INFO_SIZE(bytes, info->alignment));
	info_print_maker(info);
	info_print_held(info);
}

static int info_print_json(const struct hpmap_info *info, const uint64_t *pages, unsigned int nr)
{
	struct json_object *o = buffer_json(info), *nodes = json_object_new_object();
	char name[NODE_ROOM];
	unsigned int i;

	json_number(o, "address", info->address);
	json_number(o, "alignment", info->alignment);
	json_number(o, "pages", info->nr_pages);
	json_number(o, "huge", info->nr_huge);
	for (i = 0; i < nr; i++)
		if (pages[i])
			json_number(nodes, node_name(i, name), pages[i]);
	json_object_object_add(o, "nodes", nodes);
	return json_print(o);
}

/* Only a holder can have them counted; this process becomes one for a moment. */
static unsigned int info_count_nodes(const struct hpmap_info *info, uint64_t *pages)
{
	struct hpmap_buffer *buffer;
	unsigned int nr = MAX_NODES;

	if (!buffer_has_node(info) || buffer_open(info, &buffer))
		return 0;
	if (hpmap_nodes(buffer, pages, &nr) || nr > MAX_NODES)
		nr = 0;
	hpmap_close(buffer);
	return nr;
}

static int info_run(const struct args *a)
{
	static uint64_t pages[MAX_NODES];
	struct hpmap_info info;
	unsigned int nr;
	int ret = buffer_find(a->nr_words ? a->words[0] : NULL, &info);

	if (ret)
		return ret;
	nr = info_count_nodes(&info, pages);
	if (given(a, OPT_JSON))
		return info_print_json(&info, pages, nr);
	info_print(&info, given(a, OPT_BYTES));
	info_print_nodes(&info, pages, nr, given(a, OPT_BYTES));
	return EXIT_OK;
}

const struct command cmd_info = {
	.name = "info",
	.synopsis = "[NAME|ID] [--bytes | --json]",
	.summary = "describe one buffer; without a name, the default one",
	.options = BIT(OPT_BYTES) | BIT(OPT_JSON),
	.max_words = 1,
	.run = info_run,
};
