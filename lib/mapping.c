// SPDX-License-Identifier: LGPL-2.1-or-later
/* Mappings of a buffer: the one of all of it that the library keeps, and those of the caller. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "cancel.h"
#include "internal.h"
#include "map.h"
#include "memfd_facts.h"
#include "memory.h"
#include "populate.h"
#include "public.h"
#include "structs.h"
#include "sysfs.h"
#include "text.h"

#define MAP_FLAGS	(HPMAP_READ_ONLY | HPMAP_PRIVATE | HPMAP_POPULATE | HPMAP_DONTFORK | \
			 HPMAP_DONTDUMP)

#define NO_POPULATE	"a mapping without HPMAP_POPULATE"

/**
 * struct part - what is to be mapped of a buffer
 * @place: where, or NULL
 * @offset: where it begins, in bytes
 * @length: bytes
 * @flags: of hpmap_map_at()
 * @remedy: what to try when there is not enough memory to populate it
 */
struct part {
	void *place;
	uint64_t offset;
	uint64_t length;
	unsigned int flags;
	const char *remedy;
};

/* The kernel has refused with EPERM. Is it for a seal, and not for the address? */
static bool part_is_sealed(const struct hpmap_buffer *b, const struct part *p)
{
	int seals = fcntl(b->fd, F_GET_SEALS);

	return !(p->flags & (HPMAP_READ_ONLY | HPMAP_PRIVATE)) && seals > 0 &&
	       seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
}

static int part_failed(const struct hpmap_buffer *b, const struct part *p, int err)
{
	bool hugetlb = b->backing == HPMAP_BACKING_HUGETLB;
	unsigned long long pages = p->length / b->page_size;

	if (err == EACCES)
		return fail(-EACCES, "the buffer is open for reading only"
			    TRY "a mapping with HPMAP_READ_ONLY");
	if (err == EPERM && part_is_sealed(b, p))
		return fail(-EACCES, "the buffer is sealed against writing"
			    TRY "a mapping with HPMAP_READ_ONLY");
	if (err == EPERM && p->place)
		return fail(-EPERM, "no mapping may be at %p: that is below vm.mmap_min_addr, or "
			    "what is there was sealed by mseal(2)", p->place);
	if (err == EEXIST)
		return fail(-EEXIST, "something is mapped already in the %s from %p on"
			    TRY "HPMAP_REPLACE, if it is yours to be replaced",
			    SIZE_TEXT(p->length), p->place);
	if (err == EAGAIN)
		return fail(-EDQUOT, "mlockall(2) locks every mapping, and RLIMIT_MEMLOCK is less"
			    TRY "ulimit -l unlimited");
	if (err == ENOMEM && b->backend == HPMAP_BACKEND_MEMFD && memfd_lacks(b) &&
	    !(p->flags & HPMAP_PRIVATE))
		return fail(-ENOMEM, "the file lacks pages, and the pool has too few to add them"
			    TRY "hpagectl pool");
	if (err == ENOMEM && hugetlb && p->flags & HPMAP_PRIVATE)
		return fail(-ENOMEM, "the pool has too few free pages for the copies of a private "
			    "mapping, %llu page%s of %s" TRY "hpagectl pool", pages,
			    plural(pages), SIZE_TEXT(b->page_size));
	if (err == ENOMEM || err == ENOSPC)
		return fail(-ENOMEM, "no room for a mapping of %s" TRY "ulimit -v unlimited"
			    TRY "sysctl vm.max_map_count", SIZE_TEXT(p->length));
	return fail(-err, "mmap: %s", strerror(err));
}

/*
 * A touch fills what a file of somebody else lacks: no more than there is memory, or the OOM
 * killer comes.
 */
static int part_room(const struct hpmap_buffer *b, const struct part *p)
{
	uint64_t lacks;
	struct room room;
	int ret;

	if (b->backend != HPMAP_BACKEND_MEMFD || b->backing == HPMAP_BACKING_HUGETLB)
		return 0;
	lacks = memfd_lacks(b);
	if (lacks > p->length)
		lacks = p->length;
	if (!lacks)
		return 0;
	ret = memory_room(HPMAP_POLICY_DEFAULT, 0, &room);
	if (ret)
		return fail(ret, "how much memory there is cannot be seen: %s", strerror(-ret));
	if (lacks <= room.bytes)
		return 0;
	return fail(-ENOMEM, "the file lacks %s of its pages, and %s are available %s"
		    TRY "%s", SIZE_TEXT(lacks), SIZE_TEXT(room.bytes), room.where, p->remedy);
}

/* To be read: a private mapping is not copied before it is written. */
static bool part_is_written(const struct part *p)
{
	return !(p->flags & (HPMAP_READ_ONLY | HPMAP_PRIVATE));
}

