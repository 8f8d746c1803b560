/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libhpage_map: a huge, shareable buffer in three lines.
 *
 *	struct hpmap_buffer *buffer;
 *	void *address;
 *
 *	if (hpmap_alloc(HPMAP_OPTIONS(.size = 1UL << 30), &buffer) ||
 *	    hpmap_map(buffer, HPMAP_POPULATE, &address))
 *		errx(1, "%s", hpmap_why(NULL));
 *
 * Where the kernel module hpage_map is loaded and open to the caller, buffers
 * come from it: their pages are pinned, have names if wanted, and may be
 * chosen by node and address. Without it, the same program gets memory of
 * memfd_create(2) with huge pages, as good as the machine has them.
 * hpmap_info() reports which it was, and hpmap_why() why nothing better.
 *
 * The contract of every function
 *
 * - It returns 0 or a negative errno, unless stated otherwise. Nothing
 *   has happened when it fails, and its out-parameters are as they were. It
 *   prints nothing. errno means nothing afterwards.
 * - Its name says what it does. A noun asks: hpmap_size(), hpmap_info(); with get
 *   where it could be taken for a verb: hpmap_get_pool().
 * - When it fails, hpmap_why(NULL) returns in the same thread what was lacking
 *   and what to try.
 * - A struct whose first field is struct_size is given with that field set to
 *   its sizeof. Programs and libraries of different age then work together: a
 *   longer struct than the library knows is accepted if the unknown tail is
 *   zero; unknown bits of flags are refused. A size is always bytes of memory.
 * - A count, @nr, means the same everywhere. In: how many elements the array has
 *   room for, which may be 0 for an array of NULL. Out: how many there are, from
 *   @first on where a call has that; they may be more. As many are written as there
 *   are and have room, and what is behind them in the array stays as it was.
 * - Any number of threads may use different buffers, and the same buffer, at
 *   the same time. hpmap_close() comes after all other calls for its buffer.
 *
 * One meaning per errno, for all of them:
 *
 *   -E2BIG        a struct is longer than the library knows, with a tail that
 *                 is not zero
 *   -EACCES       a file, mostly one in /dev, may not be opened by the caller,
 *                 or not for writing
 *   -EAGAIN       a socket has waited as long as it may
 *   -EBUSY        the buffer is mapped already or is being populated, or the
 *                 device's addresses are managed by its driver
 *   -ECANCELED    the program's own function has ended the call
 *   -EDQUOT       a limit of the caller's user or process stands against it
 *   -EEXIST       there is a buffer of that name, or a mapping at that address
 *   -EFAULT       there is no memory where a pointer points
 *   -EINTR        a signal came first; never one whose handler has SA_RESTART,
 *                 which runs when the call is over
 *   -EINVAL       a struct is too short, a bit of flags unknown, a value out
 *                 of range, or values contradict each other
 *   -EIO          the device does not reach the pages
 *   -EMFILE       the process has no descriptor left; -ENFILE: the machine
 *                 has none
 *   -ENODEV       there is no device of that name, it has gone, or the
 *                 memory is the program's own
 *   -ENOENT       there is no buffer, pool or reserve of that name or number, or
 *                 no buffer in the environment
 *   -ENOMEM       the memory cannot be had now
 *   -ENOSPC       there are as many named buffers as there can be
 *   -ENOTSUP      this needs something that is not there: the module, or for
 *                 a dma-buf the device /dev/udmabuf. It is the one answer of
 *                 every call that needs the module when that is not loaded, or
 *                 has no device in the caller's container.
 *   -EPERM        the caller lacks a capability
 *   -EPIPE        nobody is at the other end of a socket
 *   -EPROTO       what came over a socket is no buffer
 *
 * Linux only, 64 bits only; Linux 5.10 or later without the module.
 */
#ifndef HPAGE_MAP_H
#define HPAGE_MAP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Marks what has a better name now. It means the same, and goes with the next soname. For members
 * that is a union without a name, which C99 does not know: hence __extension__.
 */
#define HPMAP_OLD(now)	__attribute__((deprecated("the name is now " now)))

/**
 * struct hpmap_buffer - a buffer, or rather this process's hold on one
 *
 * Made by hpmap_alloc(), hpmap_create(), hpmap_open(), hpmap_from_fd(), hpmap_reopen(),
 * hpmap_recv() and hpmap_pin(), and ended by hpmap_close(). It owns a descriptor
 * and at most one mapping; those of hpmap_map_at() are the caller's.
 */
struct hpmap_buffer;

/**
 * struct hpmap_dma - a device mapping, or rather this process's hold on one
 *
 * Made by hpmap_dma_map() and hpmap_dma_from_fd(), and ended by hpmap_dma_unmap().
 * It owns a descriptor. For threads the same holds as for buffers.
 */
struct hpmap_dma;

/** define HPMAP_NAME_SIZE - room for a name, its terminating NUL included */
#define HPMAP_NAME_SIZE		64

/** define HPMAP_NODE_MIXED - the pages are not all on one NUMA node */
#define HPMAP_NODE_MIXED	(-1)
/** define HPMAP_NODE_UNKNOWN - on which NUMA node the pages are is not known */
#define HPMAP_NODE_UNKNOWN	(-2)

/**
 * enum hpmap_backend - who keeps the pages
 * @HPMAP_BACKEND_MODULE: the kernel module; they are pinned, never moved, and
 *	closed to everybody but the holders of the buffer
 * @HPMAP_BACKEND_MEMFD: memfd_create(2); other holders of the descriptor may
 *	punch holes into it, and the kernel may move the pages unless something
 *	pins them
 */
enum hpmap_backend {
	HPMAP_BACKEND_MODULE = 1,
	HPMAP_BACKEND_MEMFD = 2
};

