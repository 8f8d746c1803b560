// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Buffers without the module: memfd_create(2), down the same ladder.
 *
 *	hugetlb		a file of a pool's page size
 *	thp		a file of tmpfs, of which every PMD maps one folio
 *	base		a file of tmpfs in whatever pages it got, where allowed
 *
 * A rung that cannot serve the whole request is left. The file is filled here,
 * in the thread of whoever asks, so that a shortage is an errno now and no
 * SIGBUS later; its size is sealed, for the same reason, and because
 * /dev/udmabuf takes no other.
 *
 * tmpfs gives huge folios when shmem_enabled says so; where it says "never",
 * as it does by default, MADV_COLLAPSE makes them all the same, from Linux 6.1
 * on. Whether it worked is read from smaps.
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

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define HUGE_SHIFT(bytes)	((unsigned int)__builtin_ctzll(bytes) << MAP_HUGE_SHIFT)
#define MIB(bytes)		((unsigned long long)(bytes) >> 20)
#define KIB(bytes)		((unsigned long long)(bytes) >> 10)
#define THP			"/sys/kernel/mm/transparent_hugepage/"

/* How many bytes of the mapping at @address, one VMA, are mapped by PMDs? */
static uint64_t pmd_mapped(const void *address)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long from, to, kb;
	uint64_t bytes = 0;
	bool here = false;
	char line[512];

	/* A line "FROM-TO ..." begins each mapping; "NAME: N kB" tells about it. */
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = from == (unsigned long)address;
		else if (here && sscanf(line, "ShmemPmdMapped: %lu", &kb) == 1)
			bytes = (uint64_t)kb << 10;
	}
	if (file)
		fclose(file);
	return bytes;
}

