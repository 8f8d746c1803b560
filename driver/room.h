/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_ROOM_H
#define _HPM_ROOM_H

#include <linux/types.h>

struct hpm_place;
struct hpm_why;

unsigned long hpm_room(const struct hpm_place *place);
bool hpm_room_has(const struct hpm_place *place, u64 size, const char *rung, struct hpm_why *why);

#endif
