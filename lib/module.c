// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Buffers of the kernel module.
 *
 * Its promise is include/uapi/linux/hpage_map.h. The door is opened for each
 * call that needs it and closed again: that costs a few microseconds, and
 * nothing is left open that would keep the module from being removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/hpage_map.h>

#include "internal.h"

#define DEVICE	"/dev/hpage_map"
#define NAMED	"/dev/hpage/"
#define LOADED	"/sys/module/hpage_map"

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

/* A container has devices of its own, and seldom these. */
static int no_node(const char *path, struct why *why)
{
	if (!access(LOADED, F_OK)) {
		why_add(why, "module: hpage_map is loaded, but its device %s is not here, as in a "
			"container", path);
		why_try(why, "docker run --device=%s", path);
	} else if (access("/sys/module", F_OK)) {
		why_add(why, "module: there is no %s, and without /sys nobody can see whether "
			"hpage_map is loaded", path);
		why_try(why, "modprobe hpage_map, or for a container docker run --device=%s",
			path);
	} else {
		why_add(why, "module: hpage_map is not loaded");
		why_try(why, "modprobe hpage_map");
	}
	return -ENOTSUP;
}

static int not_permitted(int err, const char *path, struct why *why)
{
	if (err == EPERM) {
		why_add(why, "module: %s may not be opened in this container or service", path);
		why_try(why, "docker run --device=%s, or DeviceAllow=%s rw of the service", path,
			path);
	} else if (!access(path, R_OK | W_OK)) {
		why_add(why, "module: %s may not be opened here although its mode allows it: by a "
			"sandbox, or a mount with nodev", path);
		why_try(why, "docker run --device=%s", path);
	} else {
		why_add(why, "module: %s may not be opened by this user", path);
		why_try(why, "ls -lL %s, and ask for its group or for another mode=", path);
	}
	return -EACCES;
}

/* What open() of a node says, as this library says it. */
static int open_failed(int err, const char *path, struct why *why)
{
	switch (err) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return no_node(path, why);
	case EACCES:
	case EPERM:
		return not_permitted(err, path, why);
	default:
		why_add(why, "module: %s: %s", path, strerror(err));
		return -err;
	}
}

bool module_is_there(void)
{
	return !access(DEVICE, F_OK) || !access(LOADED, F_OK);
}

static int open_door(struct why *why)
{
	int fd = open_file(DEVICE, HPAGE_MAP_O_DOOR);

	return fd < 0 ? open_failed(errno, DEVICE, why) : fd;
}

static int no_such_ioctl(int door, struct why *why)
{
	struct stat st;

	if (!fstat(door, &st) && !S_ISCHR(st.st_mode)) {
		why_add(why, "module: " DEVICE " is a file, and no device");
		why_try(why, "rm " DEVICE ", then modprobe hpage_map");
	} else {
		why_add(why, "module: the one that is loaded is too old for libhpage_map %s",
			hpmap_version());
		why_try(why, "modprobe -r hpage_map, then modprobe hpage_map");
	}
	return -ENOTSUP;
}

/* An ioctl of the door, which is opened for it. */
int door_ioctl(unsigned long request, void *arg, struct why *why)
{
	int door = open_door(why), ret;
	sigset_t before;

	if (door < 0)
		return door;
	signals_hold(&before);
	ret = ioctl(door, request, arg) ? -errno : 0;
	signals_release(&before);
	if (ret == -ENOTTY)
		ret = no_such_ioctl(door, why);
	close(door);
	return ret;
}

/* What the kernel's text left out. */
static void explain(struct why *why, int ret, const struct hpmap_options *o, bool named)
{
	if (ret == -EPERM && named) {
		why_add(why, "module: names are made by the administrator");
		why_try(why, "as root, or a buffer without a name");
	} else if (ret == -EINVAL || ret == -ENOMEM || ret == -EDQUOT) {
		why_add(why, "module: %llu bytes in pages of %llu: %s",
			(unsigned long long)o->length, (unsigned long long)o->page_size,
			strerror(-ret));
	} else {
		why_add(why, "module: %s", strerror(-ret));
	}
}

void why_interrupted(struct why *why)
{
	why_add(why, "module: a signal came before the buffer was made");
	why_try(why, "again, or a handler with SA_RESTART, which lets it be made first");
}

/* Make a buffer, with a name below /dev/hpage or without, into @b. */
int module_alloc(const struct hpmap_options *o, bool named, struct hpmap_buffer *b)
{
	char text[HPAGE_MAP_TEXT_SIZE] = "";
	struct hpage_map_alloc a = {
		.size = sizeof(a),
		.flags = o->flags & MODULE_FLAGS,
		.length = o->length,
		.page_size = o->page_size,
		.policy = o->policy,
		.node = o->node,
		.mode = o->mode,
		.uid = o->uid,
		.gid = o->gid,
		.text_size = sizeof(text),
		.text = (uintptr_t)text,
	};
	unsigned int said = b->why.reasons;
	int ret;

	if (o->name)
		strncpy(a.name, o->name, sizeof(a.name) - 1);
	if (o->near_device)
		strncpy(a.near_device, o->near_device, sizeof(a.near_device) - 1);

	ret = door_ioctl(named ? HPAGE_MAP_CREATE : HPAGE_MAP_ALLOC, &a, &b->why);
	if (*text)
		why_add(&b->why, "module: %s", text);
	else if (ret && ret != -EINTR && b->why.reasons == said)
		explain(&b->why, ret, o, named);
	if (ret == -EINTR)
		why_interrupted(&b->why);
	if (ret)
		return ret;

	b->fd = above_standard(a.fd);
	b->backend = HPMAP_BACKEND_MODULE;
	b->backing = (enum hpmap_backing)a.got_backing;
	b->length = a.got_length;
	b->page_size = a.got_page_size;
	b->asked = o->length;
	return 0;
}

