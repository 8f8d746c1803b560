// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The life of a buffer: built completely, then handed out; ended by
 * hpmap_close(). What options mean is checked here, once for both backends.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cancel.h"
#include "fd.h"
#include "files.h"
#include "forced.h"
#include "internal.h"
#include "loaded.h"
#include "memfd.h"
#include "memfd_facts.h"
#include "module.h"
#include "node.h"
#include "public.h"
#include "structs.h"
#include "sysfs.h"
#include "text.h"

#define ALLOC_FLAGS	(MODULE_FLAGS | HPMAP_MODULE_ONLY | HPMAP_NO_MODULE)

static struct hpmap_buffer *buffer_new(void)
{
	struct hpmap_buffer *b = calloc(1, sizeof(*b));

	if (b) {
		b->fd = -1;
		pthread_mutex_init(&b->lock, NULL);
	} else {
		fail(-ENOMEM, "no memory for a struct hpmap_buffer");
	}
	return b;
}

PUBLIC void hpmap_close(struct hpmap_buffer *b)
{
	UNCANCELLED;
	int err = errno;

	if (!b)
		return;
	mapping_end(b);
	mapping_free(b);
	if (b->fd >= 0)
		close(b->fd);
	pthread_mutex_destroy(&b->lock);
	free(b);
	errno = err;
}

/* Hand @b out, or free it and make its reasons those of the thread. */
static int buffer_finish(int ret, struct hpmap_buffer *b, struct hpmap_buffer **buffer)
{
	if (ret)
		fail_why(ret, &b->why);
	if (ret || !buffer)
		hpmap_close(b);
	else
		*buffer = b;
	return ret;
}

static int options_check_each(const struct hpmap_options *o)
{
	uint64_t base = base_page_size();

	if (o->reserved || o->flags & ~ALLOC_FLAGS)
		return fail(-EINVAL, "unknown bits in flags, %#x, or reserved is not 0", o->flags);
	if (!o->size)
		return fail(-EINVAL, "a size of 0" TRY ".size = 1UL << 30");
	if (o->page_size && (o->page_size < base || o->page_size & (o->page_size - 1)))
		return fail(-EINVAL, "%s is no page size" TRY "hpagectl pool",
			    SIZE_TEXT(o->page_size));
	if (o->policy > HPMAP_POLICY_INTERLEAVE)
		return fail(-EINVAL, "there is no policy %u", o->policy);
	if (o->name && !module_name_valid(o->name))
		return fail(-EINVAL, "that is no name: one has up to %d letters, digits, '.', '_' "
			    "and '-', and begins with a letter or a digit", HPMAP_NAME_SIZE - 1);
	if (o->near_device && (!*o->near_device || strlen(o->near_device) >= HPMAP_NAME_SIZE))
		return fail(-ENODEV, "there is no device '%s'"
			    TRY "ls /sys/bus/pci/devices /sys/bus/platform/devices",
			    o->near_device);
	return 0;
}

static int options_check_together(const struct hpmap_options *o)
{
	bool names_node = o->policy == HPMAP_POLICY_PREFERRED || o->policy == HPMAP_POLICY_STRICT;

	if (o->flags & HPMAP_EXACT && o->flags & HPMAP_ALLOW_BASE)
		return fail(-EINVAL, "HPMAP_EXACT and HPMAP_ALLOW_BASE exclude each other");
	if (o->flags & HPMAP_NO_MODULE && o->flags & (HPMAP_MODULE_ONLY | NEED_MODULE))
		return fail(-EINVAL, "HPMAP_NO_MODULE, and something that needs the module");
	if ((o->near_device || !names_node) && o->node != 0 && o->node != -1)
		return fail(-EINVAL, "a node, but no policy that uses it"
			    TRY ".policy = HPMAP_POLICY_PREFERRED");
	if (o->policy == HPMAP_POLICY_INTERLEAVE &&
	    (o->near_device || o->flags & (HPMAP_CONTIGUOUS | HPMAP_BELOW_4G)))
		return fail(-EINVAL, "interleaved pages are not chosen by place or address");
	return 0;
}

