/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * hpage_map: huge pages owned by a driver, mapped by programs.
 *
 * A descriptor of /dev/hpage_map refers to the default buffer, one of /dev/hpage/NAME to a
 * named buffer, and one that HPAGE_MAP_ALLOC returns to a buffer of its own. Each holds its
 * buffer, and so does every mapping of it. mmap(2), read(2), write(2) and lseek(2) work on
 * the buffer; the ioctls below make buffers and ask about them.
 *
 * /dev/hpage_map is also the door: HPAGE_MAP_ALLOC, _CREATE, _PIN, _DESTROY and _LIST take a
 * descriptor of it. A program that wants the door and not the default buffer, which the first
 * open makes, opens it with O_NONBLOCK, as HPAGE_MAP_O_DOOR does. That neither makes the
 * default buffer nor waits for it, and the descriptor never has it: mmap(2) is ENODEV, lseek(2)
 * ESPIPE, read(2) and write(2) are EINVAL. Without O_NONBLOCK the descriptor is the door and
 * has it.
 *
 * What a descriptor may be used for is what it was opened for. Making and destroying buffers
 * needs one that is open for writing; what lets others read a buffer, one that is open for
 * reading; what lets them write it, one that is open for writing. The access mode 3 of Linux,
 * which is neither, is refused by open(2) with EINVAL.
 *
 * The contract of every ioctl
 *
 * - The argument is a pointer to one struct whose first field, size, holds sizeof() of that
 *   struct as the program was compiled with it.
 * - A struct shorter than the first published version is refused with EINVAL. A longer one
 *   than the kernel knows is accepted, up to HPAGE_MAP_STRUCT_MAX bytes, if the unknown tail
 *   is all zero, else refused with E2BIG. The kernel never writes beyond size bytes, nor size.
 * - Unknown bits in flags and reserved fields that are not zero are refused with EINVAL, so
 *   that they can get a meaning later. What an "out" field holds beforehand is ignored.
 * - Numbers are never reused. Fields are naturally aligned, without implicit padding, and lie
 *   the same for 32-bit and 64-bit programs.
 * - When an ioctl fails, what it made is gone, and the struct is as it was. Memory that the
 *   struct points to may have been written: an array in part, and the text, which says why.
 * - New descriptors are close-on-exec.
 *
 * One meaning per errno. Every ioctl can say E2BIG, EFAULT, EINVAL; the rest stands with it.
 *
 *   E2BIG    size above HPAGE_MAP_STRUCT_MAX, or an unknown tail that is not all zero
 *   EBADF    not for this descriptor: without a buffer, not the door, not open for what the
 *            ioctl needs
 *   EBUSY    the driver of the device manages its addresses itself
 *   EDQUOT   a limit of the caller's user stands against it
 *   EEXIST   the name is taken
 *   EFAULT   what the argument or the struct points to is not the caller's memory
 *   EINTR    a signal came first
 *   EINVAL   size too short, unknown flag, reserved field not zero, or values that are out of
 *            range or contradict each other
 *   EIO      the device cannot reach the pages
 *   EMFILE   the caller has no descriptor left; ENFILE: the machine has none
 *   ENODEV   there is no device of that name, or it has no driver, or none any more
 *   ENOENT   there is no buffer of that name, or none with that id or a higher
 *   ENOMEM   the pages, or memory to manage them, cannot be had now
 *   ENOSPC   there are as many named buffers as there can be
 *   ENOTTY   no such ioctl
 *   EPERM    the caller lacks the capability that the ioctl names
 */
#ifndef _UAPI_LINUX_HPAGE_MAP_H
#define _UAPI_LINUX_HPAGE_MAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define HPAGE_MAP_IOC_TYPE	0xB9
#define HPAGE_MAP_STRUCT_MAX	4096	/* bytes of the longest struct of any version */
#define HPAGE_MAP_NAME_SIZE	64	/* room for a name, with its NUL */
#define HPAGE_MAP_DEVICE_SIZE	64	/* room for the name of a device, with its NUL */
#define HPAGE_MAP_TEXT_SIZE	1024	/* room in which every text fits, with its NUL */
#define HPAGE_MAP_NODE_MIXED	(-1)	/* the pages are not all on one NUMA node */

