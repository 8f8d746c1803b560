// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver for the "edu" device of QEMU, whose DMA engine moves bytes between
 * memory and a window of 4 KiB in the device.
 *
 * The buffer is made for the device, on its node and where its DMA mask reaches.
 * The device stamps every page of it before there is a node to map it through;
 * programs then see what the device wrote, and have it copy more.
 *
 * The order of things is the one that every driver needs: buffer, DMA mapping,
 * device, node; and in reverse. remove() does not wait for programs that have
 * the buffer mapped: they keep the memory, which nothing writes any more. Open
 * files keep the private data; what they ask for then is -ENODEV.
 *
 * lock serialises the engine. gone is set before remove() takes it, so that a
 * long copy ends soon; under the lock it tells that the device may be used.
 */
#include <linux/completion.h>
#include <linux/hpage_map.h>
#include <linux/interrupt.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "hpage_map_edu.h"

/* Registers, and the window as the engine addresses it: docs/specs/edu of QEMU. */
#define EDU_INTERRUPT_STATUS	0x24
#define EDU_INTERRUPT_ACK	0x64
#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_DESTINATION	0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98
#define EDU_DMA_START		BIT(0)
#define EDU_DMA_TO_MEMORY	BIT(1)
#define EDU_DMA_INTERRUPT	BIT(2)
#define EDU_WINDOW		0x40000
/* QEMU 7.2 ends itself at a transfer of the whole window. */
#define EDU_CHUNK		2048U

static unsigned int dma_bits = 28;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits, "address bits of the device, as QEMU's dma_mask says (28)");

static unsigned int pages = 4;
module_param(pages, uint, 0444);
MODULE_PARM_DESC(pages, "huge pages of the buffer (4)");

static bool contiguous;
module_param(contiguous, bool, 0444);
MODULE_PARM_DESC(contiguous, "in one physical run (N)");

struct edu {
	struct kref refs;		/* of the binding and of open files */
	struct pci_dev *pdev;		/* not used once gone */
	void __iomem *regs;		/* likewise */
	struct hpage_map_buffer *buf;	/* held as long as this is */
	struct sg_table *sgt;
	struct completion done;		/* the engine has moved its bytes */
	struct miscdevice misc;
	struct mutex lock;		/* of the engine */
	bool gone;			/* no transfer begins any more */
};

static void edu_free(struct kref *refs)
{
	struct edu *edu = container_of(refs, struct edu, refs);

	hpage_map_put(edu->buf);
	kfree(edu);
}

static irqreturn_t edu_interrupt(int irq, void *data)
{
	struct edu *edu = data;
	u32 status = readl(edu->regs + EDU_INTERRUPT_STATUS);

	if (!status)
		return IRQ_NONE;
	writel(status, edu->regs + EDU_INTERRUPT_ACK);
	complete(&edu->done);
	return IRQ_HANDLED;
}

/* Where the device finds byte @offset of the buffer, and how far it goes on from there. */
static dma_addr_t edu_address(struct edu *edu, u64 offset, u64 *left)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(edu->sgt, sg, i) {
		if (offset < sg_dma_len(sg)) {
			*left = sg_dma_len(sg) - offset;
			return sg_dma_address(sg) + offset;
		}
		offset -= sg_dma_len(sg);
	}
	WARN_ON_ONCE(1);
	return DMA_MAPPING_ERROR;
}

/* One transfer, at most EDU_CHUNK bytes, which lie in one entry. */
static int edu_move(struct edu *edu, dma_addr_t address, unsigned int count, bool to_memory)
{
	u64 window = EDU_WINDOW;

	lockdep_assert_held(&edu->lock);
	if (READ_ONCE(edu->gone))
		return -ENODEV;
	reinit_completion(&edu->done);
	writeq(to_memory ? window : address, edu->regs + EDU_DMA_SOURCE);
	writeq(to_memory ? address : window, edu->regs + EDU_DMA_DESTINATION);
	writeq(count, edu->regs + EDU_DMA_COUNT);
	writeq(EDU_DMA_START | EDU_DMA_INTERRUPT | (to_memory ? EDU_DMA_TO_MEMORY : 0),
	       edu->regs + EDU_DMA_COMMAND);
	if (wait_for_completion_timeout(&edu->done, 10 * HZ))
		return 0;
	/* Whatever it still does, it does not belong to the next transfer. */
	WRITE_ONCE(edu->gone, true);
	return -ETIMEDOUT;
}