/**
 * enum hpmap_backing - where the pages come from
 * @HPMAP_BACKING_HUGETLB: the kernel's pool of huge pages of one size
 * @HPMAP_BACKING_THP: the page allocator, each as large as a page middle
 *	directory entry maps (a PMD, 2 MiB on x86-64)
 * @HPMAP_BACKING_BASE: the page allocator, in pages of the base size, some of
 *	which may stand together in larger ones
 * @HPMAP_BACKING_USER: memory of a program, see hpmap_pin()
 */
enum hpmap_backing {
	HPMAP_BACKING_HUGETLB = 1,
	HPMAP_BACKING_THP = 2,
	HPMAP_BACKING_BASE = 3,
	HPMAP_BACKING_USER = 4
};

/**
 * enum hpmap_attributes - what else holds for a buffer
 * @HPMAP_ATTR_DEFAULT: it is the module's default buffer
 * @HPMAP_ATTR_NAMED: it has a name below /dev/hpage
 * @HPMAP_ATTR_CONTIGUOUS: its pages make one physical run
 * @HPMAP_ATTR_BELOW_4G: all of them lie below 4 GiB
 * @HPMAP_ATTR_RESERVE: they came from the module's reserve
 */
enum hpmap_attributes {
	HPMAP_ATTR_DEFAULT = 1 << 0,
	HPMAP_ATTR_NAMED = 1 << 1,
	HPMAP_ATTR_CONTIGUOUS = 1 << 2,
	HPMAP_ATTR_BELOW_4G = 1 << 3,
	HPMAP_ATTR_RESERVE = 1 << 4
};

/**
 * enum hpmap_alloc_flags - what a program asks for
 * @HPMAP_EXACT: no smaller page size than the one given; without one, none
 *	smaller than the best
 * @HPMAP_ALLOW_BASE: base pages will do if no huge pages can be had
 * @HPMAP_CONTIGUOUS: one physical run over the whole length; needs the module
 * @HPMAP_BELOW_4G: all pages below 4 GiB; needs the module
 * @HPMAP_RESERVE: pages that the module's reserve keeps ready, if it has
 *	enough; needs the module
 * @HPMAP_MODULE_ONLY: the module or nothing
 * @HPMAP_NO_MODULE: as if there were no module
 */
enum hpmap_alloc_flags {
	HPMAP_EXACT = 1 << 0,
	HPMAP_ALLOW_BASE = 1 << 1,
	HPMAP_CONTIGUOUS = 1 << 2,
	HPMAP_BELOW_4G = 1 << 3,
	HPMAP_RESERVE = 1 << 4,
	HPMAP_MODULE_ONLY = 1 << 16,
	HPMAP_NO_MODULE = 1 << 17
};

/**
 * enum hpmap_policy - on which NUMA nodes the pages shall lie
 * @HPMAP_POLICY_DEFAULT: by the memory policy of the calling thread
 * @HPMAP_POLICY_PREFERRED: on one node, and on others when it is short
 * @HPMAP_POLICY_STRICT: on one node, or not at all
 * @HPMAP_POLICY_INTERLEAVE: in turn on all nodes that the caller may use
 */
enum hpmap_policy {
	HPMAP_POLICY_DEFAULT = 0,
	HPMAP_POLICY_PREFERRED = 1,
	HPMAP_POLICY_STRICT = 2,
	HPMAP_POLICY_INTERLEAVE = 3
};

/**
 * struct hpmap_options - what hpmap_alloc() and hpmap_create() shall make
 * @struct_size: sizeof(struct hpmap_options)
 * @flags: bits of enum hpmap_alloc_flags
 * @size: bytes wanted, not 0; rounded up to a multiple of the page size
 * @page_size: bytes, a power of two; 0 takes the best: what a PMD maps, or 2 MiB
 *	where that is more than 32 MiB. Without HPMAP_EXACT smaller ones are taken
 *	where those cannot be had, but base pages only with HPMAP_ALLOW_BASE.
 * @policy: enum hpmap_policy
 * @node: the node of HPMAP_POLICY_PREFERRED and _STRICT; else 0 or -1
 * @near_device: a PCI device ("0000:00:03.0") or platform device, whose node
 *	takes the place of @node; NULL for none. With HPMAP_POLICY_DEFAULT that
 *	node is preferred.
 * @name: hpmap_create(): the name below /dev/hpage, of letters, digits, '.',
 *	'_' and '-', the first a letter or a digit. hpmap_alloc(): a tag for
 *	people, of the same kind, or NULL.
 * @mode: hpmap_create(): permission bits of the node, 0 means 0600; else 0
 * @uid: hpmap_create(): owner of the node; else 0
 * @gid: hpmap_create(): group of the node; else 0
 * @reserved: 0
 */
struct hpmap_options {
	uint32_t struct_size;
	uint32_t flags;
	__extension__ union {
		uint64_t size;
		uint64_t length HPMAP_OLD("size");
	};
	uint64_t page_size;
	uint32_t policy;
	int32_t node;
	const char *near_device;
	const char *name;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t reserved;
};

/**
 * define HPMAP_OPTIONS - options in place: HPMAP_OPTIONS(.size = 1UL << 30)
 *
 * C++ has it from C++20 on, with the fields in the order of the struct. There it
 * is a temporary, which lasts as long as the call that it is an argument of.
 */
#ifndef __cplusplus
#define HPMAP_OPTIONS(...)						\
	(&(const struct hpmap_options){					\
		.struct_size = sizeof(struct hpmap_options), __VA_ARGS__ })
#endif

