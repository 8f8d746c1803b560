// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mapping: always where huge pages fit.
 *
 * Kernels align mappings of huge pages in some versions and on some file
 * systems. Looking for more room than is needed, and mapping at the aligned part
 * of it, works on all of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

#define GIB	(1ULL << 30)

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif

static uint64_t alignment(uint64_t length, uint64_t page_size)
{
	uint64_t align = pmd_size();

	if (page_size > align)
		align = page_size;
	return length >= GIB && align < GIB ? GIB : align;
}

/* Where it would fit now; nothing keeps others out. MAP_FAILED with ENOSPC if nowhere. */
static char *find_range(uint64_t length, uint64_t align)
{
	uint64_t slack = align - base_page_size();
	char *range;

	if (length + slack < length) {
		errno = ENOSPC;
		return MAP_FAILED;
	}
	range = mmap(NULL, length + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		     -1, 0);
	if (range == MAP_FAILED) {
		if (errno == ENOMEM)
			errno = ENOSPC;
		return range;
	}
	munmap(range, length + slack);
	return range + (-(uintptr_t)range & (align - 1));
}

/*
 * Map so much of @fd. Returns MAP_FAILED with errno, which is ENOSPC when there are no addresses.
 *
 * Not over what reserves the range: when mmap() fails there, that is gone or not,
 * and ending it would hit what another thread has mapped meanwhile. So the range
 * is left open, and looked for again when another thread was faster.
 */
void *map_aligned(int fd, off_t offset, uint64_t length, uint64_t page_size, int prot, int flags)
{
	uint64_t align = alignment(length, page_size);
	char *range;
	void *address;

	do {
		range = find_range(length, align);
		if (range == MAP_FAILED)
			return range;
		address = mmap(range, length, prot, flags | MAP_FIXED_NOREPLACE, fd, offset);
	} while (address == MAP_FAILED && errno == EEXIST);
	return address;
}

/* Linux before 5.14 cannot. */
bool can_populate(void)
{
	return !madvise(NULL, 0, MADV_POPULATE_WRITE);
}

static void touch(char *address, uint64_t length, bool write)
{
	uint64_t base = base_page_size(), at;

	for (at = 0; at < length; at += base) {
		if (write)
			__atomic_fetch_or(address + at, 0, __ATOMIC_RELAXED);
		else
			(void)*(volatile char *)(address + at);
	}
}

/*
 * Make every page present, without a SIGBUS if that cannot be; where the kernel
 * cannot populate, that is only so of files that have their pages.
 */
int populate(void *address, uint64_t length, bool write)
{
	int ret;

	if (!can_populate()) {
		touch(address, length, write);
		return 0;
	}
	do {
		ret = madvise(address, length, write ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) ?
			-errno : 0;
	} while (ret == -EAGAIN);
	return ret;
}

static int map_failed(const struct hpmap_buffer *b, unsigned int flags, int err)
{
	if (err == EACCES)
		return fail(-EACCES, "the buffer is open for reading only "
			    "(try: hpmap_map() with HPMAP_READ_ONLY)");
	if (err == EPERM)
		return fail(-EACCES, "the buffer is sealed against writing "
			    "(try: hpmap_map() with HPMAP_READ_ONLY)");
	if (err == EAGAIN)
		return fail(-EDQUOT, "mlockall(2) locks every mapping, and RLIMIT_MEMLOCK is less "
			    "(try: ulimit -l unlimited)");
	if (err == ENOMEM && !(flags & HPMAP_PRIVATE) && b->backing == HPMAP_BACKING_HUGETLB)
		return fail(-ENOMEM, "the file has not got all its pages, and the pool has not "
			    "the others (try: hpagectl pool)");
	if (err == ENOMEM && flags & HPMAP_PRIVATE && b->backing == HPMAP_BACKING_HUGETLB)
		return fail(-ENOMEM, "the pool has not the %llu free pages that the copies of a "
			    "private mapping may need (try: hpagectl pool)",
			    (unsigned long long)(b->length / b->page_size));
	if (err == ENOMEM || err == ENOSPC)
		return fail(-ENOMEM, "no room for a mapping of %llu bytes (try: ulimit -v, and "
			    "sysctl vm.overcommit_memory vm.max_map_count)",
			    (unsigned long long)b->length);
	return fail(-err, "mmap: %s", strerror(err));
}

