// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract of every ioctl.
 *
 * What include/uapi/linux/hpage_map.h promises is kept here, once: the struct is copied in with
 * its unknown tail checked, the handler sees it filled up with zeroes, writes its answer into it
 * and responds, and no more than the caller's size is copied out. Each kind of file has a table of
 * its ioctls, and of what the file must be open for; a handler checks its flags, its
 * reserved fields and the capability.
 *
 * A new descriptor is installed when the program has its answer: until then nobody but us knows
 * the file, and everything can be taken back. Nothing here is shared, so nothing is locked.
 */
#include <linux/file.h>
#include <linux/uaccess.h>

#include "ioctl.h"

/* Return: the entry, or NULL. */
const struct hpm_ioctl *hpm_ioctl_find(const struct hpm_ioctl *table, size_t nr, unsigned int cmd)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (table[i].cmd == cmd)
			return &table[i];
	return NULL;
}

/* Carry out an ioctl on a file. @ioctl: its entry in the file's table, or NULL if it has none. */
long hpm_ioctl_call(const struct hpm_ioctl *ioctl, struct file *file, unsigned int cmd,
		    unsigned long arg)
{
	struct hpm_call call = { .file = file, .user = (void __user *)arg };
	u32 size;
	int ret;

	/* Numbers are used up one after the other. */
	if (!ioctl)
		return cmd >= HPAGE_MAP_INFO && cmd <= HPAGE_MAP_FORECAST ? -EBADF : -ENOTTY;
	if (ioctl->mode & ~file->f_mode)
		return -EBADF;
	if (get_user(size, (u32 __user *)call.user))
		return -EFAULT;
	if (size < ioctl->min_size)
		return -EINVAL;
	if (size > HPAGE_MAP_STRUCT_MAX)
		return -E2BIG;

	ret = copy_struct_from_user(&call, ioctl->size, call.user, size);
	if (ret)
		return ret;
	/* The program may have changed it meanwhile. */
	call.size = size;
	call.known = min(size, ioctl->size);
	return ioctl->handler(&call);
}

/* Give the program its answer. Return: 0, or -EFAULT. */
int hpm_ioctl_respond(const struct hpm_call *call)
{
	return copy_to_user(call->user, call, call->known) ? -EFAULT : 0;
}

/*
 * Give the program its answer, and with it a descriptor that was reserved and stands in the
 * answer. Takes both over: if it fails they are given back. @file: or an ERR_PTR, which is
 * returned. Return: 0, or -errno.
 */
int hpm_ioctl_respond_fd(const struct hpm_call *call, int fd, struct file *file)
{
	int ret = PTR_ERR_OR_ZERO(file) ?: hpm_ioctl_respond(call);

	if (!ret)
		fd_install(fd, file);
	else
		put_unused_fd(fd);
	if (ret && !IS_ERR(file))
		fput(file);
	return ret;
}
