// SPDX-License-Identifier: GPL-2.0-only
/*
 * The code of docs/drivers.md as a driver, for the edu device of QEMU: what stands there stands
 * here, which scripts/check.d/examples sees to, and so is compiled and run by the tests.
 *
 * The device fills slots of a ring, which programs may read. Registers that edu lacks are played
 * by others: its liveness check, which answers with the complement of what was written, tells
 * how many slots are filled, and what raises an interrupt is the doorbell.
 *
 * lock serialises what programs ask of the device with remove(), after which it is gone.
 */
#include <linux/hpage_map.h>
#include <linux/interrupt.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "hpm_example.h"

#define MY_SLOTS_FILLED	0x04
#define MY_FREE_SLOT	0x08
#define MY_STATUS	0x24
#define MY_DOORBELL	0x60
#define MY_ACK		0x64

#define RING	SZ_2M		/* a multiple of the page size */

/* Behind the ring is what programs send. */
#define SEND	SZ_4K

struct my {
	struct kref refs;		/* of the binding and of open files */
	struct device *dev;		/* not used once gone */
	void __iomem *regs;		/* likewise */
	struct hpage_map_buffer *buf;	/* held */
	void *vaddr;			/* of the buffer in the kernel */
	struct sg_table *sgt;
	dma_addr_t ring;		/* where the device has the first slot */
	wait_queue_head_t readable;
	u32 seen;			/* slots, ever; the interrupt's */
	u64 bytes;			/* likewise */
	struct miscdevice misc;
	struct mutex lock;		/* of what follows */
	bool gone;
};

static void my_free(struct kref *refs)
{
	struct my *my = container_of(refs, struct my, refs);

	if (my->buf)
		hpage_map_put(my->buf);
	mutex_destroy(&my->lock);
	kfree(my);
}

static irqreturn_t my_interrupt(int irq, void *data)
{
	struct my *my = data;
	u32 status = readl(my->regs + MY_STATUS), length, new;
	const struct slot *slot;
	u64 at;

	if (!status)
		return IRQ_NONE;
	writel(status, my->regs + MY_ACK);
	/* The device says how many there are, and no word in the buffer, where programs write. */
	new = min_t(u32, readl(my->regs + MY_SLOTS_FILLED) - my->seen, NR_SLOTS);
	for (; new; new--, my->seen++) {
		at = my->seen % NR_SLOTS * sizeof(*slot);
		hpage_map_sync_range_for_cpu(my->dev, my->sgt, at, sizeof(*slot),
					     DMA_BIDIRECTIONAL);
		slot = my->vaddr + at;		/* of hpage_map_vmap(), in probe() */
		length = READ_ONCE(slot->length);
		if (length > SLOT_BYTES)	/* a program may have scribbled on it */
			length = SLOT_BYTES;
		my->bytes += length;
	}
	wake_up_interruptible(&my->readable);	/* programs may look at them */
	return IRQ_HANDLED;
}

/* The ioctl or the index by which programs give the memory back. */
static int my_free_slot(struct my *my, unsigned long slot)
{
	if (slot >= NR_SLOTS)
		return -EINVAL;
	hpage_map_sync_range_for_device(my->dev, my->sgt, slot * sizeof(struct slot),
					sizeof(struct slot), DMA_BIDIRECTIONAL);
	writel(slot, my->regs + MY_FREE_SLOT);	/* the device may write it again */
	return 0;
}

/* The ioctl by which programs hand over what they have written. */
static int my_send(struct my *my)
{
	hpage_map_sync_range_for_device(my->dev, my->sgt, RING, SEND, DMA_BIDIRECTIONAL);
	writel(1, my->regs + MY_DOORBELL);
	return 0;
}

/* The device tells of so many slots, and the handler has seen them. */
static long my_filled(struct my *my, u32 filled)
{
	u32 want = my->seen + min_t(u32, filled - my->seen, NR_SLOTS);

	writel(~filled, my->regs + MY_SLOTS_FILLED);
	writel(1, my->regs + MY_DOORBELL);
	if (!wait_event_interruptible_timeout(my->readable, READ_ONCE(my->seen) == want, 10 * HZ))
		return -ETIMEDOUT;
	return my->bytes;
}

static long my_ask(struct my *my, unsigned int cmd, unsigned long arg)
{
	u64 address = my->ring;

	switch (cmd) {
	case MY_FREE:
		return my_free_slot(my, arg);
	case MY_SEND:
		return my_send(my);
	case MY_FILLED:
		return my_filled(my, arg);
	case MY_ADDRESS:
		return copy_to_user((void __user *)arg, &address, sizeof(address)) ? -EFAULT : 0;
	}
	return -ENOTTY;
}

static long my_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct my *my = file->private_data;
	long ret;

	mutex_lock(&my->lock);
	ret = my->gone ? -ENODEV : my_ask(my, cmd, arg);
	mutex_unlock(&my->lock);
	return ret;
}

static int my_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct my *my = file->private_data;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;			/* private copies make no sense here */
	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	vm_flags_clear(vma, VM_MAYWRITE);	/* nor by mprotect() later */
	return hpage_map_mmap(my->buf, vma, 0, RING);
}