static int edu_copy(struct edu *edu, u64 from, u64 to, u64 length)
{
	u64 size = hpage_map_size(edu->buf), written = to, left_from, left_to;
	struct device *dev = &edu->pdev->dev;
	dma_addr_t source, destination;
	unsigned int count;
	int ret = 0;

	if (from > size || to > size || length > size - from || length > size - to)
		return -EINVAL;
	/* These parts and no more: programs write elsewhere meanwhile. */
	hpage_map_sync_range_for_device(dev, edu->sgt, from, length, DMA_BIDIRECTIONAL);
	hpage_map_sync_range_for_device(dev, edu->sgt, to, length, DMA_BIDIRECTIONAL);
	for (; !ret && length; from += count, to += count, length -= count) {
		source = edu_address(edu, from, &left_from);
		destination = edu_address(edu, to, &left_to);
		count = min_t(u64, min3(length, left_from, left_to), EDU_CHUNK);
		ret = edu_move(edu, source, count, false);
		if (!ret)
			ret = edu_move(edu, destination, count, true);
		if (signal_pending(current))
			ret = ret ?: -EINTR;
	}
	hpage_map_sync_range_for_cpu(dev, edu->sgt, written, to - written, DMA_BIDIRECTIONAL);
	return ret;
}

static long edu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct edu *edu = file->private_data;
	struct hpage_map_edu_copy copy;
	int ret;

	if (cmd != HPAGE_MAP_EDU_COPY)
		return -ENOTTY;
	if (copy_from_user(&copy, (void __user *)arg, sizeof(copy)))
		return -EFAULT;

	if (mutex_lock_interruptible(&edu->lock))
		return -ERESTARTSYS;
	ret = READ_ONCE(edu->gone) ? -ENODEV : edu_copy(edu, copy.from, copy.to, copy.length);
	mutex_unlock(&edu->lock);
	return ret;
}

static int edu_open(struct inode *inode, struct file *file)
{
	struct edu *edu = container_of(file->private_data, struct edu, misc);

	/* The node is there, so remove() has not put its reference. */
	kref_get(&edu->refs);
	file->private_data = edu;
	return 0;
}

static int edu_release(struct inode *inode, struct file *file)
{
	struct edu *edu = file->private_data;

	kref_put(&edu->refs, edu_free);
	return 0;
}

static int edu_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct edu *edu = file->private_data;

	return hpage_map_mmap(edu->buf, vma, 0, 0);
}

static unsigned long edu_get_unmapped_area(struct file *file, unsigned long addr,
					   unsigned long len, unsigned long pgoff,
					   unsigned long flags)
{
	struct edu *edu = file->private_data;

	return hpage_map_get_unmapped_area(edu->buf, addr, len, pgoff, flags, 0, 0);
}

static const struct file_operations edu_fops = {
	.owner = THIS_MODULE,
	.open = edu_open,
	.release = edu_release,
	.mmap = edu_mmap,
	.get_unmapped_area = edu_get_unmapped_area,
	.unlocked_ioctl = edu_ioctl,
};

/*
 * Let the device write at the start of every page: a text goes to the end of the
 * buffer, from there to the device, and back to where it belongs.
 */
