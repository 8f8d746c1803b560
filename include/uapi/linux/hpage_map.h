/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * hpage_map: buffers of huge pages that belong to the kernel.
 *
 * The manual page ioctl_hpage_map(2) describes these ioctls in full, hpage_map(4) the devices,
 * and hpage_map(7) the concepts.
 *
 * A descriptor of /dev/hpage_map refers to the default buffer. A descriptor of /dev/hpage/NAME
 * refers to a named buffer. A descriptor that HPAGE_MAP_ALLOC returns refers to a buffer without
 * a name. Each of these descriptors holds its buffer, and so does every mapping of the buffer.
 * mmap(2), read(2), write(2) and lseek(2) work on the buffer.
 *
 * A descriptor of /dev/hpage_map is also the door: HPAGE_MAP_ALLOC, HPAGE_MAP_CREATE,
 * HPAGE_MAP_PIN, HPAGE_MAP_DESTROY, HPAGE_MAP_LIST and HPAGE_MAP_FORECAST need a descriptor of this
 * device. The first open(2) of the device creates the default buffer. A program that needs the
 * door only opens the device with O_NONBLOCK, for which there is HPAGE_MAP_O_DOOR. Such an open
 * neither creates the default buffer nor waits for its creation, and the descriptor never refers
 * to it: mmap(2) fails with ENODEV, lseek(2) with ESPIPE, read(2) and write(2) with EINVAL.
 *
 * The access mode of a descriptor decides what it can be used for. An ioctl that creates or
 * destroys a buffer needs a descriptor that is open for writing. An ioctl that lets others read
 * the buffer needs one that is open for reading, and an ioctl that lets others write to it needs
 * one that is open for writing. open(2) refuses access mode 3, which is neither, with EINVAL.
 *
 * The contract of every ioctl below
 *
 * - The argument is a pointer to a structure. Its first field, size, holds the sizeof() of the
 *   structure as the program was compiled.
 * - A structure that is shorter than its first published version is refused with EINVAL. A
 *   structure that is longer than the kernel knows is accepted if it has at most
 *   HPAGE_MAP_STRUCT_MAX bytes and all bytes beyond the known part are zero. Otherwise it is
 *   refused with E2BIG.
 * - The kernel writes at most size bytes of the structure. It does not change the value of size.
 * - Unknown bits in flags, and reserved fields that are not zero, are refused with EINVAL, so
 *   that they can get a meaning later. The kernel ignores the value of an "out" field before
 *   the call.
 * - Numbers are never reused. Fields are naturally aligned, there is no implicit padding, and the
 *   layout is the same for 32-bit and 64-bit programs.
 * - If an ioctl fails, it creates nothing and leaves the structure as it was, unless the failure
 *   is that the structure cannot be written (EFAULT). Memory that the structure points to may
 *   have been written: a part of an array, or the text that explains the failure.
 * - Every new descriptor is close-on-exec.
 *
 * Every errno has one meaning. All ioctls can fail with E2BIG, EBADF, EFAULT, EINVAL and ENOTTY.
 * Further errors are listed with each ioctl.
 *
 *   E2BIG    size is above HPAGE_MAP_STRUCT_MAX, or the unknown part is not all zero
 *   EBADF    the descriptor is of a kind that the ioctl does not accept, or does not have the
 *            access mode that the ioctl needs
 *   EBUSY    the driver of the device manages the IOMMU domain itself, or the kernel gives a
 *            device a copy of the pages and the buffer has another device mapping
 *   EDQUOT   the request exceeds a limit of the user
 *   EEXIST   the name is in use
 *   EFAULT   the argument, or what the structure points to, is not memory of the caller
 *   EINTR    a signal handler without SA_RESTART interrupted the call
 *   EINVAL   size is too small, a flag is unknown, a reserved field is not zero, or values are
 *            out of range or exclude each other
 *   EIO      the device cannot reach the pages, or there is no room for a copy of them
 *   EMFILE   the process has too many open files
 *   ENFILE   the system has too many open files
 *   ENODEV   there is no device of this name, or no driver is bound to it (any more)
 *   ENOENT   there is no buffer of this name, or none with this id or a higher one
 *   ENOMEM   the pages, or memory to manage them, are not available now
 *   ENOSPC   there are as many named buffers as possible
 *   ENOTTY   there is no such ioctl
 *   EOPNOTSUPP  the kernel cannot choose pages by their address
 *   EPERM    the caller does not have the capability that the ioctl needs
 *
 * Capabilities are those of the initial user namespace.
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
 * The flags with which open(2) opens the door only: O_RDWR | O_NONBLOCK. This is the number on
 * x86 and arm64. The names cannot be used here, because <linux/fcntl.h> and the <fcntl.h> of the
 * C library exclude each other.
 */
