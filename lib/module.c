// SPDX-License-Identifier: LGPL-2.1-or-later
/* Buffers of the kernel module. Its promise is include/uapi/linux/hpage_map.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/hpage_map.h>

#include "cancel.h"
#include "door.h"
#include "fd.h"
#include "files.h"
#include "module.h"
#include "node.h"
#include "public.h"
#include "runs.h"
#include "signals.h"
#include "structs.h"
#include "text.h"

_Static_assert(MODULE_FLAGS == HPAGE_MAP_ALLOC_FLAGS, "flags are passed on as they are");
_Static_assert(HPMAP_NAME_SIZE == HPAGE_MAP_NAME_SIZE, "so are names");
_Static_assert(WHY_SIZE >= 2 * HPAGE_MAP_TEXT_SIZE, "and texts, with room for what follows");
_Static_assert(sizeof(struct hpmap_run) == sizeof(struct hpage_map_run), "and runs");
_Static_assert(HPMAP_NODE_MIXED == HPAGE_MAP_NODE_MIXED, "and nodes");

#define SAME(name)	_Static_assert((unsigned int)HPMAP_##name == HPAGE_MAP_##name, #name)
SAME(POLICY_DEFAULT);
SAME(POLICY_PREFERRED);
SAME(POLICY_STRICT);
SAME(POLICY_INTERLEAVE);
SAME(BACKING_HUGETLB);
SAME(BACKING_THP);
SAME(BACKING_BASE);
SAME(BACKING_USER);
SAME(ATTR_DEFAULT);
SAME(ATTR_NAMED);
SAME(ATTR_CONTIGUOUS);
SAME(ATTR_BELOW_4G);
SAME(ATTR_RESERVE);

/* The module has the same rule. */
bool module_name_valid(const char *name)
{
	const char *c;

	for (c = name; *c; c++)
		if (!(isascii(*c) && isalnum(*c)) && !(c > name && strchr("._-", *c)))
			return false;
	return c > name && c - name < HPMAP_NAME_SIZE;
}

/* The node of a buffer; without a name, that of the default one. */
void module_path(const char *name, char path[PATH_ROOM])
{
	snprintf(path, PATH_ROOM, "%s%s", name ? "/dev/hpage/" : DEVICE, name ? name : "");
}

/* An ioctl that makes a buffer; the module may write why not, or why nothing better, to @text. */
static int module_make(unsigned long request, void *arg, const char *text, struct hpmap_buffer *b)
{
	int ret = door_ioctl(request, arg, &b->why);

	if (*text)
		why_add(&b->why, "module: %s", text);
	if (ret == -EINTR)
		why_add(&b->why, "module: a signal came before the buffer was made"
			TRY "a handler with SA_RESTART, which lets it be made first");
	return ret;
}

/* The errno, where the module wrote no text. */
static void module_explain(const struct hpmap_options *o, bool named, int ret, struct why *why)
{
	if (ret == -EPERM && named)
		why_add(why, "module: only root can give a name to a buffer");
	else if (ret != -EINVAL && ret != -ENOMEM && ret != -EDQUOT)
		why_add(why, "module: %s", strerror(-ret));
	else if (o->page_size)
		why_add(why, "module: %s in pages of %s: %s", SIZE_TEXT(o->size),
			SIZE_TEXT(o->page_size), strerror(-ret));
	else
		why_add(why, "module: %s: %s", SIZE_TEXT(o->size), strerror(-ret));
}

/* Make a buffer, with a name below /dev/hpage or without, into @b. */
int module_alloc(const struct hpmap_options *o, bool named, struct hpmap_buffer *b)
{
	char text[HPAGE_MAP_TEXT_SIZE] = "";
	struct hpage_map_alloc a = {
		.size = sizeof(a),
		.flags = o->flags & MODULE_FLAGS,
		.length = o->size,
		.page_size = o->page_size,
		.policy = o->policy,
		.node = o->node,
		.mode = o->mode,
		.uid = o->uid,
		.gid = o->gid,
		.text_size = sizeof(text),
		.text = (uintptr_t)text,
	};
	unsigned int reasons = b->why.reasons;
	int ret;

	if (o->name)
		strncpy(a.name, o->name, sizeof(a.name) - 1);
	if (o->near_device)
		strncpy(a.near_device, o->near_device, sizeof(a.near_device) - 1);

	ret = module_make(named ? HPAGE_MAP_CREATE : HPAGE_MAP_ALLOC, &a, text, b);
	if (ret && b->why.reasons == reasons)
		module_explain(o, named, ret, &b->why);
	if (ret)
		return ret;

	b->fd = fd_above_standard(a.fd);
	b->backend = HPMAP_BACKEND_MODULE;
	b->backing = (enum hpmap_backing)a.got_backing;
	b->length = a.got_length;
	b->page_size = a.got_page_size;
	b->asked = o->size;
	return 0;
}