/* A sealed file of @length bytes; MFD_HUGETLB and a size may be in @flags. */
static int make_file(const struct hpmap_options *o, uint64_t length, unsigned int flags)
{
	int fd = memfd_create(o->name ? o->name : "hpage_map",
			      flags | MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, length) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/**
 * struct rung - one try
 * @o: what is asked for
 * @node: that pages shall be on
 * @page_size: of this rung, in bytes
 * @length: in bytes, a multiple of it
 * @b: what gets the result
 */
struct rung {
	const struct hpmap_options *o;
	int node;
	uint64_t page_size;
	uint64_t length;
	struct hpmap_buffer *b;
};

static void hugetlb_short(const struct rung *r)
{
	uint64_t needed = r->length / r->page_size;
	struct hpmap_pool pool;
	struct why *why = &r->b->why;
	uint64_t free;

	if (read_pool(r->page_size, -1, &pool)) {
		why_add(why, "memfd: no pool of %llu kB pages on this machine", KIB(r->page_size));
		why_try(why, "ls /sys/kernel/mm/hugepages");
		return;
	}
	free = pool.free - pool.promised;
	if (free >= needed && r->o->policy != HPMAP_POLICY_STRICT) {
		why_add(why, "memfd: the pool has %llu pages of %llu kB, but a limit holds them",
			(unsigned long long)needed, KIB(r->page_size));
		why_try(why, "look at hugetlb.*.max of the cgroup in /proc/self/cgroup");
		return;
	}
	why_add(why, "memfd: %llu pages of %llu kB needed, %llu of the pool free",
		(unsigned long long)needed, KIB(r->page_size), (unsigned long long)free);
	why_try(why, "hpagectl pool --page-size %lluK --set %llu, as root", KIB(r->page_size),
		(unsigned long long)(pool.total + needed - (free < needed ? free : 0)));
}

typedef int (*fill_fn)(const struct rung *r, void *address);

/* Fill the file @fd by touching every page of it through a mapping. */
static int touch(const struct rung *r, int fd, fill_fn fill)
{
	struct saved_policy saved;
	void *address;
	int ret;

	ret = policy_enter(r->o->policy, r->node, &saved, &r->b->why);
	if (ret)
		return ret;
	address = map_aligned(fd, r->length, r->page_size, PROT_READ | PROT_WRITE, MAP_SHARED);
	ret = address == MAP_FAILED ? -errno : 0;
	if (!ret) {
		ret = fill(r, address);
		munmap(address, r->length);
	}
	policy_leave(&saved);
	/* What populating says where a touch would have been a SIGBUS. */
	return ret == -EFAULT ? -ENOMEM : ret;
}

/* A file with all its pages, or -errno. */
static int filled_file(const struct rung *r, unsigned int flags, fill_fn fill)
{
	int fd = make_file(r->o, r->length, flags), ret;

	if (fd < 0)
		return fd;
	ret = touch(r, fd, fill);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

static int fill_all(const struct rung *r, void *address)
{
	return populate(address, r->length, true);
}

static int try_hugetlb(const struct rung *r)
{
	int fd = filled_file(r, MFD_HUGETLB | HUGE_SHIFT(r->page_size), fill_all);

	if (fd >= 0)
		return fd;
	hugetlb_short(r);
	/* There are no pages of that size on this machine. */
	return fd == -ENOENT || fd == -ENODEV ? -EINVAL : fd;
}

/* Is there that much memory at all? What is beyond would meet the OOM killer. */
static bool enough_memory(const struct rung *r)
{
	uint64_t available = memory_available();

	if (!available || r->length <= available)
		return true;
	why_add(&r->b->why, "memfd: %llu MiB needed, %llu MiB of memory available",
		MIB(r->length), MIB(available));
	why_try(&r->b->why, "free -m");
	return false;
}

/*
 * With shmem_enabled=advise the first touch of each PMD gives a huge page. Else
 * it gives a small one, and collapsing adds the rest.
 */
static int fill_thp(const struct rung *r, void *address)
{
	uint64_t pmd = r->page_size, at;
	int ret = 0;

	madvise(address, r->length, MADV_HUGEPAGE);
	for (at = 0; at < r->length && !ret; at += pmd)
		ret = populate((char *)address + at, base_page_size(), true);
	if (ret || pmd_mapped(address) == r->length)
		return ret;
	for (at = 0; at < r->length; at += pmd)
		if (madvise((char *)address + at, pmd, MADV_COLLAPSE) && errno == EINVAL)
			break;
	return pmd_mapped(address) == r->length ? 0 : -ENOMEM;
}

static void thp_short(const struct rung *r)
{
	char mode[128] = "";

	why_add(&r->b->why, "memfd: not all of %llu transparent huge pages could be had",
		(unsigned long long)(r->length / r->page_size));
	if (read_file(THP "shmem_enabled", mode, sizeof(mode)) < 0 || strstr(mode, "[deny]"))
		why_try(&r->b->why, "echo advise > " THP "shmem_enabled, as root");
	else
		why_try(&r->b->why, "echo 1 > /proc/sys/vm/compact_memory, as root");
}

static int try_thp(const struct rung *r)
{
	int fd;

	if (!enough_memory(r))
		return -ENOMEM;
	fd = filled_file(r, 0, fill_thp);
	if (fd == -ENOMEM)
		thp_short(r);
	return fd;
}

static int try_base(const struct rung *r)
{
	return enough_memory(r) ? filled_file(r, 0, fill_all) : -ENOMEM;
}

/* The same rules as the module's. A rung with the page size 0 does not serve the request. */
static uint64_t size_asked(const struct hpmap_options *o)
{
	if (!o->page_size)
		return pmd_size();
	return o->page_size == base_page_size() ? 0 : o->page_size;
}

static uint64_t size_below(const struct hpmap_options *o)
{
	return o->page_size > pmd_size() && !(o->flags & HPMAP_EXACT) ? pmd_size() : 0;
}

static uint64_t size_thp(const struct hpmap_options *o)
{
	if (!o->page_size || o->page_size == pmd_size())
		return pmd_size();
	return size_below(o);
}

static uint64_t size_base(const struct hpmap_options *o)
{
	if (o->page_size == base_page_size())
		return base_page_size();
	return o->flags & HPMAP_ALLOW_BASE ? base_page_size() : 0;
}

static const struct {
	enum hpmap_backing backing;
	uint64_t (*page_size)(const struct hpmap_options *o);
	int (*attempt)(const struct rung *r);
} ladder[] = {
	{ HPMAP_BACKING_HUGETLB, size_asked, try_hugetlb },
	{ HPMAP_BACKING_HUGETLB, size_below, try_hugetlb },
	{ HPMAP_BACKING_THP, size_thp, try_thp },
	{ HPMAP_BACKING_BASE, size_base, try_base },
};

/* Did the pages come from where they should? */
static int verify_node(const struct rung *r)
{
	uint64_t pages[64] = {};
	unsigned int nr = 64;
	struct why *why = &r->b->why;

	if (r->o->policy != HPMAP_POLICY_PREFERRED && r->o->policy != HPMAP_POLICY_STRICT)
		return 0;
	if (memfd_nodes(r->b, pages, &nr)) {
		why_add(why, "memfd: whether the pages are on node %d cannot be told", r->node);
		why_try(why, "a sandbox that allows move_pages(2)");
		return r->o->policy == HPMAP_POLICY_STRICT ? -ENOMEM : 0;
	}
	if (r->node < 64 && pages[r->node] == r->length / r->page_size)
		return 0;
	why_add(why, "memfd: %llu of %llu pages are on node %d",
		r->node < 64 ? (unsigned long long)pages[r->node] : 0ULL,
		(unsigned long long)(r->length / r->page_size), r->node);
	why_try(why, "a larger pool or more free memory on that node: hpagectl doctor");
	return r->o->policy == HPMAP_POLICY_STRICT ? -ENOMEM : 0;
}

static int try_rung(unsigned int i, struct rung *r)
{
	struct hpmap_buffer *b = r->b;
	int fd, ret;

	r->length = round_up_to(r->o->length, r->page_size);
	if (r->length < r->o->length || r->length > INT64_MAX) {
		why_add(&b->why, "memfd: %llu bytes are more than there can be",
			(unsigned long long)r->o->length);
		return -ENOMEM;
	}
	fd = ladder[i].attempt(r);
	if (fd < 0)
		return fd;
	b->fd = fd;
	b->backend = HPMAP_BACKEND_MEMFD;
	b->backing = ladder[i].backing;
	b->length = r->length;
	b->page_size = r->page_size;
	b->asked = r->o->length;
	ret = verify_node(r);
	if (ret) {
		close(fd);
		b->fd = -1;
	}
	return ret;
}

static int placement(const struct hpmap_options *o, struct rung *r)
{
	struct why *why = &r->b->why;

	r->node = o->node;
	if (o->near_device && device_node(o->near_device, &r->node)) {
		why_add(why, "there is no PCI or platform device %s", o->near_device);
		why_try(why, "ls /sys/bus/pci/devices /sys/bus/platform/devices");
		return -ENODEV;
	}
	if (o->near_device && r->node < 0)
		why_add(why, "the machine does not say which node %s is near", o->near_device);
	else if (o->near_device || o->policy == HPMAP_POLICY_PREFERRED ||
		 o->policy == HPMAP_POLICY_STRICT) {
		if (!node_has_memory(r->node) || r->node >= 1024) {
			why_add(why, "there is no node %d with memory", r->node);
			why_try(why, "cat /sys/devices/system/node/has_memory");
			return -EINVAL;
		}
	}
	return 0;
}

/* Make a buffer into @b; what was lacking goes to its reasons. */
int memfd_alloc(const struct hpmap_options *options, struct hpmap_buffer *b)
{
	struct hpmap_options o = *options;
	struct rung r = { .o = &o, .b = b };
	int ret = placement(&o, &r), best = -EINVAL;
	unsigned int i;

	if (ret)
		return ret;
	if (o.near_device)
		o.policy = r.node < 0 ? HPMAP_POLICY_DEFAULT :
			   o.policy ? o.policy : HPMAP_POLICY_PREFERRED;
	for (i = 0; i < sizeof(ladder) / sizeof(*ladder); i++) {
		r.page_size = ladder[i].page_size(&o);
		if (!r.page_size)
			continue;
		ret = try_rung(i, &r);
		if (!ret) {
			if (o.name)
				strncpy(b->tag, o.name, sizeof(b->tag) - 1);
			return 0;
		}
		if (ret != -EINVAL && ret != -ENOMEM)
			return ret;
		if (ret == -ENOMEM)
			best = ret;
	}
	return best;
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

/* How many pages of a buffer of memfd a PMD can map, and does in a mapping made for that. */
uint64_t memfd_huge(const struct hpmap_buffer *b)
{
	uint64_t pmd = pmd_size(), nr = 0;
	void *address;

	if (b->backing == HPMAP_BACKING_HUGETLB)
		return b->page_size >= pmd ? b->length / b->page_size : 0;
	if (!is_full(b))
		return 0;
	address = map_aligned(b->fd, b->length, pmd, PROT_READ, MAP_SHARED);
	if (address == MAP_FAILED)
		return 0;
	if (!populate(address, b->length, false))
		nr = pmd_mapped(address) / pmd;
	munmap(address, b->length);
	return nr;
}

/* Fill in @b, which has the descriptor @b->fd. -EINVAL: that is no memory. */
int memfd_adopt(struct hpmap_buffer *b)
{
	uint64_t pmd = pmd_size();
	struct statfs fs;
	struct stat st;

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
	if (b->length % pmd || memfd_huge(b) * pmd != b->length)
		return 0;
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

int memfd_nodes(const struct hpmap_buffer *b, uint64_t *counts, unsigned int *nr)
{
	void *address = map_aligned(b->fd, b->length, b->page_size, PROT_READ, MAP_SHARED);
	int ret;

	if (address == MAP_FAILED)
		return -ENOMEM;
	memset(counts, 0, *nr * sizeof(*counts));
	ret = ask_nodes(b, address, counts, nr);
	munmap(address, b->length);
	return ret;
}