/* Why pages cannot be mapped: one that is broken cannot be had either. */
static int pages_failed(int ret)
{
	if (ret == -ECANCELED)
		return fail(ret, "the function that was told of the progress has ended it");
	if (ret == -EFAULT || ret == -EHWPOISON)
		ret = -ENOMEM;
	return fail(ret, "the pages cannot be mapped: %s", strerror(-ret));
}

static void *part_place(const struct hpmap_buffer *b, const struct part *p)
{
	int prot = PROT_READ | (p->flags & HPMAP_READ_ONLY ? 0 : PROT_WRITE);
	int share = p->flags & HPMAP_PRIVATE ? MAP_PRIVATE : MAP_SHARED;

	if (!p->place)
		return map_aligned(b->fd, p->offset, p->length, b->page_size, prot, share);
	return map_at(b->fd, p->offset, p->place, p->length, prot, share,
		      p->flags & HPMAP_REPLACE);
}

/* What the kernel is to do with the mapping later. */
static int part_advise(const struct hpmap_buffer *b, const struct part *p, void *address)
{
	if (b->backend == HPMAP_BACKEND_MEMFD && b->backing == HPMAP_BACKING_THP)
		madvise(address, p->length, MADV_HUGEPAGE);
	if (p->flags & HPMAP_DONTFORK && madvise(address, p->length, MADV_DONTFORK))
		return -errno;
	if (p->flags & HPMAP_DONTDUMP && madvise(address, p->length, MADV_DONTDUMP))
		return -errno;
	return 0;
}

static int part_map(const struct hpmap_buffer *b, const struct part *p, void **where)
{
	int ret = p->flags & HPMAP_POPULATE ? part_room(b, p) : 0;
	void *address;

	if (ret)
		return ret;
	address = part_place(b, p);
	if (address == MAP_FAILED)
		return part_failed(b, p, errno);
	ret = part_advise(b, p, address);
	if (!ret && p->flags & HPMAP_POPULATE)
		ret = populate(address, p->length, part_is_written(p));
	if (ret && p->flags & HPMAP_REPLACE)
		range_reserve(address, p->length, MAP_FIXED);
	else if (ret)
		munmap(address, p->length);
	if (ret)
		return pages_failed(ret);
	*where = address;
	return 0;
}

static int map_check(const char *call, const struct hpmap_buffer *b, unsigned int flags,
		     unsigned int known)
{
	if (flags & ~known)
		return fail(-EINVAL, "%s: unknown bits in flags, %#x", call, flags);
	if (b->backing == HPMAP_BACKING_USER)
		return fail(-ENODEV, "pinned memory is where the program has it, and mapped once");
	return 0;
}

static void *mapping_address(const struct hpmap_buffer *b)
{
	_Atomic(void *) *unforked = b->unforked;
	void *address = b->address;

	return address || !unforked ? address : *unforked;
}

/* End the mapping, if this process has it. At its address a child may have something else. */
void mapping_end(struct hpmap_buffer *b)
{
	void *address = mapping_address(b);

	/* First, as another thread may be given these addresses as soon as they are free. */
	b->address = NULL;
	if (b->unforked)
		*b->unforked = NULL;
	if (address)
		munmap(address, b->length);
}

/*
 * Room for an address that a child does not find. A pid would not tell them apart: that of a child
 * in a namespace of its own may be the same.
 */