/* Pin memory of the program into @b, which then has the descriptor. */
int module_pin(const void *address, uint64_t length, struct hpmap_buffer *b)
{
	char text[HPAGE_MAP_TEXT_SIZE] = "";
	struct hpage_map_pin p = {
		.size = sizeof(p),
		.address = (uintptr_t)address,
		.length = length,
		.text = (uintptr_t)text,
		.text_size = sizeof(text),
	};
	unsigned int reasons = b->why.reasons;
	int ret = module_make(HPAGE_MAP_PIN, &p, text, b);

	if (ret && b->why.reasons == reasons)
		why_add(&b->why, "module: %llu bytes at %p: %s", (unsigned long long)length,
			address, strerror(-ret));
	if (!ret)
		b->fd = fd_above_standard(p.fd);
	return ret;
}

/* Fill in @b, which has the descriptor @b->fd. -ENOTSUP: that is not of the module. */
int module_adopt(struct hpmap_buffer *b)
{
	struct hpage_map_info info = { .size = sizeof(info) };

	if (ioctl(b->fd, HPAGE_MAP_INFO, &info))
		return -ENOTSUP;
	if (!info.backing) {
		why_add(&b->why, "the descriptor was opened for ioctls alone and has no buffer"
			TRY "open(\"" DEVICE "\", O_RDWR)");
		return -EINVAL;
	}
	b->backend = HPMAP_BACKEND_MODULE;
	b->backing = (enum hpmap_backing)info.backing;
	b->length = info.length;
	b->page_size = info.page_size;
	b->asked = info.asked;
	return 0;
}

static void info_translate(struct hpmap_info *to, const struct hpage_map_info *from)
{
	*to = (struct hpmap_info){
		.struct_size = sizeof(*to),
		.backend = HPMAP_BACKEND_MODULE,
		.size = from->length,
		.page_size = from->page_size,
		.asked = from->asked,
		.nr_pages = from->nr_pages,
		.nr_huge = from->nr_huge,
		.nr_runs = from->nr_runs,
		.address = from->address,
		.backing = from->backing,
		.node = from->node,
		.attributes = from->attributes,
		.id = from->id,
		.creator = from->creator,
		.uid = from->uid,
		.descriptors = from->descriptors,
		.mappings = from->mappings,
		.alignment = from->alignment,
	};
	memcpy(to->name, from->name, sizeof(to->name));
}

int module_info(int fd, struct hpmap_info *info)
{
	struct hpage_map_info i = { .size = sizeof(i) };

	if (ioctl(fd, HPAGE_MAP_INFO, &i))
		return fail(-errno, "HPAGE_MAP_INFO: %s", strerror(errno));
	info_translate(info, &i);
	return 0;
}

int module_nodes(int fd, uint64_t *pages, unsigned int *nr)
{
	struct hpage_map_nodes n = {
		.size = sizeof(n), .pages = (uintptr_t)pages, .nr = *nr,
	};

	if (ioctl(fd, HPAGE_MAP_NODES, &n))
		return fail(-errno, "HPAGE_MAP_NODES: %s", strerror(errno));
	*nr = n.nr;
	return 0;
}

static int module_runs_failed(int ret)
{
	if (ret == -EPERM)
		return fail(ret, "physical addresses need CAP_SYS_RAWIO");
	return fail(ret, "HPAGE_MAP_RUNS: %s", strerror(-ret));
}

int module_runs(int fd, uint64_t first, struct hpmap_run *runs, unsigned int *nr)
{
	int ret = runs_read(fd, first, runs, nr);

	return ret ? module_runs_failed(ret) : 0;
}

int module_address(const struct hpmap_buffer *b, uint64_t offset, uint64_t *address, uint64_t *size)
{
	int ret = runs_address(b->fd, offset, address, size);

	if (ret == -EINVAL)
		return fail(ret, "the buffer has %s, and no offset %#llx" TRY "hpmap_size()",
			    SIZE_TEXT(b->length), (unsigned long long)offset);
	return ret ? module_runs_failed(ret) : 0;
}

