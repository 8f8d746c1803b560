// SPDX-License-Identifier: GPL-2.0-only
/* Buffers of the module: which is meant, and what it is. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "buffer.h"
#include "names.h"
#include "parse.h"
#include "report.h"

#define DEFAULT_NAME	"default"
#define NODES		"/dev/hpage/"

const struct column buffer_columns[NR_BUFFER] = {
	[BUFFER_NAME] = { "NAME", "name", 0 },
	[BUFFER_ID] = { "ID", "id", COLUMN_RIGHT },
	[BUFFER_SIZE] = { "SIZE", "length", COLUMN_RIGHT },
	[BUFFER_ASKED] = { "ASKED", "asked", COLUMN_RIGHT | COLUMN_MORE },
	[BUFFER_PAGE] = { "PAGE", "page_size", COLUMN_RIGHT },
	[BUFFER_BACKING] = { "BACKING", "backing", 0 },
	[BUFFER_NODE] = { "NODE", "node", COLUMN_RIGHT },
	[BUFFER_RUNS] = { "RUNS", "runs", COLUMN_RIGHT },
	[BUFFER_CONTIGUOUS] = { "CONTIGUOUS", "contiguous", COLUMN_MORE },
	[BUFFER_BELOW_4G] = { "BELOW-4G", "below_4g", COLUMN_MORE },
	[BUFFER_RESERVE] = { "RESERVE", "reserve", COLUMN_MORE },
	[BUFFER_NAMED] = { "NAMED", "named", COLUMN_MORE },
	[BUFFER_DEFAULT] = { "DEFAULT", "default", COLUMN_MORE },
	HELD_COLUMNS(BUFFER_HELD),
	[BUFFER_BY] = { "BY", NULL, 0 },
	[BUFFER_UID] = { "UID", "uid", COLUMN_RIGHT | COLUMN_MORE },
	[BUFFER_CREATOR] = { "CREATOR", "creator", COLUMN_RIGHT | COLUMN_MORE },
};

/* "#7" and "id:7" mean the buffer with the id 7. Returns whether @name is of that kind. */
static bool buffer_id_read(const char *name, uint64_t *id)
{
	if (*name == '#')
		return !number_read(name + 1, id);
	return !strncmp(name, "id:", 3) && !number_read(name + 3, id);
}

/* Is it meant by a name, or by the path of its node? "default" is the default buffer. */
static bool buffer_is_named(const struct hpmap_info *info, const char *name)
{
	if (!strcmp(name, DEFAULT_NAME))
		return info->attributes & HPMAP_ATTR_DEFAULT;
	if (!strncmp(name, NODES, strlen(NODES)))
		name += strlen(NODES);
	return info->attributes & HPMAP_ATTR_NAMED && !strcmp(info->name, name);
}

