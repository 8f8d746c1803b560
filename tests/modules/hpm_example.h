/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HPM_EXAMPLE_H
#define HPM_EXAMPLE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define NR_SLOTS	8
#define SLOT_BYTES	2044

/* What the device fills. */
struct slot {
	__u32 length;			/* of what follows, in bytes */
	__u8 bytes[SLOT_BYTES];
};

#define MY_FREE		_IO('M', 0)	/* the argument: a slot that the device may fill again */
#define MY_SEND		_IO('M', 1)	/* the device may read what the program has written */

/* For the test: the device tells that it has filled so many slots, ever; returns all bytes. */
#define MY_FILLED	_IO('M', 2)
/* And where the device has a slot. */
#define MY_ADDRESS	_IOWR('M', 3, __u64)

#endif