int module_export(int buffer, int *fd)
{
	struct hpage_map_export e = { .size = sizeof(e) };

	if (ioctl(buffer, HPAGE_MAP_EXPORT, &e)) {
		if (errno == EBADF)
			return fail(-EACCES, "a dma-buf can be written, and the buffer was opened "
				    "for reading" TRY "hpmap_open() without HPMAP_READ_ONLY");
		return fail(-errno, "HPAGE_MAP_EXPORT: %s", strerror(errno));
	}
	*fd = fd_above_standard(e.fd);
	return 0;
}

PUBLIC int hpmap_next(uint32_t id, struct hpmap_info *info)
{
	UNCANCELLED;
	struct hpage_map_info i = { .size = sizeof(i), .id = id };
	int ret = struct_check("hpmap_info", info, sizeof(*info), sizeof(*info));
	struct hpmap_info answer;
	struct why why = {};

	if (ret)
		return ret;
	ret = door_ioctl(HPAGE_MAP_LIST, &i, &why);
	if (ret == -ENOENT)
		return fail(ret, "there is no buffer with the id %u or a higher one", id);
	if (ret)
		return fail_why(ret, &why);
	info_translate(&answer, &i);
	struct_out(info, &answer, sizeof(answer));
	return 0;
}

PUBLIC int hpmap_destroy(const char *name)
{
	UNCANCELLED;
	struct hpage_map_destroy d = { .size = sizeof(d) };
	struct why why = {};
	int ret;

	if (!name || !module_name_valid(name))
		return fail(-EINVAL, "%s is no name of a buffer" TRY "hpagectl list",
			    name ? *name ? name : "\"\"" : "NULL");
	strncpy(d.name, name, sizeof(d.name) - 1);
	ret = door_ioctl(HPAGE_MAP_DESTROY, &d, &why);
	if (ret == -ENOENT)
		return fail(ret, "there is no buffer named %s" TRY "hpagectl list", name);
	if (ret == -EPERM)
		return fail(ret, "only root can take the name of a buffer away");
	return ret ? fail_why(ret, &why) : 0;
}

/* The first open makes the default buffer; why that failed is in the kernel log alone. */
static int default_open_failed(int err)
{
	struct why why = {};
	int ret;

	if (err == EINTR)
		return fail(-EINTR, "module: a signal came before the buffer was made"
			    TRY "a handler with SA_RESTART, which lets it be made first");
	if (err == ENOMEM)
		return fail(-ENOMEM, "the pages of the default buffer cannot be had"
			    TRY "sudo dmesg | grep hpage_map");
	ret = door_node_failed(err, DEVICE, &why);
	return fail_why(ret, &why);
}

static int named_open_failed(int err, const char *name, const char *path)
{
	char known[64 + HPMAP_NAME_SIZE], remedies[2 * REMEDY_ROOM];
	struct why why = {};
	int ret;

	if ((err == ENOENT || err == ENXIO) && !access(DEVICE, F_OK)) {
		snprintf(known, sizeof(known), "/sys/class/hpage_map/%s", name);
		if (access(known, F_OK))
			return fail(-ENOENT, "there is no buffer named %s"
				    TRY "sudo hpagectl create %s --size 64M", name, name);
		return fail(-ENOENT, "there is a buffer named %s, but %s %s%s", name,
			    access(path, F_OK) ? "there is no" : "it has another device than", path,
			    node_remedies(path, remedies));
	}
	ret = door_node_failed(err, err == ENOENT || err == ENXIO ? DEVICE : path, &why);
	return fail_why(ret, &why);
}

/* Open the node of a buffer. Returns a descriptor, or -errno with the reason. */
int module_open(const char *name, bool read_only)
{
	int flags = read_only ? O_RDONLY : O_RDWR, fd, err;
	char path[PATH_ROOM];
	sigset_t before;

	module_path(name, path);
	/* That of the default buffer makes it, which a signal may interrupt. */
	signals_hold(&before);
	fd = name ? file_open(path, flags) : open(path, flags | O_CLOEXEC);
	err = errno;
	signals_release(&before);
	if (fd >= 0)
		return fd_above_standard(fd);
	return name ? named_open_failed(err, name, path) : default_open_failed(err);
}
