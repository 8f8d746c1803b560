// SPDX-License-Identifier: GPL-2.0-only
/*
 * An importer of dma-bufs, for the tests: one of two devices attaches what a
 * program gives it, and tells what it got and how long that took. The devices are no
 * hardware; the driver writes where they would.
 *
 * lock serialises the ioctls of one open file.
 */
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "hpm_importer.h"

static unsigned int max_segment = UINT_MAX;
module_param(max_segment, uint, 0444);
MODULE_PARM_DESC(max_segment, "bytes of the longest entry that the device takes");

static ulong boundary = ULONG_MAX;
module_param(boundary, ulong, 0444);
MODULE_PARM_DESC(boundary, "mask of the addresses that no entry crosses");

static struct platform_device *pdevs[2];

struct importer {
	struct mutex lock;		/* of what follows */
	struct dma_buf *dmabuf;		/* held, or NULL: there is no attachment */
	struct dma_buf_attachment *attachment;
	struct sg_table *sgt[2];	/* mapped, or NULL */
	enum dma_data_direction dir;
};

static int attach(struct importer *imp, const struct importer_attach *a)
{
	struct dma_buf_attachment *attachment;
	struct dma_buf *dmabuf = dma_buf_get(a->fd);
	struct sg_table *sgt;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	attachment = dma_buf_attach(dmabuf, &pdevs[!!a->device]->dev);
	if (IS_ERR(attachment)) {
		dma_buf_put(dmabuf);
		return PTR_ERR(attachment);
	}
	imp->dir = a->dir;
	sgt = dma_buf_map_attachment_unlocked(attachment, imp->dir);
	if (IS_ERR(sgt)) {
		dma_buf_detach(dmabuf, attachment);
		dma_buf_put(dmabuf);
		return PTR_ERR(sgt);
	}
	imp->dmabuf = dmabuf;
	imp->attachment = attachment;
	imp->sgt[0] = sgt;
	return 0;
}

static int attach_and_tell(struct importer *imp, struct importer_attach *a)
{
	u64 start = ktime_get_ns();
	struct scatterlist *sg;
	int ret, i;

	if (imp->dmabuf)
		return -EBUSY;
	ret = attach(imp, a);
	if (ret)
		return ret;
	a->ns = ktime_get_ns() - start;
	a->entries = imp->sgt[0]->nents;
	a->longest = 0;
	a->bytes = 0;
	for_each_sgtable_dma_sg(imp->sgt[0], sg, i) {
		a->longest = max_t(u64, a->longest, sg_dma_len(sg));
		a->bytes += sg_dma_len(sg);
	}
	return 0;
}

/* The same attachment once more, as exporters in the kernel let importers do. */
static int map_again(struct importer *imp)
{
	struct sg_table *sgt;

	if (!imp->dmabuf || imp->sgt[1])
		return -EBUSY;
	sgt = dma_buf_map_attachment_unlocked(imp->attachment, imp->dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	imp->sgt[1] = sgt;
	return 0;
}

static int unmap(struct importer *imp, unsigned int i)
{
	if (i > 1 || !imp->sgt[i])
		return -ENOTCONN;
	dma_buf_unmap_attachment_unlocked(imp->attachment, imp->sgt[i], imp->dir);
	imp->sgt[i] = NULL;
	return 0;
}

static int write_first(struct importer *imp, u8 value)
{
	struct scatterlist *sg;

	if (!imp->sgt[0])
		return -ENOTCONN;
	sg = imp->sgt[0]->sgl;
	memset(phys_to_virt(dma_to_phys(imp->attachment->dev, sg_dma_address(sg))), value,
	       PAGE_SIZE);
	return 0;
}

static void add(u64 *sum, const u64 *words, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes / sizeof(*words); i++)
		*sum = (*sum << 1 | *sum >> 63) + words[i];
}

