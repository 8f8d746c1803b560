// SPDX-License-Identifier: GPL-2.0-only
/* Columns as wide as what stands in them. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "hpagectl.h"

#define MAX_COLUMNS	12

static char *(*rows)[MAX_COLUMNS];
static size_t nr_rows;

/* Add a row of @nr texts, which are copied. A NULL is an empty cell. */
void table_row(unsigned int nr, ...)
{
	va_list args;
	unsigned int i;
	void *more = realloc(rows, (nr_rows + 1) * sizeof(*rows));
	const char *text;

	if (!more)
		abort();
	rows = more;
	memset(rows[nr_rows], 0, sizeof(*rows));
	va_start(args, nr);
	for (i = 0; i < nr && i < MAX_COLUMNS; i++) {
		text = va_arg(args, const char *);
		rows[nr_rows][i] = strdup(text ? text : "");
	}
	va_end(args);
	nr_rows++;
}

/* Print all rows and forget them. */
void table_print(void)
{
	int widths[MAX_COLUMNS] = {}, last[MAX_COLUMNS] = {};
	size_t r;
	int c, length;

	for (r = 0; r < nr_rows; r++)
		for (c = 0; c < MAX_COLUMNS && rows[r][c]; c++) {
			length = strlen(rows[r][c]);
			if (length > widths[c])
				widths[c] = length;
			last[c] = !(c + 1 < MAX_COLUMNS && rows[r][c + 1]);
		}
	for (r = 0; r < nr_rows; r++) {
		for (c = 0; c < MAX_COLUMNS && rows[r][c]; c++) {
			printf("%s%-*s", c ? "  " : "", last[c] ? 0 : widths[c], rows[r][c]);
			free(rows[r][c]);
		}
		putchar('\n');
	}
	free(rows);
	rows = NULL;
	nr_rows = 0;
}
