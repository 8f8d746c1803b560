// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls: one table, one contract.
 *
 * What include/uapi/linux/hpage_map.h promises of every ioctl is kept here, once:
 * the struct is copied in with its unknown tail checked, the handler sees it
 * zero-extended and writes its answer into it, and no more than the caller's size
 * is copied out. The table says for which descriptors an ioctl is, and what they must be
 * open for; a handler checks its flags, its reserved fields and the capability.
 *
 * A handler may leave a descriptor, a file and a name behind, even if it fails. The
 * descriptor is installed when the program has its answer: until then nobody but
 * us knows the file, and everything can be taken back.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/nospec.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "faces.h"

/* Whoever is not gets less of an answer, and no denial in the audit log. */
static bool able(int cap)
{
	return ns_capable_noaudit(&init_user_ns, cap);
}

static void tell(struct hpage_map_info *info, const struct hpage_map_buffer *buf)
{
	const struct hpm_backing *b;

	*info = (struct hpage_map_info){ .size = info->size, .features = hpm_backing_features() };
	if (!buf)
		return;
	b = &buf->backing;
	info->length = hpm_backing_size(b);
	info->page_size = 1ULL << b->shift;
	info->nr_pages = b->nr;
	info->nr_huge = b->nr_huge;
	info->nr_runs = b->nr_runs;
	info->backing = b->kind;
	info->node = b->node;
	info->asked = buf->asked;
	if (able(CAP_SYS_RAWIO))
		info->address = hpm_backing_address(b, 0);
	info->id = buf->id;
	info->attributes = hpm_buffer_attributes(buf);
	info->creator = pid_vnr(buf->creator);
	info->uid = from_kuid_munged(current_user_ns(), buf->uid);
	info->descriptors = atomic_read(&buf->descriptors);
	info->mappings = atomic_read(&buf->mappings);
	info->exports = atomic_read(&buf->exports);
	info->drivers = atomic_read(&buf->drivers);
	info->devices = atomic_read(&buf->devices);
	info->lingering = min_t(u64, READ_ONCE(b->nr_lingering), U32_MAX);
	strscpy_pad(info->name, buf->name, sizeof(info->name));
}

static int hpm_ioctl_info(struct file *file, struct hpm_call *call)
{
	if (call->info.flags & ~HPAGE_MAP_INFO_FLAGS)
		return -EINVAL;
	tell(&call->info, file->private_data);
	return 0;
}

static bool may_see(const struct hpage_map_buffer *buf)
{
	return READ_ONCE(buf->role) || uid_eq(buf->uid, current_uid()) || able(CAP_SYS_ADMIN);
}

static int hpm_ioctl_list(struct file *file, struct hpm_call *call)
{
	struct hpage_map_buffer *buf;
	u32 id = call->info.id;

	if (call->info.flags & ~HPAGE_MAP_INFO_FLAGS)
		return -EINVAL;

	buf = hpm_buffer_next(&id, may_see);
	if (!buf)
		return -ENOENT;
	tell(&call->info, buf);
	hpm_buffer_put(buf);
	return 0;
}

