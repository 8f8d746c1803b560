// SPDX-License-Identifier: LGPL-2.1-or-later
/* The one mapping of a buffer that the library keeps. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"
#include "map.h"
#include "memfd_facts.h"
#include "memory.h"
#include "public.h"
#include "text.h"

static int mapping_failed(const struct hpmap_buffer *b, unsigned int flags, int err)
{
	bool hugetlb = b->backing == HPMAP_BACKING_HUGETLB;
	unsigned long long pages = b->length / b->page_size;

	if (err == EACCES)
		return fail(-EACCES, "the buffer is open for reading only"
			    TRY "hpmap_map() with HPMAP_READ_ONLY");
	if (err == EPERM)
		return fail(-EACCES, "the buffer is sealed against writing"
			    TRY "hpmap_map() with HPMAP_READ_ONLY");
	if (err == EAGAIN)
		return fail(-EDQUOT, "mlockall(2) locks every mapping, and RLIMIT_MEMLOCK is less"
			    TRY "ulimit -l unlimited");
	if (err == ENOMEM && hugetlb && !(flags & HPMAP_PRIVATE))
		return fail(-ENOMEM, "the file lacks pages, and the pool has too few to add them"
			    TRY "hpagectl pool");
	if (err == ENOMEM && hugetlb)
		return fail(-ENOMEM, "the pool has too few free pages for the copies of a private "
			    "mapping, %llu page%s of %s" TRY "hpagectl pool", pages,
			    plural(pages), SIZE_TEXT(b->page_size));
	if (err == ENOMEM || err == ENOSPC)
		return fail(-ENOMEM, "no room for a mapping of %s" TRY "ulimit -v unlimited",
			    SIZE_TEXT(b->length));
	return fail(-err, "mmap: %s", strerror(err));
}

/*
 * A touch fills what a file of somebody else lacks: no more than there is memory, or the OOM
 * killer comes.
 */
static int mapping_room(const struct hpmap_buffer *b)
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
		return fail(ret, "how much memory there is cannot be seen: %s", strerror(-ret));
	if (lacks <= room.bytes)
		return 0;
	return fail(-ENOMEM, "the file lacks %s of its pages, and %s are available %s"
		    TRY "hpmap_map() without HPMAP_POPULATE", SIZE_TEXT(lacks),
		    SIZE_TEXT(room.bytes), room.where);
}

static int mapping_make(struct hpmap_buffer *b, unsigned int flags, void **where)
{
	int prot = PROT_READ | (flags & HPMAP_READ_ONLY ? 0 : PROT_WRITE);
	int share = flags & HPMAP_PRIVATE ? MAP_PRIVATE : MAP_SHARED;
	int ret = flags & HPMAP_POPULATE ? mapping_room(b) : 0;
	void *address;

	if (ret)
		return ret;
	address = map_aligned(b->fd, 0, b->length, b->page_size, prot, share);
	if (address == MAP_FAILED)
		return mapping_failed(b, flags, errno);
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
		ret = fail(-EBUSY, "the buffer is mapped already"
			   TRY "hpmap_addr(), or mmap(2) on hpmap_fd()");
	else
		ret = mapping_make(b, flags, &address);
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
		ret = fail(-EINVAL, "the buffer is not mapped" TRY "hpmap_map()");
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