/* A buffer by its name or node, or else by its id, of which "7" is short. Returns 0 or -errno. */
static int buffer_search(const char *name, struct hpmap_info *info)
{
	struct hpmap_info next = { .struct_size = sizeof(next) };
	bool by_id, short_id, found = false;
	uint64_t wanted = 0;
	uint32_t id = 0;
	int ret;

	by_id = buffer_id_read(name, &wanted);
	short_id = !by_id && !number_read(name, &wanted);
	while (!(ret = hpmap_next(id, &next))) {
		if (by_id ? next.id == wanted : buffer_is_named(&next, name)) {
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

/* Find a buffer by its name or id; NULL is the default one. Complains, and returns an exit code. */
int buffer_find(const char *name, struct hpmap_info *info)
{
	int ret = buffer_search(name ? name : DEFAULT_NAME, info);

	if (ret != -ENOENT)
		return ret ? failed(ret, NULL) : 0;
	if (!name || !strcmp(name, DEFAULT_NAME))
		complain("the default buffer is not made yet" TRY "head -c 1 /dev/hpage_map");
	else
		complain("there is no buffer %s" TRY "hpagectl list", name);
	return EXIT_NOT_THERE;
}

/* Does a buffer have this name? The driver decides, but only after it has got the pages. */
bool buffer_exists(const char *name)
{
	struct hpmap_info info;

	return !buffer_search(name, &info) && info.attributes & HPMAP_ATTR_NAMED &&
		!strcmp(info.name, name);
}

/* May a buffer get this name? Complains about @what, and returns an exit code. */
int buffer_name_check(const char *what, const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	if (!strcmp(name, DEFAULT_NAME) || !strcmp(name, "hpage_map")) {
		complain("%s: %s is the name of the buffer of /dev/hpage_map", what, name);
		return EXIT_USAGE;
	}
	if (*name && !strchr("._-", *name) && !name[strspn(name, letters)] &&
	    strlen(name) < HPMAP_NAME_SIZE)
		return 0;
	complain("%s: that is no name: one has up to %d letters, digits, '.', '_' and '-', and "
		 "begins with a letter or a digit", what, HPMAP_NAME_SIZE - 1);
	return EXIT_USAGE;
}

/* Can pages have this size, or is it 0? As the library has it, complains about @what. */
int buffer_page_size_check(const char *what, uint64_t page_size)
{
	if (!page_size || (page_size >= (uint64_t)sysconf(_SC_PAGESIZE) &&
			   !(page_size & (page_size - 1))))
		return 0;
	complain("%s: %s is no page size" TRY "hpagectl pool", what, SIZE_TEXT(page_size));
	return EXIT_USAGE;
}

/* May the door be opened? Complains about @what, and returns an exit code. */
int buffer_door_check(const char *what)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	int ret = hpmap_next(0, &info);

	return ret && ret != -ENOENT ? failed(ret, what) : 0;
}

/* Others can be held, but not opened. */
bool buffer_has_node(const struct hpmap_info *info)
{
	return info->attributes & (HPMAP_ATTR_NAMED | HPMAP_ATTR_DEFAULT);
}

/* Open it for reading. Returns 0 or -errno. */
int buffer_open(const struct hpmap_info *info, struct hpmap_buffer **buffer)
{
	return hpmap_open(info->attributes & HPMAP_ATTR_NAMED ? info->name : NULL, HPMAP_READ_ONLY,
			  buffer);
}

/* "64 MiB: 32 x 2 MiB of hugetlb, 3 runs, node 0" */
const char *buffer_text(const struct hpmap_info *info, char text[BUFFER_ROOM])
{
	char node[NODE_ROOM], runs[40] = "";

	if (info->nr_runs)
		snprintf(runs, sizeof(runs), ", %llu run%s", (unsigned long long)info->nr_runs,
			 plural(info->nr_runs));
	snprintf(text, BUFFER_ROOM, "%s: %llu x %s of %s%s, node%s %s", SIZE_TEXT(info->size),
		 (unsigned long long)info->nr_pages, SIZE_TEXT(info->page_size),
		 backing_name(info->backing), runs, info->node == HPMAP_NODE_MIXED ? "s" : "",
		 node_name(info->node, node));
	return text;
}

/* Add a row. */
void buffer_row(struct rows *r, const struct hpmap_info *i)
{
	char name[HPMAP_NAME_SIZE + 2], id[16], node[NODE_ROOM], user[USER_ROOM];
	struct held held;

	rows_add(r);
	row_number(r, BUFFER_ID, i->id);
	snprintf(id, sizeof(id), "id:%u", i->id);
	row_show(r, BUFFER_ID, id);
	row_text(r, BUFFER_NAME, i->name);
	/* A tag is not a name. */
	snprintf(name, sizeof(name), buffer_has_node(i) ? "%s" : *i->name ? "(%s)" : "-", i->name);
	row_show(r, BUFFER_NAME, name);
	row_truth(r, BUFFER_NAMED, i->attributes & HPMAP_ATTR_NAMED);
	row_truth(r, BUFFER_DEFAULT, i->attributes & HPMAP_ATTR_DEFAULT);
	row_size(r, BUFFER_SIZE, i->size);
	row_size(r, BUFFER_ASKED, i->asked);
	row_size(r, BUFFER_PAGE, i->page_size);
	row_text(r, BUFFER_BACKING, backing_name(i->backing));
	row_signed(r, BUFFER_NODE, i->node);
	row_show(r, BUFFER_NODE, node_name(i->node, node));
	row_number(r, BUFFER_RUNS, i->nr_runs);
	row_truth(r, BUFFER_CONTIGUOUS, i->attributes & HPMAP_ATTR_CONTIGUOUS);
	row_truth(r, BUFFER_BELOW_4G, i->attributes & HPMAP_ATTR_BELOW_4G);
	row_truth(r, BUFFER_RESERVE, i->attributes & HPMAP_ATTR_RESERVE);
	row_signed(r, BUFFER_CREATOR, i->creator);
	row_number(r, BUFFER_UID, i->uid);
	row_show(r, BUFFER_BY, user_name(i->uid, user));
	held_of(i, &held);
	held_cells(r, BUFFER_HELD, &held);
}

/* One buffer as an object, to which more may be added. */
struct json_object *buffer_json(const struct hpmap_info *info)
{
	struct json_object *o;
	struct rows r;

	rows_begin_json(&r, buffer_columns, NR_BUFFER);
	buffer_row(&r, info);
	o = json_object_get(r.object);
	json_object_put(r.array);
	return o;
}
