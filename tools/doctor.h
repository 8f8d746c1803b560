/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of "hpagectl doctor" share. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "hpagectl.h"

/* HIDDEN is what cannot be seen from here, and so is no reason to complain. */
enum verdict { FINE, HIDDEN, NOTE, BAD };

/**
 * struct doctor - what was found
 * @json: for programs
 * @findings: with @json
 * @memory: with @json
 * @worst: verdict
 * @contained: this is a container or another sandbox
 * @loaded: is the module?
 */
struct doctor {
	bool json;
	struct json_object *findings;
	struct json_object *memory;
	enum verdict worst;
	bool contained;
	enum answer loaded;
};

void find(struct doctor *d, enum verdict verdict, const char *topic, const char *type,
	  const char *fmt, ...) __attribute__((format(printf, 5, 6)));
enum answer doctor_loaded(void);
void doctor_module(struct doctor *d);
void doctor_signing(struct doctor *d);
void doctor_device(struct doctor *d);
void doctor_dmabuf(struct doctor *d);
void doctor_thp(struct doctor *d);
void doctor_memory(struct doctor *d);

#endif
