// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls that make and destroy buffers.
 *
 * Here a request of a program becomes a struct hpm_attr, with every field
 * checked, and what was got becomes its answer. Reasons go to the program, which
 * is told them also when it gets nothing, and to the log as log.c allows.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "faces.h"

static int near_device(struct hpm_attr *attr, const char *name, struct hpm_why *why)
{
	struct device *dev = hpm_dmamap_find_device(name);

	if (PTR_ERR_OR_ZERO(dev) == -EINVAL)
		hpm_why(why, "that is no name of a device");
	if (PTR_ERR_OR_ZERO(dev) == -ENODEV) {
		hpm_why(why, "there is no PCI or platform device %s", name);
		hpm_why_try(why, "ls /sys/bus/pci/devices /sys/bus/platform/devices");
	}
	if (IS_ERR(dev))
		return PTR_ERR(dev);
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

static int placement(struct hpm_attr *attr, const struct hpage_map_alloc *a, struct hpm_why *why)
{
	bool near = *a->near_device;
	bool by_node = !near && (a->policy == HPAGE_MAP_POLICY_PREFERRED ||
				 a->policy == HPAGE_MAP_POLICY_STRICT);

	if (a->policy > HPAGE_MAP_POLICY_INTERLEAVE)
		return -EINVAL;
	attr->policy = a->policy;
	attr->node = a->node;

	if (!by_node && a->node != 0 && a->node != NUMA_NO_NODE) {
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
	if (by_node && (a->node < 0 || a->node >= MAX_NUMNODES ||
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
	*attr = hpm_buffer_attr(a->length, a->page_size, a->flags);
	return placement(attr, a, why);
}

static struct hpage_map_buffer *answer(struct hpage_map_alloc *a, struct hpage_map_buffer *buf)
{
	const struct hpm_backing *b = &buf->backing;

	if (IS_ERR(buf))
		return buf;
	a->id = buf->id;
	a->got_length = hpm_backing_size(b);
	a->got_page_size = 1ULL << b->shift;
	a->got_runs = b->nr_runs;
	a->got_backing = b->kind;
	a->got_node = b->node;
	a->got_attributes = hpm_buffer_attributes(buf);
	return buf;
}

typedef struct hpage_map_buffer *(*make_fn)(struct hpm_call *call, struct hpm_why *why);

static struct hpage_map_buffer *make_anonymous(struct hpm_call *call, struct hpm_why *why)
{
	struct hpage_map_alloc *a = &call->alloc;
	struct hpm_attr attr;
	int ret = a->mode || a->uid || a->gid ? -EINVAL : translate(&attr, a, why);

	return ret ? ERR_PTR(ret) : answer(a, hpm_buffer_create(&attr, 0, a->name, why));
}

static struct hpage_map_buffer *make_named(struct hpm_call *call, struct hpm_why *why)
{
	struct hpage_map_alloc *a = &call->alloc;
	kuid_t uid = make_kuid(current_user_ns(), a->uid);
	kgid_t gid = make_kgid(current_user_ns(), a->gid);
	struct hpage_map_buffer *buf;
	struct hpm_attr attr;
	int ret = translate(&attr, a, why);

	if (!ret && (!*a->name || a->mode & ~0777U || !uid_valid(uid) || !gid_valid(gid)))
		ret = -EINVAL;
	if (ret)
		return ERR_PTR(ret);
	buf = hpm_named_create(a->name, a->mode ?: 0600, uid, gid, &attr, why);
	call->named = !IS_ERR(buf);
	return answer(a, buf);
}

static struct hpage_map_buffer *make_pinned(struct hpm_call *call, struct hpm_why *why)
{
	struct hpage_map_pin *p = &call->pin;
	struct hpage_map_buffer *buf;

	if (p->flags & ~HPAGE_MAP_PIN_FLAGS || p->reserved)
		return ERR_PTR(-EINVAL);
	buf = hpm_buffer_pin(p->address, p->length, p->name, why);
	if (!IS_ERR(buf))
		p->id = buf->id;
	return buf;
}

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
static void log_outcome(u64 length, const char *name, const struct hpage_map_buffer *buf,
			const struct hpm_why *why)
{
	bool named = hpm_named_valid(name);

	if (!why->len || hpm_interrupted(PTR_ERR_OR_ZERO(buf)) || !hpm_log_may(IS_ERR(buf)))
		return;
	pr_info("%*pE (%d) asked for %llu kB%s%s and got %s: %s\n",
		(int)strnlen(current->comm, sizeof(current->comm)), current->comm,
		task_tgid_nr(current), length >> 10, named ? " as " : "", named ? name : "",
		IS_ERR(buf) ? "nothing" : hpm_backing_name(buf->backing.kind), why->text);
}

static int make_file(struct hpm_call *call, make_fn make, const char *name, u64 length,
		     struct hpm_why *why)
{
	struct hpage_map_buffer *buf = ERR_PTR(-EINVAL);
	struct file *file;

	if (!*name || hpm_named_valid(name))
		buf = make(call, why);
	else
		hpm_why(why, "a name is made of letters, digits, '.', '_' and '-'");
	log_outcome(length, name, buf, why);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	file = hpm_chardev_file(buf);
	if (IS_ERR(file))
		return PTR_ERR(file);
	call->file = file;
	return 0;
}

/* What must be there for the answer is looked at before anything is taken. */
static int make_and_tell(struct hpm_call *call, make_fn make, const char *name, u64 length,
			 u64 text, u32 text_size, __s32 *fd)
{
	struct hpm_why *why;
	int ret = put_text(text, text_size, "");

	if (ret)
		return ret;
	call->fd = get_unused_fd_flags(O_CLOEXEC);
	if (call->fd < 0)
		return call->fd;
	*fd = call->fd;
	why = kzalloc(sizeof(*why), GFP_KERNEL);
	if (!why)
		return -ENOMEM;
	ret = make_file(call, make, name, length, why);
	if (why->len && put_text(text, text_size, why->text))
		ret = ret ?: -EFAULT;
	kfree(why);
	return ret;
}

static int alloc(struct hpm_call *call, make_fn make)
{
	struct hpage_map_alloc *a = &call->alloc;

	if (make == make_named && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	return make_and_tell(call, make, a->name, a->length, a->text, a->text_size, &a->fd);
}

int hpm_ioctl_alloc(struct file *door, struct hpm_call *call)
{
	return alloc(call, make_anonymous);
}

int hpm_ioctl_create(struct file *door, struct hpm_call *call)
{
	return alloc(call, make_named);
}

int hpm_ioctl_pin(struct file *door, struct hpm_call *call)
{
	struct hpage_map_pin *p = &call->pin;

	return make_and_tell(call, make_pinned, p->name, p->length, p->text, p->text_size, &p->fd);
}

int hpm_ioctl_destroy(struct file *door, struct hpm_call *call)
{
	const struct hpage_map_destroy *d = &call->destroy;

	if (d->flags & ~HPAGE_MAP_DESTROY_FLAGS || !hpm_named_valid(d->name))
		return -EINVAL;
	return capable(CAP_SYS_ADMIN) ? hpm_named_destroy(d->name, 0) : -EPERM;
}
