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
#include <sys/resource.h>
#include <unistd.h>

#include "internal.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	8U
#endif

#define HUGE_SHIFT(bytes)	((unsigned int)__builtin_ctzll(bytes) << MAP_HUGE_SHIFT)
#define MIB(bytes)		((unsigned long long)(bytes) >> 20)
#define MIB_MASK		((1ULL << 20) - 1)
#define KIB(bytes)		((unsigned long long)(bytes) >> 10)
#define THP			"/sys/kernel/mm/transparent_hugepage/"

/**
 * struct rung - one try
 * @o: what is asked for
 * @node: that pages shall be on
 * @page_size: of this rung, in bytes
 * @length: in bytes, a multiple of it
 * @short_of_memory: a rung before this one has said so
 * @b: what gets the result
 */
struct rung {
	const struct hpmap_options *o;
	int node;
	uint64_t page_size;
	uint64_t length;
	bool short_of_memory;
	struct hpmap_buffer *b;
};

/* A file larger than that ends the process with SIGXFSZ. */
static bool within_file_limit(const struct rung *r)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) || r->length <= limit.rlim_cur)
		return true;
	why_add(&r->b->why, "memfd: %llu bytes exceed RLIMIT_FSIZE", (unsigned long long)r->length);
	why_try(&r->b->why, "ulimit -f unlimited");
	return false;
}

static int no_memfd(const struct rung *r, unsigned int flags, int err)
{
	/* A kernel without hugetlb, or a sandbox that forbids it: the other rungs may do. */
	if (flags && (err == ENOENT || err == ENODEV || err == ENOSYS || err == EPERM))
		return -EINVAL;
	if (err != ENOSYS && err != EPERM)
		return -err;
	why_add(&r->b->why, "memfd: memfd_create(2) is forbidden here");
	why_try(&r->b->why, "a sandbox that allows it, or modprobe hpage_map");
	return -ENOTSUP;
}

