// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The life of a buffer: built completely, then handed out; ended by
 * hpmap_free(). What options mean is checked here, once for both backends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

static struct hpmap_buffer *new_buffer(void)
{
	struct hpmap_buffer *b = calloc(1, sizeof(*b));

	if (b) {
		b->fd = -1;
		pthread_mutex_init(&b->lock, NULL);
	}
	return b;
}

PUBLIC void hpmap_free(struct hpmap_buffer *b)
{
	int err = errno;

	if (!b)
		return;
	if (b->address)
		munmap(b->address, b->length);
	if (b->fd >= 0)
		close(b->fd);
	pthread_mutex_destroy(&b->lock);
	free(b);
	errno = err;
}

/* Hand @b out, or end it with its reasons told. */
static int finish(int ret, struct hpmap_buffer *b, struct hpmap_buffer **buffer)
{
	if (ret)
		fail_why(ret, &b->why);
	if (ret || !buffer)
		hpmap_free(b);
	else
		*buffer = b;
	return ret;
}

static int check_values(const struct hpmap_options *o)
{
	uint64_t base = base_page_size();

	if (o->reserved || o->flags & ~ALLOC_FLAGS)
		return fail(-EINVAL, "unknown bits in flags, %#x, or reserved is not 0", o->flags);
	if (!o->length)
		return fail(-EINVAL, "a length of 0 (try: .length = 1UL << 30)");
	if (o->page_size && (o->page_size < base || o->page_size & (o->page_size - 1)))
		return fail(-EINVAL, "%llu is no page size (try: ls /sys/kernel/mm/hugepages)",
			    (unsigned long long)o->page_size);
	if (o->policy > HPMAP_POLICY_INTERLEAVE)
		return fail(-EINVAL, "there is no policy %u", o->policy);
	if (o->name && !name_valid(o->name))
		return fail(-EINVAL, "that is no name: one has up to %d letters, digits, '.', '_' "
			    "and '-', and begins with a letter or a digit", HPMAP_NAME_SIZE - 1);
	if (o->near_device && (!*o->near_device || strlen(o->near_device) >= HPMAP_NAME_SIZE))
		return fail(-ENODEV, "there is no device '%s' (try: ls /sys/bus/pci/devices)",
			    o->near_device);
	return 0;
}

static int check_together(const struct hpmap_options *o)
{
	bool names_node = o->policy == HPMAP_POLICY_PREFERRED || o->policy == HPMAP_POLICY_STRICT;

	if (o->flags & HPMAP_EXACT && o->flags & HPMAP_ALLOW_BASE)
		return fail(-EINVAL, "HPMAP_EXACT and HPMAP_ALLOW_BASE exclude each other");
	if (o->flags & HPMAP_NO_MODULE && o->flags & (HPMAP_MODULE_ONLY | NEED_MODULE))
		return fail(-EINVAL, "HPMAP_NO_MODULE, and something that needs the module");
	if ((o->near_device || !names_node) && o->node != 0 && o->node != -1)
		return fail(-EINVAL, "a node, but no policy that uses it (try: .policy = "
			    "HPMAP_POLICY_PREFERRED)");
	if (o->policy == HPMAP_POLICY_INTERLEAVE &&
	    (o->near_device || o->flags & (HPMAP_CONTIGUOUS | HPMAP_BELOW_4G)))
		return fail(-EINVAL, "interleaved pages are not chosen by place or address");
	return 0;
}

static int get_options(struct hpmap_options *o, const struct hpmap_options *options)
{
	int ret = struct_in(o, sizeof(*o), offsetof(struct hpmap_options, reserved) +
			    sizeof(o->reserved), options);

	if (!ret)
		ret = check_values(o);
	return ret ? ret : check_together(o);
}

