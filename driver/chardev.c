// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers as devices: /dev/hpage_map, the nodes of named buffers, and files that have no
 * node at all.
 *
 * An open file refers to one buffer and holds it: private_data, set at open and never
 * changed, so that nothing needs a lock here. It is NULL only when /dev/hpage_map was
 * opened with O_NONBLOCK, for its ioctls alone. Such a file has file operations of its
 * own, without those that need a buffer; the ioctls look.
 *
 * What a file may do is what it was opened for, FMODE_READ and FMODE_WRITE, since that is
 * what permissions, Landlock and other security modules have been asked about.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/anon_inodes.h>
#include <linux/cdev.h>
#include <linux/fcntl.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "faces.h"

static umode_t mode = 0600;

static int param_set_mode(const char *text, const struct kernel_param *kp)
{
	unsigned int bits;
	int ret = kstrtouint(text, 8, &bits);

	if (ret)
		return ret;
	if (bits & ~0777)
		return -EINVAL;
	mode = bits;
	return 0;
}

static int param_get_mode(char *text, const struct kernel_param *kp)
{
	return sysfs_emit(text, "0%o\n", mode);
}

static const struct kernel_param_ops mode_ops = { .set = param_set_mode, .get = param_get_mode };

module_param_cb(mode, &mode_ops, NULL, 0444);
MODULE_PARM_DESC(mode, "permissions of /dev/hpage_map, octal (0600)");

static struct cdev *hpm_cdev;
static dev_t hpm_devt;

/* Let @file refer to @buf, whose reference it takes over. */
static void refer(struct file *file, struct hpage_map_buffer *buf)
{
	atomic_inc(&buf->descriptors);
	file->private_data = buf;
}

/* The header of programs cannot include <fcntl.h>. */
static_assert(HPAGE_MAP_O_DOOR == (O_RDWR | O_NONBLOCK));

/* Access mode 3, for which security modules ask for neither right, so that it has none. */
static int refuse_mode_3(void)
{
	if (hpm_log_may(true))
		pr_info("%*pE (%d) opened with access mode 3, refused; use O_RDWR | O_NONBLOCK\n",
			(int)strnlen(current->comm, sizeof(current->comm)), current->comm,
			task_tgid_nr(current));
	return -EINVAL;
}

static const struct file_operations hpm_door_fops;

static int hpm_open(struct inode *inode, struct file *file)
{
	bool door = iminor(inode) == HPM_MINOR_DEFAULT;
	struct hpage_map_buffer *buf;

	if (!(file->f_mode & (FMODE_READ | FMODE_WRITE)))
		return refuse_mode_3();
	if (door && file->f_flags & O_NONBLOCK) {
		/* The module that is held for one is held for the other. */
		file->f_op = &hpm_door_fops;
		return 0;
	}
	buf = door ? hpm_default_get() : hpm_named_get(inode);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	refer(file, buf);
	return 0;
}

static int hpm_release(struct inode *inode, struct file *file)
{
	struct hpage_map_buffer *buf = file->private_data;

	atomic_dec(&buf->descriptors);
	hpm_buffer_put(buf);
	return 0;
}

static int hpm_mmap(struct file *file, struct vm_area_struct *vma)
{
	return hpm_buffer_mmap(file->private_data, vma);
}

static unsigned long hpm_get_unmapped_area(struct file *file, unsigned long addr,
					   unsigned long len, unsigned long pgoff,
					   unsigned long flags)
{
	return hpm_buffer_get_unmapped_area(file->private_data, addr, len, pgoff, flags);
}

static ssize_t hpm_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return hpm_buffer_read(iocb->ki_filp->private_data, &iocb->ki_pos, to);
}

static ssize_t hpm_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	return hpm_buffer_write(iocb->ki_filp->private_data, &iocb->ki_pos, from);
}

static loff_t hpm_llseek(struct file *file, loff_t offset, int whence)
{
	struct hpage_map_buffer *buf = file->private_data;

	return fixed_size_llseek(file, offset, whence, hpm_backing_size(&buf->backing));
}

