// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What there is to know of a memfd, made here or received: its pages, how large
 * they are, and on which nodes. The kernel reports that of mappings alone, so
 * one is made to look at.
 *
 * A file of a stranger is as long as he likes, and empty. So nothing here takes
 * a time that grows with its length alone: facts come from a bounded number of
 * places, and pages are counted where there are some.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "files.h"
#include "internal.h"
#include "map.h"
#include "memfd_facts.h"
#include "populate.h"
#include "sysfs.h"
#include "text.h"

#define PLACES	4096		/* that are looked at: of pages of 2 MiB, all of 8 GiB */
#define BATCH	512		/* pages that the kernel is asked about at once */
#define PIECE	(16ULL << 20)	/* bytes that are mapped at once to be counted */

/**
 * struct memfd_facts - what is seen of a file
 * @nr_huge: how many of its pages a PMD can map, and does
 * @node: that of all pages, HPMAP_NODE_MIXED or HPMAP_NODE_UNKNOWN
 */
struct memfd_facts {
	uint64_t nr_huge;
	int node;
};

/* How many bytes of the mapping at @address, one VMA, are mapped by PMDs? 0, or -errno. */
int pmd_mapped(const void *address, uint64_t *bytes)
{
	unsigned long from, to, kb;
	struct lines lines;
	bool here = false;
	char *line;
	int ret = lines_open(&lines, "/proc/thread-self/smaps");

	*bytes = 0;
	if (ret)
		return ret;
	/* A line "FROM-TO ..." begins each mapping, whose figures follow as "NAME: N kB". */
	while ((line = lines_next(&lines))) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = from == (unsigned long)address;
		else if (here && sscanf(line, "ShmemPmdMapped: %lu", &kb) == 1)
			break;
	}
	if (line)
		*bytes = (uint64_t)kb << 10;
	return lines_close(&lines);
}

/* How many bytes of the file have no memory yet: looking at those through a mapping fills them. */
uint64_t memfd_lacks(const struct hpmap_buffer *b)
{
	struct stat st;
	uint64_t has = fstat(b->fd, &st) ? 0 : (uint64_t)st.st_blocks * 512;

	return has < b->length ? b->length - has : 0;
}

static void *memfd_map_to_look(const struct hpmap_buffer *b, off_t offset, uint64_t length)
{
	/* Without a reservation in the pool, which would be for what is not there. */
	return map_aligned(b->fd, offset, length, b->page_size, PROT_READ,
			   MAP_SHARED | MAP_NORESERVE);
}

/*
 * Ask the kernel for the nodes of @n pages at @pages, which are mapped if they are there. Where it
 * knows of no nodes, all is on the one.
 */
static int nodes_ask(void **pages, unsigned long n, int *status)
{
	unsigned long i;

	if (!syscall(SYS_move_pages, 0, n, pages, NULL, status, 0))
		return 0;
	if (errno != ENOSYS)
		return -errno;
	for (i = 0; i < n; i++)
		status[i] = 0;
	return 0;
}

/* The node of all @n and of those before, @node; HPMAP_NODE_UNKNOWN is that of none. */
static int nodes_common(void **pages, unsigned long n, int node)
{
	int status[BATCH];
	unsigned long i;

	if (node == HPMAP_NODE_MIXED)
		return node;
	if (nodes_ask(pages, n, status))
		return HPMAP_NODE_UNKNOWN;
	for (i = 0; i < n; i++) {
		if (status[i] < 0)
			continue;
		if (node >= 0 && status[i] != node)
			return HPMAP_NODE_MIXED;
		node = status[i];
	}
	return node;
}

/* Touch @places of the @total units in the mapping, and ask for the node of each. */
static int places_touch(const struct hpmap_buffer *b, char *address, uint64_t unit, uint64_t total,
			uint64_t places)
{
	int node = HPMAP_NODE_UNKNOWN;
	void *pages[BATCH];
	unsigned long n = 0;
	uint64_t i;

	/* Whoever shares the file may punch holes meanwhile. */
	for (i = 0; i < places && !memfd_lacks(b); i++) {
		pages[n++] = address + i * total / places * unit;
		populate(pages[n - 1], base_page_size(), false);
		if (n < BATCH && i + 1 < places)
			continue;
		node = nodes_common(pages, n, node);
		n = 0;
	}
	return node;
}