/**
 * hpmap_alloc() - make a buffer that lives as long as somebody holds it
 * @options: what is wanted
 * @buffer: out: the buffer; end it with hpmap_close()
 *
 * The memory is there and zeroed when this returns: no later touch of it can
 * fail for lack of memory. The module is asked first. If it is not loaded, may
 * not be opened, or has not got the pages, and nothing in @options needs it,
 * memfd_create(2) is asked: for pages of the hugetlb pools, then for
 * transparent huge pages, then for base pages if HPMAP_ALLOW_BASE is set. What
 * is beyond the memory of the machine, of the nodes to be used, or of the
 * caller's memory cgroup is -ENOMEM before any of it is touched.
 *
 * HPAGE_MAP_BACKING in the environment forces a backing, to compare: "module" or "memfd", and
 * "hugetlb", "thp" or "base", or both with a comma between them; see hpmap_alloc(3). Another
 * word, or one that excludes what is asked for, is -EINVAL. What cannot be had is an errno, and
 * nothing else is taken. Programs with more privileges than their caller ignore it.
 *
 * Other processes get the buffer by inheriting its descriptor, or with
 * hpmap_send().
 *
 * Return: 0, or -E2BIG, -EDQUOT, -EINTR, -EINVAL, -EMFILE, -ENFILE, -ENODEV,
 * -ENOMEM, -ENOTSUP, and with HPMAP_MODULE_ONLY, what needs the module or "module" in the
 * environment -EACCES.
 */
int hpmap_alloc(const struct hpmap_options *options, struct hpmap_buffer **buffer);

/**
 * hpmap_create() - make a buffer with a name below /dev/hpage
 * @options: what is wanted, with a name
 * @buffer: out: the buffer, to be ended with hpmap_close(); or NULL
 *
 * Needs the module and CAP_SYS_ADMIN. The name holds the buffer until
 * hpmap_destroy() or until the module is removed.
 *
 * Return: 0, or as hpmap_alloc(), -EACCES, -EEXIST, -ENOSPC, -ENOTSUP, -EPERM.
 */
int hpmap_create(const struct hpmap_options *options, struct hpmap_buffer **buffer);

/**
 * hpmap_destroy() - take the name of a buffer away
 * @name: the name
 *
 * The name is gone at once, and the memory when the last holder goes. Needs
 * the module and CAP_SYS_ADMIN.
 *
 * Return: 0, or -EACCES, -EINVAL, -ENOENT, -ENOTSUP, -EPERM.
 */
int hpmap_destroy(const char *name);

/** define HPMAP_READ_ONLY - for hpmap_open(), hpmap_reopen() and hpmap_map(): not to be written */
#define HPMAP_READ_ONLY		(1U << 0)

/**
 * hpmap_open() - hold a buffer that has a name
 * @name: the name, or NULL for the module's default buffer, /dev/hpage_map
 * @flags: HPMAP_READ_ONLY or 0
 * @buffer: out: the buffer; end it with hpmap_close()
 *
 * Needs the module. The default buffer is made by the first who opens it.
 *
 * Return: 0, or -EACCES, -EINTR, -EINVAL, -EMFILE, -ENFILE, -ENOENT, -ENOMEM,
 * -ENOTSUP.
 */
int hpmap_open(const char *name, unsigned int flags, struct hpmap_buffer **buffer);

/**
 * hpmap_from_fd() - hold the buffer of a descriptor
 * @fd: a descriptor that hpmap_fd() gave here or in another process, or one of
 *	the device, or one of memfd_create(2) with the seal F_SEAL_SHRINK and a
 *	size that is a multiple of its page size. It stays the caller's: the
 *	buffer has a duplicate.
 * @buffer: out: the buffer; end it with hpmap_close()
 *
 * Without that seal whoever shares the file could shorten it, and a touch of
 * what is gone would be a SIGBUS. Nobody can take it away. Files that are no
 * memory are not asked anything, so that a file system cannot delay the answer.
 *
 * Return: 0, or -EINVAL when that is no buffer, is not sealed or cannot be read
 * from, -EMFILE, -ENFILE, -ENOMEM.
 */
int hpmap_from_fd(int fd, struct hpmap_buffer **buffer);

/** define HPMAP_UNSEALED - for hpmap_from_fd_flags(): whoever shares it is trusted */
#define HPMAP_UNSEALED		(1U << 3)

/**
 * hpmap_from_fd_flags() - hold the buffer of a descriptor, which may be unsealed
 * @fd: as with hpmap_from_fd(); with HPMAP_UNSEALED also a memfd without seals,
 *	or a file of tmpfs or hugetlbfs, such as shm_open(3) makes
 * @flags: HPMAP_UNSEALED or 0
 * @buffer: out: the buffer; end it with hpmap_close()
 *
 * With HPMAP_UNSEALED it is for the program to see to it that nobody shortens
 * the file.
 *
 * Return: as hpmap_from_fd().
 */
int hpmap_from_fd_flags(int fd, unsigned int flags, struct hpmap_buffer **buffer);

/**
 * hpmap_reopen() - hold a buffer once more, perhaps for reading alone
 * @buffer: the buffer; it stays as it is
 * @flags: HPMAP_READ_ONLY or 0
 * @other: out: another hold on the same buffer; end it with hpmap_close()
 *
 * It has a descriptor and a mapping of its own. With HPMAP_READ_ONLY whoever gets
 * it, by hpmap_send() or inheritance, cannot write to the buffer: no mapping, write(2) or
 * device does. What the mode of the file forbids, nobody can open again by
 * /proc/PID/fd either; so of a memfd group and others lose the right to write.
 * Its owner and root can always: whoever shall be kept out needs another user id.
 *
 * Needs /proc. The node of a named buffer is opened again, with its permissions.
 *
 * Return: 0, or -EACCES when the mode of the file or node does not allow it,
 * -EINVAL, -EMFILE, -ENFILE, -ENOENT when the name of the buffer has been taken away,
 * -ENOMEM, -ENOTSUP without /proc, -EPERM when somebody else's memfd is open to
 * everybody's writing, which cannot be changed.
 */
int hpmap_reopen(const struct hpmap_buffer *buffer, unsigned int flags,
		 struct hpmap_buffer **other);

