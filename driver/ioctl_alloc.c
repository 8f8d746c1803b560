// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls that make and destroy buffers.
 *
 * Here a request of a program becomes a struct hpm_attr, with every field
 * checked, and what was got becomes its answer. A new descriptor is installed
 * only when the program has its answer: until then nobody but us knows the file,
 * and hpm_ioctl_settle() can take everything back.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/file.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "faces.h"
#include "ioctl.h"

/* The bus that a device is named on is told by who knows it. */
static struct device *find_device(const char *name)
{
	struct device *dev = NULL;

#if IS_ENABLED(CONFIG_PCI)
	dev = bus_find_device_by_name(&pci_bus_type, NULL, name);
#endif
	return dev ?: bus_find_device_by_name(&platform_bus_type, NULL, name);
}

static int near_device(struct hpm_attr *attr, const char *name, struct hpm_why *why)
{
	struct device *dev = find_device(name);

	if (!dev) {
		hpm_why(why, "there is no PCI or platform device %*pE", (int)strlen(name), name);
		hpm_why_try(why, "ls /sys/bus/pci/devices /sys/bus/platform/devices");
		return -ENODEV;
	}
	attr->node = dev_to_node(dev);
	put_device(dev);

	if (attr->node == NUMA_NO_NODE) {
		hpm_why(why, "the machine does not say which node %s is near", name);
		attr->policy = HPAGE_MAP_POLICY_DEFAULT;
	} else if (attr->policy == HPAGE_MAP_POLICY_DEFAULT) {
		attr->policy = HPAGE_MAP_POLICY_PREFERRED;
	}
	return 0;
}

static bool names_node(const struct hpage_map_alloc *a)
{
	return a->policy == HPAGE_MAP_POLICY_PREFERRED || a->policy == HPAGE_MAP_POLICY_STRICT;
}

static int placement(struct hpm_attr *attr, const struct hpage_map_alloc *a, struct hpm_why *why)
{
	bool near = *a->near_device;

	if (a->policy > HPAGE_MAP_POLICY_INTERLEAVE ||
	    strnlen(a->near_device, sizeof(a->near_device)) == sizeof(a->near_device))
		return -EINVAL;
	attr->policy = a->policy;
	attr->node = a->node;

	if ((near || !names_node(a)) && a->node != 0 && a->node != NUMA_NO_NODE) {
		hpm_why(why, "a node, but no policy that uses it");
		return -EINVAL;
	}
	if (a->policy == HPAGE_MAP_POLICY_INTERLEAVE &&
	    (near || attr->contiguous || attr->below_4g)) {
		hpm_why(why, "interleaved pages are not chosen by place or address");
		return -EINVAL;
	}
	if (near)
		return near_device(attr, a->near_device, why);
	if (names_node(a) && (a->node < 0 || a->node >= MAX_NUMNODES ||
			      !node_state(a->node, N_MEMORY))) {
		hpm_why(why, "there is no node %d with memory", a->node);
		hpm_why_try(why, "cat /sys/devices/system/node/has_memory");
		return -EINVAL;
	}
	return 0;
}

static int translate(struct hpm_attr *attr, const struct hpage_map_alloc *a, struct hpm_why *why)
{
	if (a->flags & ~HPAGE_MAP_ALLOC_FLAGS || a->reserved)
		return -EINVAL;
	if (a->flags & HPAGE_MAP_EXACT && a->flags & HPAGE_MAP_ALLOW_BASE) {
		hpm_why(why, "EXACT and ALLOW_BASE exclude each other");
		return -EINVAL;
	}
	*attr = (struct hpm_attr){
		.size = a->length,
		.page_size = a->page_size,
		.exact = a->flags & HPAGE_MAP_EXACT,
		.allow_base = a->flags & HPAGE_MAP_ALLOW_BASE,
		.contiguous = a->flags & HPAGE_MAP_CONTIGUOUS,
		.below_4g = a->flags & HPAGE_MAP_BELOW_4G,
		.reserve = a->flags & HPAGE_MAP_RESERVE,
	};
	return placement(attr, a, why);
}

static bool valid_name(const char *name)
{
	return strnlen(name, HPAGE_MAP_NAME_SIZE) < HPAGE_MAP_NAME_SIZE && hpm_named_valid(name);
}

static int make_anonymous(const struct hpage_map_alloc *a, const struct hpm_attr *attr,
			  struct hpm_why *why, struct hpm_buffer **buf)
{
	if (a->mode || a->uid || a->gid)
		return -EINVAL;
	if (*a->name && !valid_name(a->name)) {
		hpm_why(why, "a tag is made of letters, digits, '.', '_' and '-'");
		return -EINVAL;
	}
	*buf = hpm_buffer_create(attr, 0, a->name, why);
	return PTR_ERR_OR_ZERO(*buf);
}

static int make_named(const struct hpage_map_alloc *a, const struct hpm_attr *attr,
		      struct hpm_why *why, struct hpm_buffer **buf)
{
	kuid_t uid = make_kuid(current_user_ns(), a->uid);
	kgid_t gid = make_kgid(current_user_ns(), a->gid);

