/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <stdbool.h>

#include "../lib/loaded.h"
#include "rows.h"

/* HIDDEN is what cannot be seen from here, and so is no reason to complain. */
enum verdict { FINE, HIDDEN, NOTE, BAD };

/**
 * struct doctor - what was found
 * @findings: a row for each
 * @memory: what could be had now
 * @worst: verdict
 * @contained: this is a container or another sandbox
 * @loaded: is the module?
 */
struct doctor {
	struct rows findings;
	struct rows memory;
	enum verdict worst;
	bool contained;
	enum answer loaded;
};

void doctor_begin(struct doctor *d, const struct args *a);
void doctor_finding_add(struct doctor *d, enum verdict verdict, const char *topic,
			const char *type, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void doctor_why_add(struct doctor *d, enum verdict verdict, const char *topic, const char *what,
		    const char *why);
void doctor_remedies_show(struct rows *r, unsigned int column, const char *text,
			  const char *type);

#endif
