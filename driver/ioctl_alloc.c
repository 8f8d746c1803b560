// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls that make and destroy buffers.
 *
 * Here a request of a program becomes a struct hpm_attr, with every field
 * checked, and what was got becomes its answer.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "dmamap.h"
#include "faces.h"
#include "ioctl.h"
#include "policy.h"

static bool valid_name(const char *name)
{
	return strnlen(name, HPAGE_MAP_NAME_SIZE) < HPAGE_MAP_NAME_SIZE && hpm_named_valid(name);
}

static int near_device(struct hpm_attr *attr, const char *name, struct hpm_why *why)
{
	struct device *dev = hpm_dmamap_find_device(name);

	if (!dev) {
		hpm_why(why, "there is no PCI or platform device %s", name);
		hpm_why_try(why, "ls /sys/bus/pci/devices /sys/bus/platform/devices");
		return -ENODEV;
	}
	attr->node = hpm_policy_near(dev);
	put_device(dev);

	if (attr->node == NUMA_NO_NODE) {
		hpm_why(why, "the machine does not say which node %s is near", name);
		if (attr->policy == HPAGE_MAP_POLICY_STRICT)
			return -EINVAL;
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

	if (a->policy > HPAGE_MAP_POLICY_INTERLEAVE)
		return -EINVAL;
	attr->policy = a->policy;
	attr->node = a->node;

	if ((near || !names_node(a)) && a->node != 0 && a->node != NUMA_NO_NODE) {
		hpm_why(why, "a node, but no policy that uses it");
		return -EINVAL;
	}
	if (a->policy == HPAGE_MAP_POLICY_INTERLEAVE &&
	    (near || attr->contiguous || attr->limit)) {
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
	if (*a->name && !valid_name(a->name)) {
		hpm_why(why, "a name is made of letters, digits, '.', '_' and '-'");
		return -EINVAL;
	}
	if (!hpm_ioctl_is_text(a->near_device)) {
		hpm_why(why, "that is no name of a device");
		return -EINVAL;
	}
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
		.limit = a->flags & HPAGE_MAP_BELOW_4G ? SZ_4G : 0,
		.reserve = a->flags & HPAGE_MAP_RESERVE,
	};
	return placement(attr, a, why);
}

static struct hpage_map_buffer *make_anonymous(const struct hpage_map_alloc *a,
					       const struct hpm_attr *attr, struct hpm_why *why)
{
	if (a->mode || a->uid || a->gid)
		return ERR_PTR(-EINVAL);
	return hpm_buffer_create(attr, 0, a->name, why);
}

static struct hpage_map_buffer *make_named(const struct hpage_map_alloc *a,
					   const struct hpm_attr *attr, struct hpm_why *why)
{
	kuid_t uid = make_kuid(current_user_ns(), a->uid);
	kgid_t gid = make_kgid(current_user_ns(), a->gid);

	if (!*a->name || a->mode & ~0777U || !uid_valid(uid) || !gid_valid(gid))
		return ERR_PTR(-EINVAL);
	return hpm_named_create(a->name, a->mode ?: 0600, uid, gid, attr, why);
}

static void answer(struct hpage_map_alloc *a, const struct hpage_map_buffer *buf)
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
static int put_text(u64 address, u32 size, const char *text)
{
	char __user *to = u64_to_user_ptr(address);
	size_t len = min_t(size_t, strlen(text), size - 1);

	if (!address != !size)
		return -EINVAL;
	if (!size)
		return 0;
	return copy_to_user(to, text, len) || put_user('\0', to + len) ? -EFAULT : 0;
}

/* Of what programs say, only what cannot forge a line. */
static void log_outcome(const struct hpage_map_alloc *a, int ret, const struct hpm_why *why)
{
	bool named = valid_name(a->name);

	if (!why->len || hpm_interrupted(ret))
		return;
	pr_info_ratelimited("%*pE (%d) asked for %llu kB%s%s and got %s: %s\n",
			    (int)strnlen(current->comm, sizeof(current->comm)), current->comm,
			    task_tgid_nr(current), a->length >> 10, named ? " as " : "",
			    named ? a->name : "", ret ? "nothing" : hpm_backing_name(a->got_backing), why->text);
}

typedef struct hpage_map_buffer *(*make_fn)(const struct hpage_map_alloc *a,
					     const struct hpm_attr *attr, struct hpm_why *why);

/* Make the buffer and a file for it, which has no descriptor yet. */
static int make_with(struct hpm_call *call, make_fn make, struct hpm_why *why)
{
	struct hpage_map_alloc *a = &call->alloc;
	struct hpage_map_buffer *buf;
	struct hpm_attr attr;
	struct file *file;
	int ret;

	ret = put_text(a->text, a->text_size, "");
	if (!ret)
		ret = translate(&attr, a, why);
	if (ret)
		return ret;
	a->fd = get_unused_fd_flags(O_CLOEXEC);
	if (a->fd < 0)
		return a->fd;
	buf = make(a, &attr, why);
	ret = PTR_ERR_OR_ZERO(buf);
	if (ret)
		goto put_fd;
	answer(a, buf);
	file = hpm_chardev_file(buf);
	ret = PTR_ERR_OR_ZERO(file);
	if (ret)
		goto destroy;
	call->file = file;
	call->fd = a->fd;
	call->named = make == make_named;
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
	struct hpm_why *why = kzalloc(sizeof(*why), GFP_KERNEL);
	int ret, err;

	if (!why)
		return -ENOMEM;
	ret = make_with(call, make, why);
	log_outcome(&call->alloc, ret, why);
	err = why->len ? put_text(call->alloc.text, call->alloc.text_size, why->text) : 0;
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

/* As make_with(), of memory that the program has. */
static int pin_with(struct hpm_call *call, struct hpm_why *why)
{
	struct hpage_map_pin *p = &call->pin;
	struct hpage_map_buffer *buf;
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	buf = hpm_buffer_pin(p->address, p->length, p->name, why);
	file = IS_ERR(buf) ? ERR_CAST(buf) : hpm_chardev_file(buf);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	p->fd = fd;
	p->id = buf->id;
	call->file = file;
	call->fd = fd;
	return 0;
}

int hpm_ioctl_pin(struct file *door, struct hpm_call *call)
{
	struct hpage_map_pin *p = &call->pin;
	struct hpm_why *why;
	int ret, err;

	if (!may_make(door))
		return -EBADF;
	if (p->flags & ~HPAGE_MAP_PIN_FLAGS || p->reserved || (*p->name && !valid_name(p->name)))
		return -EINVAL;
	ret = put_text(p->text, p->text_size, "");
	if (ret)
		return ret;
	why = kzalloc(sizeof(*why), GFP_KERNEL);
	if (!why)
		return -ENOMEM;
	ret = pin_with(call, why);
	err = why->len ? put_text(p->text, p->text_size, why->text) : 0;
	kfree(why);
	return ret ?: err;
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
