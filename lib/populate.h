/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_POPULATE_H
#define HPMAP_POPULATE_H

#include <stdbool.h>
#include <stdint.h>

#include "hpage_map.h"

/**
 * struct range - what is to be populated
 * @address: where it begins
 * @length: bytes
 * @page_size: bytes
 * @write: with pages that can be written at once
 * @lacks: may pages be missing that have to be made, and not only mapped?
 */
struct range {
	char *address;
	uint64_t length;
	uint64_t page_size;
	bool write;
	bool lacks;
};

bool populate_works(void);
int populate(void *address, uint64_t length, bool write);
int populate_range(const struct range *r, const struct hpmap_populate_options *o);

#endif
