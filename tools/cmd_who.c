// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl who: what holds a buffer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/loaded.h"
#include "buffer.h"
#include "cmd_who.h"
#include "command.h"
#include "holders.h"
#include "json.h"
#include "report.h"

/* Processes; and in a table what is none. */
enum { WHO_BUFFER, WHO_ID, WHO_PID, WHO_OPEN, WHO_MAPPED, WHO_SIZE, WHO_COMMAND, NR_WHO };

static const struct column who_columns[NR_WHO] = {
	[WHO_BUFFER] = { "BUFFER", "buffer", 0 },
	[WHO_ID] = { "ID", "id", COLUMN_RIGHT | COLUMN_MORE },
	[WHO_PID] = { "PID", "pid", COLUMN_RIGHT },
	[WHO_OPEN] = { "OPEN", "descriptors", COLUMN_RIGHT },
	[WHO_MAPPED] = { "MAPPED", "mappings", COLUMN_RIGHT },
	[WHO_SIZE] = { "SIZE", "mapped", COLUMN_RIGHT },
	[WHO_COMMAND] = { "COMMAND", "command", 0 },
};

/* Buffers, for JSON alone. */
enum { HOLDS_BUFFER, HOLDS_ID, HOLDS_HELD, NR_HOLDS = HOLDS_HELD + NR_HELD };

static const struct column holds_columns[NR_HOLDS] = {
	[HOLDS_BUFFER] = { NULL, "buffer", 0 },
	[HOLDS_ID] = { NULL, "id", 0 },
	HELD_COLUMNS(HOLDS_HELD),
};

/**
 * struct who - what was found
 * @holders: processes and the buffers they hold, @nr of them
 * @nr: how many
 * @hidden: how many processes could not be looked at; -1 for all
 * @rows: of who_columns
 * @buffers: of holds_columns, with --json
 */
struct who {
	struct holder *holders;
	size_t nr;
	int hidden;
	struct rows rows;
	struct rows buffers;
};

/* The name of a buffer as it is typed. */
static const char *who_name(uint32_t id, char text[HPMAP_NAME_SIZE])
{
	struct hpmap_info info = { .struct_size = sizeof(info) };

	if (!id)
		return "?";
	snprintf(text, HPMAP_NAME_SIZE, "id:%u", id);
	if (!hpmap_next(id, &info) && info.id == id && buffer_has_node(&info))
		memcpy(text, info.name, HPMAP_NAME_SIZE);
	return text;
}

static void who_row(struct rows *r, const struct holder *h)
{
	char name[HPMAP_NAME_SIZE];

	rows_add(r);
	row_text(r, WHO_BUFFER, who_name(h->id, name));
	row_number(r, WHO_ID, h->id);
	row_signed(r, WHO_PID, h->pid);
	row_text(r, WHO_COMMAND, h->comm);
	row_number(r, WHO_OPEN, h->descriptors);
	row_number(r, WHO_MAPPED, h->mappings);
	row_size(r, WHO_SIZE, h->mapped);
}

/* A row of a table, for what is no process. */
static void who_row_other(struct rows *r, uint32_t id, const char *open, const char *mapped,
			  const char *what)
{
	char name[HPMAP_NAME_SIZE], text[HELD_ROOM + 2];

	snprintf(text, sizeof(text), "(%s)", what);
	rows_add(r);
	row_text(r, WHO_BUFFER, who_name(id, name));
	row_number(r, WHO_ID, id);
	row_show(r, WHO_PID, "-");
	row_show(r, WHO_OPEN, open);
	row_show(r, WHO_MAPPED, mapped);
	row_show(r, WHO_SIZE, "-");
	row_show(r, WHO_COMMAND, text);
}

/* What is left of @held without the processes that were seen. */
static void who_subtract_seen(const struct who *w, uint32_t id, struct held *held)
{
	struct held seen = {};
	size_t i;

	for (i = 0; i < w->nr; i++) {
		if (w->holders[i].id != id)
			continue;
		seen.descriptors += w->holders[i].descriptors;
		seen.mappings += w->holders[i].mappings;
	}
	held->descriptors -= seen.descriptors < held->descriptors ? seen.descriptors :
			     held->descriptors;
	held->mappings -= seen.mappings < held->mappings ? seen.mappings : held->mappings;
}

