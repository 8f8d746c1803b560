/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HELD_H
#define HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/hpage_map.h"
#include "rows.h"

#define HELD_ROOM	200

/**
 * struct held - what holds a buffer, as the kernel counts it
 * @descriptors: open files
 * @mappings: of programs
 * @exports: dma-bufs
 * @drivers: references of other drivers
 * @devices: mappings for devices
 * @lingering: pages that something outside still refers to after the last holder has gone
 */
struct held {
	uint32_t descriptors;
	uint32_t mappings;
	uint32_t exports;
	uint32_t drivers;
	uint32_t devices;
	uint32_t lingering;
};

/* The columns of rows that show it, from column @first on. */
enum {
	HELD_OPEN, HELD_MAPPED, HELD_OTHER, HELD_EXPORTS, HELD_DRIVERS, HELD_DEVICES,
	HELD_LINGERING, NR_HELD
};

#define HELD_COLUMNS(first)								\
	[(first) + HELD_OPEN] = { "OPEN", "descriptors", COLUMN_RIGHT },		\
	[(first) + HELD_MAPPED] = { "MAPPED", "mappings", COLUMN_RIGHT },		\
	[(first) + HELD_OTHER] = { "OTHER", NULL, COLUMN_RIGHT },			\
	[(first) + HELD_EXPORTS] = { "EXPORTS", "exports", COLUMN_RIGHT | COLUMN_MORE },\
	[(first) + HELD_DRIVERS] = { "DRIVERS", "drivers", COLUMN_RIGHT | COLUMN_MORE },\
	[(first) + HELD_DEVICES] = { "DEVICES", "devices", COLUMN_RIGHT | COLUMN_MORE },\
	[(first) + HELD_LINGERING] = { "LINGERING", "lingering", COLUMN_RIGHT }

int held_read(uint32_t id, struct held *held);
void held_of(const struct hpmap_info *info, struct held *held);
bool held_at_all(const struct held *h);
const char *held_text(const struct held *h, char text[HELD_ROOM]);
void held_cells(struct rows *r, unsigned int first, const struct held *h);

#endif
