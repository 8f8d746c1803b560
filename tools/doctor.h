/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of "hpagectl doctor" share. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "hpagectl.h"

enum verdict { FINE, NOTE, BAD };

/**
 * struct doctor - what was found
 * @json: for programs
 * @findings: with @json
 * @memory: with @json
 * @worst: verdict
 */
struct doctor {
	bool json;
	struct json_object *findings;
	struct json_object *memory;
	enum verdict worst;
};

void find(struct doctor *d, enum verdict verdict, const char *topic, const char *type,
	  const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void doctor_thp(struct doctor *d);
void doctor_memory(struct doctor *d);

#endif