/* May memfd give what the module did not? Never what was wrong with the request. */
static bool may_fall(int ret, const struct hpmap_options *o)
{
	if (o->flags & (HPMAP_MODULE_ONLY | NEED_MODULE))
		return false;
	return ret == -ENOTSUP || ret == -EACCES || ret == -ENOMEM || ret == -EDQUOT;
}

static int make(const struct hpmap_options *o, struct hpmap_buffer *b)
{
	int ret;

	if (!(o->flags & HPMAP_NO_MODULE)) {
		ret = module_alloc(o, false, b);
		if (!ret || !may_fall(ret, o))
			return ret;
	}
	return memfd_alloc(o, b);
}

PUBLIC int hpmap_alloc(const struct hpmap_options *options, struct hpmap_buffer **buffer)
{
	struct hpmap_options o;
	struct hpmap_buffer *b;
	int ret = get_options(&o, options);

	if (ret)
		return ret;
	if (o.mode || o.uid || o.gid)
		return fail(-EINVAL, "mode, uid and gid are for hpmap_create()");
	b = new_buffer();
	if (!b)
		return fail(-ENOMEM, "no memory for a struct hpmap_buffer");
	return finish(make(&o, b), b, buffer);
}

PUBLIC int hpmap_create(const struct hpmap_options *options, struct hpmap_buffer **buffer)
{
	struct hpmap_options o;
	struct hpmap_buffer *b;
	int ret = get_options(&o, options);

	if (ret)
		return ret;
	if (!o.name)
		return fail(-EINVAL, "no name (try: .name = \"capture\", or hpmap_alloc())");
	if (o.flags & HPMAP_NO_MODULE)
		return fail(-EINVAL, "names are made by the module, and HPMAP_NO_MODULE");
	if (o.mode & ~0777U)
		return fail(-EINVAL, "the mode %#o has bits beyond 0777", o.mode);
	b = new_buffer();
	if (!b)
		return fail(-ENOMEM, "no memory for a struct hpmap_buffer");
	return finish(module_alloc(&o, true, b), b, buffer);
}

static void why_no_buffer(struct why *why)
{
	why_add(why, "the descriptor is no buffer");
	why_try(why, "one of hpmap_fd(), of /dev/hpage_map or of memfd_create(2)");
}

static int adopt(struct hpmap_buffer *b, bool may_ask, unsigned int flags)
{
	int ret = may_ask ? module_adopt(b) : -ENOTSUP;

	if (ret == -ENOTSUP)
		ret = memfd_adopt(b, flags & HPMAP_UNSEALED);
	if (ret && !b->why.length)
		why_no_buffer(&b->why);
	return ret;
}

PUBLIC int hpmap_open(const char *name, unsigned int flags, struct hpmap_buffer **buffer)
{
	struct hpmap_buffer *b;
	int fd, ret;

	if (flags & ~HPMAP_READ_ONLY)
		return fail(-EINVAL, "hpmap_open: unknown bits in flags, %#x", flags);
	if (name && !name_valid(name))
		return fail(-EINVAL, "%s is no name of a buffer (try: ls /dev/hpage)", name);
	b = new_buffer();
	if (!b)
		return fail(-ENOMEM, "no memory for a struct hpmap_buffer");
	fd = module_open(name, flags & HPMAP_READ_ONLY);
	if (fd < 0) {
		hpmap_free(b);
		return fd;
	}
	b->fd = fd;
	ret = module_adopt(b);
	if (ret == -ENOTSUP) {
		why_add(&b->why, "/dev/hpage%s%s is no device of the module",
			name ? "/" : "_map", name ? name : "");
		why_try(&b->why, "rm that file, then modprobe hpage_map");
	}
	return finish(ret, b, buffer);
}