/*
 * Look at a buffer of memfd: in all places, or evenly in PLACES of them, from which the number of
 * huge pages is then estimated. A file with holes is not looked at, for that would fill them.
 * 0, also without /proc; or -errno.
 */
static int memfd_look(const struct hpmap_buffer *b, struct memfd_facts *facts)
{
	bool hugetlb = b->backing == HPMAP_BACKING_HUGETLB;
	uint64_t pmd = pmd_size(), unit = hugetlb ? b->page_size : pmd, bytes = 0, total, places;
	void *address;
	int ret = 0;

	*facts = (struct memfd_facts){ .node = HPMAP_NODE_UNKNOWN };
	if (hugetlb)
		facts->nr_huge = b->page_size >= pmd ? b->length / b->page_size : 0;
	if (memfd_lacks(b))
		return 0;
	address = memfd_map_to_look(b, 0, b->length);
	if (address == MAP_FAILED)
		return errno == ENOSPC ? -ENOMEM : -errno;
	total = (b->length + unit - 1) / unit;
	places = total < PLACES ? total : PLACES;
	facts->node = places_touch(b, address, unit, total, places);
	if (!hugetlb)
		ret = pmd_mapped(address, &bytes);
	munmap(address, b->length);
	if (!hugetlb && bytes / pmd <= places)
		facts->nr_huge = bytes / pmd * total / places;
	else if (!hugetlb)
		facts->nr_huge = bytes / pmd;
	return ret == -ENOENT || ret == -EACCES ? 0 : ret;
}

int memfd_info(const struct hpmap_buffer *b, struct hpmap_info *info)
{
	struct memfd_facts facts;
	struct stat st = {};
	int ret = memfd_look(b, &facts);

	if (ret)
		return fail(ret, "how many of its pages are huge cannot be seen: %s",
			    strerror(-ret));
	fstat(b->fd, &st);
	*info = (struct hpmap_info){
		.struct_size = sizeof(*info),
		.backend = b->backend,
		.size = b->length,
		.page_size = b->page_size,
		.asked = b->asked,
		.nr_pages = b->length / b->page_size,
		.nr_huge = facts.nr_huge,
		.backing = b->backing,
		.node = facts.node,
		.uid = st.st_uid,
	};
	memcpy(info->name, b->tag, sizeof(info->name));
	return 0;
}

/* Is a touch of it no SIGBUS, whatever others do who have the file? */
static bool memfd_stays_as_long(struct hpmap_buffer *b, int seals)
{
	if (seals & F_SEAL_SHRINK)
		return true;
	why_add(&b->why, "the size of the file is not sealed: who shares it could shorten it, and "
		"a touch of what is gone kills with SIGBUS"
		TRY "memfd_create() with MFD_ALLOW_SEALING, then fcntl(fd, F_ADD_SEALS, "
		"F_SEAL_SHRINK)"
		TRY "hpmap_from_fd_flags() with HPMAP_UNSEALED");
	return false;
}

/* Fill in @b, which has the descriptor @b->fd. -EINVAL: that is no memory. */
int memfd_adopt(struct hpmap_buffer *b, bool unsealed)
{
	/* First of all: what is sealed then has the length that is looked at after that. */
	int flags = fcntl(b->fd, F_GETFL), seals = fcntl(b->fd, F_GET_SEALS), ret;
	struct memfd_facts facts = {};
	uint64_t pmd = pmd_size();
	struct statfs fs;
	struct stat st;

	if (flags & O_PATH || (flags & O_ACCMODE) == O_WRONLY) {
		why_add(&b->why, "the descriptor cannot be read from"
			TRY "O_RDWR or O_RDONLY, without O_PATH");
		return -EINVAL;
	}
	/* None but tmpfs and hugetlbfs have seals. */
	if (seals < 0 || fstatfs(b->fd, &fs) || fstat(b->fd, &st))
		return -EINVAL;
	b->backend = HPMAP_BACKEND_MEMFD;
	b->length = b->asked = st.st_size;
	b->page_size = fs.f_type == HUGETLBFS_MAGIC ? (uint64_t)fs.f_bsize : base_page_size();
	if (!b->length) {
		why_add(&b->why, "the file is empty" TRY "ftruncate(2) before it is given away");
		return -EINVAL;
	}
	if (b->length % b->page_size) {
		why_add(&b->why, "the file has %llu bytes, which is no multiple of its page size, "
			"%s", (unsigned long long)b->length, SIZE_TEXT(b->page_size));
		return -EINVAL;
	}
	if (!unsealed && !memfd_stays_as_long(b, seals))
		return -EINVAL;
	b->backing = HPMAP_BACKING_HUGETLB;
	if (fs.f_type == HUGETLBFS_MAGIC)
		return 0;
	b->backing = HPMAP_BACKING_BASE;
	ret = b->length % pmd ? 0 : memfd_look(b, &facts);
	if (ret)
		why_add(&b->why, "how large its pages are cannot be seen: %s", strerror(-ret));
	if (ret || facts.nr_huge * pmd != b->length)
		return ret;
	b->backing = HPMAP_BACKING_THP;
	b->page_size = pmd;
	return 0;
}

