// SPDX-License-Identifier: GPL-2.0-only
/* What the checks of "hpagectl doctor" find. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "report.h"

#define TEXT_ROOM	2048

enum { FINDING_VERDICT, FINDING_TOPIC, FINDING_TEXT, FINDING_TYPE, NR_FINDING };

static const struct column finding_columns[NR_FINDING] = {
	[FINDING_VERDICT] = { "", "verdict", 0 },
	[FINDING_TOPIC] = { "", "topic", 0 },
	[FINDING_TEXT] = { "", "text", COLUMN_LINES },
	[FINDING_TYPE] = { NULL, "type", 0 },
};

void doctor_begin(struct doctor *d, const struct args *a)
{
	struct args without = *a;

	without.given |= BIT(OPT_NOHEADINGS);
	rows_begin(&d->findings, finding_columns, NR_FINDING, &without);
}

/* Show a text in a table with what is to be typed below it, a line each. */
void doctor_remedies_show(struct rows *r, unsigned int column, const char *text, const char *type)
{
	char lines[TEXT_ROOM];
	size_t length;

	snprintf(lines, sizeof(lines), "%s", text);
	for (; *type; type += length + (type[length] == '\n')) {
		length = strcspn(type, "\n");
		snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), TRY "%.*s",
			 (int)length, type);
	}
	row_show(r, column, lines);
}

static void finding_row(struct doctor *d, enum verdict verdict, const char *topic,
			const char *text, const char *type)
{
	static const char *const words[] = { "ok", "unknown", "note", "bad" };
	static const char *const signs[] = { "ok", "?", "note", "BAD" };
	struct rows *r = &d->findings;

	d->worst = verdict > d->worst ? verdict : d->worst;
	rows_add(r);
	row_text(r, FINDING_VERDICT, words[verdict]);
	row_show(r, FINDING_VERDICT, signs[verdict]);
	row_text(r, FINDING_TOPIC, topic);
	row_text(r, FINDING_TEXT, text);
	row_text(r, FINDING_TYPE, type);
	doctor_remedies_show(r, FINDING_TEXT, text, type);
}

/* Add a finding; @type is what to type, in one line or several, or "". */
void doctor_finding_add(struct doctor *d, enum verdict verdict, const char *topic,
			const char *type, const char *fmt, ...)
{
	char text[TEXT_ROOM];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	finding_row(d, verdict, topic, text, type);
}

static void text_append(char text[TEXT_ROOM], const char *between, const char *more, int length)
{
	size_t end = strlen(text);

	snprintf(text + end, TEXT_ROOM - end, "%s%.*s", end ? between : "", length, more);
}

/* Add a finding with the reasons and remedies that hpmap_why() has returned. */
void doctor_why_add(struct doctor *d, enum verdict verdict, const char *topic, const char *what,
		    const char *why)
{
	char reasons[TEXT_ROOM] = "", type[TEXT_ROOM] = "";
	const char *line;
	bool remedy;
	int length;

	while ((line = why_line(&why, &length, &remedy))) {
		if (remedy)
			text_append(type, "\n", line + strlen(REMEDY), length - strlen(REMEDY));
		else
			text_append(reasons, "; ", line, length);
	}
	doctor_finding_add(d, verdict, topic, type, "%s: %s", what, reasons);
}