/* What holds a buffer and is no process, or in none that was seen. */
static void who_others(struct who *w, uint32_t id)
{
	char name[HPMAP_NAME_SIZE], open[16], mapped[16], text[HELD_ROOM];
	struct held held;

	if (held_read(id, &held))
		return;
	if (w->buffers.array) {
		rows_add(&w->buffers);
		row_text(&w->buffers, HOLDS_BUFFER, who_name(id, name));
		row_number(&w->buffers, HOLDS_ID, id);
		held_cells(&w->buffers, HOLDS_HELD, &held);
		return;
	}
	who_subtract_seen(w, id, &held);
	if (held.descriptors || held.mappings) {
		snprintf(open, sizeof(open), "%u", held.descriptors);
		snprintf(mapped, sizeof(mapped), "%u", held.mappings);
		who_row_other(&w->rows, id, open, mapped, "in no process that is seen");
	}
	held.descriptors = held.mappings = 0;
	if (*held_text(&held, text))
		who_row_other(&w->rows, id, "-", "-", text);
}

/* Fill in the rows, of @only that buffer if it is not NULL. */
static void who_find(struct who *w, const struct hpmap_info *only)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	uint32_t id;
	size_t i;

	w->hidden = holders_find(&w->holders, &w->nr);
	for (i = 0; i < w->nr; i++)
		/* What cannot be told apart may be the one that is asked for. */
		if (!only || !w->holders[i].id || w->holders[i].id == only->id)
			who_row(&w->rows, &w->holders[i]);
	if (only)
		who_others(w, only->id);
	for (id = 0; !only && !hpmap_next(id, &info); id = info.id + 1)
		who_others(w, info.id);
	free(w->holders);
}

/* All holders; with --json processes alone. Returns an exit code. */
int who_rows(struct rows *r, const struct args *a)
{
	struct who w = {};
	int ret = rows_begin(&w.rows, who_columns, NR_WHO, a);

	if (ret)
		return ret;
	if (given(a, OPT_JSON))
		rows_begin_json(&w.buffers, holds_columns, NR_HOLDS);
	who_find(&w, NULL);
	json_object_put(w.buffers.array);
	*r = w.rows;
	return 0;
}

static void who_print_json(const struct who *w)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "holders", w->rows.array);
	json_object_object_add(o, "buffers", w->buffers.array);
	json_number(o, "hidden_processes", w->hidden < 0 ? 0 : w->hidden);
	json_print(o);
}

static void who_complain_of_hidden(const struct who *w)
{
	if (w->hidden < 0) {
		complain("/proc cannot be read, so processes are not seen"
			 TRY "sudo mount -t proc proc /proc");
	} else if (w->hidden) {
		complain("%d process%s of other users could not be looked at", w->hidden,
			 w->hidden == 1 ? "" : "es");
		try_again("sudo ", "");
	}
}

static int who_run(const struct args *a)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	const char *name = a->nr_words ? a->words[0] : NULL;
	struct who w = {};
	int ret;

	if (module_loaded() == NO) {
		complain("hpage_map is not loaded, so nobody holds a buffer of it"
			 TRY "sudo modprobe hpage_map");
		return EXIT_NO_MODULE;
	}
	ret = rows_begin(&w.rows, who_columns, NR_WHO, a);
	if (ret)
		return ret;
	if (given(a, OPT_JSON))
		rows_begin_json(&w.buffers, holds_columns, NR_HOLDS);
	/* Without a name this is only to see whether the door is open. */
	ret = name ? buffer_find(name, &info) : hpmap_next(0, &info);
	if (ret && (name || ret != -ENOENT))
		return name ? ret : failed(ret, NULL);
	who_find(&w, name ? &info : NULL);
	if (given(a, OPT_JSON))
		who_print_json(&w);
	else if (w.rows.nr)
		rows_print(&w.rows);
	else if (!given(a, OPT_NOHEADINGS))
		printf("nobody%s holds %s\n", geteuid() ? " that you may see" : "",
		       name ? name : "a buffer");
	who_complain_of_hidden(&w);
	return w.hidden < 0 ? EXIT_FAILED : EXIT_OK;
}

const struct command cmd_who = {
	.name = "who",
	.synopsis = "[NAME|ID] [OPTION]...",
	.summary = "show what holds a buffer: processes, and what is no process",
	.more = "A \"?\" is a mapping that is all that is left of a buffer without a name.\n"
		"In parentheses: dma-bufs, drivers, devices, and pages that linger.\n"
		"Root sees all processes, others their own.\n",
	.options = TABLE,
	.columns = who_columns,
	.nr_columns = NR_WHO,
	.max_words = 1,
	.run = who_run,
};
