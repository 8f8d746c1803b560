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
 * tmpfs gives huge folios when shmem_enabled allows that; where it is "never",
 * the default, MADV_COLLAPSE makes them all the same, from Linux 6.1 on. Whether
 * it worked is read from smaps.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fd.h"
#include "files.h"
#include "map.h"
#include "memfd.h"
#include "memfd_facts.h"
#include "memory.h"
#include "policy.h"
#include "pool.h"
#include "populate.h"
#include "sysfs.h"
#include "text.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	8U
#endif

#define HUGE_SHIFT(bytes)	((unsigned int)__builtin_ctzll(bytes) << MAP_HUGE_SHIFT)
#define THP			"/sys/kernel/mm/transparent_hugepage/"

/**
 * struct rung - one try
 * @o: what is asked for
 * @node: that pages shall be on
 * @page_size: of this rung, in bytes
 * @length: in bytes, a multiple of it
 * @module_tried: the module has looked at the same pool, and added its reasons
 * @short_of_memory: a rung before this one has added that reason
 * @b: what gets the result
 */
struct rung {
	const struct hpmap_options *o;
	int node;
	uint64_t page_size;
	uint64_t length;
	bool module_tried;
	bool short_of_memory;
	struct hpmap_buffer *b;
};

/* A file larger than that ends the process with SIGXFSZ. */
static bool rung_within_limit(const struct rung *r)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) || r->length <= limit.rlim_cur)
		return true;
	why_add(&r->b->why, "memfd: %s exceed RLIMIT_FSIZE" TRY "ulimit -f unlimited",
		SIZE_TEXT(r->length));
	return false;
}

static int rung_without_memfd(const struct rung *r, unsigned int flags, int err)
{
	/* A kernel without hugetlb, or a sandbox that forbids it: the other rungs may do. */
	if (flags && (err == ENOENT || err == ENODEV || err == ENOSYS || err == EPERM))
		return -EINVAL;
	if (err != ENOSYS && err != EPERM)
		return -err;
	why_add(&r->b->why, "memfd: memfd_create(2) is forbidden here");
	return -ENOTSUP;
}

