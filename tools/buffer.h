/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>

#include "../lib/hpage_map.h"
#include "held.h"

#define BUFFER_ROOM	160

/* The columns of rows that show buffers, of which some are held_cells(). */
enum {
	BUFFER_NAME, BUFFER_ID, BUFFER_SIZE, BUFFER_ASKED, BUFFER_PAGE, BUFFER_BACKING,
	BUFFER_NODE, BUFFER_RUNS, BUFFER_CONTIGUOUS, BUFFER_BELOW_4G, BUFFER_RESERVE,
	BUFFER_NAMED, BUFFER_DEFAULT, BUFFER_HELD, BUFFER_BY = BUFFER_HELD + NR_HELD,
	BUFFER_UID, BUFFER_CREATOR, NR_BUFFER
};

extern const struct column buffer_columns[NR_BUFFER];

int buffer_find(const char *name, struct hpmap_info *info);
bool buffer_exists(const char *name);
int buffer_name_check(const char *what, const char *name);
int buffer_page_size_check(const char *what, uint64_t page_size);
int buffer_door_check(const char *what);
bool buffer_has_node(const struct hpmap_info *info);
int buffer_open(const struct hpmap_info *info, struct hpmap_buffer **buffer);
const char *buffer_text(const struct hpmap_info *info, char text[BUFFER_ROOM]);
void buffer_row(struct rows *r, const struct hpmap_info *info);
struct json_object *buffer_json(const struct hpmap_info *info);

#endif