/**
 * hpmap_from_env() - hold the buffer that the environment names
 * @buffer: out: the buffer; end it with hpmap_close()
 *
 * That is the one that "hpagectl run" gives the program that it runs: of the
 * descriptor HPAGE_MAP_FD, as with hpmap_from_fd(), and hpmap_why() for it is
 * HPAGE_MAP_WHY. The descriptor stays open, for children of the program. A program
 * with more privileges than its caller, as secure_getenv(3) has it, is -ENOENT.
 *
 * Return: 0, or as hpmap_from_fd(), -EINVAL also when HPAGE_MAP_FD is no
 * descriptor, -ENOENT when there is none.
 */
int hpmap_from_env(struct hpmap_buffer **buffer);

/**
 * hpmap_send() - give a buffer to the process at the other end of a socket
 * @buffer: the buffer; it stays the caller's
 * @socket: a connected socket of AF_UNIX: SOCK_STREAM, SOCK_SEQPACKET or
 *	SOCK_DGRAM
 *
 * Sends one byte, 0, with a duplicate of the descriptor (SCM_RIGHTS). Whoever
 * receives it may do with the buffer what the sender's descriptor allows, so
 * only read one of hpmap_reopen() or hpmap_open() with HPMAP_READ_ONLY. Until it is received, the
 * message holds the buffer. A socket without a reader is no SIGPIPE.
 *
 * Waits as sendmsg(2) does. A handler with SA_RESTART runs meanwhile; on a
 * socket with SO_SNDTIMEO it ends the call with -EINTR, as others do.
 *
 * Return: 0, or -EAGAIN, -EDQUOT when too many descriptors are on their way,
 * -EINTR, -EINVAL when that is no socket of AF_UNIX, -ENOMEM, -EPERM when the
 * other end is connected to somebody else, -EPIPE.
 */
int hpmap_send(const struct hpmap_buffer *buffer, int socket);

/**
 * hpmap_recv() - receive a buffer from the process at the other end of a socket
 * @socket: a socket of AF_UNIX of any of these types
 * @flags: 0 or HPMAP_UNSEALED
 * @buffer: out: the buffer; end it with hpmap_close()
 *
 * Receives one message of hpmap_send(), or of another program that sends one
 * byte of any value with one descriptor; from a stream no more than that byte.
 * The descriptor is held to what hpmap_from_fd_flags() demands, and is
 * close-on-exec. A message that is refused has been received all the same, and
 * what came with it is closed. Closing a file of FUSE waits for its server: take
 * no descriptors of those who may want to stall.
 *
 * Waits as recvmsg(2) does. For signals the same holds, with SO_RCVTIMEO.
 *
 * Return: 0, or as hpmap_from_fd_flags(), -EAGAIN, -EINTR, -EINVAL when that is
 * no socket of AF_UNIX, -EPIPE when the other end is closed, -EPROTO when the
 * message is of no byte or of several, or of no descriptor or of several.
 */
int hpmap_recv(int socket, unsigned int flags, struct hpmap_buffer **buffer);

/**
 * hpmap_close() - let go of a buffer
 * @buffer: the buffer, or NULL, which does nothing
 *
 * Ends its mapping and closes its descriptor. Mappings of hpmap_map_at() stay,
 * and hold the memory, which is free when nobody holds the buffer any more. In a
 * child of fork(2) a mapping with HPMAP_DONTFORK is not there to be ended. errno
 * is as before.
 */
void hpmap_close(struct hpmap_buffer *buffer);

/** define HPMAP_PRIVATE - for hpmap_map(): what is written, no one else sees */
#define HPMAP_PRIVATE		(1U << 1)
/** define HPMAP_POPULATE - for hpmap_map(): no page fault later */
#define HPMAP_POPULATE		(1U << 2)
/** define HPMAP_REPLACE - for hpmap_map_at(): in place of what is mapped there */
#define HPMAP_REPLACE		(1U << 4)
/** define HPMAP_DONTFORK - for hpmap_map(): children of fork(2) do not have it */
#define HPMAP_DONTFORK		(1U << 5)
/** define HPMAP_DONTDUMP - for hpmap_map(): not in a core file */
#define HPMAP_DONTDUMP		(1U << 6)

/**
 * hpmap_map() - map the whole buffer
 * @buffer: the buffer
 * @flags: bits of HPMAP_READ_ONLY, HPMAP_PRIVATE, HPMAP_POPULATE, HPMAP_DONTFORK
 *	and HPMAP_DONTDUMP. Without any, the mapping is shared and may be written.
 * @address: out: where it is; or NULL
 *
 * The address is a multiple of the page size and of what a PMD maps, and for a
 * buffer of 1 GiB or more a multiple of 1 GiB, so that huge pages are mapped
 * as such. To map a part of a buffer, or map it twice, use hpmap_map_at().
 * HPMAP_POPULATE gives somebody else's memfd the pages that it still lacks, for
 * as long as that takes, or is -ENOMEM at once when the machine has not got so
 * many. What the module maps is in no core file in any case; a memfd is, unless
 * the mapping has HPMAP_DONTDUMP.
 *
 * Return: 0, or -EACCES when the descriptor is read-only or sealed and @flags
 * have neither HPMAP_READ_ONLY nor HPMAP_PRIVATE, -EBUSY, -EDQUOT, -EINVAL,
 * -ENODEV for pinned memory, -ENOMEM.
 */
int hpmap_map(struct hpmap_buffer *buffer, unsigned int flags, void **address);

/**
 * struct hpmap_populate_options - what hpmap_populate() shall do, and how
 * @struct_size: sizeof(struct hpmap_populate_options)
 * @threads: how many threads populate, the caller's included, at most 256; 0 for one
 *	on each CPU that the caller may use, if each has enough to do
 * @offset: where to begin, in bytes, a multiple of hpmap_page_size()
 * @size: bytes, a multiple of hpmap_page_size(); 0 for all up to the end of the buffer
 * @progress: called in the caller's thread now and then, with the bytes that are
 *	@done, always more than before, of the @total; when all is done, @done is @total. If it
 *	does not return 0, the call ends. It must return, and must not close the buffer.
 *	NULL for none.
 * @data: for @progress
 */
