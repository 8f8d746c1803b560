/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
struct hpage_map_told {
	__u32 size;
	__u32 untold;
};

#define HPAGE_MAP_TOLD		_IO(0, 0)
#define HPAGE_MAP_UNTOLD	_IO(0, 1)

enum {
	HPAGE_MAP_FLAG_TOLD = 1 << 0,
	HPAGE_MAP_FLAG_UNTOLD = 1 << 1,
};