static int sum(struct importer *imp, struct importer_sum *s)
{
	struct scatterlist *sg;
	struct iosys_map map;
	int ret, i;

	if (!imp->sgt[0])
		return -ENOTCONN;
	ret = dma_buf_begin_cpu_access(imp->dmabuf, DMA_FROM_DEVICE);
	if (ret)
		return ret;
	*s = (struct importer_sum){};
	/* Without an IOMMU for it, the device's addresses are physical ones. */
	for_each_sgtable_dma_sg(imp->sgt[0], sg, i)
		add(&s->table, phys_to_virt(sg_dma_address(sg)), sg_dma_len(sg));
	ret = dma_buf_vmap_unlocked(imp->dmabuf, &map);
	if (!ret) {
		add(&s->vmap, map.vaddr, imp->dmabuf->size);
		dma_buf_vunmap_unlocked(imp->dmabuf, &map);
	}
	dma_buf_end_cpu_access(imp->dmabuf, DMA_FROM_DEVICE);
	return ret;
}

static long importer_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct importer *imp = file->private_data;
	void __user *user = (void __user *)arg;
	struct importer_attach a;
	struct importer_sum s;
	int ret = -ENOTTY;

	mutex_lock(&imp->lock);
	if (cmd == IMPORTER_ATTACH) {
		ret = copy_from_user(&a, user, sizeof(a)) ? -EFAULT : attach_and_tell(imp, &a);
		if (!ret && copy_to_user(user, &a, sizeof(a)))
			ret = -EFAULT;
	} else if (cmd == IMPORTER_SUM) {
		ret = sum(imp, &s);
		if (!ret && copy_to_user(user, &s, sizeof(s)))
			ret = -EFAULT;
	} else if (cmd == IMPORTER_AGAIN) {
		ret = map_again(imp);
	} else if (cmd == IMPORTER_UNMAP) {
		ret = unmap(imp, arg);
	} else if (cmd == IMPORTER_FORGET) {
		imp->sgt[0] = NULL;
		imp->sgt[1] = NULL;
		ret = 0;
	} else if (cmd == IMPORTER_WRITE) {
		ret = write_first(imp, arg);
	}
	mutex_unlock(&imp->lock);
	return ret;
}

static int importer_open(struct inode *inode, struct file *file)
{
	struct importer *imp = kzalloc(sizeof(*imp), GFP_KERNEL);

	if (!imp)
		return -ENOMEM;
	mutex_init(&imp->lock);
	file->private_data = imp;
	return 0;
}

static int importer_release(struct inode *inode, struct file *file)
{
	struct importer *imp = file->private_data;

	if (imp->dmabuf) {
		unmap(imp, 0);
		unmap(imp, 1);
		dma_buf_detach(imp->dmabuf, imp->attachment);
		dma_buf_put(imp->dmabuf);
	}
	mutex_destroy(&imp->lock);
	kfree(imp);
	return 0;
}

/* As drivers of displays map what they have imported. No lock: mmap_lock is held. */
static int importer_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct importer *imp = file->private_data;

	return imp->dmabuf ? dma_buf_mmap(imp->dmabuf, vma, vma->vm_pgoff) : -ENOTCONN;
}

static const struct file_operations importer_fops = {
	.owner = THIS_MODULE,
	.open = importer_open,
	.release = importer_release,
	.mmap = importer_mmap,
	.unlocked_ioctl = importer_ioctl,
};

static struct miscdevice importer_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &importer_fops,
};

static int add_device(int i)
{
	struct platform_device *pdev;
	int ret;

	pdev = platform_device_register_simple(KBUILD_MODNAME, i - 1, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	dma_set_max_seg_size(&pdev->dev, max_segment);
	dma_set_seg_boundary(&pdev->dev, boundary);
	ret = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		platform_device_unregister(pdev);
	else
		pdevs[i] = pdev;
	return ret;
}

/* hpm_importer, and hpm_importer.0. */
static int __init importer_init(void)
{
	int ret = add_device(0);

	if (ret)
		return ret;
	ret = add_device(1);
	if (ret)
		goto remove_first;
	ret = misc_register(&importer_dev);
	if (ret)
		goto remove_second;
	return 0;

remove_second:
	platform_device_unregister(pdevs[1]);
remove_first:
	platform_device_unregister(pdevs[0]);
	return ret;
}
module_init(importer_init);

static void __exit importer_exit(void)
{
	misc_deregister(&importer_dev);
	platform_device_unregister(pdevs[1]);
	platform_device_unregister(pdevs[0]);
}
module_exit(importer_exit);

MODULE_DESCRIPTION("An importer of dma-bufs for the tests of hpage_map");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "DMA_BUF");