#define HPAGE_MAP_O_DOOR	04002

/**
 * enum hpage_map_backing - where the pages of a buffer come from
 * @HPAGE_MAP_BACKING_HUGETLB: the hugetlb pool of one page size
 * @HPAGE_MAP_BACKING_THP: the page allocator; every folio has the PMD size, 2 MiB on x86-64
 * @HPAGE_MAP_BACKING_BASE: the page allocator; base pages, some of which may be part of larger
 *	folios
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
 * enum hpage_map_features - the backings with huge pages that this machine has
 * @HPAGE_MAP_FEATURE_HUGETLB: HPAGE_MAP_BACKING_HUGETLB
 * @HPAGE_MAP_FEATURE_THP: HPAGE_MAP_BACKING_THP
 * @HPAGE_MAP_FEATURE_CLAIM: the pages of HPAGE_MAP_BACKING_THP are chosen by address when they must
 *	be contiguous or below an address, and others' memory is moved for that; without it they are
 *	so by chance
 */
enum hpage_map_features {
	HPAGE_MAP_FEATURE_HUGETLB = 1 << 0,
	HPAGE_MAP_FEATURE_THP = 1 << 1,
	HPAGE_MAP_FEATURE_CLAIM = 1 << 2,
};

/**
 * enum hpage_map_attributes - properties of a buffer
 * @HPAGE_MAP_ATTR_DEFAULT: it is the default buffer
 * @HPAGE_MAP_ATTR_NAMED: it has a name in /dev/hpage
 * @HPAGE_MAP_ATTR_CONTIGUOUS: its pages are one physical run
 * @HPAGE_MAP_ATTR_BELOW_4G: all its pages lie below 4 GiB
 * @HPAGE_MAP_ATTR_RESERVE: its pages come from the reserve, and are charged to no control group
 */
enum hpage_map_attributes {
	HPAGE_MAP_ATTR_DEFAULT = 1 << 0,
	HPAGE_MAP_ATTR_NAMED = 1 << 1,
	HPAGE_MAP_ATTR_CONTIGUOUS = 1 << 2,
	HPAGE_MAP_ATTR_BELOW_4G = 1 << 3,
	HPAGE_MAP_ATTR_RESERVE = 1 << 4,
};

/**
 * struct hpage_map_info - a buffer and its holders
 * @size: in: sizeof(struct hpage_map_info)
 * @flags: in: 0
 * @length: out: size of the buffer in bytes, a multiple of @page_size
 * @page_size: out: size of one page in bytes; if the pages are of a hugetlb pool, the offset,
 *	length and address of a mapping are multiples of it, otherwise of the base page size
 * @nr_pages: out: number of pages of @page_size
 * @nr_huge: out: number of folios of at least the PMD size; this is @nr_pages if @page_size is
 *	at least the PMD size
 * @nr_runs: out: number of physically contiguous runs of pages, in the order of their offsets
 * @features: out: bits of enum hpage_map_features
 * @backing: out: enum hpage_map_backing, or 0 if the descriptor has no buffer
 * @node: out: NUMA node of the pages, or HPAGE_MAP_NODE_MIXED
 * @asked: out: the requested size in bytes, before it was rounded up
 * @address: out: physical address of the first page, or 0 if the caller does not have
 *	CAP_SYS_RAWIO
 * @id: out: number of the buffer, which is not reused soon; in and out for HPAGE_MAP_LIST
 * @attributes: out: bits of enum hpage_map_attributes
 * @creator: out: process ID of the process that requested the buffer, as the caller sees it, or
 *	0 if the caller cannot see it; the process may have ended, and its ID may be in use again
 * @uid: out: user ID of the user who requested the buffer, as the caller sees it
 * @descriptors: out: number of open files that hold the buffer
 * @mappings: out: number of mappings that hold it
 * @exports: out: number of dma-bufs that hold it
 * @drivers: out: number of references of other drivers that hold it
 * @devices: out: number of device mappings that hold it
 * @lingering: out: number of pages of @page_size that something outside of the module (a pipe, a
 *	pin of io_uring, RDMA or O_DIRECT) still refers to after the last holder has gone; they
 *	stay charged until then; only HPAGE_MAP_LIST returns a value other than 0
 * @name: out: name or tag, terminated by a NUL; may be empty
 * @alignment: out: the largest power of two, in bytes, of which the physical addresses and the
 *	lengths of all runs are multiples; a device, or an IOMMU, can map the buffer in units of it
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
	__aligned_u64 alignment;
};

/**
 * define HPAGE_MAP_INFO - describe the buffer of a descriptor
 *
 * Argument: struct hpage_map_info.
 * Descriptor: the door or a buffer, with any access mode.
 *
 * For a descriptor without a buffer, features is set and all other fields are 0.
 */