struct hpmap_populate_options {
	uint32_t struct_size;
	uint32_t threads;
	uint64_t offset;
	uint64_t size;
	int (*progress)(uint64_t done, uint64_t total, void *data);
	void *data;
};

/**
 * hpmap_populate() - make pages of the mapping of hpmap_map() present, by several threads
 * @buffer: the buffer, which is mapped
 * @options: what is wanted; NULL is the same as 0 in all fields
 *
 * It does what HPMAP_POPULATE does, but by threads, and can be watched and ended. The
 * threads have the memory policy and the CPUs of the caller, block all signals, and
 * have ended when this returns. Before Linux 5.14 the caller's thread does it alone.
 * While it works, hpmap_unmap() returns -EBUSY. What was populated before a failure
 * stays.
 *
 * Return: 0, or -E2BIG, -ECANCELED, -EINVAL also when the buffer is not mapped or the part
 * is not within it, -ENODEV for pinned memory, -ENOMEM.
 */
int hpmap_populate(struct hpmap_buffer *buffer, const struct hpmap_populate_options *options);

/**
 * hpmap_unmap() - end the mapping that hpmap_map() made
 * @buffer: the buffer; it and its contents stay
 *
 * Return: 0, or -EBUSY while hpmap_populate() works on it, -EINVAL when there is no mapping.
 */
int hpmap_unmap(struct hpmap_buffer *buffer);

/**
 * hpmap_addr() - where the buffer is mapped
 * @buffer: the buffer
 *
 * Return: what hpmap_map() gave, or NULL while there is no mapping.
 */
void *hpmap_addr(const struct hpmap_buffer *buffer);

/**
 * hpmap_map_at() - map a part of a buffer, at an address of the caller's choice
 * @buffer: the buffer
 * @place: the address, a multiple of hpmap_page_size(); or NULL for one where huge
 *	pages are mapped as such: it has the remainder of @offset modulo what a
 *	PMD maps, and modulo 1 GiB if @size is as large
 * @offset: where the part begins, in bytes, a multiple of hpmap_page_size()
 * @size: bytes, a multiple of hpmap_page_size(), not 0
 * @flags: as with hpmap_map(); and HPMAP_REPLACE
 * @address: out: where it is; or, with a @place, NULL
 *
 * The mapping is the caller's to end with munmap(2), and holds the memory: neither
 * hpmap_unmap() nor hpmap_close() touches it, and hpmap_addr() does not tell of it.
 * There may be any number, of the same part, too: twice side by side they make a
 * ring without an end.
 *
 * At a @place where something is mapped it is -EEXIST. With HPMAP_REPLACE that
 * goes, so it must be the caller's own, such as a range that mmap(2) has reserved
 * with PROT_NONE. If the kernel then fails, what was there may have gone, and the
 * range is reserved with PROT_NONE, if no other thread was faster.
 *
 * Return: 0, or as hpmap_map() except for -EBUSY, -EEXIST, -EINVAL also when
 * @offset, @size or @place is no multiple of the page size or the part is not
 * within the buffer, -EPERM when no mapping may be at that address.
 */
int hpmap_map_at(const struct hpmap_buffer *buffer, void *place, uint64_t offset, uint64_t size,
		 unsigned int flags, void **address);

/**
 * hpmap_size() - how large the buffer is
 * @buffer: the buffer
 *
 * Return: bytes, a multiple of hpmap_page_size().
 */
uint64_t hpmap_size(const struct hpmap_buffer *buffer);

/**
 * hpmap_page_size() - how large its pages are
 * @buffer: the buffer
 *
 * Return: bytes.
 */
uint64_t hpmap_page_size(const struct hpmap_buffer *buffer);

/**
 * hpmap_fd() - the descriptor of the buffer
 * @buffer: the buffer; the descriptor stays its own
 *
 * mmap(2), and sendmsg(2) with SCM_RIGHTS, take it. It is close-on-exec.
 *
 * Return: the descriptor.
 */
int hpmap_fd(const struct hpmap_buffer *buffer);

/**
 * struct hpmap_info - what a buffer is, and who holds it
 * @struct_size: in: sizeof(struct hpmap_info)
 * @backend: enum hpmap_backend
 * @size: of the buffer in bytes, a multiple of @page_size
 * @page_size: size of one page in bytes
 * @asked: size in bytes as it was asked for; with HPMAP_BACKEND_MEMFD and
 *	hpmap_from_fd() the same as @size
 * @nr_pages: number of pages of @page_size
 * @nr_huge: how many pages a PMD or more can map; an estimate of a memfd that is
 *	larger than 4,096 such pages, and 0 of one with holes
 * @nr_runs: number of physically contiguous runs; 0 if that is not known, as
 *	with HPMAP_BACKEND_MEMFD
 * @address: physical address of the first page for callers with CAP_SYS_RAWIO
 *	and HPMAP_BACKEND_MODULE, else 0
 * @backing: enum hpmap_backing
 * @node: NUMA node of the pages, HPMAP_NODE_MIXED, or HPMAP_NODE_UNKNOWN, as of
 *	one with holes; of a memfd that of at most 4,096 pages, evenly spread over it
 * @attributes: bits of enum hpmap_attributes
 * @id: number of the buffer in the module, or 0
 * @creator: process id of who asked for it, 0 if not known
 * @uid: user id of who asked for it
 * @descriptors: open files that hold the buffer; 0 if not known
 * @mappings: mappings that hold it; 0 if not known
 * @name: name or tag; may be empty
 * @alignment: the largest power of two, in bytes, of which the physical addresses
 *	and the sizes of all runs are multiples; 0 if that is not known, as with
 *	HPMAP_BACKEND_MEMFD
 */