static int edu_stamp(struct edu *edu)
{
	u64 size = hpage_map_size(edu->buf), page = hpage_map_page_size(edu->buf), offset;
	u64 draft = size - HPAGE_MAP_EDU_STAMP_SIZE;
	char *vaddr = hpage_map_vmap(edu->buf);
	int ret = 0;

	if (IS_ERR(vaddr))
		return PTR_ERR(vaddr);
	mutex_lock(&edu->lock);
	for (offset = 0; !ret && offset < size; offset += page) {
		snprintf(vaddr + draft, HPAGE_MAP_EDU_STAMP_SIZE, HPAGE_MAP_EDU_STAMP,
			 offset / page);
		ret = edu_copy(edu, draft, offset, HPAGE_MAP_EDU_STAMP_SIZE);
	}
	memset(vaddr + draft, 0, HPAGE_MAP_EDU_STAMP_SIZE);
	hpage_map_sync_range_for_device(&edu->pdev->dev, edu->sgt, draft,
					HPAGE_MAP_EDU_STAMP_SIZE, DMA_BIDIRECTIONAL);
	mutex_unlock(&edu->lock);
	return ret;
}

static int edu_start(struct edu *edu)
{
	struct pci_dev *pdev = edu->pdev;
	int ret = pcim_enable_device(pdev);

	if (!ret)
		ret = pcim_iomap_regions(pdev, BIT(0), KBUILD_MODNAME);
	if (!ret)
		ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(dma_bits));
	if (!ret)
		ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (ret < 0)
		return ret;
	edu->regs = pcim_iomap_table(pdev)[0];
	/* The engine takes any length that we split ourselves. */
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	ret = request_irq(pci_irq_vector(pdev, 0), edu_interrupt, IRQF_SHARED, KBUILD_MODNAME,
			  edu);
	if (ret) {
		pci_free_irq_vectors(pdev);
		return ret;
	}
	pci_set_master(pdev);
	return 0;
}

static void edu_stop(struct edu *edu)
{
	pci_clear_master(edu->pdev);
	free_irq(pci_irq_vector(edu->pdev, 0), edu);
	pci_free_irq_vectors(edu->pdev);
}

static int edu_publish(struct edu *edu)
{
	edu->misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = KBUILD_MODNAME,
		.fops = &edu_fops,
		.parent = &edu->pdev->dev,
	};
	return misc_register(&edu->misc);
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	const struct hpage_map_attr attr = {
		.size = (u64)pages * SZ_2M,
		.flags = contiguous ? HPAGE_MAP_CONTIGUOUS : 0,
	};
	struct edu *edu = kzalloc(sizeof(*edu), GFP_KERNEL);
	int ret;

	if (!edu)
		return -ENOMEM;
	kref_init(&edu->refs);
	mutex_init(&edu->lock);
	init_completion(&edu->done);
	edu->pdev = pdev;
	ret = edu_start(edu);
	if (ret)
		goto free;
	edu->buf = hpage_map_create(&pdev->dev, &attr);
	ret = PTR_ERR_OR_ZERO(edu->buf);
	if (ret)
		goto stop;
	edu->sgt = hpage_map_dma_map(edu->buf, &pdev->dev, DMA_BIDIRECTIONAL);
	ret = PTR_ERR_OR_ZERO(edu->sgt);
	if (ret)
		goto put;
	ret = edu_stamp(edu);
	if (ret)
		goto unmap;
	ret = edu_publish(edu);
	if (ret)
		goto unmap;
	pci_set_drvdata(pdev, edu);
	dev_info(&pdev->dev, "%llu bytes in %u entries\n", hpage_map_size(edu->buf),
		 edu->sgt->nents);
	return 0;

unmap:
	pci_clear_master(pdev);
	hpage_map_dma_unmap(edu->buf, &pdev->dev, edu->sgt, DMA_BIDIRECTIONAL);
put:
	hpage_map_put(edu->buf);
stop:
	edu_stop(edu);
free:
	kfree(edu);
	return ret;
}

static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);

	misc_deregister(&edu->misc);
	WRITE_ONCE(edu->gone, true);
	/* Wait for who is at the engine. */
	mutex_lock(&edu->lock);
	mutex_unlock(&edu->lock);
	/* DMA first: after this nothing writes to the buffer but programs. */
	edu_stop(edu);
	hpage_map_dma_unmap(edu->buf, &pdev->dev, edu->sgt, DMA_BIDIRECTIONAL);
	kref_put(&edu->refs, edu_free);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = KBUILD_MODNAME,
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("Huge pages filled by the edu device of QEMU");
MODULE_LICENSE("GPL");
HPAGE_MAP_IMPORT();