#define HPAGE_MAP_INFO	_IO(HPAGE_MAP_IOC_TYPE, 0x40)

/**
 * define HPAGE_MAP_LIST - describe the buffer with the lowest id that is not lower than id
 *
 * Argument: struct hpage_map_info.
 * Descriptor: the door, with any access mode.
 *
 * To list all buffers, begin with an id of 0, and continue with the returned id plus 1 until the
 * ioctl fails with ENOENT. Everybody sees the default buffer and named buffers. Any other buffer
 * is visible to the user who created it, and to callers with CAP_SYS_ADMIN.
 *
 * Errors: ENOENT.
 */
#define HPAGE_MAP_LIST	_IO(HPAGE_MAP_IOC_TYPE, 0x44)

/**
 * enum hpage_map_alloc_flags - requirements of struct hpage_map_alloc
 * @HPAGE_MAP_EXACT: use no page size smaller than page_size, or than the best one if page_size is
 *	0; without this flag, a request for gigantic pages may get pages of the PMD size
 * @HPAGE_MAP_ALLOW_BASE: use base pages if no huge pages are available; excludes HPAGE_MAP_EXACT
 * @HPAGE_MAP_CONTIGUOUS: the pages must be one physical run
 * @HPAGE_MAP_BELOW_4G: all pages must lie below 4 GiB
 * @HPAGE_MAP_RESERVE: use pages that the reserve keeps ready; ordinary pages are used, and the
 *	text says so, if the reserve does not have enough, if the user may not have so many, or if
 *	the pages must be contiguous, below 4 GiB or interleaved
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
 * enum hpage_map_policy - the NUMA nodes of the pages
 * @HPAGE_MAP_POLICY_DEFAULT: the memory policy of the calling thread decides
 * @HPAGE_MAP_POLICY_PREFERRED: on one node if possible, otherwise on others; the text says how
 *	many pages are elsewhere
 * @HPAGE_MAP_POLICY_STRICT: on one node, or the ioctl fails with ENOMEM
 * @HPAGE_MAP_POLICY_INTERLEAVE: in turn on all nodes that the cpuset of the caller allows, and
 *	on others if one is short, which HPAGE_MAP_NODES shows; excludes near_device,
 *	HPAGE_MAP_CONTIGUOUS and HPAGE_MAP_BELOW_4G
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
 * @length: in: requested size in bytes, not 0
 * @page_size: in: bytes, a power of two; 0 selects the best, which is the PMD size, or 2 MiB where
 *	a PMD maps more than 32 MiB
 * @policy: in: enum hpage_map_policy
 * @node: in: the node of HPAGE_MAP_POLICY_PREFERRED and HPAGE_MAP_POLICY_STRICT; otherwise, and
 *	with @near_device, 0 or -1
 * @near_device: in: empty, or the name of a PCI ("0000:00:03.0") or platform device; the node
 *	with memory that is nearest to this device takes the place of @node, and is preferred
 *	unless @policy is HPAGE_MAP_POLICY_STRICT; if the machine has several nodes and does not
 *	report the node of the device, HPAGE_MAP_POLICY_STRICT fails with EINVAL
 * @name: in: for HPAGE_MAP_CREATE the name in /dev/hpage; for HPAGE_MAP_ALLOC a tag or empty;
 *	letters and digits, and after the first character also '.', '_' and '-'
 * @mode: in: for HPAGE_MAP_CREATE the permission bits of the node, where 0 means 0600; for
 *	HPAGE_MAP_ALLOC 0
 * @uid: in: for HPAGE_MAP_CREATE the owner of the node; for HPAGE_MAP_ALLOC 0
 * @gid: in: for HPAGE_MAP_CREATE the group of the node; for HPAGE_MAP_ALLOC 0
 * @text_size: in: bytes at @text; HPAGE_MAP_TEXT_SIZE bytes are always enough
 * @text: in: address for a text, terminated by a NUL, that explains to people why nothing better,
 *	or nothing at all, was provided; the text may be empty; 0 with a @text_size of 0 for none
 * @fd: out: a descriptor of the buffer, open for reading and writing
 * @id: out: number of the buffer
 * @got_length: out: bytes: @length, rounded up to a multiple of @got_page_size
 * @got_page_size: out: size of one page in bytes
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
 * define HPAGE_MAP_ALLOC - create a buffer that lives until its last holder is gone
 *
 * Argument: struct hpage_map_alloc.
 * Descriptor: the door, open for writing.
 *
 * The pages are zeroed. They are charged to the control groups of the caller, unless they come
 * from the reserve. For the user of the caller, pages of the page allocator count against
 * RLIMIT_MEMLOCK, pages of a hugetlb pool against the parameter user_hugetlb, and pages of the
 * reserve against the parameter user_reserve only. CAP_IPC_LOCK exempts from all three. If this
 * machine has none of the page sizes that are tried, the ioctl fails with EINVAL.
 *
 * Errors: EDQUOT, EINTR, EMFILE, ENFILE, ENODEV, ENOMEM.
 */
