// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls that make and destroy buffers.
 *
 * Each checks, makes the buffer and responds. What the answer needs, room for the reasons and a
 * descriptor, is looked at before anything is taken. The reasons go to the program, which gets
 * them also when it gets nothing else, and to the log as log.c allows.
 *
 * A request belongs to the calling task, so nothing is locked here.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "buffer.h"
#include "device.h"
#include "file.h"
#include "ioctl.h"
#include "kind.h"
#include "log.h"
#include "make.h"
#include "name.h"
#include "named.h"
#include "request.h"
#include "signals.h"

static int text_put(u64 address, u32 size, const char *text)
{
	char __user *to = u64_to_user_ptr(address);
	size_t len = min_t(size_t, strlen(text), size - 1);

	if (!address != !size)
		return -EINVAL;
	if (!size)
		return 0;
	return copy_to_user(to, text, len) || put_user('\0', to + len) ? -EFAULT : 0;
}

/* Take what the answer will need. Return: a descriptor that is reserved, or -errno. */
static int answer_prepare(struct hpm_request *r, u64 text, u32 text_size)
{
	int fd = text_put(text, text_size, "");

	if (fd)
		return fd;
	r->why = kzalloc(sizeof(*r->why), GFP_KERNEL);
	if (!r->why)
		return -ENOMEM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		kfree(r->why);
	return fd;
}

/* Of a program's words, log only those that cannot forge a line. */
static void request_log(const struct hpm_request *r, const struct hpage_map_buffer *buf)
{
	bool named = hpm_name_valid(r->name);

	if (!r->why->len || hpm_signals_ended(PTR_ERR_OR_ZERO(buf)))
		return;
	hpm_log(IS_ERR(buf), "asked for %s%s%s and got %s: %s", hpm_text_size(r->length).text,
		named ? " as " : "", named ? r->name : "",
		IS_ERR(buf) ? "nothing" : hpm_kinds[buf->backing.kind].name, r->why->text);
}

/*
 * Report what came of a request, whose reasons are freed. Return: a file for the buffer, whose
 * reference it takes over; or an ERR_PTR, that of @buf first.
 */
static struct file *answer_file(const struct hpm_request *r, struct hpage_map_buffer *buf,
				u64 text, u32 text_size)
{
	int ret = text_put(text, text_size, r->why->text);

	request_log(r, buf);
	kfree(r->why);
	if (IS_ERR(buf))
		return ERR_CAST(buf);
	if (!ret)
		return hpm_file_new(buf);
	hpm_buffer_put(buf);
	return ERR_PTR(ret);
}

static int request_place_near(struct hpm_request *r, const char *name)
{
	struct device *dev;
	int ret;

	if (r->place.policy == HPAGE_MAP_POLICY_INTERLEAVE)
		return hpm_why_invalid(r->why, "interleaved pages are not chosen by place");
	dev = hpm_device_find(name);
	if (dev == ERR_PTR(-EINVAL))
		return hpm_why_invalid(r->why, "that is no name of a device");
	if (IS_ERR(dev))
		return hpm_refuse(r->why, PTR_ERR(dev),
				  "ls /sys/bus/pci/devices /sys/bus/platform/devices",
				  "there is no PCI or platform device %s", name);
	ret = hpm_request_near(r, dev);
	put_device(dev);
	if (r->place.node == NUMA_NO_NODE)
		hpm_why(r->why, "the machine does not say which node %s is near", name);
	return ret;
}

/* Let a request, whose reasons are set, ask for what a program asks for. */
static int request_read(struct hpm_request *r, const struct hpage_map_alloc *a)
{
	bool near = *a->near_device;
	bool by_node = !near && hpm_policy_names_node(a->policy);

	if (a->reserved || hpm_name_check(a->name, r->why))
		return -EINVAL;
	if (!by_node && a->node != 0 && a->node != NUMA_NO_NODE)
		return hpm_why_invalid(r->why, "a node, but no policy that uses it");
	r->place.policy = a->policy;
	r->place.node = a->node;
	r->place.limit = a->flags & HPAGE_MAP_BELOW_4G ? SZ_4G : 0;
	return near ? request_place_near(r, a->near_device) : 0;
}

