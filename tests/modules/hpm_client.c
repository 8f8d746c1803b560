// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that does what a program says, for the tests: each open file has a buffer, which is
 * mapped for one of two devices. They are no hardware; the driver writes where they would.
 *
 * lock serialises the ioctls of one open file.
 */
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/hpage_map.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "hpm_client.h"

static struct platform_device *devices[2];

struct client {
	struct mutex lock;		/* of what follows */
	struct hpage_map_buffer *buf;	/* or NULL */
	struct device *dev;
	struct sg_table *sgt;		/* or NULL */
	enum dma_data_direction dir;
	bool put;			/* the reference to the buffer is given up */
};

/* Because a program asks, who is charged. */
static struct hpage_map_buffer *create_for_user(struct device *dev, u64 length)
{
	const struct hpage_map_attr attr = {
		.size = length,
		.charge_user = true,
	};

	return hpage_map_create(dev, &attr);
}

/* The device has it until its driver is unbound, and we have it, too. */
static struct hpage_map_buffer *create_for_binding(struct device *dev,
						   const struct hpage_map_attr *attr)
{
	struct hpage_map_buffer *buf = devm_hpage_map_create(dev, attr);

	return IS_ERR(buf) ? buf : hpage_map_get(buf);
}

static int client_create(struct client *c, struct client_create *a)
{
	const struct hpage_map_attr attr = {
		.size = a->length,
		.page_size = a->page_size,
		.flags = a->flags,
	};
	u64 offset, phys;

	if (c->buf || a->device > 1)
		return -EBUSY;
	c->dev = &devices[a->device]->dev;
	c->buf = a->charge_user ? create_for_user(c->dev, a->length) :
		 a->bound ? create_for_binding(c->dev, &attr) :
			    hpage_map_create(c->dev, &attr);
	if (IS_ERR(c->buf)) {
		int ret = PTR_ERR(c->buf);

		c->buf = NULL;
		return ret;
	}
	c->put = false;
	a->end = 0;
	for (offset = 0; offset < a->length; offset += PAGE_SIZE) {
		phys = page_to_phys(hpage_map_page(c->buf, offset));
		a->end = max_t(u64, a->end, phys + PAGE_SIZE);
	}
	return 0;
}