/* A sealed file; MFD_HUGETLB and a size may be in @flags. */
static int rung_file(const struct rung *r, unsigned int flags)
{
	const char *name = r->o->name ? r->o->name : "hpage_map";
	int fd, err;

	if (!rung_within_limit(r))
		return -EDQUOT;
	flags |= MFD_CLOEXEC | MFD_ALLOW_SEALING;
	/* Never a program; vm.memfd_noexec may ask for that. Linux before 6.3 does not know it. */
	fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	if (fd < 0)
		return rung_without_memfd(r, flags & MFD_HUGETLB, errno);
	fd = fd_above_standard(fd);
	if (ftruncate(fd, r->length) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* Why the pool does not do. */
static void hugetlb_short(const struct rung *r)
{
	unsigned long long needed = r->length / r->page_size, free;
	struct why *why = &r->b->why;
	struct hpmap_pool pool;

	if (r->module_tried) {
		/* It is the same pool, and its reason is there. */
		why->reasons++;
		return;
	}
	if (pool_read(r->page_size, -1, &pool)) {
		if (access("/sys/kernel/mm", F_OK))
			why_add(why, "memfd: the pool of %s pages cannot be seen without /sys"
				TRY "sudo mount -t sysfs sysfs /sys", SIZE_TEXT(r->page_size));
		else
			why_add(why, "memfd: there is no pool of %s pages" TRY "hpagectl pool",
				SIZE_TEXT(r->page_size));
		return;
	}
	free = pool.free > pool.promised ? pool.free - pool.promised : 0;
	if (free >= needed && r->o->policy != HPMAP_POLICY_STRICT) {
		why_add(why, "memfd: the pool has %llu page%s of %s, but a limit holds the caller"
			TRY "cat /sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/hugetlb.*.max",
			needed, plural(needed), SIZE_TEXT(r->page_size));
		return;
	}
	why_add(why, "memfd: %llu page%s of %s needed, %llu of the pool free"
		TRY "sudo hpagectl pool -p %s --set %llu", needed, plural(needed),
		SIZE_TEXT(r->page_size), free, SIZE_WORD(r->page_size),
		(unsigned long long)(pool.total + needed - (free < needed ? free : 0)));
}

typedef int (*fill_fn)(const struct rung *r, const struct saved_policy *saved, int fd,
		       void *address);

static int rung_without_mapping(const struct rung *r, int err)
{
	struct why *why = &r->b->why;

	if (err == ENOSPC) {
		why_add(why, "memfd: no room for a mapping of %s" TRY "ulimit -v unlimited",
			SIZE_TEXT(r->length));
		return -ENOMEM;
	}
	if (err == EAGAIN) {
		why_add(why, "memfd: mlockall(2) locks every mapping, and RLIMIT_MEMLOCK is less"
			TRY "ulimit -l unlimited");
		return -EDQUOT;
	}
	return -err;
}

/* Fill the file @fd by touching every page of it through a mapping. */
static int rung_touch(const struct rung *r, int fd, fill_fn fill)
{
	struct saved_policy saved;
	void *address;
	int ret;

	ret = policy_enter(r->o->policy, r->node, &saved, &r->b->why);
	if (ret)
		return ret;
	address = map_aligned(fd, 0, r->length, r->page_size, PROT_READ | PROT_WRITE, MAP_SHARED);
	ret = address == MAP_FAILED ? rung_without_mapping(r, errno) : 0;
	if (!ret) {
		ret = fill(r, &saved, fd, address);
		munmap(address, r->length);
	}
	policy_leave(&saved);
	/* An errno of populating, where a touch would have been a SIGBUS. */
	return ret == -EFAULT || ret == -EHWPOISON ? -ENOMEM : ret;
}

/* A file with all its pages, or -errno. */
static int rung_filled_file(const struct rung *r, unsigned int flags, fill_fn fill)
{
	int fd = rung_file(r, flags), ret;

	if (fd < 0)
		return fd;
	ret = rung_touch(r, fd, fill);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

/* A signal undoes what one call did, so there is one for each PMD. */
static int file_allocate(int fd, uint64_t length)
{
	uint64_t step = pmd_size(), at;

	for (at = 0; at < length; at += step)
		while (fallocate(fd, 0, at, length - at < step ? length - at : step))
			if (errno != EINTR)
				return errno == ENOSPC ? -ENOMEM : -errno;
	return 0;
}

static int file_fill(const struct rung *r, const struct saved_policy *saved, int fd, void *address)
{
	(void)saved;
	return populate_works() ? populate(address, r->length, true) : file_allocate(fd, r->length);
}

static int hugetlb_try(struct rung *r)
{
	unsigned int reasons = r->b->why.reasons;
	int fd = rung_filled_file(r, MFD_HUGETLB | HUGE_SHIFT(r->page_size), file_fill);

	if ((fd == -ENOMEM || fd == -EINVAL) && r->b->why.reasons == reasons)
		hugetlb_short(r);
	return fd;
}

/* What is beyond would meet the OOM killer. */
static int rung_has_memory(struct rung *r)
{
	struct room room;
	int ret = memory_room(r->o->policy, r->node, &room);

	if (ret)
		return ret;
	if (r->length <= room.bytes)
		return 0;
	/* The rungs below hardly need less, and meanwhile the figures have changed. */
	if (!r->short_of_memory)
		why_add(&r->b->why, "memfd: %s needed, %s available %s" TRY "%s",
			SIZE_TEXT(r->length), SIZE_TEXT(room.bytes), room.where, room.remedy);
	r->short_of_memory = true;
	return -ENOMEM;
}

/*
 * With shmem_enabled=advise the first touch of each PMD gives a huge page. Else
 * it gives a small one, and collapsing adds the rest.
 */
static int thp_fill(const struct rung *r, const struct saved_policy *saved, int fd, void *address)
{
	uint64_t pmd = r->page_size, at, huge;
	int ret = 0;

	(void)fd;
	madvise(address, r->length, MADV_HUGEPAGE);
	for (at = 0; at < r->length && !ret; at += pmd) {
		if (r->o->policy == HPMAP_POLICY_INTERLEAVE)
			policy_turn(saved, at / pmd);
		ret = populate((char *)address + at, base_page_size(), true);
	}
	if (!ret)
		ret = pmd_mapped(address, &huge);
	if (ret || huge == r->length)
		return ret;
	/* Each follows the small page that it has. */
	for (at = 0; at < r->length; at += pmd)
		if (madvise((char *)address + at, pmd, MADV_COLLAPSE) && errno == EINVAL)
			break;
	ret = pmd_mapped(address, &huge);
	return ret || huge == r->length ? ret : -ENOMEM;
}

static void thp_short(const struct rung *r)
{
	unsigned long long needed = r->length / r->page_size;
	char mode[128] = "";
	bool off = file_text(THP "shmem_enabled", mode, sizeof(mode)) < 0 ||
		   strstr(mode, "[deny]") ||
		   (strstr(mode, "[never]") && madvise(NULL, 0, MADV_COLLAPSE));

	why_add(&r->b->why, "memfd: %llu transparent huge page%s needed, not all could be had"
		TRY "%s", needed, plural(needed),
		off ? "echo advise | sudo tee " THP "shmem_enabled" :
		"echo 1 | sudo tee /proc/sys/vm/compact_memory");
}

static int thp_try(struct rung *r)
{
	unsigned int reasons = r->b->why.reasons;
	int fd = rung_has_memory(r);

	if (fd)
		return fd;
	fd = rung_filled_file(r, 0, thp_fill);
	if (fd == -ENOENT || fd == -EACCES) {
		why_add(&r->b->why, "memfd: whether pages are huge cannot be seen without "
			"/proc/thread-self/smaps" TRY "sudo mount -t proc proc /proc");
		return -ENOMEM;
	}
	if (fd == -ENOMEM && r->b->why.reasons == reasons)
		thp_short(r);
	return fd;
}

static int base_try(struct rung *r)
{
	int ret = rung_has_memory(r);

	return ret ? ret : rung_filled_file(r, 0, file_fill);
}

/* The rules are those of the module. A rung with the page size 0 does not serve the request. */
static uint64_t size_asked(const struct hpmap_options *o)
{
	if (!o->page_size)
		return best_size();
	return o->page_size == base_page_size() ? 0 : o->page_size;
}

static uint64_t size_below(const struct hpmap_options *o)
{
	return o->page_size > pmd_size() && !(o->flags & HPMAP_EXACT) ? pmd_size() : 0;
}

static uint64_t size_thp(const struct hpmap_options *o)
{
	return size_asked(o) == pmd_size() ? pmd_size() : size_below(o);
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
	int (*attempt)(struct rung *r);
} ladder[] = {
	{ HPMAP_BACKING_HUGETLB, size_asked, hugetlb_try },
	{ HPMAP_BACKING_HUGETLB, size_below, hugetlb_try },
	{ HPMAP_BACKING_THP, size_thp, thp_try },
	{ HPMAP_BACKING_BASE, size_base, base_try },
};

/* Did the pages come from where they should? */
static int rung_verify_node(const struct rung *r)
{
	unsigned long long needed = r->length / r->page_size, there;
	uint64_t pages[MAX_NODES] = {};
	unsigned int nr = MAX_NODES;

	if (r->o->policy != HPMAP_POLICY_PREFERRED && r->o->policy != HPMAP_POLICY_STRICT)
		return 0;
	if (memfd_nodes(r->b, pages, &nr)) {
		why_add(&r->b->why, "memfd: whether the pages are on node %d cannot be seen",
			r->node);
	} else {
		there = pages[r->node];
		if (there == needed)
			return 0;
		why_add(&r->b->why, "memfd: %llu of %llu page%s are on node %d"
			TRY "hpagectl doctor", there, needed, plural(needed), r->node);
	}
	return r->o->policy == HPMAP_POLICY_STRICT ? -ENOMEM : 0;
}

static int rung_try(unsigned int i, struct rung *r)
{
	struct hpmap_buffer *b = r->b;
	unsigned int reasons = b->why.reasons;
	int fd, ret;

	r->length = round_up_to(r->o->size, r->page_size);
	if (r->length < r->o->size || r->length > INT64_MAX) {
		why_add(&b->why, "memfd: %s in pages of %s are more than a file can have",
			SIZE_TEXT(r->o->size), SIZE_TEXT(r->page_size));
		return -ENOMEM;
	}
	fd = ladder[i].attempt(r);
	if (fd < 0 && b->why.reasons == reasons && !r->short_of_memory)
		why_add(&b->why, "memfd: %s in pages of %s: %s", SIZE_TEXT(r->length),
			SIZE_TEXT(r->page_size), strerror(-fd));
	if (fd < 0)
		return fd;
	b->fd = fd;
	b->backend = HPMAP_BACKEND_MEMFD;
	b->backing = ladder[i].backing;
	b->length = r->length;
	b->page_size = r->page_size;
	b->asked = r->o->size;
	ret = rung_verify_node(r);
	if (ret) {
		close(fd);
		b->fd = -1;
	}
	return ret;
}

/* The node that is asked for, in @r; -1 for that of a device which is not known. */
static int rung_place(const struct hpmap_options *o, struct rung *r)
{
	struct why *why = &r->b->why;

	r->node = o->node;
	if (o->near_device) {
		if (device_node(o->near_device, &r->node)) {
			why_add(why, "there is no PCI or platform device %s"
				TRY "ls /sys/bus/pci/devices /sys/bus/platform/devices",
				o->near_device);
			return -ENODEV;
		}
		if (r->node < 0)
			r->node = node_only();
		if (r->node < 0) {
			why_add(why, "which node %s is near is not known to this machine",
				o->near_device);
			return o->policy == HPMAP_POLICY_STRICT ? -EINVAL : 0;
		}
	} else if (o->policy != HPMAP_POLICY_PREFERRED && o->policy != HPMAP_POLICY_STRICT) {
		return 0;
	}
	if (node_has_memory(r->node))
		return 0;
	why_add(why, "there is no node %d with memory"
		TRY "cat /sys/devices/system/node/has_memory", r->node);
	return -EINVAL;
}

/*
 * Make a buffer into @b, of this backing alone unless it is 0. The module may have tried before;
 * reasons go to @b->why.
 */
int memfd_alloc(const struct hpmap_options *options, enum hpmap_backing backing, bool module_tried,
		struct hpmap_buffer *b)
{
	struct hpmap_options o = *options;
	struct rung r = { .o = &o, .module_tried = module_tried, .b = b };
	int ret = rung_place(&o, &r), best = -EINVAL;
	unsigned int i;

	if (ret)
		return ret;
	if (o.near_device)
		o.policy = r.node < 0 ? HPMAP_POLICY_DEFAULT :
			   o.policy ? o.policy : HPMAP_POLICY_PREFERRED;
	for (i = 0; i < sizeof(ladder) / sizeof(*ladder); i++) {
		r.page_size = ladder[i].page_size(&o);
		if (!r.page_size || (backing && backing != ladder[i].backing))
			continue;
		ret = rung_try(i, &r);
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