static unsigned long my_get_unmapped_area(struct file *file, unsigned long addr,
					  unsigned long len, unsigned long pgoff,
					  unsigned long flags)
{
	struct my *my = file->private_data;

	return hpage_map_get_unmapped_area(my->buf, addr, len, pgoff, flags, 0, RING);
}

static int my_open(struct inode *inode, struct file *file)
{
	struct my *my = container_of(file->private_data, struct my, misc);

	kref_get(&my->refs);
	file->private_data = my;
	return 0;
}

static int my_release(struct inode *inode, struct file *file)
{
	struct my *my = file->private_data;

	kref_put(&my->refs, my_free);
	return 0;
}

static const struct file_operations my_fops = {
	.owner = THIS_MODULE,
	.open = my_open,
	.release = my_release,
	.mmap = my_mmap,
	.get_unmapped_area = my_get_unmapped_area,
	.unlocked_ioctl = my_ioctl,
};

static void my_put(void *my)
{
	kref_put(&((struct my *)my)->refs, my_free);
}

static void my_unmap(void *data)
{
	struct my *my = data;

	hpage_map_dma_unmap(my->buf, my->dev, my->sgt, DMA_BIDIRECTIONAL);
}

/* A device with descriptors gets one for each; this one has a register for the first. */
static void my_add_descriptor(struct my *my, dma_addr_t address, unsigned int length)
{
	if (!my->ring)
		my->ring = address;
}

static int my_get_buffer(struct my *my, struct pci_dev *pdev)
{
	const struct hpage_map_attr attr = { .size = 2 * RING };
	struct hpage_map_buffer *buf;
	struct scatterlist *sg;
	int ret, i;

	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (ret)
		return ret;
	buf = hpage_map_create(&pdev->dev, &attr);	/* pages below 4 GiB, without an IOMMU */
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	my->buf = buf;
	/* From here on the reference is that of my. */
	my->vaddr = hpage_map_vmap(buf);
	if (IS_ERR(my->vaddr))
		return PTR_ERR(my->vaddr);

	dma_set_max_seg_size(&pdev->dev, UINT_MAX);	/* its length register has 32 bits */

	my->sgt = hpage_map_dma_map(my->buf, my->dev, DMA_BIDIRECTIONAL);
	if (IS_ERR(my->sgt))
		return PTR_ERR(my->sgt);
	ret = devm_add_action_or_reset(my->dev, my_unmap, my);
	if (ret)
		return ret;

	for_each_sgtable_dma_sg(my->sgt, sg, i)
		my_add_descriptor(my, sg_dma_address(sg), sg_dma_len(sg));
	return 0;
}

static int my_start(struct my *my, struct pci_dev *pdev)
{
	int ret = pcim_enable_device(pdev);

	if (!ret)
		ret = pcim_iomap_regions(pdev, BIT(0), KBUILD_MODNAME);
	if (ret)
		return ret;
	my->regs = pcim_iomap_table(pdev)[0];
	ret = my_get_buffer(my, pdev);
	if (ret)
		return ret;
	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (ret < 0)
		return ret;
	ret = devm_request_irq(my->dev, pci_irq_vector(pdev, 0), my_interrupt, IRQF_SHARED,
			       KBUILD_MODNAME, my);
	if (!ret)
		pci_set_master(pdev);
	return ret;
}

static int my_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct my *my = kzalloc(sizeof(*my), GFP_KERNEL);
	int ret;

	if (!my)
		return -ENOMEM;
	kref_init(&my->refs);
	mutex_init(&my->lock);
	init_waitqueue_head(&my->readable);
	my->dev = &pdev->dev;
	ret = devm_add_action_or_reset(my->dev, my_put, my);
	if (!ret)
		ret = my_start(my, pdev);
	if (ret)
		return ret;
	my->misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = KBUILD_MODNAME,
		.fops = &my_fops,
	};
	ret = misc_register(&my->misc);
	if (ret)
		pci_clear_master(pdev);
	pci_set_drvdata(pdev, my);
	return ret;
}

static void my_stop(struct my *my)
{
	mutex_lock(&my->lock);
	my->gone = true;
	mutex_unlock(&my->lock);
	pci_clear_master(to_pci_dev(my->dev));
}

static void my_remove(struct pci_dev *pdev)
{
	struct my *my = pci_get_drvdata(pdev);

	misc_deregister(&my->misc);
	my_stop(my);
}

static void my_shutdown(struct pci_dev *pdev)
{
	my_stop(pci_get_drvdata(pdev));		/* and pci_clear_master() */
}

static const struct pci_device_id my_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};

static struct pci_driver my_driver = {
	.name = KBUILD_MODNAME,
	.id_table = my_ids,
	.probe = my_probe,
	.remove = my_remove,
	.shutdown = my_shutdown,
};
module_pci_driver(my_driver);

MODULE_DESCRIPTION("The examples of docs/drivers.md, for the tests of hpage_map");
MODULE_LICENSE("GPL");
HPAGE_MAP_IMPORT();
