/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/types.h>

#define HPAGE_MAP_CHANGED	5
#define HPAGE_MAP_NEW		6

struct hpage_map_swapped {
	__u32 flags;
	__u32 size;
};