#define HPAGE_MAP_ALLOC	_IO(HPAGE_MAP_IOC_TYPE, 0x41)

/**
 * define HPAGE_MAP_CREATE - create a buffer with a name in /dev/hpage
 *
 * Argument: struct hpage_map_alloc.
 * Descriptor: the door, open for writing.
 * Capability: CAP_SYS_ADMIN.
 *
 * As HPAGE_MAP_ALLOC, but the name holds the buffer until HPAGE_MAP_DESTROY or until the module
 * is removed. A name that is in use, or for which another call is creating a buffer, is refused
 * before any page is allocated. The names "default" and "hpage_map" are reserved.
 *
 * Errors: those of HPAGE_MAP_ALLOC, EEXIST, ENOSPC, EPERM.
 */
#define HPAGE_MAP_CREATE	_IO(HPAGE_MAP_IOC_TYPE, 0x42)

/**
 * struct hpage_map_destroy - the name of a buffer
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
 * define HPAGE_MAP_DESTROY - remove the name of a buffer and its device node
 *
 * Argument: struct hpage_map_destroy.
 * Descriptor: the door, open for writing.
 * Capability: CAP_SYS_ADMIN.
 *
 * The pages are freed when the last holder of the buffer is gone.
 *
 * Errors: ENOENT, EPERM.
 */
#define HPAGE_MAP_DESTROY	_IO(HPAGE_MAP_IOC_TYPE, 0x43)

/**
 * struct hpage_map_nodes - the number of pages on each NUMA node
 * @size: in: sizeof(struct hpage_map_nodes)
 * @flags: in: 0
 * @pages: in: address of an array of __u64; the kernel writes the number of pages on node 0 to
 *	the first element, and so on, up to the highest node that has pages of the buffer
 * @nr: in: number of elements of the array; out: number of the highest node that has pages of
 *	the buffer, plus 1, which may be more than the array has elements; elements from there on
 *	are left as they are
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
 * define HPAGE_MAP_NODES - count the pages of a buffer on each NUMA node
 *
 * Argument: struct hpage_map_nodes.
 * Descriptor: a buffer, with any access mode.
 *
 * Errors: ENOMEM.
 */
#define HPAGE_MAP_NODES	_IO(HPAGE_MAP_IOC_TYPE, 0x45)

/**
 * struct hpage_map_run - contiguous pages
 * @address: physical address or bus address
 * @length: bytes
 */
struct hpage_map_run {
	__aligned_u64 address;
	__aligned_u64 length;
};

/**
 * struct hpage_map_runs - runs of a buffer, in the order of their offsets
 * @size: in: sizeof(struct hpage_map_runs)
 * @flags: in: 0
 * @runs: in: address of an array of struct hpage_map_run
 * @first: in: number of runs to skip
 * @nr: in: number of elements of the array; out: number of elements that were written
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
 * define HPAGE_MAP_RUNS - return the addresses of the pages
 *
 * Argument: struct hpage_map_runs.
 * Descriptor: a buffer or a device mapping, with any access mode.
 * Capability: CAP_SYS_RAWIO.
 *
 * For a buffer, the addresses are physical addresses, and stay valid as long as the buffer has a
 * holder. For a device mapping, they are bus addresses.
 *
 * Errors: ENODEV, ENOMEM, EPERM.
 */