	if (a->mode & ~0777U || !uid_valid(uid) || !gid_valid(gid))
		return -EINVAL;
	if (!valid_name(a->name)) {
		hpm_why(why, "a name is made of letters, digits, '.', '_' and '-'");
		return -EINVAL;
	}
	return hpm_named_create(a->name, a->mode ?: 0600, uid, gid, attr, why, buf);
}

static void answer(struct hpage_map_alloc *a, const struct hpm_buffer *buf)
{
	const struct hpm_backing *b = &buf->backing;

	a->id = buf->id;
	a->got_length = hpm_backing_size(b);
	a->got_page_size = 1ULL << b->shift;
	a->got_runs = b->nr_runs;
	a->got_backing = b->kind;
	a->got_node = b->node;
	a->got_attributes = hpm_buffer_attributes(buf);
}

/* Room for a text is looked at before anything is taken. */
static int put_text(const struct hpage_map_alloc *a, const char *text)
{
	char __user *to = u64_to_user_ptr(a->text);
	size_t len = min_t(size_t, strlen(text), a->text_size - 1);

	if (!a->text_size)
		return 0;
	return copy_to_user(to, text, len) || put_user('\0', to + len) ? -EFAULT : 0;
}

/* Names of devices and tags come from ordinary users: what is no plain text is quoted. */
static void log_outcome(const struct hpage_map_alloc *a, int ret, const struct hpm_why *why)
{
	if (!why->len || hpm_interrupted(ret))
		return;
	pr_info_ratelimited("%*pE (%d) asked for %llu kB%s%*pE and got %s: %s\n",
			    (int)strlen(current->comm), current->comm,
			    task_tgid_nr(current), a->length >> 10, *a->name ? " as " : "",
			    (int)strnlen(a->name, HPAGE_MAP_NAME_SIZE), a->name,
			    ret ? "nothing" : hpm_backing_name(a->got_backing), why->text);
}

typedef int (*make_fn)(const struct hpage_map_alloc *a, const struct hpm_attr *attr,
		       struct hpm_why *why, struct hpm_buffer **buf);

/* Make the buffer and a file for it, which has no descriptor yet. */
static int make_with(struct hpm_call *call, make_fn make, struct hpm_why *why)
{
	struct hpage_map_alloc *a = &call->alloc;
	struct hpm_buffer *buf;
	struct hpm_attr attr;
	struct file *file;
	int ret;

	ret = put_text(a, "");
	if (!ret)
		ret = translate(&attr, a, why);
	if (ret)
		return ret;
	a->fd = get_unused_fd_flags(O_CLOEXEC);
	if (a->fd < 0)
		return a->fd;
	ret = make(a, &attr, why, &buf);
	if (ret)
		goto put_fd;
	answer(a, buf);
	file = hpm_chardev_file(buf);
	ret = PTR_ERR_OR_ZERO(file);
	if (ret)
		goto destroy;
	call->file = file;
	return 0;

destroy:
	if (make == make_named)
		hpm_named_destroy(a->name, a->id);
put_fd:
	put_unused_fd(a->fd);
	return ret;
}

static int make_and_tell(struct hpm_call *call, make_fn make)
{
	struct hpm_why *why;
	int ret, err;

	if (!call->alloc.text != !call->alloc.text_size)
		return -EINVAL;
	why = kzalloc(sizeof(*why), GFP_KERNEL);
	if (!why)
		return -ENOMEM;
	ret = make_with(call, make, why);
	log_outcome(&call->alloc, ret, why);
	err = why->len ? put_text(&call->alloc, why->text) : 0;
	kfree(why);
	return ret ?: err;
}

/* Whoever may only read the device, or a buffer, makes none. */
static bool may_make(const struct file *door)
{
	return hpm_chardev_is_door(door) && (door->f_flags & O_ACCMODE) != O_RDONLY;
}

int hpm_ioctl_alloc(struct file *door, struct hpm_call *call)
{
	return may_make(door) ? make_and_tell(call, make_anonymous) : -EBADF;
}

int hpm_ioctl_create(struct file *door, struct hpm_call *call)
{
	if (!may_make(door))
		return -EBADF;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return make_and_tell(call, make_named);
}

int hpm_ioctl_destroy(struct file *door, struct hpm_call *call)
{
	const struct hpage_map_destroy *d = &call->destroy;

	if (!hpm_chardev_is_door(door))
		return -EBADF;
	if (d->flags & ~HPAGE_MAP_DESTROY_FLAGS || !valid_name(d->name))
		return -EINVAL;
	return capable(CAP_SYS_ADMIN) ? hpm_named_destroy(d->name, 0) : -EPERM;
}

/**
 * hpm_ioctl_settle() - hand out the descriptor, or take everything back
 * @call: of a handler that left a file in it
 * @ret: whether the ioctl succeeds
 */
void hpm_ioctl_settle(struct hpm_call *call, int ret)
{
	const struct hpage_map_alloc *a = &call->alloc;

	if (!ret) {
		fd_install(a->fd, call->file);
		return;
	}
	put_unused_fd(a->fd);
	fput(call->file);
	if (a->got_attributes & HPAGE_MAP_ATTR_NAMED)
		hpm_named_destroy(a->name, a->id);
}
