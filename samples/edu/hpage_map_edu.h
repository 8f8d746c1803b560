/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
#ifndef HPAGE_MAP_EDU_H
#define HPAGE_MAP_EDU_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct hpage_map_edu_copy - let the device copy within the buffer
 * @from: offset of the source in bytes
 * @to: offset of the destination in bytes
 * @length: bytes
 */
struct hpage_map_edu_copy {
	__u64 from;
	__u64 to;
	__u64 length;
};

#define HPAGE_MAP_EDU_COPY	_IOW('E', 0, struct hpage_map_edu_copy)

/* What the device has written at the start of every page before anybody maps the buffer. */
#define HPAGE_MAP_EDU_STAMP	"edu was here: page %llu"
#define HPAGE_MAP_EDU_STAMP_SIZE	64

#endif