/*
 * Flags of open(2) for the door alone, O_RDWR | O_NONBLOCK. It is a number, of x86 and arm64,
 * since <linux/fcntl.h> and the <fcntl.h> of the C library exclude each other.
 */
#define HPAGE_MAP_O_DOOR	04002

/* Valid bits of flags where there are none so far; other masks stand below their enums. */
#define HPAGE_MAP_INFO_FLAGS	0
#define HPAGE_MAP_DESTROY_FLAGS	0
#define HPAGE_MAP_NODES_FLAGS	0
#define HPAGE_MAP_RUNS_FLAGS	0
#define HPAGE_MAP_EXPORT_FLAGS	0
#define HPAGE_MAP_PIN_FLAGS	0

enum {
	HPAGE_MAP_CMD_BASE = 0x40,
	HPAGE_MAP_CMD_INFO = HPAGE_MAP_CMD_BASE,
	HPAGE_MAP_CMD_ALLOC = 0x41,
	HPAGE_MAP_CMD_CREATE = 0x42,
	HPAGE_MAP_CMD_DESTROY = 0x43,
	HPAGE_MAP_CMD_LIST = 0x44,
	HPAGE_MAP_CMD_NODES = 0x45,
	HPAGE_MAP_CMD_RUNS = 0x46,
	HPAGE_MAP_CMD_EXPORT = 0x47,
	HPAGE_MAP_CMD_PIN = 0x48,
	HPAGE_MAP_CMD_DMA_MAP = 0x49,
	HPAGE_MAP_CMD_DMA_SYNC = 0x4a,
};

/**
 * enum hpage_map_backing - where the pages of a buffer come from
 * @HPAGE_MAP_BACKING_HUGETLB: the hugetlb pool of one page size
 * @HPAGE_MAP_BACKING_THP: the page allocator; all folios as large as a PMD maps, often 2 MiB
 * @HPAGE_MAP_BACKING_BASE: the page allocator; base pages, perhaps some in larger folios
 * @HPAGE_MAP_BACKING_USER: memory of a program, see HPAGE_MAP_PIN
 *
 * New values may be added.
 */
enum hpage_map_backing {
	HPAGE_MAP_BACKING_HUGETLB = 1,
	HPAGE_MAP_BACKING_THP = 2,
	HPAGE_MAP_BACKING_BASE = 3,
	HPAGE_MAP_BACKING_USER = 4,
};

/**
 * enum hpage_map_features - what the loaded module can do
 * @HPAGE_MAP_FEATURE_HUGETLB: buffers of hugetlb pages
 * @HPAGE_MAP_FEATURE_THP: buffers of PMD-sized folios without a pool
 */
enum hpage_map_features {
	HPAGE_MAP_FEATURE_HUGETLB = 1 << 0,
	HPAGE_MAP_FEATURE_THP = 1 << 1,
};

/**
 * enum hpage_map_attributes - what else holds for a buffer
 * @HPAGE_MAP_ATTR_DEFAULT: it is the default buffer
 * @HPAGE_MAP_ATTR_NAMED: it has a name below /dev/hpage
 * @HPAGE_MAP_ATTR_CONTIGUOUS: its pages make one physical run
 * @HPAGE_MAP_ATTR_BELOW_4G: all of them lie below 4 GiB
 * @HPAGE_MAP_ATTR_RESERVE: they came from the reserve, and are charged to no control group
 */
enum hpage_map_attributes {
	HPAGE_MAP_ATTR_DEFAULT = 1 << 0,
	HPAGE_MAP_ATTR_NAMED = 1 << 1,
	HPAGE_MAP_ATTR_CONTIGUOUS = 1 << 2,
	HPAGE_MAP_ATTR_BELOW_4G = 1 << 3,
	HPAGE_MAP_ATTR_RESERVE = 1 << 4,
};

