// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What there is to know of a memfd, made here or received: its pages, how large
 * they are, and on which nodes. The kernel tells that of mappings alone, so one
 * is made to look at.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "internal.h"

/* How many bytes of the mapping at @address, one VMA, are mapped by PMDs? 0, or -errno. */
int pmd_mapped(const void *address, uint64_t *bytes)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long from, to, kb;
	bool here = false;
	char line[512];

	*bytes = 0;
	if (!file)
		return -errno;
	/* A line "FROM-TO ..." begins each mapping; "NAME: N kB" tells about it. */
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = from == (unsigned long)address;
		else if (here && sscanf(line, "ShmemPmdMapped: %lu", &kb) == 1)
			*bytes = (uint64_t)kb << 10;
	}
	fclose(file);
	return 0;
}

/*
 * Has the file all its pages? Buffers made here do; others may have holes, which
 * looking at them through a mapping would fill.
 */
static bool is_full(const struct hpmap_buffer *b)
{
	struct stat st;

	return !fstat(b->fd, &st) && (uint64_t)st.st_blocks * 512 >= b->length;
}

/*
 * How many pages of a buffer of memfd a PMD can map, and does in a mapping made for that. 0 where
 * /proc does not tell; or -errno.
 */
int memfd_huge(const struct hpmap_buffer *b, uint64_t *nr)
{
	uint64_t pmd = pmd_size(), bytes = 0;
	void *address;
	int ret;

	*nr = 0;
	if (b->backing == HPMAP_BACKING_HUGETLB) {
		*nr = b->page_size >= pmd ? b->length / b->page_size : 0;
		return 0;
	}
	if (!is_full(b))
		return 0;
	address = map_aligned(b->fd, b->length, pmd, PROT_READ, MAP_SHARED);
	if (address == MAP_FAILED)
		return errno == ENOSPC ? -ENOMEM : -errno;
	ret = populate(address, b->length, false);
	if (!ret)
		ret = pmd_mapped(address, &bytes);
	munmap(address, b->length);
	*nr = bytes / pmd;
	return ret == -ENOENT || ret == -EACCES ? 0 : ret;
}

/* Fill in @b, which has the descriptor @b->fd. -EINVAL: that is no memory. */
int memfd_adopt(struct hpmap_buffer *b)
{
	uint64_t pmd = pmd_size(), nr = 0;
	int flags = fcntl(b->fd, F_GETFL), ret;
	struct statfs fs;
	struct stat st;

	if (flags & O_PATH || (flags & O_ACCMODE) == O_WRONLY) {
		why_add(&b->why, "the descriptor cannot be read from");
		why_try(&b->why, "O_RDWR or O_RDONLY, without O_PATH");
		return -EINVAL;
	}
	if (fstatfs(b->fd, &fs) || fstat(b->fd, &st) || !S_ISREG(st.st_mode) ||
	    (fs.f_type != HUGETLBFS_MAGIC && fs.f_type != TMPFS_MAGIC))
		return -EINVAL;
	b->backend = HPMAP_BACKEND_MEMFD;
	b->length = b->asked = st.st_size;
	b->page_size = fs.f_type == HUGETLBFS_MAGIC ? (uint64_t)fs.f_bsize : base_page_size();
	if (!b->length || b->length % b->page_size)
		return -EINVAL;
	b->backing = HPMAP_BACKING_HUGETLB;
	if (fs.f_type == HUGETLBFS_MAGIC)
		return 0;
	b->backing = HPMAP_BACKING_BASE;
	ret = b->length % pmd ? 0 : memfd_huge(b, &nr);
	if (ret)
		why_add(&b->why, "how large its pages are cannot be told: %s", strerror(-ret));
	if (ret || nr * pmd != b->length)
		return ret;
	b->backing = HPMAP_BACKING_THP;
	b->page_size = pmd;
	return 0;
}

/* Ask the kernel for the nodes of @n pages at @pages. */
static int count_nodes(void **pages, unsigned long n, uint64_t *counts, unsigned int room,
		       unsigned int *highest)
{
	int status[512];
	unsigned long i;

	if (syscall(SYS_move_pages, 0, n, pages, NULL, status, 0) < 0)
		return -errno;
	for (i = 0; i < n; i++) {
		if (status[i] < 0)
			continue;
		if ((unsigned int)status[i] < room)
			counts[status[i]]++;
		if ((unsigned int)status[i] >= *highest)
			*highest = status[i] + 1;
	}
	return 0;
}

static int ask_nodes(const struct hpmap_buffer *b, char *address, uint64_t *counts,
		     unsigned int *nr)
{
	uint64_t total = b->length / b->page_size, at, i;
	unsigned int highest = 0;
	void *pages[512];
	int ret = is_full(b) ? populate(address, b->length, false) : 0;

	for (at = 0; at < total && !ret; at += i) {
		for (i = 0; i < 512 && at + i < total; i++)
			pages[i] = address + (at + i) * b->page_size;
		ret = count_nodes(pages, i, counts, *nr, &highest);
	}
	if (ret == -ENOSYS) {
		/* A kernel without NUMA: all is on the one node. */
		if (*nr)
			counts[0] = total;
		highest = 1;
		ret = 0;
	}
	if (!ret)
		*nr = highest;
	return ret;
}

int memfd_nodes(const struct hpmap_buffer *b, uint64_t *pages, unsigned int *nr)
{
	unsigned int room = *nr < MAX_NODES ? *nr : MAX_NODES, highest = room;
	uint64_t *counts = calloc(room + 1, sizeof(*counts));
	void *address;
	int ret;

	if (!counts)
		return -ENOMEM;
	address = map_aligned(b->fd, b->length, b->page_size, PROT_READ, MAP_SHARED);
	ret = address == MAP_FAILED ? -ENOMEM : ask_nodes(b, address, counts, &highest);
	if (address != MAP_FAILED)
		munmap(address, b->length);
	if (!ret && room) {
		memset(pages, 0, *nr * sizeof(*pages));
		memcpy(pages, counts, room * sizeof(*counts));
	}
	if (!ret)
		*nr = highest;
	free(counts);
	return ret;
}
