// SPDX-License-Identifier: GPL-2.0-only
/*
 * The class hpage_map, which has the devices of all buffers with a node, and their numbers.
 *
 * Both are made at load and never change until the module goes.
 */
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/module.h>

#include "class.h"
#include "sysfs.h"

static umode_t mode = 0600;

static int param_set_mode(const char *text, const struct kernel_param *kp)
{
	unsigned int bits;
	int ret = kstrtouint(text, 8, &bits);

	if (ret || bits & ~0777)
		return ret ?: -EINVAL;
	mode = bits;
	return 0;
}

static const struct kernel_param_ops mode_ops = { .set = param_set_mode };

/* The node shows it. */
module_param_cb(mode, &mode_ops, NULL, 0);
MODULE_PARM_DESC(mode, "permissions of /dev/hpage_map, octal (0600)");

struct class *hpm_class;
dev_t hpm_class_devt;

static char *class_devnode(devnode_device *dev, umode_t *node_mode)
{
	if (node_mode)
		*node_mode = mode;
	return NULL;
}

int hpm_class_init(void)
{
	int ret = alloc_chrdev_region(&hpm_class_devt, 0, HPM_MINORS, "hpage_map");

	if (ret)
		return ret;
	hpm_class = class_create("hpage_map");
	if (IS_ERR(hpm_class))
		return PTR_ERR(hpm_class);
	hpm_class->devnode = class_devnode;
	hpm_class->dev_groups = hpm_sysfs_groups;
	return 0;
}

/* To destroy a class that could not be created does nothing. */
void hpm_class_exit(void)
{
	class_destroy(hpm_class);
	if (hpm_class_devt)
		unregister_chrdev_region(hpm_class_devt, HPM_MINORS);
}