static int options_read(struct hpmap_options *o, const struct hpmap_options *options)
{
	int ret = struct_in("hpmap_options", o, sizeof(*o),
			    offsetof(struct hpmap_options, reserved) + sizeof(o->reserved),
			    options);

	if (!ret)
		ret = options_check_each(o);
	return ret ? ret : options_check_together(o);
}

/* May memfd serve what the module did not? Never where the request is wrong. */
static bool buffer_may_be_memfd(int ret, const struct hpmap_options *o)
{
	if (o->flags & (HPMAP_MODULE_ONLY | NEED_MODULE))
		return false;
	return ret == -ENOTSUP || ret == -EACCES || ret == -ENOMEM || ret == -EDQUOT;
}

/* Nothing is left of what the environment does not allow. */
static int buffer_of_module(const struct hpmap_options *o, const struct forced *f, bool named,
			    struct hpmap_buffer *b)
{
	int ret = module_alloc(o, named, b);

	if (ret)
		return ret;
	ret = forced_check(f, b);
	if (!ret)
		return 0;
	if (named)
		hpmap_destroy(o->name);
	close(b->fd);
	b->fd = -1;
	return ret;
}

static int buffer_make(const struct hpmap_options *o, const struct forced *f,
		       struct hpmap_buffer *b)
{
	int ret = -ENOTSUP;

	forced_tell(f, &b->why);
	if (!(o->flags & HPMAP_NO_MODULE)) {
		ret = buffer_of_module(o, f, false, b);
		if (!ret || !buffer_may_be_memfd(ret, o))
			return ret;
	}
	return memfd_alloc(o, f->backing, ret == -ENOMEM, b);
}

PUBLIC int hpmap_alloc(const struct hpmap_options *options, struct hpmap_buffer **buffer)
{
	UNCANCELLED;
	struct hpmap_options o;
	struct hpmap_buffer *b;
	struct forced forced;
	int ret = options_read(&o, options);

	if (ret)
		return ret;
	if (o.mode || o.uid || o.gid)
		return fail(-EINVAL, "mode, uid and gid are for hpmap_create()");
	ret = forced_apply(&forced, &o, false);
	if (ret)
		return ret;
	b = buffer_new();
	if (!b)
		return -ENOMEM;
	return buffer_finish(buffer_make(&o, &forced, b), b, buffer);
}

PUBLIC int hpmap_create(const struct hpmap_options *options, struct hpmap_buffer **buffer)
{
	UNCANCELLED;
	struct hpmap_options o;
	struct hpmap_buffer *b;
	struct forced forced;
	int ret = options_read(&o, options);

	if (ret)
		return ret;
	if (!o.name)
		return fail(-EINVAL, "no name" TRY ".name = \"capture\", or hpmap_alloc()");
	if (o.flags & HPMAP_NO_MODULE)
		return fail(-EINVAL, "names are made by the module, and HPMAP_NO_MODULE");
	if (o.mode & ~0777U)
		return fail(-EINVAL, "the mode %#o has bits beyond 0777", o.mode);
	ret = forced_apply(&forced, &o, true);
	if (ret)
		return ret;
	b = buffer_new();
	if (!b)
		return -ENOMEM;
	forced_tell(&forced, &b->why);
	return buffer_finish(buffer_of_module(&o, &forced, true, b), b, buffer);
}

static void buffer_add_no_buffer(struct why *why)
{
	why_add(why, "the descriptor is no buffer"
		TRY "one of hpmap_fd(), of /dev/hpage_map or of memfd_create(2)");
}

static int buffer_adopt(struct hpmap_buffer *b, bool may_ask, unsigned int flags)
{
	int ret = may_ask ? module_adopt(b) : -ENOTSUP;

	if (ret == -ENOTSUP)
		ret = memfd_adopt(b, flags & HPMAP_UNSEALED);
	if (ret && !b->why.length)
		buffer_add_no_buffer(&b->why);
	return ret;
}

