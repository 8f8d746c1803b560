// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl layout: where the pages of a buffer are, as a picture.
 *
 * A cell is a page, or as many pages as it takes to make the picture fit; its
 * letter is that of the run in which it begins. Runs beyond the 52nd begin the
 * letters anew; neighbours always differ.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "command.h"
#include "file.h"
#include "json.h"
#include "names.h"
#include "nodes.h"
#include "report.h"
#include "svg.h"

#define MAX_ROWS	32
#define MAX_SHOWN	64

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/* Backgrounds that neighbours differ by, in 256 colours, with black letters. */
static const unsigned char colours[] = { 117, 222, 151, 217, 183, 116, 216, 187 };

enum { RUN_LETTER, RUN_OFFSET, RUN_LENGTH, RUN_ADDRESS, RUN_NODE, NR_RUN };

static const struct column run_columns[NR_RUN] = {
	[RUN_LETTER] = { "RUN", NULL, 0 },
	[RUN_OFFSET] = { "OFFSET", "offset", COLUMN_RIGHT },
	[RUN_LENGTH] = { "LENGTH", "length", COLUMN_RIGHT },
	[RUN_ADDRESS] = { "ADDRESS", "address", COLUMN_RIGHT },
	[RUN_NODE] = { "NODE", "node", COLUMN_RIGHT },
};

/* The node of a physical address: memory comes in blocks, which the directories of nodes list. */
static int address_node(uint64_t address)
{
	char text[32];
	uint64_t block, size;
	int nodes[MAX_NODES], nr = nodes_online(nodes), i;

	if (nr == 1)
		return nodes[0];
	if (file_read(text, sizeof(text), "/sys/devices/system/memory/block_size_bytes") <= 0)
		return -1;
	size = strtoull(text, NULL, 16);
	if (!size)
		return -1;
	block = address / size;
	for (i = 0; i < nr; i++)
		if (file_read(text, sizeof(text),
			      "/sys/devices/system/node/node%d/memory%llu/online", nodes[i],
			      (unsigned long long)block) > 0)
			return nodes[i];
	return -1;
}

static char run_letter(unsigned int run)
{
	return letters[run % (sizeof(letters) - 1)];
}

static void cell_print(unsigned int run, bool colour)
{
	if (colour)
		printf("\033[30;48;5;%um%c\033[0m", colours[run % sizeof(colours)],
		       run_letter(run));
	else
		putchar(run_letter(run));
}

static void picture_print(const struct picture *p)
{
	uint64_t page = p->info->page_size, length = p->info->size, step, at, end;
	unsigned int columns = (terminal_width() - 12) / 8 * 8, run = 0, n;
	bool colour = terminal_has_colours(stdout);

	if (columns > 64)
		columns = 64;
	step = (length / page + (uint64_t)columns * MAX_ROWS - 1) / ((uint64_t)columns * MAX_ROWS) *
		page;
	printf("each letter is %s, another letter another run\n\n", SIZE_TEXT(step));
	end = p->nr ? p->runs[0].size : 0;
	for (at = 0, n = 0; at < length; at += step, n++) {
		while (run + 1 < p->nr && at >= end)
			end += p->runs[++run].size;
		if (n % columns == 0)
			printf("%s%10s  ", n ? "\n" : "", SIZE_TEXT(at));
		cell_print(run, colour);
	}
	printf("\n\n");
}

/* Add rows for the first @nr runs. */
static void runs_rows(struct rows *r, const struct picture *p, unsigned int nr)
{
	char address[24], letter[2] = "";
	uint64_t at = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		*letter = run_letter(i);
		snprintf(address, sizeof(address), "%#" PRIx64, p->runs[i].address);
		rows_add(r);
		row_text(r, RUN_LETTER, letter);
		row_size(r, RUN_OFFSET, at);
		row_size(r, RUN_LENGTH, p->runs[i].size);
		row_number(r, RUN_ADDRESS, p->runs[i].address);
		row_show(r, RUN_ADDRESS, address);
		row_signed(r, RUN_NODE, p->nodes[i]);
		if (p->nodes[i] < 0)
			row_show(r, RUN_NODE, "?");
		at += p->runs[i].size;
	}
}

static int layout_print(const struct picture *p, const struct args *a)
{
	char text[BUFFER_ROOM];
	struct json_object *o;
	struct rows r;
	int ret = rows_begin(&r, run_columns, NR_RUN, a);

	if (ret)
		return ret;
	if (r.array) {
		runs_rows(&r, p, p->nr);
		o = buffer_json(p->info);
		json_object_object_add(o, "layout", r.array);
		return json_print(o);
	}
	printf("%s, %s\n", p->info->name, buffer_text(p->info, text));
	picture_print(p);
	runs_rows(&r, p, p->nr < MAX_SHOWN ? p->nr : MAX_SHOWN);
	rows_print(&r);
	if (p->nr > MAX_SHOWN)
		printf("and %u more; hpagectl layout --json has all\n", p->nr - MAX_SHOWN);
	return EXIT_OK;
}

/* Open the buffer, which must have a node. Complains, and returns an exit code. */
static int layout_open(const struct hpmap_info *info, struct hpmap_buffer **buffer)
{
	int ret;

	if (!buffer_has_node(info)) {
		complain("buffer id:%u has no name, so nobody but its holders can open it",
			 info->id);
		return EXIT_DENIED;
	}
	ret = buffer_open(info, buffer);
	return ret ? failed(ret, NULL) : 0;
}

/* Fill in the runs and their nodes. Complains, and returns an exit code. */
static int layout_read(struct picture *p, struct hpmap_run **runs, int **nodes)
{
	struct hpmap_buffer *buffer;
	int ret = layout_open(p->info, &buffer);
	unsigned int i, room;

	if (ret)
		return ret;
	p->nr = room = p->info->nr_runs;
	p->runs = *runs = calloc(p->nr, sizeof(**runs));
	p->nodes = *nodes = calloc(p->nr, sizeof(**nodes));
	if (!*runs || !*nodes) {
		complain("no memory for %u run%s", p->nr, plural(p->nr));
		ret = EXIT_FAILED;
	} else {
		ret = hpmap_get_runs(buffer, 0, *runs, &p->nr);
		if (ret)
			ret = failed(ret, NULL);
		/* Another buffer may have the name by now. */
		if (p->nr > room)
			p->nr = room;
	}
	hpmap_close(buffer);
	for (i = 0; !ret && i < p->nr; i++)
		(*nodes)[i] = p->info->node >= 0 ? p->info->node :
			      address_node((*runs)[i].address);
	return ret;
}

static int layout_run(const struct args *a)
{
	struct hpmap_run *runs = NULL;
	struct hpmap_info info;
	int *nodes = NULL;
	struct picture p = { .info = &info };
	int ret = buffer_find(a->nr_words ? a->words[0] : NULL, &info);

	if (!ret)
		ret = layout_read(&p, &runs, &nodes);
	if (!ret)
		ret = a->svg ? svg_write(a->svg, &p) : layout_print(&p, a);
	free(runs);
	free(nodes);
	return ret;
}

const struct command cmd_layout = {
	.name = "layout",
	.synopsis = "[NAME|ID] [--svg FILE | --json]",
	.summary = "draw where in physical memory the pages of a buffer are",
	.more = "Physical addresses are shown to root only.\n",
	.options = BIT(OPT_SVG) | BIT(OPT_JSON),
	.max_words = 1,
	.run = layout_run,
};