struct hpmap_info {
	uint32_t struct_size;
	uint32_t backend;
	__extension__ union {
		uint64_t size;
		uint64_t length HPMAP_OLD("size");
	};
	uint64_t page_size;
	uint64_t asked;
	uint64_t nr_pages;
	uint64_t nr_huge;
	uint64_t nr_runs;
	uint64_t address;
	uint32_t backing;
	int32_t node;
	uint32_t attributes;
	uint32_t id;
	int32_t creator;
	uint32_t uid;
	uint32_t descriptors;
	uint32_t mappings;
	char name[HPMAP_NAME_SIZE];
	uint64_t alignment;
};

/**
 * hpmap_info() - ask what was got
 * @buffer: the buffer
 * @info: in: its struct_size; out: the facts as they are now
 *
 * The time it takes does not grow with the size of the buffer. Somebody else's
 * memfd may have any size.
 *
 * Return: 0, or -E2BIG, -EINVAL; with HPMAP_BACKEND_MEMFD, which is looked at
 * through a mapping, -EMFILE, -ENFILE, -ENOMEM.
 */
int hpmap_info(const struct hpmap_buffer *buffer, struct hpmap_info *info);

/**
 * hpmap_next() - go through the module's buffers
 * @id: begin with 0, and go on with the id of each answer plus 1
 * @info: in: its struct_size; out: the buffer with the lowest id that is not below @id
 *
 * Buffers without a name are listed only for the user who made them, and with
 * CAP_SYS_ADMIN. Needs the module.
 *
 * Return: 0, or -E2BIG, -EACCES, -EINVAL, -EMFILE, -ENFILE, -ENOTSUP; -ENOENT
 * behind the last.
 */
int hpmap_next(uint32_t id, struct hpmap_info *info);

/**
 * hpmap_why() - why nothing better, or nothing at all, was to be had
 * @buffer: a buffer: why it is no better one; or NULL: why the calling
 *	thread's latest call that failed did so
 *
 * For people, in English: a line for each reason, and below it a line that
 * begins with "try: " for each remedy, mostly a command. Each reason stands
 * there once, in the order in which it was met. A text that ends with " ..." has
 * left something out.
 *
 * Return: a text, empty when there is no reason. It is valid as long as
 * the buffer; or, with NULL, until the thread's next call that fails.
 */
const char *hpmap_why(const struct hpmap_buffer *buffer);

/**
 * hpmap_nodes() - count the pages of a buffer by NUMA node
 * @buffer: the buffer
 * @pages: out: array: the number of pages on each node from 0 to the highest that
 *	has some
 * @nr: in: room; out: how many of these nodes there are, also more than that
 *
 * Every page that is there is looked at, so a memfd takes a time that grows
 * with its memory, though not with its length. Pages of somebody else's memfd
 * that are not there yet do not count; of hugetlb, while some are not, none do.
 *
 * Return: 0, or -EFAULT, -ENOMEM. With HPMAP_BACKEND_MEMFD also -EMFILE,
 * -ENFILE; -EPERM when a sandbox forbids move_pages(2); and while the file has
 * holes -EACCES or -ENOTSUP when it cannot be opened by /proc/thread-self/fd.
 */
int hpmap_nodes(const struct hpmap_buffer *buffer, uint64_t *pages, unsigned int *nr);

/**
 * struct hpmap_run - pages that are physically contiguous
 * @address: physical address in bytes
 * @size: bytes
 */
struct hpmap_run {
	uint64_t address;
	__extension__ union {
		uint64_t size;
		uint64_t length HPMAP_OLD("size");
	};
};

/**
 * hpmap_get_runs() - the physical runs of a buffer, in the order of their offsets
 * @buffer: the buffer
 * @first: how many runs to pass over
 * @runs: out: array
 * @nr: in: room; out: how many runs there are from @first on, also more than that
 *
 * The addresses stay as long as somebody holds the buffer. Needs CAP_SYS_RAWIO,
 * and a buffer of the module.
 *
 * Return: 0, or -EFAULT, -EPERM, -ENOTSUP.
 */
int hpmap_get_runs(const struct hpmap_buffer *buffer, uint64_t first, struct hpmap_run *runs,
		   unsigned int *nr);

/**
 * hpmap_physical_address() - where a byte of the buffer is in physical memory
 * @buffer: the buffer
 * @offset: of the byte
 * @address: out: its physical address
 * @size: out: how many bytes from there on are contiguous, up to the end of the
 *	buffer; or NULL
 *
 * It stays as long as somebody holds the buffer. Needs CAP_SYS_RAWIO, and a buffer
 * of the module. Takes a time that grows with the number of runs before it.
 *
 * Return: 0, or -EINVAL when @offset is behind the end, -EPERM, -ENOTSUP.
 */
int hpmap_physical_address(const struct hpmap_buffer *buffer, uint64_t offset, uint64_t *address,
			   uint64_t *size);

/**
 * hpmap_export_dmabuf() - make a dma-buf of the buffer
 * @buffer: the buffer
 * @fd: out: its descriptor, which is the caller's to close; close-on-exec
 *
 * The dma-buf holds the buffer. With HPMAP_BACKEND_MEMFD it is made by
 * /dev/udmabuf, which pins the pages as long as the dma-buf lives.
 *
 * Return: 0, or -EMFILE, -ENFILE, -ENOMEM; -EACCES when the buffer was opened
 * for reading, or udmabuf may not be; and of udmabuf -ENOTSUP when there is
 * none, -EINVAL when the buffer is larger than it allows.
 */
int hpmap_export_dmabuf(const struct hpmap_buffer *buffer, int *fd);