#define HPAGE_MAP_RUNS	_IO(HPAGE_MAP_IOC_TYPE, 0x46)

/**
 * enum hpage_map_export_flags - what the dma-buf can be used for
 * @HPAGE_MAP_EXPORT_READ_ONLY: nobody can write through the dma-buf: mmap(2) with MAP_SHARED and
 *	PROT_WRITE fails with EACCES, and so does importing it for a device that writes
 */
enum hpage_map_export_flags {
	HPAGE_MAP_EXPORT_READ_ONLY = 1 << 0,
};

#define HPAGE_MAP_EXPORT_FLAGS	HPAGE_MAP_EXPORT_READ_ONLY

/**
 * struct hpage_map_export - a new dma-buf
 * @size: in: sizeof(struct hpage_map_export)
 * @flags: in: bits of enum hpage_map_export_flags
 * @fd: out: descriptor of the dma-buf
 * @reserved: in: 0
 * @offset: in: where in the buffer the dma-buf begins, in bytes, a multiple of the base page size
 * @length: in: length of the dma-buf in bytes, rounded up to a multiple of the base page size; 0
 *	for all that follows
 */
struct hpage_map_export {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 reserved;
	__aligned_u64 offset;
	__aligned_u64 length;
};

/**
 * define HPAGE_MAP_EXPORT - export a buffer, or a part of it, to other drivers as a dma_buf
 *
 * Argument: struct hpage_map_export.
 * Descriptor: a buffer, open for reading and writing, because anyone who has the dma-buf can do
 * both; open for reading is enough with HPAGE_MAP_EXPORT_READ_ONLY.
 *
 * The dma-buf holds the whole buffer. It can be mapped: with huge pages where address, offset in
 * the buffer and length are multiples of the page size, otherwise with base pages. If these base
 * pages come from a hugetlb pool, the kernel cannot pin them. A part that is not within the buffer
 * is refused with EINVAL.
 *
 * Errors: EMFILE, ENFILE, ENOMEM.
 */
#define HPAGE_MAP_EXPORT	_IO(HPAGE_MAP_IOC_TYPE, 0x47)

/**
 * struct hpage_map_pin - a new buffer of memory that the program has
 * @size: in: sizeof(struct hpage_map_pin)
 * @flags: in: 0
 * @address: in: start of the memory, a multiple of the base page size
 * @length: in: bytes, a multiple of the base page size
 * @name: in: a tag or empty, as in struct hpage_map_alloc
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
 * define HPAGE_MAP_PIN - create a buffer of memory that the program has
 *
 * Argument: struct hpage_map_pin.
 * Descriptor: the door, open for writing.
 *
 * The memory must be writable, and anonymous, shared or hugetlb memory. Other memory is refused
 * with EINVAL or EFAULT. The program continues to use the memory. The pages stay pinned until
 * the last holder of the buffer is gone, even if the program unmaps them. They count against
 * RLIMIT_MEMLOCK of the user. The buffer can be read, written, exported and mapped for a device.
 * mmap(2) of it fails with ENODEV.
 *
 * Errors: EDQUOT, EINTR, EMFILE, ENFILE, ENOMEM.
 */
#define HPAGE_MAP_PIN	_IO(HPAGE_MAP_IOC_TYPE, 0x48)

/**
 * enum hpage_map_dma_flags - the direction of the transfer
 * @HPAGE_MAP_DMA_TO_DEVICE: the device reads the buffer
 * @HPAGE_MAP_DMA_FROM_DEVICE: the device writes to the buffer
 */
enum hpage_map_dma_flags {
	HPAGE_MAP_DMA_TO_DEVICE = 1 << 0,
	HPAGE_MAP_DMA_FROM_DEVICE = 1 << 1,
};

#define HPAGE_MAP_DMA_FLAGS	(HPAGE_MAP_DMA_TO_DEVICE | HPAGE_MAP_DMA_FROM_DEVICE)

