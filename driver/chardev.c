// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/hpage_map: the buffer as a device.
 *
 * An open file refers to one buffer and holds it: private_data, set at open
 * and never changed, so that nothing needs a lock here.
 */
#include <linux/cdev.h>
#include <linux/module.h>
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

static const struct kernel_param_ops param_ops_mode = {
	.set = param_set_mode,
	.get = param_get_mode,
};

module_param_cb(mode, &param_ops_mode, NULL, 0444);
MODULE_PARM_DESC(mode, "permissions of /dev/hpage_map, octal (0600)");

static int hpm_open(struct inode *inode, struct file *file)
{
	struct hpm_buffer *buf = hpm_default_get();

	if (IS_ERR(buf))
		return PTR_ERR(buf);
	atomic_inc(&buf->descriptors);
	file->private_data = buf;
	return 0;
}

static int hpm_release(struct inode *inode, struct file *file)
{
	struct hpm_buffer *buf = file->private_data;

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
	struct hpm_buffer *buf = file->private_data;

	return fixed_size_llseek(file, offset, whence, hpm_backing_size(&buf->backing));
}

static void hpm_show_fdinfo(struct seq_file *seq, struct file *file)
{
	struct hpm_buffer *buf = file->private_data;
	const struct hpm_backing *b = &buf->backing;

	seq_puts(seq, "hpage_map-buffer:\tdefault\n");
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

static char *hpm_devnode(devnode_device *dev, umode_t *node_mode)
{
	if (node_mode)
		*node_mode = mode;
	return NULL;
}

static struct class hpm_class = {
	.name = "hpage_map",
	.devnode = hpm_devnode,
	.dev_groups = hpm_sysfs_groups,
};

static struct cdev *hpm_cdev;
static dev_t hpm_devt;

/**
 * hpm_chardev_init() - publish the device, the last thing to be done
 *
 * Return: 0 or -errno.
 */
int hpm_chardev_init(void)
{
	struct device *dev;
	int ret;

	ret = alloc_chrdev_region(&hpm_devt, 0, 1, "hpage_map");
	if (ret)
		return ret;
	ret = class_register(&hpm_class);
	if (ret)
		goto unregister_region;

	ret = -ENOMEM;
	hpm_cdev = cdev_alloc();
	if (!hpm_cdev)
		goto unregister_class;
	hpm_cdev->owner = THIS_MODULE;
	hpm_cdev->ops = &hpm_fops;
	ret = cdev_add(hpm_cdev, hpm_devt, 1);
	if (ret)
		goto del_cdev;

	dev = device_create(&hpm_class, NULL, hpm_devt, NULL, "hpage_map");
	if (IS_ERR(dev)) {
		ret = PTR_ERR(dev);
		goto del_cdev;
	}
	return 0;

del_cdev:
	/* Also puts a cdev that was never added. */
	cdev_del(hpm_cdev);
unregister_class:
	class_unregister(&hpm_class);
unregister_region:
	unregister_chrdev_region(hpm_devt, 1);
	return ret;
}

void hpm_chardev_exit(void)
{
	device_destroy(&hpm_class, hpm_devt);
	cdev_del(hpm_cdev);
	class_unregister(&hpm_class);
	unregister_chrdev_region(hpm_devt, 1);
}