PUBLIC int hpmap_from_fd_flags(int fd, unsigned int flags, struct hpmap_buffer **buffer)
{
	bool may_ask = may_be_asked(fd);
	struct hpmap_buffer *b;
	struct why why = {};
	int err;

	if (flags & ~HPMAP_UNSEALED)
		return fail(-EINVAL, "hpmap_from_fd_flags: unknown bits in flags, %#x", flags);
	/* Not even duplicated: the end of that would be told to its file system, too. */
	if (!may_ask && fcntl(fd, F_GET_SEALS) < 0 && errno == EINVAL) {
		why_no_buffer(&why);
		return fail_why(-EINVAL, &why);
	}
	b = new_buffer();
	if (!b)
		return fail(-ENOMEM, "no memory for a struct hpmap_buffer");
	b->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (b->fd < 0) {
		/* Where no descriptor is allowed at all, even the lowest is too high. */
		err = errno == EBADF ? EINVAL : errno == EINVAL ? EMFILE : errno;
		hpmap_free(b);
		return fail(-err, "descriptor %d: %s", fd, strerror(err));
	}
	return finish(adopt(b, may_ask, flags), b, buffer);
}

PUBLIC int hpmap_from_fd(int fd, struct hpmap_buffer **buffer)
{
	return hpmap_from_fd_flags(fd, 0, buffer);
}

PUBLIC int hpmap_pin(const void *address, uint64_t length, struct hpmap_buffer **buffer)
{
	struct hpmap_buffer *b = new_buffer();
	int ret;

	if (!b)
		return fail(-ENOMEM, "no memory for a struct hpmap_buffer");
	ret = module_pin(address, length, b);
	if (!ret)
		ret = module_adopt(b);
	return finish(ret, b, buffer);
}

PUBLIC uint64_t hpmap_length(const struct hpmap_buffer *b)
{
	return b->length;
}

PUBLIC uint64_t hpmap_page_size(const struct hpmap_buffer *b)
{
	return b->page_size;
}

PUBLIC int hpmap_fd(const struct hpmap_buffer *b)
{
	return b->fd;
}

static int memfd_info(const struct hpmap_buffer *b, struct hpmap_info *info)
{
	struct memfd_facts facts;
	struct stat st = {};
	int ret = memfd_look(b, &facts);

	if (ret)
		return fail(ret, "how many of its pages are huge cannot be told: %s",
			    strerror(-ret));
	fstat(b->fd, &st);
	*info = (struct hpmap_info){
		.size = sizeof(*info),
		.backend = b->backend,
		.length = b->length,
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

PUBLIC int hpmap_info(const struct hpmap_buffer *b, struct hpmap_info *info)
{
	struct hpmap_info answer;
	int ret = struct_check(info, sizeof(answer), sizeof(answer));

	if (ret)
		return ret;
	if (b->backend == HPMAP_BACKEND_MODULE)
		ret = module_info(b->fd, &answer);
	else
		ret = memfd_info(b, &answer);
	if (!ret)
		struct_out(info, &answer, sizeof(answer));
	return ret;
}

PUBLIC int hpmap_nodes(const struct hpmap_buffer *b, uint64_t *pages, unsigned int *nr)
{
	int ret;

	if (b->backend == HPMAP_BACKEND_MODULE)
		return module_nodes(b->fd, pages, nr);
	ret = *nr && !pages ? -EFAULT : memfd_nodes(b, pages, nr);
	if (ret == -EPERM)
		return fail(ret, "move_pages(2) is forbidden here (try: a sandbox that allows it)");
	return ret ? fail(ret, "the nodes cannot be told: %s", strerror(-ret)) : 0;
}

PUBLIC int hpmap_runs(const struct hpmap_buffer *b, uint64_t first, struct hpmap_run *runs,
		      unsigned int *nr)
{
	if (b->backend != HPMAP_BACKEND_MODULE)
		return fail(-ENOTSUP, "pages of memfd may move, so they have no addresses to tell "
			    "(try: modprobe hpage_map)");
	return module_runs(b->fd, first, runs, nr);
}

PUBLIC const char *hpmap_version(void)
{
	return HPMAP_VERSION;
}
