// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls: one table, one contract.
 *
 * What include/uapi/linux/hpage_map.h promises of every ioctl is kept here,
 * once: the struct is copied in with its unknown tail checked, the handler
 * sees it zero-extended and writes its answer into it, and no more than the
 * caller's size is copied out. A handler checks its flags and reserved fields.
 */
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "faces.h"

union hpm_ioctl_arg {
	struct hpage_map_info info;
};

static int hpm_ioctl_info(struct hpm_buffer *buf, union hpm_ioctl_arg *arg)
{
	const struct hpm_backing *b = &buf->backing;
	struct hpage_map_info *info = &arg->info;

	if (info->flags & ~HPAGE_MAP_INFO_FLAGS)
		return -EINVAL;

	info->length = hpm_backing_size(b);
	info->page_size = 1ULL << b->shift;
	info->nr_pages = b->nr;
	info->nr_huge = b->nr_huge;
	info->nr_runs = b->nr_runs;
	info->features = hpm_backing_features();
	info->backing = b->kind;
	info->node = b->node;
	return 0;
}

#define IOCTL(_cmd, _handler, _struct, _last)				\
	[_IOC_NR(_cmd) - HPAGE_MAP_CMD_BASE] = {			\
		.cmd = _cmd,						\
		.size = sizeof(_struct) +				\
			BUILD_BUG_ON_ZERO(offsetof(_struct, size) ||	\
				sizeof(_struct) > HPAGE_MAP_STRUCT_MAX),	\
		.min_size = offsetofend(_struct, _last),		\
		.handler = _handler,					\
	}

/* min_size ends with the last field of the first published version. */
static const struct hpm_ioctl {
	unsigned int cmd;
	u32 size;
	u32 min_size;
	int (*handler)(struct hpm_buffer *buf, union hpm_ioctl_arg *arg);
} ioctls[] = {
	IOCTL(HPAGE_MAP_INFO, hpm_ioctl_info, struct hpage_map_info, node),
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
	union hpm_ioctl_arg arg;
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

	ret = copy_struct_from_user(&arg, ioctl->size, ptr, size);
	if (ret)
		return ret;
	ret = ioctl->handler(file->private_data, &arg);
	if (ret)
		return ret;
	return copy_to_user(ptr, &arg, min(size, ioctl->size)) ? -EFAULT : 0;
}