/**
 * struct hpage_map_info - what a buffer is, and who holds it
 * @size: in: sizeof(struct hpage_map_info)
 * @flags: in: 0
 * @length: out: size of the buffer in bytes, a multiple of @page_size
 * @page_size: out: bytes of one page; mappings are aligned to it in offset, length, address
 * @nr_pages: out: number of pages of @page_size
 * @nr_huge: out: number of folios that a PMD or more can map; @nr_pages from a PMD's size on
 * @nr_runs: out: number of physically contiguous runs of pages in the order of their offsets
 * @features: out: bits of enum hpage_map_features
 * @backing: out: enum hpage_map_backing, or 0 if the descriptor has no buffer
 * @node: out: NUMA node of the pages, or HPAGE_MAP_NODE_MIXED
 * @asked: out: size in bytes as it was asked for, before it was rounded up
 * @address: out: physical address of the first page, or 0 without CAP_SYS_RAWIO
 * @id: number of the buffer, not reused soon; in and out with HPAGE_MAP_LIST
 * @attributes: out: bits of enum hpage_map_attributes
 * @creator: out: process id of who asked for it, as the caller sees it, 0 if it does not;
 *	that process may have ended, and another have its number
 * @uid: out: user id of who asked for it, as the caller sees it
 * @descriptors: out: open files that hold the buffer
 * @mappings: out: mappings that hold it
 * @exports: out: dma-bufs that hold it
 * @drivers: out: references of other drivers that hold it
 * @devices: out: mappings for devices that hold it
 * @lingering: out: pages of @page_size that somebody outside (a pipe, a pin of io_uring, RDMA,
 *	O_DIRECT) still has after the last holder has gone; the charge lasts until then. Not 0
 *	only in answers of HPAGE_MAP_LIST
 * @name: out: name or tag, terminated by a NUL; may be empty
 */
struct hpage_map_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 length;
	__aligned_u64 page_size;
	__aligned_u64 nr_pages;
	__aligned_u64 nr_huge;
	__aligned_u64 nr_runs;
	__aligned_u64 features;
	__u32 backing;
	__s32 node;
	__aligned_u64 asked;
	__aligned_u64 address;
	__u32 id;
	__u32 attributes;
	__s32 creator;
	__u32 uid;
	__u32 descriptors;
	__u32 mappings;
	__u32 exports;
	__u32 drivers;
	__u32 devices;
	__u32 lingering;
	char name[HPAGE_MAP_NAME_SIZE];
};

/**
 * define HPAGE_MAP_INFO - ask what the buffer of this descriptor is
 *
 * Takes struct hpage_map_info on a descriptor of the door or of a buffer, whatever it is open
 * for. One without a buffer tells the features alone.
 */
#define HPAGE_MAP_INFO	_IO(HPAGE_MAP_IOC_TYPE, HPAGE_MAP_CMD_INFO)

/**
 * define HPAGE_MAP_LIST - the buffer with the lowest id that is not below id
 *
 * Takes struct hpage_map_info on a descriptor of the door, whatever it is open for. Begin with
 * id 0, and go on with the id of each answer plus 1 until ENOENT. Buffers without a name below
 * /dev are told only to their user and to callers with CAP_SYS_ADMIN. Errors: EBADF, ENOENT.
 */
#define HPAGE_MAP_LIST	_IO(HPAGE_MAP_IOC_TYPE, HPAGE_MAP_CMD_LIST)

/**
 * enum hpage_map_alloc_flags - what hpage_map_alloc asks for
 * @HPAGE_MAP_EXACT: no smaller page size than page_size, or, if that is 0, than a PMD maps.
 *	Without it smaller ones do if need be, but base pages only by the next flag.
 * @HPAGE_MAP_ALLOW_BASE: base pages will do if no huge pages can be had
 * @HPAGE_MAP_CONTIGUOUS: one physical run over the whole length
 * @HPAGE_MAP_BELOW_4G: all pages below 4 GiB
 * @HPAGE_MAP_RESERVE: take pages that the reserve keeps ready. If it has not enough, or the
 *	user is over the limit that the administrator has set, or pages are to be contiguous,
 *	below 4 GiB or interleaved, ordinary ones are taken; the text says so.
 */