/* Programs may ask for billions of nodes; those that the machine lacks have no pages. */
static int clear_nodes(u64 __user *to, u64 nr)
{
	u64 some;

	for (; nr; nr -= some, to += some) {
		some = min_t(u64, nr, PAGE_SIZE / sizeof(*to));
		if (clear_user(to, some * sizeof(*to)))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int hpm_ioctl_nodes(struct file *file, struct hpm_call *call)
{
	const struct hpage_map_buffer *buf = file->private_data;
	struct hpage_map_nodes *nodes = &call->nodes;
	u64 __user *to = u64_to_user_ptr(nodes->pages);
	u32 room = nodes->nr, known = min(room, nr_node_ids), node;
	u64 *pages;
	int ret = 0;

	if (nodes->flags & ~HPAGE_MAP_NODES_FLAGS || nodes->reserved)
		return -EINVAL;
	pages = kvcalloc(nr_node_ids, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;

	hpm_pages_by_node(&buf->backing, 0, nr_node_ids, pages);
	nodes->nr = 0;
	for (node = 0; node < nr_node_ids; node++)
		if (pages[node])
			nodes->nr = node + 1;
	if (copy_to_user(to, pages, known * sizeof(*pages)))
		ret = -EFAULT;
	kvfree(pages);
	return ret ?: clear_nodes(to + known, room - known);
}

static int hpm_ioctl_runs(struct file *file, struct hpm_call *call)
{
	const struct hpage_map_buffer *buf = file->private_data;
	struct hpage_map_runs *runs = &call->runs;
	struct hpage_map_run __user *to = u64_to_user_ptr(runs->runs);
	struct hpage_map_run run;
	u32 room = runs->nr;

	if (runs->flags & ~HPAGE_MAP_RUNS_FLAGS || runs->reserved)
		return -EINVAL;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (hpm_dmamap_is(file))
		return hpm_dmamap_runs(file, runs);

	for (runs->nr = 0; runs->nr < room; runs->nr++) {
		if (!hpm_pages_run(&buf->backing, runs->first + runs->nr, &run))
			break;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (copy_to_user(to + runs->nr, &run, sizeof(run)))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

#define ON_DOOR		BIT(0)	/* for a file of /dev/hpage_map, with a buffer or without */
#define ON_BUFFER	BIT(1)	/* for one that has a buffer */
#define ON_MAPPING	BIT(2)	/* for one of a mapping for a device */
#define SILENT		BIT(3)	/* without an answer: the struct is only read */

/* What a file must be open for. What is only told and is no content needs neither. */
#define FOR_ANY		((__force fmode_t)0)
#define FOR_WRITING	FMODE_WRITE
#define FOR_BOTH	(FMODE_READ | FMODE_WRITE)

#define IOCTL(_cmd, _traits, _mode, _handler, _struct, _last)				\
	[_IOC_NR(_cmd) - HPAGE_MAP_CMD_BASE] = {					\
		.cmd = _cmd,								\
		.traits = _traits,							\
		.mode = _mode,								\
		.size = sizeof(struct _struct) +					\
			BUILD_BUG_ON_ZERO(offsetof(struct _struct, size) ||		\
				sizeof(struct _struct) > HPAGE_MAP_STRUCT_MAX),		\
		.min_size = offsetofend(struct _struct, _last),				\
		.handler = _handler,							\
	}

/* min_size ends with the last field of the first published version. */
static const struct hpm_ioctl {
	unsigned int cmd;
	unsigned int traits;
	fmode_t mode;
	u32 size;
	u32 min_size;
	int (*handler)(struct file *file, struct hpm_call *call);
} ioctls[] = {
	IOCTL(HPAGE_MAP_INFO, ON_DOOR | ON_BUFFER, FOR_ANY, hpm_ioctl_info, hpage_map_info, name),
	IOCTL(HPAGE_MAP_ALLOC, ON_DOOR, FOR_WRITING, hpm_ioctl_alloc, hpage_map_alloc, reserved),
	IOCTL(HPAGE_MAP_CREATE, ON_DOOR, FOR_WRITING, hpm_ioctl_create, hpage_map_alloc, reserved),
	IOCTL(HPAGE_MAP_DESTROY, ON_DOOR | SILENT, FOR_WRITING, hpm_ioctl_destroy,
	      hpage_map_destroy, name),
	IOCTL(HPAGE_MAP_LIST, ON_DOOR, FOR_ANY, hpm_ioctl_list, hpage_map_info, name),
	IOCTL(HPAGE_MAP_NODES, ON_BUFFER, FOR_ANY, hpm_ioctl_nodes, hpage_map_nodes, reserved),
	IOCTL(HPAGE_MAP_RUNS, ON_BUFFER | ON_MAPPING, FOR_ANY, hpm_ioctl_runs,
	      hpage_map_runs, reserved),
	IOCTL(HPAGE_MAP_EXPORT, ON_BUFFER, FOR_BOTH, hpm_ioctl_export,
	      hpage_map_export, reserved),
	IOCTL(HPAGE_MAP_PIN, ON_DOOR, FOR_WRITING, hpm_ioctl_pin, hpage_map_pin, reserved),
	/* What it must be open for depends on the direction. */
	IOCTL(HPAGE_MAP_DMA_MAP, ON_BUFFER, FOR_ANY, hpm_ioctl_dma_map,
	      hpage_map_dma_map, reserved),
	IOCTL(HPAGE_MAP_DMA_SYNC, ON_MAPPING | SILENT, FOR_ANY, hpm_ioctl_dma_sync,
	      hpage_map_dma_sync, length),
};

static const struct hpm_ioctl *find_ioctl(unsigned int cmd)
{
	unsigned int i = _IOC_NR(cmd) - HPAGE_MAP_CMD_BASE;

	if (i >= ARRAY_SIZE(ioctls))
		return NULL;
	i = array_index_nospec(i, ARRAY_SIZE(ioctls));
	return ioctls[i].cmd == cmd ? &ioctls[i] : NULL;
}

static bool ioctl_is_for(const struct hpm_ioctl *ioctl, const struct file *file)
{
	unsigned int is = hpm_dmamap_is(file) ? ON_MAPPING :
			  (hpm_chardev_is_door(file) ? ON_DOOR : 0) |
			  (file->private_data ? ON_BUFFER : 0);

	return ioctl->traits & is && !(ioctl->mode & ~file->f_mode);
}

/* Hand the new descriptor out, or take everything back. */
static void settle(struct hpm_call *call, int ret)
{
	if (!ret) {
		fd_install(call->fd, call->file);
		return;
	}
	put_unused_fd(call->fd);
	if (call->file)
		fput(call->file);
	if (call->named)
		hpm_named_destroy(call->alloc.name, call->alloc.id);
}

long hpm_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	const struct hpm_ioctl *ioctl = find_ioctl(cmd);
	void __user *ptr = (void __user *)user;
	struct hpm_call call = { .fd = -1 };
	u32 size;
	int ret;

	if (!ioctl)
		return -ENOTTY;
	if (!ioctl_is_for(ioctl, file))
		return -EBADF;
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
	if (!ret && !(ioctl->traits & SILENT) && copy_to_user(ptr, &call, min(size, ioctl->size)))
		ret = -EFAULT;
	if (call.fd >= 0)
		settle(&call, ret);
	return ret;
}
