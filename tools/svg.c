// SPDX-License-Identifier: GPL-2.0-only
/* The layout of a buffer as a drawing: one rectangle for each row of a run. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "buffer.h"
#include "report.h"
#include "svg.h"

#define COLUMNS		64
#define CELL		11
#define LEFT		80
#define TOP		56
#define ROWS		32

static const char *const svg_fills[] = {
	"#8ecae6", "#ffd166", "#a7d49b", "#f4a6a6", "#c8b6e2", "#8fd3c8", "#f6bd85", "#d6cf9a",
};

static void svg_head(FILE *to, const struct picture *p, unsigned int rows)
{
	char text[BUFFER_ROOM];

	fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
		"font-family=\"sans-serif\" font-size=\"12\">\n", LEFT + COLUMNS * CELL + 16,
		TOP + (int)rows * (CELL + 5) + 16);
	fprintf(to, "<title>Layout of the buffer %s</title>\n", p->info->name);
	fprintf(to, "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n");
	fprintf(to, "<text x=\"16\" y=\"24\" font-size=\"14\">%s, %s</text>\n", p->info->name,
		buffer_text(p->info, text));
	fprintf(to, "<text x=\"16\" y=\"42\" fill=\"#555555\">Offsets run from left to right; "
		"where the colour changes, another physical run begins.</text>\n");
}

/* The run @i from cell @from to cell @end, which may go over several rows. */
static void svg_run(FILE *to, const struct picture *p, unsigned int i, uint64_t from, uint64_t end)
{
	uint64_t row, next;

	for (; from < end; from = next) {
		row = from / COLUMNS;
		next = (row + 1) * COLUMNS < end ? (row + 1) * COLUMNS : end;
		fprintf(to, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\">"
			"<title>run %u: %s at %#" PRIx64 ", node %d</title></rect>\n",
			LEFT + (int)(from % COLUMNS) * CELL, TOP + (int)row * (CELL + 5),
			(int)(next - from) * CELL - 1, CELL, svg_fills[i % 8], i,
			SIZE_TEXT(p->runs[i].size), p->runs[i].address, p->nodes[i]);
	}
}

static void svg_draw(FILE *to, const struct picture *p)
{
	uint64_t page = p->info->page_size, step, at = 0, cells, r;
	unsigned int i;

	step = (p->info->size / page + COLUMNS * ROWS - 1) / (COLUMNS * ROWS) * page;
	cells = (p->info->size + step - 1) / step;
	svg_head(to, p, (cells + COLUMNS - 1) / COLUMNS);
	for (r = 0; r * COLUMNS < cells; r++)
		fprintf(to, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"#555555\" "
			"font-size=\"10\">%s</text>\n", LEFT - 8, TOP + (int)r * (CELL + 5) + 9,
			SIZE_TEXT(r * COLUMNS * step));
	for (i = 0; i < p->nr; i++) {
		svg_run(to, p, i, (at + step - 1) / step,
			(at + p->runs[i].size + step - 1) / step);
		at += p->runs[i].size;
	}
	fprintf(to, "</svg>\n");
}

/* "-" is the standard output. Complains, and returns an exit code. */
int svg_write(const char *path, const struct picture *p)
{
	FILE *to = strcmp(path, "-") ? fopen(path, "we") : stdout;
	int err;

	if (!to) {
		err = errno;
		complain("%s: %s", path, strerror(err));
		return exit_code(-err);
	}
	svg_draw(to, p);
	err = ferror(to);
	if (to != stdout)
		err |= fclose(to);
	if (!err)
		return EXIT_OK;
	complain("%s cannot be written", path);
	return EXIT_FAILED;
}
