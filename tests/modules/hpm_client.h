/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HPM_CLIENT_H
#define HPM_CLIENT_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct client_create - hpage_map_create(), for the device of the open file
 * @length: in: bytes
 * @page_size: in: bytes, unless @charge_user
 * @flags: in: as for programs, unless @charge_user
 * @charge_user: in: 0 or 1
 * @device: in: 0 or 1; also for what follows
 * @bound: in: 0, or 1: it also goes with the driver of the device; not with @charge_user
 * @end: out: physical address where the highest page ends
 */
struct client_create {
	__u64 length;
	__u64 page_size;
	__u32 flags;
	__u32 charge_user;
	__u32 device;
	__u32 bound;
	__u64 end;
};

/**
 * struct client_part - a part of the buffer
 * @offset: bytes
 * @length: bytes
 * @value: of each byte, where something is written
 * @for_cpu: when syncing
 */
struct client_part {
	__u64 offset;
	__u64 length;
	__u32 value;
	__u32 for_cpu;
};

/**
 * struct client_reach - what a device reaches, as a bus with an offset has it
 * @device: 0 or 1
 * @bits: of the mask of addresses
 * @nr: of ranges; 0: all memory, at the same addresses
 * @reserved: not used
 * @ranges: where they are for the CPU, for the device, and their bytes
 */
struct client_reach {
	__u32 device;
	__u32 bits;
	__u32 nr;
	__u32 reserved;
	struct {
		__u64 cpu, bus, size;
	} ranges[2];
};

/**
 * struct client_take - hpage_map_get_fd()
 * @fd: of a buffer
 * @mode: what it has to be open for, as access mode of open(2)
 */
struct client_take {
	__s32 fd;
	__u32 mode;
};

/* An open file has at most one buffer, and one table of it. */
#define CLIENT_CREATE	_IOWR('C', 0, struct client_create)
#define CLIENT_MAPPED	_IO('C', 1)		/* returns hpage_map_mapped() */
#define CLIENT_HAS_PAGE	_IOW('C', 2, __u64)	/* at this offset: returns 0 or 1 */
#define CLIENT_DMA_MAP	_IO('C', 3)		/* the argument: enum dma_data_direction */
#define CLIENT_DMA_UNMAP _IO('C', 4)
#define CLIENT_PUT	_IO('C', 5)		/* gives up the reference, and not the table */
#define CLIENT_WRITE	_IOW('C', 6, struct client_part)	/* as the device does */
#define CLIENT_SYNC	_IOW('C', 7, struct client_part)	/* 0 bytes: the whole table */
#define CLIENT_REACH	_IOW('C', 8, struct client_reach)
#define CLIENT_AGAIN	_IO('C', 9)		/* may another program have the buffer? */
#define CLIENT_FD	_IO('C', 10)		/* returns hpage_map_fd(); the argument: flags */
#define CLIENT_TAKE	_IOW('C', 11, struct client_take)	/* has that buffer from now on */
#define CLIENT_EXPORT	_IOW('C', 12, struct client_part)	/* returns a read-only dma-buf */

#endif