static void hpm_show_fdinfo(struct seq_file *seq, struct file *file)
{
	struct hpage_map_buffer *buf = file->private_data;
	const struct hpm_backing *b;

	if (!buf) {
		seq_puts(seq, "hpage_map-buffer:\tnone\n");
		return;
	}
	b = &buf->backing;
	seq_printf(seq, "hpage_map-buffer:\t%s\n",
		   READ_ONCE(buf->role) ? buf->name : "anonymous");
	if (!READ_ONCE(buf->role) && *buf->name)
		seq_printf(seq, "hpage_map-tag:\t%s\n", buf->name);
	seq_printf(seq, "hpage_map-id:\t%u\n", buf->id);
	seq_printf(seq, "hpage_map-size:\t%llu\n", hpm_backing_size(b));
	seq_printf(seq, "hpage_map-page_size:\t%llu\n", 1ULL << b->shift);
	seq_printf(seq, "hpage_map-backing:\t%s\n", hpm_backing_name(b->kind));
}

static const struct file_operations hpm_fops = {
	.owner = THIS_MODULE,
	.open = hpm_open,
	.release = hpm_release,
	.mmap = hpm_mmap,
	.get_unmapped_area = hpm_get_unmapped_area,
	.read_iter = hpm_read_iter,
	.write_iter = hpm_write_iter,
	.llseek = hpm_llseek,
	.fsync = noop_fsync,
	.unlocked_ioctl = hpm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = hpm_show_fdinfo,
};

/* Without a buffer: mmap() is ENODEV, lseek() ESPIPE, reading and writing EINVAL. */
static const struct file_operations hpm_door_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = hpm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = hpm_show_fdinfo,
};

static char *hpm_devnode(devnode_device *dev, umode_t *node_mode)
{
	if (node_mode)
		*node_mode = mode;
	return NULL;
}

/* Not one of the module's own memory: whoever holds the class may let it go after us. */
struct class *hpm_class;

dev_t hpm_chardev_devt(unsigned int minor)
{
	return MKDEV(MAJOR(hpm_devt), minor);
}

/* Is a file of ours one of /dev/hpage_map, with which buffers are made and listed? */
bool hpm_chardev_is_door(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return S_ISCHR(inode->i_mode) && iminor(inode) == HPM_MINOR_DEFAULT;
}

/* A file without a node, open for reading and writing. Takes the reference over, in any case. */
struct file *hpm_chardev_file(struct hpage_map_buffer *buf)
{
	struct file *file = anon_inode_getfile("[hpage_map]", &hpm_fops, NULL,
					       O_RDWR | O_LARGEFILE);

	if (IS_ERR(file)) {
		hpm_buffer_put(buf);
		return file;
	}
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	refer(file, buf);
	return file;
}

/* Make the device and its class, which cannot be opened yet. */
int hpm_chardev_init(void)
{
	int ret = alloc_chrdev_region(&hpm_devt, 0, HPM_MINORS, "hpage_map");
	struct device *dev;

	if (ret)
		return ret;
	hpm_class = class_create("hpage_map");
	if (IS_ERR(hpm_class)) {
		ret = PTR_ERR(hpm_class);
		goto unregister_region;
	}
	hpm_class->devnode = hpm_devnode;
	hpm_class->dev_groups = hpm_sysfs_groups;

	ret = -ENOMEM;
	hpm_cdev = cdev_alloc();
	if (!hpm_cdev)
		goto destroy_class;
	hpm_cdev->owner = THIS_MODULE;
	hpm_cdev->ops = &hpm_fops;

	dev = device_create(hpm_class, NULL, hpm_devt, NULL, "hpage_map");
	if (IS_ERR(dev)) {
		ret = PTR_ERR(dev);
		goto del_cdev;
	}
	/* Last: a module that fails to load is freed although somebody has it open. */
	ret = cdev_add(hpm_cdev, hpm_devt, HPM_MINORS);
	if (ret)
		goto destroy_device;
	return 0;

destroy_device:
	device_destroy(hpm_class, hpm_devt);
del_cdev:
	/* Also puts a cdev that was never added. */
	cdev_del(hpm_cdev);
destroy_class:
	class_destroy(hpm_class);
unregister_region:
	unregister_chrdev_region(hpm_devt, HPM_MINORS);
	return ret;
}

void hpm_chardev_exit(void)
{
	device_destroy(hpm_class, hpm_devt);
	cdev_del(hpm_cdev);
	class_destroy(hpm_class);
	unregister_chrdev_region(hpm_devt, HPM_MINORS);
}
