/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ROWS_H
#define ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

struct json_object;
struct libscols_column;
struct libscols_line;
struct libscols_table;

#define MAX_COLUMNS	32

enum {
	COLUMN_RIGHT = 1 << 0,	/* figures */
	COLUMN_MORE = 1 << 1,	/* shown when --output names it */
	COLUMN_LINES = 1 << 2,	/* a cell may have several lines */
};

/**
 * struct column - a column of a table, and a member of an object in JSON
 * @head: of the table, and the word for --output; NULL where no table has it
 * @member: its name in JSON, or NULL
 * @flags: COLUMN_RIGHT and so on
 */
struct column {
	const char *head;
	const char *member;
	unsigned int flags;
};

/**
 * struct rows - a table, or an array of objects
 * @columns: all that there are
 * @nr_columns: how many
 * @bytes: sizes are shown as bytes
 * @nr: rows so far
 * @table: NULL for JSON
 * @shown: the columns of @table, by number; NULL for those that are left out
 * @line: of @table, the last
 * @array: for JSON
 * @object: in @array, the last
 */
struct rows {
	const struct column *columns;
	unsigned int nr_columns;
	bool bytes;
	unsigned int nr;
	struct libscols_table *table;
	struct libscols_column *shown[MAX_COLUMNS];
	struct libscols_line *line;
	struct json_object *array;
	struct json_object *object;
};

void columns_help(const struct column *columns, unsigned int nr);
int rows_begin(struct rows *r, const struct column *columns, unsigned int nr,
	       const struct args *a);
void rows_begin_json(struct rows *r, const struct column *columns, unsigned int nr);
void rows_add(struct rows *r);
void row_text(struct rows *r, unsigned int column, const char *text);
void row_number(struct rows *r, unsigned int column, uint64_t number);
void row_signed(struct rows *r, unsigned int column, int64_t number);
void row_size(struct rows *r, unsigned int column, uint64_t bytes);
void row_truth(struct rows *r, unsigned int column, bool truth);
void row_null(struct rows *r, unsigned int column);
void row_show(struct rows *r, unsigned int column, const char *text);
void rows_free(struct rows *r);
void rows_print(struct rows *r);

#endif
