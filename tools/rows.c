// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows, for people as a table and for programs as JSON.
 *
 * Columns are described once and a row is filled in once, for both. A table is
 * laid out by libsmartcols. JSON is made by json-c: its members have other names
 * than the columns, sizes in bytes, and stand in larger objects.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libsmartcols/libsmartcols.h>

#include "json.h"
#include "report.h"
#include "rows.h"

/* For --help: what --output can name. */
void columns_help(const struct column *columns, unsigned int nr)
{
	int width = printf("\ncolumns:");
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (!columns[i].head)
			continue;
		if (width + 1 + strlen(columns[i].head) > 79)
			width = printf("\n        ") - 1;
		width += printf(" %s", columns[i].head);
	}
	putchar('\n');
}

/* The column @length characters of @name mean, or -1. */
static int column_find(const struct rows *r, const char *name, size_t length)
{
	unsigned int i;

	for (i = 0; i < r->nr_columns; i++)
		if (r->columns[i].head && strlen(r->columns[i].head) == length &&
		    !strncasecmp(r->columns[i].head, name, length))
			return i;
	return -1;
}

static void column_show(struct rows *r, unsigned int i)
{
	unsigned int flags = r->columns[i].flags;
	struct libscols_column *c;

	if (r->shown[i])
		return;
	c = scols_table_new_column(r->table, r->columns[i].head, 0,
				   (flags & COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0) |
				   (flags & COLUMN_LINES ? SCOLS_FL_WRAP : 0));
	if (!c)
		abort();
	if (flags & COLUMN_LINES) {
		scols_column_set_wrapfunc(c, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
		scols_column_set_safechars(c, "\n");
	}
	r->shown[i] = c;
}

/* Show the columns that a list as "NAME,size" names. Complains, and returns an exit code. */
static int columns_choose(struct rows *r, const char *list)
{
	size_t length;
	int i;

	for (;; list += length + 1) {
		length = strcspn(list, ",");
		i = column_find(r, list, length);
		if (i < 0) {
			complain("there is no column '%.*s'", (int)length, list);
			try_help();
			return EXIT_USAGE;
		}
		column_show(r, i);
		if (!list[length])
			return 0;
	}
}

void rows_begin_json(struct rows *r, const struct column *columns, unsigned int nr)
{
	*r = (struct rows){ .columns = columns, .nr_columns = nr };
	r->array = json_object_new_array();
}

/*
 * Begin a table, or with --json an array of objects: of columns that last as long. Complains, and
 * returns an exit code.
 */
int rows_begin(struct rows *r, const struct column *columns, unsigned int nr, const struct args *a)
{
	unsigned int i;

	if (given(a, OPT_JSON)) {
		rows_begin_json(r, columns, nr);
		return 0;
	}
	*r = (struct rows){
		.columns = columns, .nr_columns = nr, .bytes = given(a, OPT_BYTES),
	};
	r->table = scols_new_table();
	if (!r->table || scols_table_set_column_separator(r->table, "  "))
		abort();
	scols_table_enable_noheadings(r->table, given(a, OPT_NOHEADINGS));
	/* A terminal breaks a line that is too long; nothing is to be cut off. */
	scols_table_set_termforce(r->table, SCOLS_TERMFORCE_NEVER);
	if (a->output)
		return columns_choose(r, a->output);
	for (i = 0; i < nr; i++)
		if (columns[i].head && !(columns[i].flags & COLUMN_MORE))
			column_show(r, i);
	return 0;
}

/* The next row; what is filled in after this is in it. */
void rows_add(struct rows *r)
{
	r->nr++;
	if (r->table) {
		r->line = scols_table_new_line(r->table, NULL);
		if (!r->line)
			abort();
		return;
	}
	r->object = json_object_new_object();
	json_object_array_add(r->array, r->object);
}

/* What the table shows, where that is not the value: after the value, if there is one. */
void row_show(struct rows *r, unsigned int column, const char *text)
{
	if (r->table && r->shown[column] &&
	    scols_line_set_column_data(r->line, r->shown[column], text))
		abort();
}

/* A value, and how a table shows it. */
static void row_set(struct rows *r, unsigned int column, struct json_object *value,
		    const char *text)
{
	if (!r->table && r->columns[column].member)
		json_object_object_add(r->object, r->columns[column].member, value);
	else
		json_object_put(value);
	row_show(r, column, text);
}

void row_text(struct rows *r, unsigned int column, const char *text)
{
	row_set(r, column, json_string(text), text);
}

void row_number(struct rows *r, unsigned int column, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	row_set(r, column, json_object_new_uint64(number), text);
}

void row_signed(struct rows *r, unsigned int column, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	row_set(r, column, json_object_new_int64(number), text);
}

void row_size(struct rows *r, unsigned int column, uint64_t bytes)
{
	if (r->bytes)
		row_number(r, column, bytes);
	else
		row_set(r, column, json_object_new_uint64(bytes), SIZE_TEXT(bytes));
}

void row_truth(struct rows *r, unsigned int column, bool truth)
{
	row_set(r, column, json_object_new_boolean(truth), truth ? "yes" : "no");
}

/* A value that cannot be seen. */
void row_null(struct rows *r, unsigned int column)
{
	row_set(r, column, NULL, "?");
}

/* Give the rows back. */
void rows_free(struct rows *r)
{
	scols_unref_table(r->table);
	json_object_put(r->array);
	*r = (struct rows){};
}

/* Print the table; the rows are gone then. */
void rows_print(struct rows *r)
{
	scols_print_table(r->table);
	rows_free(r);
}