/* Fill in @b, which has the descriptor @b->fd. -ENOTSUP: that is not of the module. */
int module_adopt(struct hpmap_buffer *b)
{
	struct hpage_map_info info = { .size = sizeof(info) };

	if (ioctl(b->fd, HPAGE_MAP_INFO, &info))
		return -ENOTSUP;
	if (!info.backing) {
		why_add(&b->why, "the descriptor was opened for ioctls alone and has no buffer");
		why_try(&b->why, "open(\"" DEVICE "\", O_RDWR)");
		return -EINVAL;
	}
	b->backend = HPMAP_BACKEND_MODULE;
	b->backing = (enum hpmap_backing)info.backing;
	b->length = info.length;
	b->page_size = info.page_size;
	b->asked = info.asked;
	return 0;
}

static void translate(struct hpmap_info *to, const struct hpage_map_info *from)
{
	*to = (struct hpmap_info){
		.size = sizeof(*to),
		.backend = HPMAP_BACKEND_MODULE,
		.length = from->length,
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
	};
	memcpy(to->name, from->name, sizeof(to->name));
}

int module_info(int fd, struct hpmap_info *info)
{
	struct hpage_map_info i = { .size = sizeof(i) };

	if (ioctl(fd, HPAGE_MAP_INFO, &i))
		return fail(-errno, "HPAGE_MAP_INFO: %s", strerror(errno));
	translate(info, &i);
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

int module_runs(int fd, uint64_t first, struct hpmap_run *runs, unsigned int *nr)
{
	struct hpage_map_runs r = {
		.size = sizeof(r), .runs = (uintptr_t)runs, .first = first, .nr = *nr,
	};

	if (ioctl(fd, HPAGE_MAP_RUNS, &r)) {
		if (errno == EPERM)
			return fail(-EPERM, "physical addresses are told to CAP_SYS_RAWIO only "
				    "(try: as root)");
		return fail(-errno, "HPAGE_MAP_RUNS: %s", strerror(errno));
	}
	*nr = r.nr;
	return 0;
}

PUBLIC int hpmap_next(uint32_t id, struct hpmap_info *info)
{
	struct hpage_map_info i = { .size = sizeof(i), .id = id };
	int ret = struct_check(info, sizeof(*info), sizeof(*info));
	struct hpmap_info answer;
	struct why why = {};

	if (ret)
		return ret;
	ret = door_ioctl(HPAGE_MAP_LIST, &i, &why);
	if (ret == -ENOENT)
		return fail(ret, "there is no buffer with the id %u or a higher one", id);
	if (ret)
		return fail_why(ret, &why);
	translate(&answer, &i);
	struct_out(info, &answer, sizeof(answer));
	return 0;
}

PUBLIC int hpmap_destroy(const char *name)
{
	struct hpage_map_destroy d = { .size = sizeof(d) };
	struct why why = {};
	int ret;

	if (!name || !name_valid(name))
		return fail(-EINVAL, "%s is no name of a buffer (try: ls /dev/hpage)",
			    name ? name : "NULL");
	strncpy(d.name, name, sizeof(d.name) - 1);
	ret = door_ioctl(HPAGE_MAP_DESTROY, &d, &why);
	if (ret == -ENOENT)
		return fail(ret, "there is no buffer named %s (try: ls /dev/hpage)", name);
	if (ret == -EPERM)
		return fail(ret, "names are taken away by the administrator (try: as root)");
	return ret ? fail_why(ret, &why) : 0;
}

/* The default buffer is made by its first open; why that failed is in the kernel's log alone. */
static int default_failed(int err)
{
	struct why why = {};

	if (err == EINTR) {
		why_interrupted(&why);
		return fail_why(-EINTR, &why);
	}
	if (err == ENOMEM)
		return fail(-ENOMEM, "the pages of the default buffer cannot be had "
			    "(try: sudo dmesg | grep hpage_map, which says why)");
	return fail(-err, "/dev/hpage_map: %s", strerror(err));
}

static int named_failed(int err, const char *name, const char *path)
{
	char known[64 + HPMAP_NAME_SIZE];
	struct why why = {};
	int ret;

	if (err == ENOENT || err == ENXIO) {
		if (access(DEVICE, F_OK))
			return fail_why(open_failed(ENOENT, DEVICE, &why), &why);
		snprintf(known, sizeof(known), "/sys/class/hpage_map/%s", name);
		if (!access(known, F_OK))
			return fail(-ENOENT, "there is a buffer named %s, but its device %s is not "
				    "here, as in a container (try: docker run --device=%s)", name,
				    path, path);
		return fail(-ENOENT, "there is no buffer named %s (try: sudo hpagectl create %s "
			    "--size 64M)", name, name);
	}
	ret = open_failed(err, path, &why);
	return fail_why(ret, &why);
}

/* Open the node of a buffer. Returns a descriptor, or -errno with the reason. */
int module_open(const char *name, bool read_only)
{
	char path[sizeof(NAMED) + HPMAP_NAME_SIZE] = DEVICE;
	struct why why = {};
	sigset_t before;
	int fd, err;

	if (name)
		snprintf(path, sizeof(path), NAMED "%s", name);
	/* That of the default buffer makes it. */
	signals_hold(&before);
	if (name)
		fd = open_file(path, read_only ? O_RDONLY : O_RDWR);
	else
		fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	err = errno;
	signals_release(&before);
	if (fd >= 0)
		return above_standard(fd);
	if (name)
		return named_failed(err, name, path);
	if (err == ENOMEM || err == EINTR)
		return default_failed(err);
	fd = open_failed(err, path, &why);
	return fail_why(fd, &why);
}
