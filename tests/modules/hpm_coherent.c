// SPDX-License-Identifier: GPL-2.0-only
/*
 * What drivers did before: a buffer from dma_alloc_coherent(), as u-dma-buf has it, to compare
 * with. One at a time: writing a number of bytes to the file allocates it, closing frees it.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

struct coherent {
	size_t size;
	void *cpu;
	dma_addr_t dma;
};

static struct platform_device *device;

static int coherent_open(struct inode *inode, struct file *file)
{
	struct coherent *c = kzalloc(sizeof(*c), GFP_KERNEL);

	file->private_data = c;
	return c ? 0 : -ENOMEM;
}

static ssize_t coherent_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	struct coherent *c = file->private_data;
	unsigned long size;
	int ret = kstrtoul_from_user(from, len, 0, &size);

	if (ret)
		return ret;
	if (c->cpu)
		return -EBUSY;
	c->cpu = dma_alloc_coherent(&device->dev, size, &c->dma, GFP_KERNEL | __GFP_NOWARN);
	c->size = size;
	return c->cpu ? len : -ENOMEM;
}

static int coherent_release(struct inode *inode, struct file *file)
{
	struct coherent *c = file->private_data;

	if (c->cpu)
		dma_free_coherent(&device->dev, c->size, c->cpu, c->dma);
	kfree(c);
	return 0;
}

static const struct file_operations coherent_fops = {
	.owner = THIS_MODULE,
	.open = coherent_open,
	.write = coherent_write,
	.release = coherent_release,
};

static struct miscdevice coherent_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "hpm_coherent",
	.fops = &coherent_fops,
	.mode = 0600,
};

static int __init coherent_init(void)
{
	int ret;

	device = platform_device_register_simple("hpm_coherent", -1, NULL, 0);
	if (IS_ERR(device))
		return PTR_ERR(device);
	ret = dma_set_mask_and_coherent(&device->dev, DMA_BIT_MASK(64));
	if (!ret)
		ret = misc_register(&coherent_misc);
	if (ret)
		platform_device_unregister(device);
	return ret;
}

static void __exit coherent_exit(void)
{
	misc_deregister(&coherent_misc);
	platform_device_unregister(device);
}

module_init(coherent_init);
module_exit(coherent_exit);

MODULE_DESCRIPTION("A buffer from dma_alloc_coherent(), to compare with");
MODULE_LICENSE("GPL");
