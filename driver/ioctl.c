// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls: one table, one contract.
 *
 * What include/uapi/linux/hpage_map.h promises of every ioctl is kept here,
 * once: the struct is copied in with its unknown tail checked, the handler
 * sees it zero-extended and writes its answer into it, and no more than the
 * caller's size is copied out. A handler checks its flags and reserved fields.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/nospec.h>
#include <linux/pid.h>
#include <linux/uaccess.h>

#include "faces.h"
#include "ioctl.h"

static void tell(struct hpage_map_info *info, const struct hpm_buffer *buf)
{
	const struct hpm_backing *b = &buf->backing;

	info->length = hpm_backing_size(b);
	info->page_size = 1ULL << b->shift;
	info->nr_pages = b->nr;
	info->nr_huge = b->nr_huge;
	info->nr_runs = b->nr_runs;
	info->backing = b->kind;
	info->node = b->node;
	info->asked = buf->asked;
	if (capable(CAP_SYS_RAWIO))
		info->address = PFN_PHYS(folio_pfn(b->folios[0]));
	info->id = buf->id;
	info->attributes = hpm_buffer_attributes(buf);
	info->creator = pid_vnr(buf->creator);
	info->uid = from_kuid_munged(current_user_ns(), buf->uid);
	info->descriptors = atomic_read(&buf->descriptors);
	info->mappings = atomic_read(&buf->mappings);
	strscpy_pad(info->name, buf->name, sizeof(info->name));
}

static int hpm_ioctl_info(struct file *file, struct hpm_call *call)
{
	if (call->info.flags & ~HPAGE_MAP_INFO_FLAGS)
		return -EINVAL;

	call->info = (struct hpage_map_info){
		.size = call->info.size,
		.features = hpm_backing_features(),
	};
	if (file->private_data)
		tell(&call->info, file->private_data);
	return 0;
}

static bool may_see(const struct hpm_buffer *buf)
{
	return READ_ONCE(buf->role) || uid_eq(buf->uid, current_uid()) || capable(CAP_SYS_ADMIN);
}

static int hpm_ioctl_list(struct file *file, struct hpm_call *call)
{
	struct hpm_buffer *buf;
	u32 id = call->info.id;

	if (!hpm_chardev_is_door(file))
		return -EBADF;
	if (call->info.flags & ~HPAGE_MAP_INFO_FLAGS)
		return -EINVAL;

	while ((buf = hpm_buffer_next(&id)) && !may_see(buf)) {
		hpm_buffer_put(buf);
		id++;
	}
	if (!buf)
		return -ENOENT;
	call->info = (struct hpage_map_info){
		.size = call->info.size,
		.features = hpm_backing_features(),
	};
	tell(&call->info, buf);
	hpm_buffer_put(buf);
	return 0;
}

