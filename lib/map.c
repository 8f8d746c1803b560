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
#include <stddef.h>
#include <sys/mman.h>

#include "map.h"
#include "sysfs.h"

#define GIB	(1ULL << 30)

static uint64_t map_alignment(uint64_t length, uint64_t page_size)
{
	uint64_t align = pmd_size();

	if (page_size > align)
		align = page_size;
	return length >= GIB && align < GIB ? GIB : align;
}

/*
 * Where it would fit now, at an address that agrees with @offset in its bits below @align. Nothing
 * keeps others out. MAP_FAILED with ENOSPC if nowhere.
 */
static char *range_find(uint64_t offset, uint64_t length, uint64_t align)
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
	return range + ((offset - (uintptr_t)range) & (align - 1));
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
	uint64_t align = map_alignment(length, page_size);
	char *range;
	void *address;

	do {
		range = range_find(offset, length, align);
		if (range == MAP_FAILED)
			return range;
		address = mmap(range, length, prot, flags | MAP_FIXED_NOREPLACE, fd, offset);
	} while (address == MAP_FAILED && errno == EEXIST);
	return address;
}

/* Take addresses, with MAP_FIXED or MAP_FIXED_NOREPLACE; errno is as before. */
void range_reserve(void *range, uint64_t length, int fixed)
{
	int err = errno;

	mmap(range, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);
	errno = err;
}

/*
 * Map so much of @fd at @place. MAP_FAILED with errno, which is EEXIST when something is there that
 * is not to be replaced.
 *
 * When the kernel fails to replace a mapping, that may be gone. The addresses are the caller's all
 * the same, and another thread must not be given them.
 */
void *map_at(int fd, off_t offset, void *place, uint64_t length, int prot, int flags, bool replace)
{
	void *address = mmap(place, length, prot,
			     flags | (replace ? MAP_FIXED : MAP_FIXED_NOREPLACE), fd, offset);

	if (address == MAP_FAILED && replace)
		range_reserve(place, length, MAP_FIXED_NOREPLACE);
	return address;
}