enum hpage_map_alloc_flags {
	HPAGE_MAP_EXACT = 1 << 0,
	HPAGE_MAP_ALLOW_BASE = 1 << 1,
	HPAGE_MAP_CONTIGUOUS = 1 << 2,
	HPAGE_MAP_BELOW_4G = 1 << 3,
	HPAGE_MAP_RESERVE = 1 << 4,
};

#define HPAGE_MAP_ALLOC_FLAGS						\
	(HPAGE_MAP_EXACT | HPAGE_MAP_ALLOW_BASE | HPAGE_MAP_CONTIGUOUS |	\
	 HPAGE_MAP_BELOW_4G | HPAGE_MAP_RESERVE)

/**
 * enum hpage_map_policy - on which NUMA nodes the pages shall lie
 * @HPAGE_MAP_POLICY_DEFAULT: where the memory policy of the calling task says
 * @HPAGE_MAP_POLICY_PREFERRED: on one node, and elsewhere what it lacks; the text says how many
 * @HPAGE_MAP_POLICY_STRICT: on one node, else ENOMEM
 * @HPAGE_MAP_POLICY_INTERLEAVE: in turn on all nodes that the caller may use, and on others
 *	when one is short, see HPAGE_MAP_NODES; not with HPAGE_MAP_CONTIGUOUS or _BELOW_4G
 */
enum hpage_map_policy {
	HPAGE_MAP_POLICY_DEFAULT = 0,
	HPAGE_MAP_POLICY_PREFERRED = 1,
	HPAGE_MAP_POLICY_STRICT = 2,
	HPAGE_MAP_POLICY_INTERLEAVE = 3,
};

/**
 * struct hpage_map_alloc - a new buffer
 * @size: in: sizeof(struct hpage_map_alloc)
 * @flags: in: bits of enum hpage_map_alloc_flags
 * @length: in: bytes wanted, not 0
 * @page_size: in: bytes, a power of two; 0 takes the best, which is at most what a PMD maps
 * @policy: in: enum hpage_map_policy
 * @node: in: the node of HPAGE_MAP_POLICY_PREFERRED and _STRICT; else 0 or -1
 * @near_device: in: empty, or a PCI ("0000:00:03.0") or platform device whose node is meant
 *	instead of @node, which is 0 or -1. HPAGE_MAP_POLICY_DEFAULT then prefers it. If the
 *	machine does not say where the device is, HPAGE_MAP_POLICY_STRICT is EINVAL.
 * @name: in: with HPAGE_MAP_CREATE the name below /dev/hpage, with HPAGE_MAP_ALLOC a tag for
 *	people, or empty: letters, digits and, behind the first, '.', '_' and '-'
 * @mode: in: permission bits of the node, 0 means 0600; HPAGE_MAP_ALLOC: 0
 * @uid: in: owner of the node; HPAGE_MAP_ALLOC: 0
 * @gid: in: group of the node; HPAGE_MAP_ALLOC: 0
 * @text_size: in: bytes at @text; HPAGE_MAP_TEXT_SIZE is always enough
 * @text: in: address for a text, with its NUL, that tells people why something better, or
 *	anything at all, was not to be had; it may be empty. 0 with a @text_size of 0: none.
 * @fd: out: a descriptor of the buffer, open for reading and writing
 * @id: out: number of the buffer
 * @got_length: out: bytes: @length, rounded up to a multiple of @got_page_size
 * @got_page_size: out: bytes of one page
 * @got_runs: out: number of physically contiguous runs
 * @got_backing: out: enum hpage_map_backing
 * @got_node: out: NUMA node of the pages, or HPAGE_MAP_NODE_MIXED
 * @got_attributes: out: bits of enum hpage_map_attributes
 * @reserved: in: 0
 */