/**
 * hpmap_pin() - make a buffer of memory that the program has got itself
 * @address: where it begins, a multiple of the base page size
 * @size: bytes, a multiple of the base page size
 * @buffer: out: the buffer, for hpmap_close(); its backing is HPMAP_BACKING_USER
 *
 * The pages are pinned until the last holder of the buffer goes, even if the
 * program unmaps them, and count against RLIMIT_MEMLOCK. The memory is
 * anonymous, shared or of hugetlb, and writable. The buffer can be exported and
 * mapped for a device; hpmap_map() is -ENODEV, since the program has it mapped.
 *
 * Return: 0, or -EACCES, -EDQUOT, -EFAULT, -EINTR, -EINVAL, -EMFILE, -ENFILE,
 * -ENOMEM; -ENOTSUP without the module.
 */
int hpmap_pin(const void *address, uint64_t size, struct hpmap_buffer **buffer);

/**
 * enum hpmap_dma_flags - who reads and who writes
 * @HPMAP_DMA_TO_DEVICE: the device reads
 * @HPMAP_DMA_FROM_DEVICE: the device writes
 */
enum hpmap_dma_flags {
	HPMAP_DMA_TO_DEVICE = 1 << 0,
	HPMAP_DMA_FROM_DEVICE = 1 << 1
};

/**
 * hpmap_dma_map() - map a buffer for a device that the program drives
 * @buffer: the buffer
 * @device: name of a PCI ("0000:00:03.0") or platform device that has a driver
 * @flags: bits of enum hpmap_dma_flags, at least one
 * @dma: out: the mapping; end it with hpmap_dma_unmap()
 *
 * The mapping holds the buffer. It ends when its last holder goes, or the driver
 * of the device; the program must have stopped the device before. Needs
 * CAP_SYS_RAWIO, and a buffer of the module.
 *
 * Return: 0, or -EACCES, -EBUSY when the driver manages addresses itself,
 * -EINTR, -EINVAL, -EIO when the device does not reach the pages, -EMFILE,
 * -ENFILE, -ENODEV, -ENOMEM, -ENOTSUP, -EPERM.
 */
int hpmap_dma_map(const struct hpmap_buffer *buffer, const char *device, unsigned int flags,
		  struct hpmap_dma **dma);

/**
 * hpmap_dma_from_fd() - hold the device mapping of a descriptor
 * @fd: a descriptor that hpmap_dma_fd() gave here or in another process. It stays
 *	the caller's: the mapping has a duplicate.
 * @dma: out: the mapping; end it with hpmap_dma_unmap()
 *
 * Return: 0, or -EINVAL when that is no device mapping, -EMFILE, -ENFILE, -ENODEV
 * when it has ended, -ENOMEM, -ENOTSUP without the module.
 */
int hpmap_dma_from_fd(int fd, struct hpmap_dma **dma);

/**
 * hpmap_dma_unmap() - let go of a device mapping
 * @dma: the mapping, or NULL, which does nothing
 *
 * Closes its descriptor. The mapping ends when nobody else holds it, so the
 * program must have stopped the device before. errno is as before.
 */
void hpmap_dma_unmap(struct hpmap_dma *dma);

/**
 * hpmap_dma_fd() - the descriptor of a device mapping
 * @dma: the mapping; the descriptor stays its own
 *
 * For another process, by inheritance or SCM_RIGHTS. It is close-on-exec.
 *
 * Return: the descriptor.
 */
int hpmap_dma_fd(const struct hpmap_dma *dma);

/**
 * hpmap_dma_get_runs() - the addresses that the device uses, in the order of offsets
 * @dma: the mapping
 * @first: how many runs to pass over
 * @runs: out: array; @address is the device's
 * @nr: in: room; out: how many runs there are from @first on, also more than that
 *
 * Needs CAP_SYS_RAWIO.
 *
 * Return: 0, or -EFAULT, -EPERM; -ENODEV when the mapping has ended.
 */
int hpmap_dma_get_runs(const struct hpmap_dma *dma, uint64_t first, struct hpmap_run *runs,
		       unsigned int *nr);

/**
 * hpmap_dma_address() - the address at which the device finds a byte of the buffer
 * @dma: the mapping
 * @offset: of the byte
 * @address: out: its address for the device
 * @size: out: how many bytes from there on are contiguous for the device, up to
 *	the end of the buffer; or NULL
 *
 * As hpmap_physical_address(), for the device. Needs CAP_SYS_RAWIO.
 *
 * Return: 0, or -EINVAL when @offset is behind the end, -EPERM; -ENODEV when the
 * mapping has ended.
 */
int hpmap_dma_address(const struct hpmap_dma *dma, uint64_t offset, uint64_t *address,
		      uint64_t *size);

/**
 * enum hpmap_sync_flags - whose turn it is
 * @HPMAP_SYNC_FOR_CPU: the device has written, the program will read
 * @HPMAP_SYNC_FOR_DEVICE: the program has written, the device will read
 */
enum hpmap_sync_flags {
	HPMAP_SYNC_FOR_CPU = 1 << 0,
	HPMAP_SYNC_FOR_DEVICE = 1 << 1
};

/**
 * hpmap_dma_sync() - pass a part of the buffer between program and device
 * @dma: the mapping
 * @flags: one bit of enum hpmap_sync_flags
 * @offset: where in the buffer, in bytes
 * @size: bytes, not 0
 *
 * Costs nothing where the device is coherent with the CPU, as on PCs.
 *
 * Return: 0, or -EINVAL; -ENODEV when the mapping has ended.
 */
int hpmap_dma_sync(const struct hpmap_dma *dma, unsigned int flags, uint64_t offset, uint64_t size);

/**
 * hpmap_page_sizes() - which huge pages this machine can have in its pools
 * @sizes: out: array: bytes, ascending
 * @nr: in: room; out: how many sizes there are, also more than that
 *
 * Return: 0, or -EFAULT when there is no array, -EMFILE, -ENFILE, -ENOMEM.
 */
int hpmap_page_sizes(uint64_t *sizes, unsigned int *nr);