PUBLIC int hpmap_open(const char *name, unsigned int flags, struct hpmap_buffer **buffer)
{
	UNCANCELLED;
	char path[PATH_ROOM], remedies[2 * REMEDY_ROOM];
	struct hpmap_buffer *b;
	int fd, ret;

	if (flags & ~HPMAP_READ_ONLY)
		return fail(-EINVAL, "hpmap_open: unknown bits in flags, %#x", flags);
	if (name && !module_name_valid(name))
		return fail(-EINVAL, "%s is no name of a buffer" TRY "hpagectl list",
			    *name ? name : "\"\"");
	b = buffer_new();
	if (!b)
		return -ENOMEM;
	fd = module_open(name, flags & HPMAP_READ_ONLY);
	if (fd < 0) {
		hpmap_close(b);
		return fd;
	}
	b->fd = fd;
	ret = module_adopt(b);
	if (ret == -ENOTSUP) {
		module_path(name, path);
		why_add(&b->why, "%s is no device of the module%s", path,
			node_remedies(path, remedies));
	}
	return buffer_finish(ret, b, buffer);
}

PUBLIC int hpmap_from_fd_flags(int fd, unsigned int flags, struct hpmap_buffer **buffer)
{
	UNCANCELLED;
	bool may_ask = fd_may_be_asked(fd);
	struct hpmap_buffer *b;
	struct why why = {};
	int own;

	if (flags & ~HPMAP_UNSEALED)
		return fail(-EINVAL, "hpmap_from_fd_flags: unknown bits in flags, %#x", flags);
	/* Not even duplicated: its file system would learn of the end of that, too. */
	if (!may_ask && fcntl(fd, F_GET_SEALS) < 0 && errno == EINVAL) {
		buffer_add_no_buffer(&why);
		return fail_why(-EINVAL, &why);
	}
	b = buffer_new();
	if (!b)
		return -ENOMEM;
	own = fd_duplicate(fd);
	if (own < 0) {
		hpmap_close(b);
		return fail(own, "descriptor %d: %s", fd, strerror(-own));
	}
	b->fd = own;
	return buffer_finish(buffer_adopt(b, may_ask, flags), b, buffer);
}

PUBLIC int hpmap_from_fd(int fd, struct hpmap_buffer **buffer)
{
	return hpmap_from_fd_flags(fd, 0, buffer);
}

static int reopen_failed(const struct hpmap_buffer *b, unsigned int flags, int ret)
{
	if (ret == -EACCES)
		return fail(ret, "the buffer may not be opened again by this user, for %s",
			    flags & HPMAP_READ_ONLY ? "reading" : "reading and writing");
	if (b->backend == HPMAP_BACKEND_MODULE && (ret == -ENXIO || ret == -ENODEV))
		return fail(-ENOENT, "the name of the buffer has been taken away, and with it the "
			    "device that would be opened" TRY "hpagectl list");
	if (ret == -ENOENT || ret == -ENOTDIR)
		return fail(-ENOTSUP, "a buffer is opened again by /proc/thread-self/fd, which is "
			    "not there" TRY "sudo mount -t proc proc /proc");
	return fail(ret, "/proc/thread-self/fd/%d: %s", b->fd, strerror(-ret));
}

/* The number of a device may be that of another buffer meanwhile. */
static int reopen_check_same(const struct hpmap_buffer *b, int fd)
{
	struct hpmap_info before, now;
	int ret = module_info(b->fd, &before);

	if (!ret)
		ret = module_info(fd, &now);
	if (!ret && now.id != before.id)
		ret = reopen_failed(b, HPMAP_READ_ONLY, -ENXIO);
	return ret;
}

/*
 * A memfd begins with a mode that lets everybody open it again for writing. One that has a name
 * somewhere is for others to protect.
 */
static int reopen_protect(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail(-errno, "fstat: %s", strerror(errno));
	if (st.st_nlink || !(st.st_mode & 022) || !fchmod(fd, st.st_mode & 0755))
		return 0;
	if (errno == EPERM)
		return fail(-EPERM, "the memfd is of another user, and everybody may open it again "
			    "for writing" TRY "fchmod(fd, 0600), by its owner");
	return fail(-errno, "fchmod: %s", strerror(errno));
}

static int buffer_reopen(const struct hpmap_buffer *b, unsigned int flags)
{
	bool read_only = flags & HPMAP_READ_ONLY;
	char path[32];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", b->fd);
	fd = file_open(path, read_only ? O_RDONLY : O_RDWR);
	if (fd < 0)
		return reopen_failed(b, flags, -errno);
	if (b->backend == HPMAP_BACKEND_MODULE)
		ret = reopen_check_same(b, fd);
	else if (read_only)
		ret = reopen_protect(fd);
	if (!ret)
		return fd_above_standard(fd);
	close(fd);
	return ret;
}