struct hpage_map_alloc {
	__u32 size;
	__u32 flags;
	__aligned_u64 length;
	__aligned_u64 page_size;
	__u32 policy;
	__s32 node;
	char near_device[HPAGE_MAP_DEVICE_SIZE];
	char name[HPAGE_MAP_NAME_SIZE];
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 text_size;
	__aligned_u64 text;
	__s32 fd;
	__u32 id;
	__aligned_u64 got_length;
	__aligned_u64 got_page_size;
	__aligned_u64 got_runs;
	__u32 got_backing;
	__s32 got_node;
	__u32 got_attributes;
	__u32 reserved;
};

/**
 * define HPAGE_MAP_ALLOC - make a buffer that lives as long as somebody holds it
 *
 * Takes struct hpage_map_alloc on a descriptor of the door that is open for writing, as one of
 * HPAGE_MAP_O_DOOR is. The pages are zeroed, and charged to the caller's control groups unless
 * they come from the reserve. Pages of the page allocator count against RLIMIT_MEMLOCK of the
 * caller's user, those of a hugetlb pool against the parameter user_hugetlb, and those of the
 * reserve against user_reserve alone; CAP_IPC_LOCK exempts from all three. A page size that
 * this machine lacks is EINVAL. Errors: EBADF, EDQUOT, EINTR, EMFILE, ENFILE, ENODEV, ENOMEM.
 */
#define HPAGE_MAP_ALLOC	_IO(HPAGE_MAP_IOC_TYPE, HPAGE_MAP_CMD_ALLOC)

/**
 * define HPAGE_MAP_CREATE - make a buffer with a name below /dev/hpage
 *
 * Like HPAGE_MAP_ALLOC, on the same descriptors, for callers with CAP_SYS_ADMIN. The name holds
 * the buffer until HPAGE_MAP_DESTROY or until the module is removed. A name that is taken, or
 * for which a buffer is being made, is refused before any page is made; "default" and
 * "hpage_map" are taken. Errors: EEXIST, ENOSPC, EPERM as well.
 */
#define HPAGE_MAP_CREATE	_IO(HPAGE_MAP_IOC_TYPE, HPAGE_MAP_CMD_CREATE)

/**
 * struct hpage_map_destroy - a name to take away
 * @size: in: sizeof(struct hpage_map_destroy)
 * @flags: in: 0
 * @name: in: the name, terminated by a NUL
 */
struct hpage_map_destroy {
	__u32 size;
	__u32 flags;
	char name[HPAGE_MAP_NAME_SIZE];
};

/**
 * define HPAGE_MAP_DESTROY - take the name of a buffer away
 *
 * Takes struct hpage_map_destroy on a descriptor of the door that is open for writing, for
 * callers with CAP_SYS_ADMIN. The pages go with the last holder. Errors: EBADF, ENOENT, EPERM.
 */
#define HPAGE_MAP_DESTROY	_IO(HPAGE_MAP_IOC_TYPE, HPAGE_MAP_CMD_DESTROY)

/**
 * struct hpage_map_nodes - pages of the buffer by NUMA node
 * @size: in: sizeof(struct hpage_map_nodes)
 * @flags: in: 0
 * @pages: in: address of an array of __u64: gets the number of pages on each node from 0 on
 * @nr: in: length of the array; out: one more than the highest node that has pages of the
 *	buffer, which may be more than the array holds
 * @reserved: in: 0
 */
struct hpage_map_nodes {
	__u32 size;
	__u32 flags;
	__aligned_u64 pages;
	__u32 nr;
	__u32 reserved;
};

/**
 * define HPAGE_MAP_NODES - count the pages of the buffer by NUMA node
 *
 * Takes struct hpage_map_nodes on a descriptor that has a buffer, whatever it is open for.
 * Errors: EBADF.
 */