/**
 * struct hpage_map_dma_map - a new device mapping
 * @size: in: sizeof(struct hpage_map_dma_map)
 * @flags: in: bits of enum hpage_map_dma_flags, at least one
 * @device: in: name of the PCI ("0000:00:03.0") or platform device
 * @nr_runs: out: number of runs of bus addresses
 * @fd: out: a descriptor of the device mapping
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
 * define HPAGE_MAP_DMA_MAP - map a buffer for a device
 *
 * Argument: struct hpage_map_dma_map.
 * Descriptor: a buffer, open for reading if the device reads, and for writing if it writes.
 * Capability: CAP_SYS_RAWIO.
 *
 * The device mapping holds the buffer. It ends when its descriptor is closed, or when the driver
 * of the device is unbound; HPAGE_MAP_RUNS and HPAGE_MAP_DMA_SYNC then fail with ENODEV. The
 * program must stop the device before the mapping ends. A device that does no DMA is refused
 * with EINVAL.
 *
 * The kernel may give a device a copy of the pages (swiotlb=force, encrypted virtual machines).
 * If such a device may write, its mapping must be the only device mapping of the buffer.
 * Otherwise the ioctl fails with EBUSY.
 *
 * Errors: EBUSY, EINTR, EIO, EMFILE, ENFILE, ENODEV, ENOMEM, EPERM.
 */
#define HPAGE_MAP_DMA_MAP	_IO(HPAGE_MAP_IOC_TYPE, 0x49)

/**
 * enum hpage_map_sync_flags - who accesses the buffer next
 * @HPAGE_MAP_SYNC_FOR_CPU: after the device has written, before the program reads
 * @HPAGE_MAP_SYNC_FOR_DEVICE: after the program has written or read, before the device accesses
 *	the buffer again
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
 * @offset: in: offset in the buffer, in bytes
 * @length: in: bytes, not 0
 */
struct hpage_map_dma_sync {
	__u32 size;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 length;
};

/**
 * define HPAGE_MAP_DMA_SYNC - pass a part of a buffer between processor and device
 *
 * Argument: struct hpage_map_dma_sync.
 * Descriptor: a device mapping.
 *
 * This does nothing where the device is coherent with the processor, as on PCs. On other
 * machines, and where the kernel gives the device a copy of the pages, the other side does not
 * see the data without it.
 *
 * Errors: ENODEV.
 */
#define HPAGE_MAP_DMA_SYNC	_IO(HPAGE_MAP_IOC_TYPE, 0x4a)

/**
 * struct hpage_map_forecast - the longest run of pages that could be had now
 * @size: in: sizeof(struct hpage_map_forecast)
 * @flags: in: HPAGE_MAP_BELOW_4G or 0
 * @node: in: the NUMA node
 * @reserved: in: 0
 * @length: out: bytes of the run; 0 if there is none
 * @moved: out: bytes of it in which memory of others lies, which has to be moved first
 * @kernel: out: bytes of the blocks of the PMD size, on the node, that cannot be had because of
 *	memory of the kernel, or because no memory may be pinned there (CMA, ZONE_MOVABLE)
 * @pinned: out: the same because of pinned or locked memory
 * @pooled: out: the same because of pages of hugetlb pools; a block counts for what is found first
 */
struct hpage_map_forecast {
	__u32 size;
	__u32 flags;
	__s32 node;
	__u32 reserved;
	__aligned_u64 length;
	__aligned_u64 moved;
	__aligned_u64 kernel;
	__aligned_u64 pinned;
	__aligned_u64 pooled;
};

/**
 * define HPAGE_MAP_FORECAST - look for the longest run of pages on a NUMA node
 *
 * Argument: struct hpage_map_forecast.
 * Descriptor: the door, with any access mode.
 * Capability: CAP_SYS_ADMIN.
 *
 * The kernel looks at the memory map and changes nothing. HPAGE_MAP_ALLOC with
 * HPAGE_MAP_CONTIGUOUS and without a hugetlb pool can get such a run, unless a limit or the cpuset
 * of the caller, or the setting shmem_enabled=deny, refuses it, or somebody else gets a part of it
 * first.
 *
 * Errors: ENOMEM, EOPNOTSUPP (without HPAGE_MAP_FEATURE_CLAIM), EPERM.
 */
#define HPAGE_MAP_FORECAST	_IO(HPAGE_MAP_IOC_TYPE, 0x4b)

#endif /* _UAPI_LINUX_HPAGE_MAP_H */