static int hpm_ioctl_nodes(struct file *file, struct hpm_call *call)
{
	const struct hpm_buffer *buf = file->private_data;
	struct hpage_map_nodes *nodes = &call->nodes;
	u64 __user *to = u64_to_user_ptr(nodes->pages);
	u32 room = nodes->nr, node;
	unsigned long nr;

	if (!buf)
		return -EBADF;
	if (nodes->flags & ~HPAGE_MAP_NODES_FLAGS || nodes->reserved)
		return -EINVAL;

	nodes->nr = 0;
	for (node = 0; node < max(nr_node_ids, room); node++) {
		nr = node < nr_node_ids ? hpm_backing_pages_on(&buf->backing, node) : 0;
		if (nr)
			nodes->nr = node + 1;
		if (node < room && put_user(nr, to + node))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int hpm_ioctl_runs(struct file *file, struct hpm_call *call)
{
	const struct hpm_buffer *buf = file->private_data;
	struct hpage_map_runs *runs = &call->runs;
	struct hpage_map_run __user *to = u64_to_user_ptr(runs->runs);
	struct hpage_map_run run;
	u32 room = runs->nr;
	loff_t pos = 0;
	u64 i;

	if (!buf)
		return -EBADF;
	if (runs->flags & ~HPAGE_MAP_RUNS_FLAGS || runs->reserved)
		return -EINVAL;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;

	runs->nr = 0;
	for (i = 0; runs->nr < room && hpm_backing_run(&buf->backing, &pos, &run); i++) {
		cond_resched();
		if (i < runs->first)
			continue;
		if (copy_to_user(to + runs->nr, &run, sizeof(run)))
			return -EFAULT;
		runs->nr++;
	}
	return 0;
}

#define IOCTL(_cmd, _handler, _struct, _last, _answers)			\
	[_IOC_NR(_cmd) - HPAGE_MAP_CMD_BASE] = {			\
		.cmd = _cmd,						\
		.size = sizeof(_struct) +				\
			BUILD_BUG_ON_ZERO(offsetof(_struct, size) ||	\
				sizeof(_struct) > HPAGE_MAP_STRUCT_MAX),	\
		.min_size = offsetofend(_struct, _last),		\
		.handler = _handler,					\
		.answers = _answers,					\
	}

/*
 * min_size ends with the last field of the first published version. What has no
 * answer must not fail for want of a place for one: it is done by then.
 */
static const struct hpm_ioctl {
	unsigned int cmd;
	u32 size;
	u32 min_size;
	int (*handler)(struct file *file, struct hpm_call *call);
	bool answers;
} ioctls[] = {
	IOCTL(HPAGE_MAP_INFO, hpm_ioctl_info, struct hpage_map_info, name, true),
	IOCTL(HPAGE_MAP_ALLOC, hpm_ioctl_alloc, struct hpage_map_alloc, reserved, true),
	IOCTL(HPAGE_MAP_CREATE, hpm_ioctl_create, struct hpage_map_alloc, reserved, true),
	IOCTL(HPAGE_MAP_DESTROY, hpm_ioctl_destroy, struct hpage_map_destroy, name, false),
	IOCTL(HPAGE_MAP_LIST, hpm_ioctl_list, struct hpage_map_info, name, true),
	IOCTL(HPAGE_MAP_NODES, hpm_ioctl_nodes, struct hpage_map_nodes, reserved, true),
	IOCTL(HPAGE_MAP_RUNS, hpm_ioctl_runs, struct hpage_map_runs, reserved, true),
};

static const struct hpm_ioctl *find_ioctl(unsigned int cmd)
{
	unsigned int i = _IOC_NR(cmd) - HPAGE_MAP_CMD_BASE;

	if (i >= ARRAY_SIZE(ioctls) || ioctls[i].cmd != cmd)
		return NULL;
	return &ioctls[array_index_nospec(i, ARRAY_SIZE(ioctls))];
}

/**
 * hpm_ioctl() - unlocked_ioctl of the device
 * @file: an open file of the device
 * @cmd: HPAGE_MAP_*
 * @user: pointer to the struct of @cmd
 *
 * Context: process context; may sleep.
 * Return: 0, -ENOTTY, -EFAULT, -EINVAL, -E2BIG, or what the ioctl documents.
 */
long hpm_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	const struct hpm_ioctl *ioctl = find_ioctl(cmd);
	void __user *ptr = (void __user *)user;
	struct hpm_call call = {};
	u32 size;
	int ret;

	if (!ioctl)
		return -ENOTTY;
	if (get_user(size, (u32 __user *)ptr))
		return -EFAULT;
	if (size < ioctl->min_size)
		return -EINVAL;
	if (size > HPAGE_MAP_STRUCT_MAX)
		return -E2BIG;

	ret = copy_struct_from_user(&call, ioctl->size, ptr, size);
	if (ret)
		return ret;
	/* The program may have changed it meanwhile. */
	call.size = size;
	ret = ioctl->handler(file, &call);
	if (!ret && ioctl->answers && copy_to_user(ptr, &call, min(size, ioctl->size)))
		ret = -EFAULT;
	if (call.file)
		hpm_ioctl_settle(&call, ret);
	return ret;
}