#define HPAGE_MAP_NODES	_IO(HPAGE_MAP_IOC_TYPE, HPAGE_MAP_CMD_NODES)

/**
 * struct hpage_map_run - pages that are contiguous
 * @address: physical address, or bus address, in bytes
 * @length: bytes
 */
struct hpage_map_run {
	__aligned_u64 address;
	__aligned_u64 length;
};

/**
 * struct hpage_map_runs - the runs of a buffer by their offsets
 * @size: in: sizeof(struct hpage_map_runs)
 * @flags: in: 0
 * @runs: in: address of an array of struct hpage_map_run
 * @first: in: how many runs to pass over
 * @nr: in: length of the array; out: how many of its elements were written
 * @reserved: in: 0
 */
struct hpage_map_runs {
	__u32 size;
	__u32 flags;
	__aligned_u64 runs;
	__aligned_u64 first;
	__u32 nr;
	__u32 reserved;
};

/**
 * define HPAGE_MAP_RUNS - the contiguous runs of the buffer
 *
 * Takes struct hpage_map_runs, for callers with CAP_SYS_RAWIO. On a descriptor that has a
 * buffer, whatever it is open for, physical addresses, which stay as long as somebody holds it.
 * On one of HPAGE_MAP_DMA_MAP, bus addresses. Errors: EBADF, EINTR, ENODEV, ENOMEM, EPERM.
 */
#define HPAGE_MAP_RUNS	_IO(HPAGE_MAP_IOC_TYPE, HPAGE_MAP_CMD_RUNS)

/**
 * struct hpage_map_export - a new dma-buf
 * @size: in: sizeof(struct hpage_map_export)
 * @flags: in: 0
 * @fd: out: descriptor of the dma-buf
 * @reserved: in: 0
 */
struct hpage_map_export {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 reserved;
};

/**
 * define HPAGE_MAP_EXPORT - lend the buffer to other drivers, by a dma_buf
 *
 * Takes struct hpage_map_export on a descriptor that has a buffer and is open for reading and
 * writing, since whoever has the dma-buf can do both. It holds the buffer. It can be mapped,
 * too: with huge pages at an address that is a multiple of the page size, else in base pages,
 * which the kernel cannot pin if they come from a hugetlb pool. Errors: EBADF, EMFILE, ENFILE,
 * ENOMEM.
 */
#define HPAGE_MAP_EXPORT	_IO(HPAGE_MAP_IOC_TYPE, HPAGE_MAP_CMD_EXPORT)

/**
 * struct hpage_map_pin - memory of a program as a new buffer
 * @size: in: sizeof(struct hpage_map_pin)
 * @flags: in: 0
 * @address: in: where the memory begins, a multiple of the base page size
 * @length: in: bytes, a multiple of the base page size
 * @name: in: a tag for people, or empty, as in struct hpage_map_alloc
 * @text: in: as in struct hpage_map_alloc
 * @text_size: in: as in struct hpage_map_alloc
 * @fd: out: a descriptor of the buffer, open for reading and writing
 * @id: out: number of the buffer
 * @reserved: in: 0
 */
struct hpage_map_pin {
	__u32 size;
	__u32 flags;
	__aligned_u64 address;
	__aligned_u64 length;
	char name[HPAGE_MAP_NAME_SIZE];
	__aligned_u64 text;
	__u32 text_size;
	__s32 fd;
	__u32 id;
	__u32 reserved;
};

/**
 * define HPAGE_MAP_PIN - make a buffer of memory that the program has got itself
 *
 * Takes struct hpage_map_pin on a descriptor of the door that is open for writing, as
 * HPAGE_MAP_ALLOC. Memory must be anonymous, shared or of hugetlb, and writable; else EINVAL or
 * EFAULT. The program goes on using it; the pages are pinned until the last holder of the
 * buffer goes, even if unmapped, and count against RLIMIT_MEMLOCK of the caller's user. The
 * buffer can be read, written, exported and mapped for a device, but mmap(2) is ENODEV. Errors:
 * EBADF, EDQUOT, EINTR, EMFILE, ENFILE, ENOMEM.
 */