/* A sealed file; MFD_HUGETLB and a size may be in @flags. */
static int make_file(const struct rung *r, unsigned int flags)
{
	const char *name = r->o->name ? r->o->name : "hpage_map";
	int fd, err;

	if (!within_file_limit(r))
		return -EDQUOT;
	flags |= MFD_CLOEXEC | MFD_ALLOW_SEALING;
	/* Never a program; vm.memfd_noexec may ask for that. Linux before 6.3 does not know it. */
	fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	if (fd < 0)
		return no_memfd(r, flags & MFD_HUGETLB, errno);
	fd = above_standard(fd);
	if (ftruncate(fd, r->length) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static void hugetlb_short(const struct rung *r)
{
	uint64_t needed = r->length / r->page_size;
	struct hpmap_pool pool;
	struct why *why = &r->b->why;
	char told[80];
	uint64_t free;

	if (read_pool(r->page_size, -1, &pool) && access("/sys/kernel/mm", F_OK)) {
		why_add(why, "memfd: whether there are free pages of %llu kB in a pool cannot be "
			"seen without /sys", KIB(r->page_size));
		why_try(why, "grep Huge /proc/meminfo");
		return;
	}
	if (read_pool(r->page_size, -1, &pool)) {
		why_add(why, "memfd: no pool of %llu kB pages on this machine", KIB(r->page_size));
		why_try(why, "ls /sys/kernel/mm/hugepages");
		return;
	}
	/* It is the same pool that the module has looked at. */
	snprintf(told, sizeof(told), "hugetlb: %llu pages of %llu kB needed",
		 (unsigned long long)needed, KIB(r->page_size));
	if (strstr(why->text, told)) {
		why->reasons++;
		return;
	}
	free = pool.free > pool.promised ? pool.free - pool.promised : 0;
	if (free >= needed && r->o->policy != HPMAP_POLICY_STRICT) {
		why_add(why, "memfd: the pool has %llu pages of %llu kB, but a limit holds them",
			(unsigned long long)needed, KIB(r->page_size));
		why_try(why, "cat /sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)"
			"/hugetlb.*.max");
		return;
	}
	why_add(why, "memfd: %llu pages of %llu kB needed, %llu of the pool free",
		(unsigned long long)needed, KIB(r->page_size), (unsigned long long)free);
	why_try(why, "sudo hpagectl pool --page-size %lluK --set %llu", KIB(r->page_size),
		(unsigned long long)(pool.total + needed - (free < needed ? free : 0)));
}

typedef int (*fill_fn)(const struct rung *r, const struct saved_policy *saved, int fd,
		       void *address);

static int no_mapping(const struct rung *r, int err)
{
	struct why *why = &r->b->why;

	if (err == ENOSPC) {
		why_add(why, "memfd: no room for a mapping of %llu bytes",
			(unsigned long long)r->length);
		why_try(why, "ulimit -v unlimited");
		return -ENOMEM;
	}
	if (err == EAGAIN) {
		why_add(why, "memfd: mlockall(2) locks every mapping, and RLIMIT_MEMLOCK is less");
		why_try(why, "ulimit -l unlimited");
		return -EDQUOT;
	}
	return -err;
}

/* Fill the file @fd by touching every page of it through a mapping. */
static int touch(const struct rung *r, int fd, fill_fn fill)
{
	struct saved_policy saved;
	void *address;
	int ret;

	ret = policy_enter(r->o->policy, r->node, &saved, &r->b->why);
	if (ret)
		return ret;
	address = map_aligned(fd, 0, r->length, r->page_size, PROT_READ | PROT_WRITE, MAP_SHARED);
	ret = address == MAP_FAILED ? no_mapping(r, errno) : 0;
	if (!ret) {
		ret = fill(r, &saved, fd, address);
		munmap(address, r->length);
	}
	policy_leave(&saved);
	/* What populating says where a touch would have been a SIGBUS. */
	return ret == -EFAULT || ret == -EHWPOISON ? -ENOMEM : ret;
}

/* A file with all its pages, or -errno. */
static int filled_file(const struct rung *r, unsigned int flags, fill_fn fill)
{
	int fd = make_file(r, flags), ret;

	if (fd < 0)
		return fd;
	ret = touch(r, fd, fill);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

/* A signal undoes what one call did, so there is one for each PMD. */
static int allocate(int fd, uint64_t length)
{
	uint64_t step = pmd_size(), at;

	for (at = 0; at < length; at += step)
		while (fallocate(fd, 0, at, length - at < step ? length - at : step))
			if (errno != EINTR)
				return errno == ENOSPC ? -ENOMEM : -errno;
	return 0;
}

static int fill_all(const struct rung *r, const struct saved_policy *saved, int fd, void *address)
{
	(void)saved;
	return can_populate() ? populate(address, r->length, true) : allocate(fd, r->length);
}

static int try_hugetlb(struct rung *r)
{
	unsigned int said = r->b->why.reasons;
	int fd = filled_file(r, MFD_HUGETLB | HUGE_SHIFT(r->page_size), fill_all);

	if ((fd == -ENOMEM || fd == -EINVAL) && r->b->why.reasons == said)
		hugetlb_short(r);
	return fd;
}

/* What is beyond would meet the OOM killer. */
static int enough_memory(struct rung *r)
{
	struct room room;
	int ret = memory_room(r->o->policy, r->node, &room);

	if (ret)
		return ret;
	if (r->length <= room.bytes)
		return 0;
	/* The rungs below hardly need less, and meanwhile the figures have changed. */
	if (!r->short_of_memory)
		why_add(&r->b->why, "memfd: %llu MiB needed, %llu MiB available %s",
			MIB(r->length + MIB_MASK), MIB(room.bytes), room.where);
	if (!r->short_of_memory && *room.remedy)
		why_try(&r->b->why, "%s", room.remedy);
	r->short_of_memory = true;
	return -ENOMEM;
}

/*
 * With shmem_enabled=advise the first touch of each PMD gives a huge page. Else
 * it gives a small one, and collapsing adds the rest.
 */
static int fill_thp(const struct rung *r, const struct saved_policy *saved, int fd, void *address)
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
	char mode[128] = "";

	why_add(&r->b->why, "memfd: not all of %llu transparent huge pages could be had",
		(unsigned long long)(r->length / r->page_size));
	if (read_file(THP "shmem_enabled", mode, sizeof(mode)) < 0 || strstr(mode, "[deny]") ||
	    (strstr(mode, "[never]") && madvise(NULL, 0, MADV_COLLAPSE)))
		why_try(&r->b->why, "echo advise | sudo tee " THP "shmem_enabled");
	else
		why_try(&r->b->why, "echo 1 | sudo tee /proc/sys/vm/compact_memory");
}

static int try_thp(struct rung *r)
{
	unsigned int said = r->b->why.reasons;
	int fd = enough_memory(r);

	if (fd)
		return fd;
	fd = filled_file(r, 0, fill_thp);
	if (fd == -ENOENT || fd == -EACCES) {
		why_add(&r->b->why, "memfd: /proc/self/smaps does not tell whether pages are huge");
		why_try(&r->b->why, "sudo mount -t proc proc /proc");
		return -ENOMEM;
	}
	if (fd == -ENOMEM && r->b->why.reasons == said)
		thp_short(r);
	return fd;
}

static int try_base(struct rung *r)
{
	int ret = enough_memory(r);

	return ret ? ret : filled_file(r, 0, fill_all);
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
	int (*attempt)(struct rung *r);
} ladder[] = {
	{ HPMAP_BACKING_HUGETLB, size_asked, try_hugetlb },
	{ HPMAP_BACKING_HUGETLB, size_below, try_hugetlb },
	{ HPMAP_BACKING_THP, size_thp, try_thp },
	{ HPMAP_BACKING_BASE, size_base, try_base },
};

/* Did the pages come from where they should? */
static int verify_node(const struct rung *r)
{
	uint64_t pages[MAX_NODES] = {};
	unsigned int nr = MAX_NODES;
	struct why *why = &r->b->why;

	if (r->o->policy != HPMAP_POLICY_PREFERRED && r->o->policy != HPMAP_POLICY_STRICT)
		return 0;
	if (memfd_nodes(r->b, pages, &nr)) {
		why_add(why, "memfd: whether the pages are on node %d cannot be told", r->node);
		why_try(why, "a sandbox that allows move_pages(2)");
		return r->o->policy == HPMAP_POLICY_STRICT ? -ENOMEM : 0;
	}
	if (pages[r->node] == r->length / r->page_size)
		return 0;
	why_add(why, "memfd: %llu of %llu pages are on node %d",
		(unsigned long long)pages[r->node],
		(unsigned long long)(r->length / r->page_size), r->node);
	why_try(why, "hpagectl doctor");
	return r->o->policy == HPMAP_POLICY_STRICT ? -ENOMEM : 0;
}

static int try_rung(unsigned int i, struct rung *r)
{
	struct hpmap_buffer *b = r->b;
	unsigned int said = b->why.reasons;
	int fd, ret;

	r->length = round_up_to(r->o->length, r->page_size);
	if (r->length < r->o->length || r->length > INT64_MAX) {
		why_add(&b->why, "memfd: %llu bytes in pages of %llu kB are more than a file can "
			"have",
			(unsigned long long)r->o->length, KIB(r->page_size));
		return -ENOMEM;
	}
	fd = ladder[i].attempt(r);
	if (fd < 0 && b->why.reasons == said && !r->short_of_memory)
		why_add(&b->why, "memfd: %llu bytes in pages of %llu: %s",
			(unsigned long long)r->length, (unsigned long long)r->page_size,
			strerror(-fd));
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
		r->node = only_node();
	if (o->near_device && r->node < 0) {
		why_add(why, "the machine does not say which node %s is near", o->near_device);
		return o->policy == HPMAP_POLICY_STRICT ? -EINVAL : 0;
	}
	if (o->near_device || o->policy == HPMAP_POLICY_PREFERRED ||
		 o->policy == HPMAP_POLICY_STRICT) {
		if (!node_has_memory(r->node)) {
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
