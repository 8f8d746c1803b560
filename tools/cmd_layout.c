// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl layout: where the pages of a buffer are, as a picture.
 *
 * A cell is a page, or as many pages as it takes to make the picture fit; its
 * letter is that of the run in which it begins. Runs beyond the 52nd begin the
 * letters anew; neighbours always differ.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hpagectl.h"

#define MAX_ROWS	32
#define MAX_TOLD	64

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/* Backgrounds that neighbours tell apart, in 256 colours, with black letters. */
static const unsigned char colours[] = { 117, 222, 151, 217, 183, 116, 216, 187 };

/* The node of a physical address: memory comes in blocks, which nodes name. */
static int node_at(uint64_t address)
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

static void cell(unsigned int run, bool colour)
{
	char c = letters[run % (sizeof(letters) - 1)];

	if (colour)
		printf("\033[30;48;5;%um%c\033[0m", colours[run % sizeof(colours)], c);
	else
		putchar(c);
}

static void draw(const struct picture *p)
{
	uint64_t page = p->info->page_size, length = p->info->length, step, at, end;
	unsigned int columns = (width() - 12) / 8 * 8, run = 0, n;
	bool colour = colourful(stdout);
	char size[SIZE_ROOM];

	if (columns > 64)
		columns = 64;
	step = (length / page + (uint64_t)columns * MAX_ROWS - 1) / ((uint64_t)columns * MAX_ROWS) *
		page;
	printf("each letter is %s, another letter another run\n\n", size_show(step, size));
	end = p->nr ? p->runs[0].length : 0;
	for (at = 0, n = 0; at < length; at += step, n++) {
		while (run + 1 < p->nr && at >= end)
			end += p->runs[++run].length;
		if (n % columns == 0)
			printf("%s%10s  ", n ? "\n" : "", size_show(at, size));
		cell(run, colour);
	}
	printf("\n\n");
}

static void tell(const struct picture *p)
{
	char offset[SIZE_ROOM], length[SIZE_ROOM], address[24], node[16], letter[2] = "";
	uint64_t at = 0;
	unsigned int i;

	table_row(5, "RUN", "OFFSET", "LENGTH", "ADDRESS", "NODE");
	for (i = 0; i < p->nr && i < MAX_TOLD; i++) {
		*letter = letters[i % (sizeof(letters) - 1)];
		snprintf(address, sizeof(address), "%#" PRIx64, p->runs[i].address);
		table_row(5, letter, size_show(at, offset), size_show(p->runs[i].length, length),
			  address, p->nodes[i] < 0 ? "?" : node_name(p->nodes[i], node));
		at += p->runs[i].length;
	}
	table_print();
	if (p->nr > MAX_TOLD)
		printf("and %u more; hpagectl layout --json tells all\n", p->nr - MAX_TOLD);
}

static int print(const struct picture *p)
{
	struct json_object *o = buffer_json(p->info), *array = json_object_new_array(), *run;
	uint64_t at = 0;
	unsigned int i;

	for (i = 0; i < p->nr; i++) {
		run = json_object_new_object();
		json_number(run, "offset", at);
		json_number(run, "length", p->runs[i].length);
		json_number(run, "address", p->runs[i].address);
		json_signed(run, "node", p->nodes[i]);
		json_object_array_add(array, run);
		at += p->runs[i].length;
	}
	json_object_object_add(o, "layout", array);
	return print_json(o);
}

/* Ask for the runs. Complains, and returns an exit code. */
static int ask(struct picture *p, struct hpmap_run **runs, int **nodes)
{
	struct hpmap_buffer *buffer;
	int ret = open_buffer(p->info, &buffer);
	unsigned int i;

	if (ret)
		return ret;
	p->nr = p->info->nr_runs;
	*runs = calloc(p->nr, sizeof(**runs));
	*nodes = calloc(p->nr, sizeof(**nodes));
	if (!*runs || !*nodes) {
		complain("no memory for %u runs", p->nr);
		ret = EXIT_FAILED;
	} else {
		ret = hpmap_runs(buffer, 0, *runs, &p->nr);
		if (ret)
			ret = failed(ret, NULL);
	}
	hpmap_free(buffer);
	for (i = 0; !ret && i < p->nr; i++)
		(*nodes)[i] = p->info->node >= 0 ? p->info->node : node_at((*runs)[i].address);
	return ret;
}

static int layout(const struct args *a)
{
	struct hpmap_run *runs = NULL;
	struct hpmap_info info;
	int *nodes = NULL;
	struct picture p = { .info = &info };
	char text[160];
	int ret;

	if (a->svg && given(a, OPT_JSON)) {
		complain("--svg and --json exclude each other");
		return EXIT_USAGE;
	}
	ret = find_buffer(a->nr_words ? a->words[0] : "default", &info);
	if (!ret)
		ret = ask(&p, &runs, &nodes);
	p.runs = runs;
	p.nodes = nodes;
	if (!ret && given(a, OPT_JSON)) {
		ret = print(&p);
	} else if (!ret && a->svg) {
		ret = svg_write(a->svg, &p);
	} else if (!ret) {
		describe(text, sizeof(text), info.length, info.page_size, info.backing,
			 info.nr_runs, info.node);
		printf("%s, %s\n", info.name, text);
		draw(&p);
		tell(&p);
	}
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
	.run = layout,
};