/* Count those of the @n pages at @pages that are mapped. */
static int nodes_count_batch(void **pages, unsigned long n, uint64_t *counts)
{
	int status[BATCH], ret = nodes_ask(pages, n, status);
	unsigned long i;

	for (i = 0; !ret && i < n; i++)
		if (status[i] >= 0 && status[i] < MAX_NODES)
			counts[status[i]]++;
	return ret;
}

/* Count the pages of one piece of the file, which are there. */
static int nodes_count_piece(const struct hpmap_buffer *b, uint64_t from, uint64_t length,
		       uint64_t *counts)
{
	uint64_t total = length / b->page_size, at, i;
	char *address = memfd_map_to_look(b, from, length);
	void *pages[BATCH];
	int ret = 0;

	if (address == MAP_FAILED)
		return errno == ENOSPC ? -ENOMEM : -errno;
	populate(address, length, false);
	for (at = 0; at < total && !ret; at += i) {
		for (i = 0; i < BATCH && at + i < total; i++)
			pages[i] = address + (at + i) * b->page_size;
		ret = nodes_count_batch(pages, i, counts);
	}
	munmap(address, length);
	return ret;
}

/* Count all from @from to @to, piece by piece, so that page tables stay small. */
static int nodes_count_extent(const struct hpmap_buffer *b, uint64_t from, uint64_t to,
			      uint64_t *counts)
{
	uint64_t piece = b->page_size < PIECE ? PIECE : b->page_size, length;
	int ret = 0;

	from = round_up_to(from, b->page_size);
	to -= to % b->page_size;
	for (; from < to && !ret; from += length) {
		length = to - from < piece ? to - from : piece;
		ret = nodes_count_piece(b, from, length, counts);
	}
	return ret;
}

/* Count in the parts of a file of tmpfs that have pages. */
static int nodes_count_parts(const struct hpmap_buffer *b, uint64_t *counts)
{
	off_t from, to = 0, end = b->length;
	char path[64];
	int fd, ret = 0;

	/* A file offset of our own: that of the descriptor is shared. */
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", b->fd);
	fd = file_open(path, O_RDONLY);
	if (fd < 0)
		return errno == ENOENT ? -ENOTSUP : -errno;
	while (!ret && to < end) {
		from = lseek(fd, to, SEEK_DATA);
		to = from < 0 ? -1 : lseek(fd, from, SEEK_HOLE);
		if (to < 0)
			break;
		ret = nodes_count_extent(b, from, to < end ? to : end, counts);
	}
	close(fd);
	return ret;
}

/*
 * Count the pages by node, exactly, which takes a time that grows with the pages there are.
 * hugetlbfs does not report which those are: a file that lacks some counts as empty.
 */
int memfd_nodes(const struct hpmap_buffer *b, uint64_t *pages, unsigned int *nr)
{
	uint64_t counts[MAX_NODES] = {};
	unsigned int highest = MAX_NODES, i;
	int ret = 0;

	if (!memfd_lacks(b))
		ret = nodes_count_extent(b, 0, b->length, counts);
	else if (b->backing != HPMAP_BACKING_HUGETLB)
		ret = nodes_count_parts(b, counts);
	if (ret)
		return ret;
	while (highest && !counts[highest - 1])
		highest--;
	for (i = 0; i < *nr && i < highest; i++)
		pages[i] = counts[i];
	*nr = highest;
	return 0;
}