#define HPAGE_MAP_PIN	_IO(HPAGE_MAP_IOC_TYPE, HPAGE_MAP_CMD_PIN)

/**
 * enum hpage_map_dma_flags - who reads and who writes
 * @HPAGE_MAP_DMA_TO_DEVICE: the device reads
 * @HPAGE_MAP_DMA_FROM_DEVICE: the device writes
 */
enum hpage_map_dma_flags {
	HPAGE_MAP_DMA_TO_DEVICE = 1 << 0,
	HPAGE_MAP_DMA_FROM_DEVICE = 1 << 1,
};

#define HPAGE_MAP_DMA_FLAGS	(HPAGE_MAP_DMA_TO_DEVICE | HPAGE_MAP_DMA_FROM_DEVICE)

/**
 * struct hpage_map_dma_map - a new mapping for a device
 * @size: in: sizeof(struct hpage_map_dma_map)
 * @flags: in: bits of enum hpage_map_dma_flags, at least one
 * @device: in: name of the PCI ("0000:00:03.0") or platform device
 * @nr_runs: out: number of runs of bus addresses
 * @fd: out: a descriptor of the mapping
 * @reserved: in: 0
 */
struct hpage_map_dma_map {
	__u32 size;
	__u32 flags;
	char device[HPAGE_MAP_DEVICE_SIZE];
	__aligned_u64 nr_runs;
	__s32 fd;
	__u32 reserved;
};

/**
 * define HPAGE_MAP_DMA_MAP - map the buffer for a device
 *
 * Takes struct hpage_map_dma_map on a descriptor that has a buffer and is open for reading if
 * the device reads, and for writing if it writes, for callers with CAP_SYS_RAWIO. The mapping
 * holds the buffer. It ends when its descriptor is closed, or when the driver of the device is
 * unbound; HPAGE_MAP_RUNS and _DMA_SYNC then say ENODEV. The program must have stopped the
 * device before. EINVAL if it does no DMA. Errors: EBADF, EBUSY, EIO, EMFILE, ENFILE, ENODEV,
 * ENOMEM, EPERM.
 */
#define HPAGE_MAP_DMA_MAP	_IO(HPAGE_MAP_IOC_TYPE, HPAGE_MAP_CMD_DMA_MAP)

/**
 * enum hpage_map_sync_flags - whose turn it is
 * @HPAGE_MAP_SYNC_FOR_CPU: the device has written, the program will read
 * @HPAGE_MAP_SYNC_FOR_DEVICE: the program has written, the device will read
 */
enum hpage_map_sync_flags {
	HPAGE_MAP_SYNC_FOR_CPU = 1 << 0,
	HPAGE_MAP_SYNC_FOR_DEVICE = 1 << 1,
};

#define HPAGE_MAP_SYNC_FLAGS	(HPAGE_MAP_SYNC_FOR_CPU | HPAGE_MAP_SYNC_FOR_DEVICE)

/**
 * struct hpage_map_dma_sync - a part of the buffer
 * @size: in: sizeof(struct hpage_map_dma_sync)
 * @flags: in: one bit of enum hpage_map_sync_flags
 * @offset: in: where in the buffer, in bytes
 * @length: in: bytes, not 0
 */
struct hpage_map_dma_sync {
	__u32 size;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 length;
};

/**
 * define HPAGE_MAP_DMA_SYNC - pass a part of the buffer between CPU and device
 *
 * Takes struct hpage_map_dma_sync on a descriptor of HPAGE_MAP_DMA_MAP. It costs nothing
 * where the device is coherent with the CPU, as on PCs; elsewhere the data is not there
 * without it. Errors: EBADF, ENODEV.
 */
#define HPAGE_MAP_DMA_SYNC	_IO(HPAGE_MAP_IOC_TYPE, HPAGE_MAP_CMD_DMA_SYNC)

#endif /* _UAPI_LINUX_HPAGE_MAP_H */
