/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * hpage_map: huge pages owned by a driver, mapped by programs.
 *
 * An open file of /dev/hpage_map refers to one buffer and holds it, and so
 * does every mapping of it. mmap(2), read(2), write(2) and lseek(2) work on
 * the buffer; the ioctls below ask about it.
 *
 * The contract of every ioctl
 *
 * - The argument is a pointer to one struct whose first field, size, holds
 *   sizeof() of that struct as the program was compiled with it.
 * - A struct shorter than the first published version is refused with EINVAL.
 *   A longer one than the kernel knows is accepted, up to
 *   HPAGE_MAP_STRUCT_MAX bytes, if the unknown tail is all zero, else refused
 *   with E2BIG. The kernel writes no more than size bytes, and never changes
 *   size.
 * - Unknown bits in flags and reserved fields that are not zero are refused
 *   with EINVAL, so that they can be given a meaning later.
 * - Numbers are never reused. Fields are naturally aligned; there is no
 *   implicit padding; the layout is the same for 32-bit and 64-bit programs.
 * - Nothing has happened when an ioctl fails.
 *
 * One meaning per errno, for all of them:
 *
 *   EFAULT   the pointer, or a part of the struct, is not the caller's memory
 *   EINVAL   size too short, unknown flag bit, or reserved field not zero
 *   E2BIG    size longer than the kernel knows, with a tail that is not zero,
 *            or longer than HPAGE_MAP_STRUCT_MAX
 *   ENOTTY   no such ioctl
 */
#ifndef _UAPI_LINUX_HPAGE_MAP_H
#define _UAPI_LINUX_HPAGE_MAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define HPAGE_MAP_IOC_TYPE	0xB9

/**
 * define HPAGE_MAP_STRUCT_MAX - the most bytes that a struct of any version has
 */
#define HPAGE_MAP_STRUCT_MAX	4096

enum {
	HPAGE_MAP_CMD_BASE = 0x40,
	HPAGE_MAP_CMD_INFO = HPAGE_MAP_CMD_BASE,
};

/**
 * enum hpage_map_backing - where the pages of a buffer come from
 * @HPAGE_MAP_BACKING_HUGETLB: the hugetlb pool of one page size
 * @HPAGE_MAP_BACKING_THP: the page allocator; every folio is as large as a
 *	PMD maps (2 MiB on x86-64)
 * @HPAGE_MAP_BACKING_BASE: the page allocator; pages of the base page size,
 *	some of which may stand together in larger folios
 *
 * Values are never reused; new ones may be added.
 */
enum hpage_map_backing {
	HPAGE_MAP_BACKING_HUGETLB = 1,
	HPAGE_MAP_BACKING_THP = 2,
	HPAGE_MAP_BACKING_BASE = 3,
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
 * define HPAGE_MAP_NODE_MIXED - the pages are not all on one NUMA node
 */
#define HPAGE_MAP_NODE_MIXED	(-1)

/**
 * struct hpage_map_info - what a buffer is; argument of HPAGE_MAP_INFO
 * @size: in: sizeof(struct hpage_map_info)
 * @flags: in: no bit is defined yet, must be 0
 * @length: out: size of the buffer in bytes, a multiple of @page_size
 * @page_size: out: size of one page of the buffer in bytes; offsets, lengths
 *	and addresses of mappings are multiples of it
 * @nr_pages: out: number of pages of @page_size
 * @nr_huge: out: how many of the buffer's folios a PMD or more can map;
 *	differs from @nr_pages only with HPAGE_MAP_BACKING_BASE and for page
 *	sizes below a PMD
 * @nr_runs: out: number of physically contiguous runs that the pages make,
 *	in the order of their offsets; 1 means contiguous over the whole length
 * @features: out: bits of enum hpage_map_features
 * @backing: out: enum hpage_map_backing
 * @node: out: NUMA node of the pages, or HPAGE_MAP_NODE_MIXED
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
};

/**
 * define HPAGE_MAP_INFO_FLAGS - the bits that are valid in hpage_map_info.flags
 */
#define HPAGE_MAP_INFO_FLAGS	0

/**
 * define HPAGE_MAP_INFO - ask what the buffer of this descriptor is
 *
 * Needs no capability and works on any descriptor of the device, read-only
 * ones too.
 *
 * Errors: EFAULT, EINVAL, E2BIG as above.
 */
#define HPAGE_MAP_INFO	_IO(HPAGE_MAP_IOC_TYPE, HPAGE_MAP_CMD_INFO)

#endif /* _UAPI_LINUX_HPAGE_MAP_H */