PUBLIC int hpmap_reopen(const struct hpmap_buffer *b, unsigned int flags,
			struct hpmap_buffer **other)
{
	UNCANCELLED;
	struct hpmap_buffer *o;
	int fd;

	if (flags & ~HPMAP_READ_ONLY)
		return fail(-EINVAL, "hpmap_reopen: unknown bits in flags, %#x", flags);
	o = buffer_new();
	if (!o)
		return -ENOMEM;
	fd = buffer_reopen(b, flags);
	if (fd < 0) {
		hpmap_close(o);
		return fd;
	}
	o->fd = fd;
	o->backend = b->backend;
	o->backing = b->backing;
	o->length = b->length;
	o->page_size = b->page_size;
	o->asked = b->asked;
	memcpy(o->tag, b->tag, sizeof(o->tag));
	o->why = b->why;
	*other = o;
	return 0;
}

/* What tools/cmd_run.c sets. */
PUBLIC int hpmap_from_env(struct hpmap_buffer **buffer)
{
	UNCANCELLED;
	const char *text = secure_getenv("HPAGE_MAP_FD"), *why = secure_getenv("HPAGE_MAP_WHY");
	struct hpmap_buffer *b;
	char *end;
	long fd;
	int ret;

	if (!text)
		return fail(-ENOENT, "there is no HPAGE_MAP_FD in the environment"
			    TRY "hpagectl run --size 64M -- PROGRAM");
	fd = strtol(text, &end, 10);
	/* strtol() takes blanks and signs as well. */
	if (!isdigit((unsigned char)*text) || *end || fd > INT_MAX)
		return fail(-EINVAL, "HPAGE_MAP_FD is '%s', which is no descriptor"
			    TRY "hpagectl run --size 64M -- PROGRAM", text);
	ret = hpmap_from_fd(fd, &b);
	if (ret)
		return ret;
	if (why && *why)
		why_add(&b->why, "%s", why);
	*buffer = b;
	return 0;
}

PUBLIC int hpmap_pin(const void *address, uint64_t size, struct hpmap_buffer **buffer)
{
	UNCANCELLED;
	struct hpmap_buffer *b = buffer_new();
	int ret;

	if (!b)
		return -ENOMEM;
	ret = module_pin(address, size, b);
	if (!ret)
		ret = module_adopt(b);
	return buffer_finish(ret, b, buffer);
}

PUBLIC uint64_t hpmap_size(const struct hpmap_buffer *b)
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

PUBLIC int hpmap_info(const struct hpmap_buffer *b, struct hpmap_info *info)
{
	UNCANCELLED;
	struct hpmap_info answer;
	int ret = struct_check("hpmap_info", info, sizeof(answer), sizeof(answer));

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
	UNCANCELLED;
	int ret;

	if (b->backend == HPMAP_BACKEND_MODULE)
		return module_nodes(b->fd, pages, nr);
	ret = *nr && !pages ? -EFAULT : memfd_nodes(b, pages, nr);
	if (ret == -EPERM)
		return fail(ret, "move_pages(2) is forbidden here");
	return ret ? fail(ret, "the nodes cannot be seen: %s", strerror(-ret)) : 0;
}

static int buffer_without_addresses(void)
{
	return fail(-ENOTSUP, "pages of memfd may move, so they have no addresses%s",
		    module_loaded() == NO ? TRY "sudo modprobe hpage_map" : "");
}

PUBLIC int hpmap_get_runs(const struct hpmap_buffer *b, uint64_t first, struct hpmap_run *runs,
			  unsigned int *nr)
{
	if (b->backend != HPMAP_BACKEND_MODULE)
		return buffer_without_addresses();
	return module_runs(b->fd, first, runs, nr);
}

PUBLIC int hpmap_physical_address(const struct hpmap_buffer *b, uint64_t offset, uint64_t *address,
				  uint64_t *size)
{
	if (b->backend != HPMAP_BACKEND_MODULE)
		return buffer_without_addresses();
	return module_address(b, offset, address, size);
}

PUBLIC const char *hpmap_why(const struct hpmap_buffer *b)
{
	return b ? b->why.text : why_latest();
}