/*
 * What a file of somebody else lacks, who touches it fills: not with more than there is, which
 * would be a matter for the OOM killer.
 */
static int room_to_populate(const struct hpmap_buffer *b)
{
	uint64_t lacks;
	struct room room;
	int ret;

	if (b->backend != HPMAP_BACKEND_MEMFD || b->backing == HPMAP_BACKING_HUGETLB)
		return 0;
	lacks = memfd_lacks(b);
	if (!lacks)
		return 0;
	ret = memory_room(HPMAP_POLICY_DEFAULT, 0, &room);
	if (ret)
		return fail(ret, "how much memory there is cannot be told: %s", strerror(-ret));
	if (lacks <= room.bytes)
		return 0;
	return fail(-ENOMEM, "the file lacks %llu MiB of its pages, and %llu MiB are available %s "
		    "(try: hpmap_map() without HPMAP_POPULATE)", (unsigned long long)lacks >> 20,
		    (unsigned long long)room.bytes >> 20, room.where);
}

static int map(struct hpmap_buffer *b, unsigned int flags, void **where)
{
	int prot = PROT_READ | (flags & HPMAP_READ_ONLY ? 0 : PROT_WRITE);
	int share = flags & HPMAP_PRIVATE ? MAP_PRIVATE : MAP_SHARED;
	int ret = flags & HPMAP_POPULATE ? room_to_populate(b) : 0;
	void *address;

	if (ret)
		return ret;
	address = map_aligned(b->fd, 0, b->length, b->page_size, prot, share);
	if (address == MAP_FAILED)
		return map_failed(b, flags, errno);
	if (b->backend == HPMAP_BACKEND_MEMFD && b->backing == HPMAP_BACKING_THP)
		madvise(address, b->length, MADV_HUGEPAGE);
	/* To be read: a private mapping is not copied before it is written. */
	if (flags & HPMAP_POPULATE)
		ret = populate(address, b->length, !(flags & (HPMAP_READ_ONLY | HPMAP_PRIVATE)));
	if (ret == -EFAULT || ret == -EHWPOISON)
		ret = -ENOMEM;
	if (ret) {
		munmap(address, b->length);
		return fail(ret, "the pages cannot be mapped: %s", strerror(-ret));
	}
	*where = address;
	return 0;
}

PUBLIC int hpmap_map(struct hpmap_buffer *b, unsigned int flags, void **where)
{
	void *address = NULL;
	int ret;

	if (flags & ~(HPMAP_READ_ONLY | HPMAP_PRIVATE | HPMAP_POPULATE))
		return fail(-EINVAL, "hpmap_map: unknown bits in flags, %#x", flags);

	if (b->backing == HPMAP_BACKING_USER)
		return fail(-ENODEV, "pinned memory is where the program has it, and mapped once");

	pthread_mutex_lock(&b->lock);
	if (b->address)
		ret = fail(-EBUSY, "the buffer is mapped already (try: hpmap_addr(), or mmap(2) "
			   "on hpmap_fd())");
	else
		ret = map(b, flags, &address);
	if (!ret)
		b->address = address;
	pthread_mutex_unlock(&b->lock);
	if (!ret && where)
		*where = address;
	return ret;
}

PUBLIC int hpmap_unmap(struct hpmap_buffer *b)
{
	int ret = 0;

	pthread_mutex_lock(&b->lock);
	if (!b->address)
		ret = fail(-EINVAL, "the buffer is not mapped (try: hpmap_map())");
	else
		munmap(b->address, b->length);
	b->address = NULL;
	pthread_mutex_unlock(&b->lock);
	return ret;
}

PUBLIC void *hpmap_addr(const struct hpmap_buffer *b)
{
	return b->address;
}
