// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nodes: /dev/hpage_map, which is the door and the default buffer, and those of named buffers.
 *
 * Opening one chooses what the file is: the door with the default buffer; the door alone, when
 * /dev/hpage_map is opened with O_NONBLOCK; or a named buffer. Each has file operations of its
 * own, so that a file without a buffer has none that needs one. Nothing is locked here: a file
 * refers to what it was opened for as long as it is open.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "buffer.h"
#include "chardev.h"
#include "class.h"
#include "default.h"
#include "file.h"
#include "info.h"
#include "ioctl.h"
#include "log.h"
#include "make.h"
#include "named.h"

static const struct hpm_ioctl door_ioctls[] = {
	HPM_IOCTL(HPAGE_MAP_INFO, HPM_FOR_ANY, hpm_info_info, hpage_map_info, name),
	HPM_IOCTL(HPAGE_MAP_ALLOC, FMODE_WRITE, hpm_make_alloc, hpage_map_alloc, reserved),
	HPM_IOCTL(HPAGE_MAP_CREATE, FMODE_WRITE, hpm_make_create, hpage_map_alloc, reserved),
	HPM_IOCTL(HPAGE_MAP_DESTROY, FMODE_WRITE, hpm_make_destroy, hpage_map_destroy, name),
	HPM_IOCTL(HPAGE_MAP_LIST, HPM_FOR_ANY, hpm_info_list, hpage_map_info, name),
	HPM_IOCTL(HPAGE_MAP_FORECAST, HPM_FOR_ANY, hpm_info_forecast, hpage_map_forecast, pooled),
	HPM_IOCTL(HPAGE_MAP_PIN, FMODE_WRITE, hpm_make_pin, hpage_map_pin, reserved),
};

static long door_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct hpm_ioctl *ioctl = hpm_ioctl_find(door_ioctls, ARRAY_SIZE(door_ioctls), cmd);

	if (!ioctl && file->private_data)
		return hpm_file_ioctl(file, cmd, arg);
	return hpm_ioctl_call(ioctl, file, cmd, arg);
}

static void door_show_fdinfo(struct seq_file *seq, struct file *file)
{
	seq_puts(seq, "hpage_map-buffer:\tnone\n");
}

/* Without a buffer: mmap() is ENODEV, lseek() ESPIPE, reading and writing EINVAL. */
static const struct file_operations door_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = door_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = door_show_fdinfo,
};

/* The door that has the default buffer: as hpm_file_fops, but for its ioctls. */
static struct file_operations default_fops __ro_after_init;

/* The header of programs cannot include <fcntl.h>. */
static_assert(HPAGE_MAP_O_DOOR == (O_RDWR | O_NONBLOCK));

/* The module that is held for these file operations is held for those that replace them. */
static int chardev_open(struct inode *inode, struct file *file)
{
	bool door = inode->i_rdev == hpm_class_devt;
	struct hpage_map_buffer *buf;

	/* Access mode 3, for which security modules ask for neither right, so that it has none. */
	if (!(file->f_mode & (FMODE_READ | FMODE_WRITE))) {
		hpm_log(true, "opened with access mode 3, refused; use O_RDWR | O_NONBLOCK");
		return -EINVAL;
	}
	if (door && file->f_flags & O_NONBLOCK) {
		file->f_op = &door_fops;
		return 0;
	}
	buf = door ? hpm_default_get() : hpm_named_get(inode);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	file->f_op = door ? &default_fops : &hpm_file_fops;
	/* Programs look there for how much they can map. A file system on a disk would write it. */
	i_size_write(inode, inode->i_sb->s_magic == TMPFS_MAGIC ? hpage_map_size(buf) : 0);
	hpm_file_refer(file, buf);
	return 0;
}

static const struct file_operations chardev_fops = { .owner = THIS_MODULE, .open = chardev_open };

static struct cdev *hpm_cdev;

/* Make the device, which cannot be opened before all else is there. */
int hpm_chardev_init(void)
{
	default_fops = hpm_file_fops;
	default_fops.unlocked_ioctl = door_ioctl;
	hpm_cdev = cdev_alloc();
	if (!hpm_cdev)
		return -ENOMEM;
	hpm_cdev->owner = THIS_MODULE;
	hpm_cdev->ops = &chardev_fops;

	/* cdev_add() last: a module that fails to load is freed although somebody has it open. */
	return PTR_ERR_OR_ZERO(device_create(hpm_class, NULL, hpm_class_devt, NULL, "hpage_map")) ?:
	       cdev_add(hpm_cdev, hpm_class_devt, HPM_MINORS);
}

void hpm_chardev_exit(void)
{
	/* Does nothing if there is none. */
	device_destroy(hpm_class, hpm_class_devt);
	/* Also puts a cdev that was never added. */
	if (hpm_cdev)
		cdev_del(hpm_cdev);
}