/* Only a named buffer has a node, with a mode and an owner. */
static int request_read_node(struct hpm_request *r, const struct hpage_map_alloc *a)
{
	if (!r->role)
		return a->mode || a->uid || a->gid ? -EINVAL : 0;
	r->mode = a->mode ?: 0600;
	r->uid = make_kuid(current_user_ns(), a->uid);
	r->gid = make_kgid(current_user_ns(), a->gid);
	return *a->name && !(a->mode & ~0777U) && uid_valid(r->uid) && gid_valid(r->gid) ? 0 :
	       -EINVAL;
}

static void alloc_answer(struct hpage_map_alloc *a, const struct hpage_map_buffer *buf)
{
	a->id = buf->id;
	a->got_length = hpage_map_size(buf);
	a->got_page_size = hpage_map_page_size(buf);
	a->got_runs = buf->backing.pages.nr_runs;
	a->got_backing = buf->backing.kind;
	a->got_node = buf->backing.pages.node;
	a->got_attributes = hpm_buffer_attributes(buf);
}

/* Make a buffer and answer. A name is there before the answer; so it may have to go again. */
static int alloc_carry_out(struct hpm_call *call, u32 role)
{
	struct hpage_map_alloc *a = &call->alloc;
	struct hpm_request r = {
		.length = a->length,
		.page_size = a->page_size,
		.flags = a->flags,
		.charge_user = true,
		.role = role,
		.name = a->name,
	};
	struct hpage_map_buffer *buf;
	int ret;

	a->fd = answer_prepare(&r, a->text, a->text_size);
	if (a->fd < 0)
		return a->fd;

	ret = request_read_node(&r, a) ?: request_read(&r, a);
	buf = ret ? ERR_PTR(ret) : role ? hpm_named_create(&r) : hpm_buffer_create(&r);
	if (!IS_ERR(buf))
		alloc_answer(a, buf);
	ret = hpm_ioctl_respond_fd(call, a->fd, answer_file(&r, buf, a->text, a->text_size));
	if (ret && role && !IS_ERR(buf))
		hpm_named_destroy(a->name, a->id);
	return ret;
}

/* Carry out HPAGE_MAP_ALLOC. */
int hpm_make_alloc(struct hpm_call *call)
{
	return alloc_carry_out(call, 0);
}

/* Carry out HPAGE_MAP_CREATE. */
int hpm_make_create(struct hpm_call *call)
{
	return capable(CAP_SYS_ADMIN) ? alloc_carry_out(call, HPAGE_MAP_ATTR_NAMED) : -EPERM;
}

/* Carry out HPAGE_MAP_PIN. */
int hpm_make_pin(struct hpm_call *call)
{
	struct hpage_map_pin *p = &call->pin;
	struct hpm_request r = {
		.length = p->length,
		.address = p->address,
		.pin = true,
		.name = p->name,
		.charge_user = true,
	};
	struct hpage_map_buffer *buf;
	int ret;

	p->fd = answer_prepare(&r, p->text, p->text_size);
	if (p->fd < 0)
		return p->fd;

	ret = p->flags || p->reserved ? -EINVAL : hpm_name_check(p->name, r.why);
	buf = ret ? ERR_PTR(ret) : hpm_buffer_create(&r);
	if (!IS_ERR(buf))
		p->id = buf->id;
	return hpm_ioctl_respond_fd(call, p->fd, answer_file(&r, buf, p->text, p->text_size));
}

/* Carry out HPAGE_MAP_DESTROY, whose struct is only read. */
int hpm_make_destroy(struct hpm_call *call)
{
	const struct hpage_map_destroy *d = &call->destroy;

	if (d->flags || !hpm_name_valid(d->name))
		return -EINVAL;
	return capable(CAP_SYS_ADMIN) ? hpm_named_destroy(d->name, 0) : -EPERM;
}
