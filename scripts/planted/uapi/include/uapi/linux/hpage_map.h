/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/ioctl.h>
#include <linux/types.h>

#define HPAGE_MAP_CHANGED	5
#define HPAGE_MAP_NEW		6
#define HPAGE_MAP_CALL		_IO(0xb9, 1)

struct hpage_map_swapped {
	__u32 flags;
	__u32 size;
};