/**
 * struct hpmap_pool - the kernel's pool of huge pages of one size
 * @struct_size: in: sizeof(struct hpmap_pool)
 * @reserved: out: 0
 * @total: out: pages in the pool, surplus ones included
 * @free: out: of these, not in use
 * @promised: out: of the free ones, promised to mappings; 0 for one node
 * @surplus: out: pages beyond what was set, which leave the pool when freed
 * @overcommit: out: how many surplus pages there may be; 0 for one node
 */
struct hpmap_pool {
	uint32_t struct_size;
	uint32_t reserved;
	uint64_t total;
	uint64_t free;
	uint64_t promised;
	uint64_t surplus;
	uint64_t overcommit;
};

/**
 * hpmap_get_pool() - ask about a pool
 * @page_size: its page size in bytes
 * @node: a NUMA node, or -1 for all of the machine
 * @pool: in: its struct_size; out: the figures as they are now
 *
 * Return: 0, or -E2BIG, -EINVAL, -EMFILE, -ENFILE, -ENOENT.
 */
int hpmap_get_pool(uint64_t page_size, int node, struct hpmap_pool *pool);

/**
 * hpmap_set_pool() - set how many pages a pool has
 * @page_size: its page size in bytes
 * @node: a NUMA node, or -1 for all of the machine
 * @pages: how many there shall be, surplus ones not counted
 * @got: out: how many there are then, surplus ones included; or NULL for all or none
 *
 * Where memory is short or fragmented the kernel stops before it has all. Then
 * the pages that it found stay in the pool, and @got is less than @pages; or,
 * with NULL, it is -ENOMEM, and the pool gets back what it had. When @pages is less than
 * before, those in use become surplus, and leave the pool when they are freed. Each page is
 * zeroed memory that programs without huge pages lack.
 *
 * The setting is the machine's, and is gone at the next boot; see "hpagectl pool --save".
 *
 * Return: 0, or -EACCES when the caller may not set it, mostly not being root,
 * -EINVAL, also when the kernel cannot make pages as large while it runs, -EMFILE,
 * -ENFILE, -ENOENT, -ENOMEM.
 */
int hpmap_set_pool(uint64_t page_size, int node, uint64_t pages, uint64_t *got);

/**
 * hpmap_set_overcommit() - set how many surplus pages a pool may have
 * @page_size: its page size in bytes
 * @pages: how many it may take on demand beyond what hpmap_set_pool() has set
 *
 * Return: 0, or as hpmap_set_pool() except for -ENOMEM.
 */
int hpmap_set_overcommit(uint64_t page_size, uint64_t pages);

/**
 * struct hpmap_reserve - pages that the module keeps ready and zeroed
 * @struct_size: in: sizeof(struct hpmap_reserve)
 * @reserved: out: 0
 * @asked: out: how many pages shall be ready
 * @ready: out: how many are
 */
struct hpmap_reserve {
	uint32_t struct_size;
	uint32_t reserved;
	uint64_t asked;
	uint64_t ready;
};

/**
 * hpmap_get_reserve() - ask about a reserve
 * @backing: HPMAP_BACKING_HUGETLB or HPMAP_BACKING_THP
 * @page_size: its page size in bytes
 * @node: its NUMA node
 * @reserve: in: its struct_size; out: the figures as they are now
 *
 * Needs the module.
 *
 * Return: 0, or -E2BIG, -EINVAL, -EMFILE, -ENFILE, -ENOENT, -ENOTSUP.
 */
int hpmap_get_reserve(enum hpmap_backing backing, uint64_t page_size, int node,
		      struct hpmap_reserve *reserve);

/**
 * hpmap_set_reserve() - set how many pages a reserve keeps ready
 * @backing: HPMAP_BACKING_HUGETLB or HPMAP_BACKING_THP
 * @page_size: its page size in bytes
 * @node: its NUMA node
 * @pages: how many shall be ready; 0 gives them back
 *
 * The module gets and zeroes them in the background, and tries again every ten
 * seconds while it lacks some: hpmap_get_reserve() tells how many are ready.
 *
 * Needs the module.
 *
 * Return: 0, or -EACCES when the caller may not set it, mostly not being root,
 * -EINVAL, -EMFILE, -ENFILE, -ENOENT, -ENOMEM when the machine has not so much memory,
 * -ENOTSUP.
 */
int hpmap_set_reserve(enum hpmap_backing backing, uint64_t page_size, int node, uint64_t pages);

/**
 * hpmap_version() - the version of the library
 *
 * Return: for example "0.1.0".
 */
const char *hpmap_version(void);

/* Names of before, for programs that have them; see hpmap_old(3). */
HPMAP_OLD("hpmap_close()")
void hpmap_free(struct hpmap_buffer *buffer);
HPMAP_OLD("hpmap_size()")
uint64_t hpmap_length(const struct hpmap_buffer *buffer);
HPMAP_OLD("hpmap_get_pool()")
int hpmap_pool(uint64_t page_size, int node, struct hpmap_pool *pool);
HPMAP_OLD("hpmap_get_reserve()")
int hpmap_reserve(enum hpmap_backing backing, uint64_t page_size, int node,
		  struct hpmap_reserve *reserve);
HPMAP_OLD("hpmap_get_runs(), which counts all that there are")
int hpmap_runs(const struct hpmap_buffer *buffer, uint64_t first, struct hpmap_run *runs,
	       unsigned int *nr);

#ifdef __cplusplus
}
#endif

#if defined(__cplusplus) && __cplusplus >= 202002L
/* As in a header of the system, g++ does not warn of each field that is left out (-Wextra). */
#pragma GCC system_header
#define HPMAP_OPTIONS(...)						\
	(&static_cast<const hpmap_options &>(hpmap_options{		\
		.struct_size = sizeof(hpmap_options), __VA_ARGS__ }))
#endif

#endif /* HPAGE_MAP_H */