static int client_map(struct client *c, enum dma_data_direction dir)
{
	struct sg_table *sgt;

	if (!c->buf || c->sgt)
		return -EBUSY;
	sgt = hpage_map_dma_map(c->buf, c->dev, dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	c->sgt = sgt;
	c->dir = dir;
	return 0;
}

static int client_unmap(struct client *c)
{
	if (!c->sgt)
		return -ENOTCONN;
	hpage_map_dma_unmap(c->buf, c->dev, c->sgt, c->dir);
	c->sgt = NULL;
	if (c->put)
		c->buf = NULL;
	return 0;
}

static int client_put(struct client *c)
{
	if (!c->buf || c->put)
		return -ENOTCONN;
	hpage_map_put(c->buf);
	c->put = true;
	if (!c->sgt)
		c->buf = NULL;
	return 0;
}

/* May the next program have the buffer? */
static int client_again(struct client *c)
{
	if (!c->buf)
		return -ENOTCONN;
	if (hpage_map_mapped(c->buf))
		return -EBUSY;		/* or make another, and put this one */
	return 0;
}

/* Without an IOMMU for them, the devices' addresses lead to physical ones. */
static int client_write(struct client *c, const struct client_part *part)
{
	u64 offset = part->offset, left = part->length, skip, len;
	struct scatterlist *sg;
	int i;

	if (!c->sgt)
		return -ENOTCONN;
	for_each_sgtable_dma_sg(c->sgt, sg, i) {
		skip = min_t(u64, offset, sg_dma_len(sg));
		len = min_t(u64, left, sg_dma_len(sg) - skip);
		memset(phys_to_virt(dma_to_phys(c->dev, sg_dma_address(sg) + skip)), part->value,
		       len);
		offset -= skip;
		left -= len;
	}
	return left ? -EINVAL : 0;
}

static int client_sync(struct client *c, const struct client_part *part)
{
	if (!c->sgt)
		return -ENOTCONN;
	if (!part->length && part->for_cpu)
		hpage_map_sync_for_cpu(c->dev, c->sgt, c->dir);
	else if (!part->length)
		hpage_map_sync_for_device(c->dev, c->sgt, c->dir);
	else if (part->for_cpu)
		hpage_map_sync_range_for_cpu(c->dev, c->sgt, part->offset, part->length, c->dir);
	else
		hpage_map_sync_range_for_device(c->dev, c->sgt, part->offset, part->length,
						c->dir);
	return 0;
}

/* As the bus of a device tells it before a driver is bound. */
static int client_reach(const struct client_reach *r)
{
	struct bus_dma_region *map = NULL;
	struct device *dev;
	unsigned int i;

	if (r->device > 1 || r->nr > 2)
		return -EINVAL;
	dev = &devices[r->device]->dev;
	if (r->nr) {
		map = kcalloc(r->nr + 1, sizeof(*map), GFP_KERNEL);
		if (!map)
			return -ENOMEM;
	}
	for (i = 0; i < r->nr; i++) {
		map[i].cpu_start = r->ranges[i].cpu;
		map[i].dma_start = r->ranges[i].bus;
		map[i].size = r->ranges[i].size;
		bus_dma_region_complete(&map[i]);
	}
	kfree(dev->dma_range_map);
	dev->dma_range_map = map;
	*dev->dma_mask = DMA_BIT_MASK(r->bits);
	return 0;
}

/* Use the buffer of a program, as if the client had made it for its first device. */
static int client_take(struct client *c, const struct client_take *t)
{
	static const fmode_t modes[] = {
		[O_RDONLY] = FMODE_READ,
		[O_WRONLY] = FMODE_WRITE,
		[O_RDWR] = FMODE_READ | FMODE_WRITE,
	};
	struct hpage_map_buffer *buf;

	if (c->buf)
		return -EBUSY;
	if (t->mode >= ARRAY_SIZE(modes))
		return -EINVAL;
	buf = hpage_map_get_fd(t->fd, modes[t->mode]);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	c->buf = buf;
	c->dev = &devices[0]->dev;
	c->put = false;
	return 0;
}

static int client_export(struct client *c, const struct client_part *p)
{
	struct dma_buf *dmabuf;
	int fd;

	if (!c->buf)
		return -ENOTCONN;
	dmabuf = hpage_map_export_part(c->buf, p->offset, p->length, O_RDONLY);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static long client_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct client *c = file->private_data;
	void __user *user = (void __user *)arg;
	union {
		struct client_create create;
		struct client_part part;
		struct client_reach reach;
		struct client_take take;
		u64 offset;
	} a;
	int ret = -ENOTTY;

	if (_IOC_SIZE(cmd) > sizeof(a) || copy_from_user(&a, user, _IOC_SIZE(cmd)))
		return -EFAULT;
	mutex_lock(&c->lock);
	switch (cmd) {
	case CLIENT_CREATE:
		ret = client_create(c, &a.create);
		if (!ret && copy_to_user(user, &a.create, sizeof(a.create)))
			ret = -EFAULT;
		break;
	case CLIENT_MAPPED:
		ret = c->buf ? hpage_map_mapped(c->buf) : -ENOTCONN;
		break;
	case CLIENT_AGAIN:
		ret = client_again(c);
		break;
	case CLIENT_HAS_PAGE:
		ret = c->buf ? !!hpage_map_page(c->buf, a.offset) : -ENOTCONN;
		break;
	case CLIENT_DMA_MAP:
		ret = client_map(c, arg);
		break;
	case CLIENT_DMA_UNMAP:
		ret = client_unmap(c);
		break;
	case CLIENT_PUT:
		ret = client_put(c);
		break;
	case CLIENT_WRITE:
		ret = client_write(c, &a.part);
		break;
	case CLIENT_SYNC:
		ret = client_sync(c, &a.part);
		break;
	case CLIENT_REACH:
		ret = client_reach(&a.reach);
		break;
	case CLIENT_FD:
		ret = c->buf ? hpage_map_fd(c->buf, arg) : -ENOTCONN;
		break;
	case CLIENT_TAKE:
		ret = client_take(c, &a.take);
		break;
	case CLIENT_EXPORT:
		ret = client_export(c, &a.part);
		break;
	}
	mutex_unlock(&c->lock);
	return ret;
}

static int client_open(struct inode *inode, struct file *file)
{
	struct client *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return -ENOMEM;
	mutex_init(&c->lock);
	file->private_data = c;
	return 0;
}

static int client_release(struct inode *inode, struct file *file)
{
	struct client *c = file->private_data;

	client_unmap(c);
	client_put(c);
	mutex_destroy(&c->lock);
	kfree(c);
	return 0;
}

/* No lock here: mmap_lock is held, and ioctls copy from the user under theirs. */
static int client_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct client *c = file->private_data;

	return hpage_map_mmap(c->buf, vma, 0, 0);
}

static unsigned long client_get_unmapped_area(struct file *file, unsigned long addr,
					      unsigned long len, unsigned long pgoff,
					      unsigned long flags)
{
	struct client *c = file->private_data;

	return hpage_map_get_unmapped_area(c->buf, addr, len, pgoff, flags, 0, 0);
}

static const struct file_operations client_fops = {
	.owner = THIS_MODULE,
	.open = client_open,
	.release = client_release,
	.mmap = client_mmap,
	.get_unmapped_area = client_get_unmapped_area,
	.unlocked_ioctl = client_ioctl,
};

static struct miscdevice client_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &client_fops,
};

static int client_probe(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver client_driver = {
	.probe = client_probe,
	.driver = { .name = KBUILD_MODNAME },
};

static int __init client_init(void)
{
	int i, ret = platform_driver_register(&client_driver);

	if (ret)
		return ret;
	for (i = 0; i < 2; i++) {
		devices[i] = platform_device_register_simple(KBUILD_MODNAME, i, NULL, 0);
		if (IS_ERR(devices[i])) {
			ret = PTR_ERR(devices[i]);
			goto unregister;
		}
		dma_set_max_seg_size(&devices[i]->dev, UINT_MAX);
		ret = dma_coerce_mask_and_coherent(&devices[i]->dev, DMA_BIT_MASK(64));
		if (ret)
			platform_device_unregister(devices[i]);
		if (ret)
			goto unregister;
	}
	ret = misc_register(&client_dev);
	if (!ret)
		return 0;

unregister:
	while (i--)
		platform_device_unregister(devices[i]);
	platform_driver_unregister(&client_driver);
	return ret;
}
module_init(client_init);

static void __exit client_exit(void)
{
	misc_deregister(&client_dev);
	platform_device_unregister(devices[1]);
	platform_device_unregister(devices[0]);
	platform_driver_unregister(&client_driver);
}
module_exit(client_exit);

MODULE_DESCRIPTION("A driver with buffers of hpage_map for its tests");
MODULE_LICENSE("GPL");
HPAGE_MAP_IMPORT();
MODULE_INFO(import_ns, "DMA_BUF");
