/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HPM_IMPORTER_H
#define HPM_IMPORTER_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IMPORTER_READS	1	/* and does not write */
#define IMPORTER_WRITES	2	/* and does not read */

/**
 * struct importer_attach - map a dma-buf for the importer's device
 * @fd: in: of the dma-buf
 * @entries: out: of the table, mapped
 * @longest: out: bytes of the longest entry
 * @bytes: out: of all entries
 * @ns: out: time from attaching to mapped
 * @device: in: 0 or 1
 * @dir: in: as enum dma_data_direction: 0, IMPORTER_READS or IMPORTER_WRITES
 */
struct importer_attach {
	__s32 fd;
	__u32 entries;
	__u64 longest;
	__u64 bytes;
	__u64 ns;
	__u32 device;
	__u32 dir;
};

/**
 * struct importer_sum - what the importer reads
 * @table: out: sum of the words where the entries are
 * @vmap: out: sum of the words where the exporter's vmap is
 */
struct importer_sum {
	__u64 table;
	__u64 vmap;
};

/* An open file has at most one dma-buf, and detaches it when it is closed. */
#define IMPORTER_ATTACH	_IOWR('I', 0, struct importer_attach)
#define IMPORTER_SUM	_IOR('I', 1, struct importer_sum)
#define IMPORTER_AGAIN	_IO('I', 2)	/* maps the attachment for a second time */
#define IMPORTER_UNMAP	_IO('I', 3)	/* the argument: 0 or 1, the first or the second */
#define IMPORTER_FORGET	_IO('I', 4)	/* neither will be unmapped */
#define IMPORTER_WRITE	_IO('I', 5)	/* the device writes this byte to the first page */

#endif