static int mapping_make_unforked(struct hpmap_buffer *b)
{
	void *page;
	int ret;

	if (b->unforked)
		return 0;
	page = mmap(NULL, base_page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (page == MAP_FAILED)
		return fail(-ENOMEM, "no memory for what HPMAP_DONTFORK needs");
	if (madvise(page, base_page_size(), MADV_WIPEONFORK)) {
		ret = -errno;
		munmap(page, base_page_size());
		return fail(ret, "HPMAP_DONTFORK: %s", strerror(-ret));
	}
	b->unforked = page;
	return 0;
}

void mapping_free(struct hpmap_buffer *b)
{
	if (b->unforked)
		munmap((void *)b->unforked, base_page_size());
}

PUBLIC int hpmap_map(struct hpmap_buffer *b, unsigned int flags, void **where)
{
	UNCANCELLED;
	const struct part whole = {
		.length = b->length, .flags = flags, .remedy = NO_POPULATE,
	};
	int ret = map_check("hpmap_map", b, flags, MAP_FLAGS);
	void *address = NULL;

	if (ret)
		return ret;

	pthread_mutex_lock(&b->lock);
	if (mapping_address(b))
		ret = fail(-EBUSY, "the buffer is mapped already"
			   TRY "hpmap_addr(), or hpmap_map_at()");
	else if (flags & HPMAP_DONTFORK)
		ret = mapping_make_unforked(b);
	if (!ret)
		ret = part_map(b, &whole, &address);
	if (!ret) {
		b->flags = flags;
		*(flags & HPMAP_DONTFORK ? b->unforked : &b->address) = address;
	}
	pthread_mutex_unlock(&b->lock);
	if (!ret && where)
		*where = address;
	return ret;
}

static int part_check_unit(const struct hpmap_buffer *b, const char *what, uint64_t value)
{
	if (value % b->page_size)
		return fail(-EINVAL, "%s %#llx is no multiple of the page size of the buffer, %s"
			    TRY "hpmap_page_size()", what, (unsigned long long)value,
			    SIZE_TEXT(b->page_size));
	return 0;
}

static int part_check(const struct hpmap_buffer *b, const struct part *p)
{
	int ret = part_check_unit(b, "the offset", p->offset);

	if (!ret)
		ret = part_check_unit(b, "the size", p->length);
	if (!ret)
		ret = part_check_unit(b, "the address", (uintptr_t)p->place);
	if (ret)
		return ret;
	if (p->offset >= b->length)
		return fail(-EINVAL, "the buffer has %s, which end before offset %#llx"
			    TRY "hpmap_size()", SIZE_TEXT(b->length),
			    (unsigned long long)p->offset);
	if (!p->length)
		return fail(-EINVAL, "a size of 0" TRY "hpmap_page_size()");
	if (p->length > b->length - p->offset)
		return fail(-EINVAL, "the buffer has %s, and no %s from offset %#llx on"
			    TRY "hpmap_size()", SIZE_TEXT(b->length), SIZE_TEXT(p->length),
			    (unsigned long long)p->offset);
	if (p->flags & HPMAP_REPLACE && !p->place)
		return fail(-EINVAL, "HPMAP_REPLACE, but no address"
			    TRY "the address of a mapping of your own, or no HPMAP_REPLACE");
	return 0;
}

PUBLIC int hpmap_map_at(const struct hpmap_buffer *b, void *place, uint64_t offset,
			uint64_t size, unsigned int flags, void **where)
{
	UNCANCELLED;
	const struct part part = {
		.place = place, .offset = offset, .length = size, .flags = flags,
		.remedy = NO_POPULATE,
	};
	int ret = map_check("hpmap_map_at", b, flags, MAP_FLAGS | HPMAP_REPLACE);
	void *address;

	if (!ret)
		ret = part_check(b, &part);
	if (!ret && !place && !where)
		ret = fail(-EINVAL, "no address, and no pointer for the one that is chosen");
	if (!ret)
		ret = part_map(b, &part, &address);
	if (!ret && where)
		*where = address;
	return ret;
}

PUBLIC int hpmap_unmap(struct hpmap_buffer *b)
{
	UNCANCELLED;
	int ret = 0;

	pthread_mutex_lock(&b->lock);
	if (!mapping_address(b))
		ret = fail(-EINVAL, "the buffer is not mapped" TRY "hpmap_map()");
	else if (b->populating)
		ret = fail(-EBUSY, "hpmap_populate() works on the mapping"
			   TRY "a progress function that ends it");
	else
		mapping_end(b);
	pthread_mutex_unlock(&b->lock);
	return ret;
}

/* The mapping stays until mapping_release(). */
static int mapping_hold(struct hpmap_buffer *b, struct part *p)
{
	int ret = 0;

	pthread_mutex_lock(&b->lock);
	if (mapping_address(b))
		b->populating++;
	else
		ret = fail(-EINVAL, "the buffer is not mapped" TRY "hpmap_map()");
	p->flags = b->flags;
	pthread_mutex_unlock(&b->lock);
	return ret;
}

static void mapping_release(struct hpmap_buffer *b)
{
	pthread_mutex_lock(&b->lock);
	b->populating--;
	pthread_mutex_unlock(&b->lock);
}

static int part_populate(const struct hpmap_buffer *b, const struct part *p,
			 const struct hpmap_populate_options *o)
{
	const struct range range = {
		.address = (char *)mapping_address(b) + p->offset, .length = p->length,
		.page_size = b->page_size, .write = part_is_written(p),
		.lacks = b->backend == HPMAP_BACKEND_MEMFD && memfd_lacks(b),
	};
	int ret = part_room(b, p);

	if (ret)
		return ret;
	ret = populate_range(&range, o);
	return ret ? pages_failed(ret) : 0;
}

PUBLIC int hpmap_populate(struct hpmap_buffer *b, const struct hpmap_populate_options *options)
{
	UNCANCELLED;
	struct hpmap_populate_options o = {};
	struct part part = { .remedy = "free -m" };
	int ret = options ? struct_in("hpmap_populate_options", &o, sizeof(o), sizeof(o), options) :
		0;

	if (!ret)
		ret = map_check("hpmap_populate", b, 0, 0);
	if (ret)
		return ret;
	part.offset = o.offset;
	part.length = o.size;
	if (!o.size && o.offset < b->length)
		part.length = b->length - o.offset;
	ret = part_check(b, &part);
	if (!ret)
		ret = mapping_hold(b, &part);
	if (ret)
		return ret;
	ret = part_populate(b, &part, &o);
	mapping_release(b);
	return ret;
}

PUBLIC void *hpmap_addr(const struct hpmap_buffer *b)
{
	return mapping_address(b);
}
