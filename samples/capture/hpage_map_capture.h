/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * The ring of packets behind /dev/hpage_map_capture, as programs read it.
 *
 * A program opens the node read-only and maps its first page to learn the size,
 * or all of it at once: hpage_map_capture_ring stands at its start. Packets lie
 * in the data area from data_offset on, each behind a record header.
 *
 * Positions count bytes since the capture began, and never wrap; position P is
 * at data_offset + P % data_size. The data area consists of blocks of block_size
 * bytes. A record lies within one block, and every block starts with one; what
 * remains at the end of a block, if anything, starts with a record of size 0.
 *
 * Any number of programs read, each at its own position, and the driver knows
 * nothing of them: it overwrites the oldest block when it needs room. A reader
 *
 * 1. loads produced (acquire); is that its position, there is nothing new;
 * 2. copies the record at its position, header first, and distrusts lengths
 *    that do not fit, until step 4 has confirmed them;
 * 3. orders those loads before the next one (an acquire fence);
 * 4. loads oldest; is that beyond its position, it was overrun: what it has
 *    copied may be torn, and it goes on at a block from oldest on. The sequence
 *    number of the record there tells how many packets it has missed.
 *
 * read() of 8 bytes sleeps until produced is not what this open file was told
 * last, and tells it; it returns 0 at the end, when the interface is gone and
 * everything was told. poll() says POLLIN when read() would not sleep, and
 * POLLHUP as well at the end.
 *
 * Indices are naturally aligned 64-bit numbers in the byte order of the
 * machine, and readers must load them whole.
 */
#ifndef HPAGE_MAP_CAPTURE_H
#define HPAGE_MAP_CAPTURE_H

#include <linux/types.h>

#define HPAGE_MAP_CAPTURE_MAGIC		0x48504d43
#define HPAGE_MAP_CAPTURE_VERSION	1

/* Positions of records, and their sizes, are multiples of this. */
#define HPAGE_MAP_CAPTURE_ALIGN		8

/**
 * struct hpage_map_capture_ring - the start of the mapping
 * @magic: HPAGE_MAP_CAPTURE_MAGIC
 * @version: HPAGE_MAP_CAPTURE_VERSION; another one is another layout
 * @link_type: what the packets start with, as LINKTYPE_* of pcap: 1 is Ethernet
 * @snaplen: bytes kept of each packet at most
 * @data_offset: where the data area starts in the mapping, in bytes
 * @data_size: bytes of the data area, a multiple of @block_size
 * @block_size: bytes, a power of two
 * @interface: name of the network interface when the capture began
 * @reserved: 0
 * @produced: position up to which records are complete; only grows. What is
 *	below it was written before it (release)
 * @oldest: position of the oldest block that is not overwritten yet
 * @packets: packets written since the capture began
 * @overwritten: those of them that are gone from the ring, read or not
 * @ended: not 0 when nothing will be added any more
 *
 * Fields up to @reserved never change. All are the driver's copies: it reads
 * none of them back.
 */
struct hpage_map_capture_ring {
	__u32 magic;
	__u32 version;
	__u32 link_type;
	__u32 snaplen;
	__u64 data_offset;
	__u64 data_size;
	__u64 block_size;
	char interface[16];
	__u64 reserved[9];

	__u64 produced;
	__u64 oldest;
	__u64 packets;
	__u64 overwritten;
	__u64 ended;
};

/* hpage_map_capture_record.flags: the packet was sent, not received. */
#define HPAGE_MAP_CAPTURE_OUTGOING	0x1

/**
 * struct hpage_map_capture_record - what stands before each packet
 * @size: bytes from here to the next record; 0: the rest of the block is empty,
 *	and only this field is there
 * @flags: HPAGE_MAP_CAPTURE_OUTGOING
 * @length: bytes of the packet on the link
 * @captured: bytes of it that follow; fewer than @length when it is longer than
 *	snaplen, or was not readable
 * @time_ns: nanoseconds since 1970 when the network stack took the packet
 * @sequence: number of the packet, from 0
 */
struct hpage_map_capture_record {
	__u32 size;
	__u32 flags;
	__u32 length;
	__u32 captured;
	__u64 time_ns;
	__u64 sequence;
};

#endif
