// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer mapped for a device by name, for drivers in user space.
 *
 * A mapping is an open file of its own. It refers to a table, see dma.c, and with it holds the
 * buffer, the device and the DMA addresses, and ends when it is closed. But addresses are only
 * good while the driver of the device is bound that they were made under: a mapping is undone
 * just before that is unbound, and then is an empty shell.
 *
 * Each stands among the tables of its buffer until it has ended. Making one takes the lock of the
 * device, under which drivers come and go, so that the driver cannot go in between. Whether the
 * table is mapped is under its own lock; dma.c says how long who ends it waits for a sync.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "buffer.h"
#include "device.h"
#include "dma.h"
#include "dmamap.h"
#include "ioctl.h"

static bool buffer_has_mappings(const struct hpage_map_buffer *buf)
{
	return atomic_read(&buf->devices);
}

/* Before it is unbound. Who closes a mapping meanwhile has its table there until it has ended. */
static int driver_unbinding(struct notifier_block *nb, unsigned long action, void *data)
{
	struct hpage_map_buffer *buf;
	struct hpm_dma *table;
	unsigned long i;
	u32 id;

	if (action != BUS_NOTIFY_UNBIND_DRIVER)
		return NOTIFY_DONE;
	for (id = 0; (buf = hpm_buffer_next(&id, buffer_has_mappings)); id++) {
		for (i = 0; (table = hpm_dma_next(buf, &i)); i++) {
			if (table->by_name && table->dev == data)
				hpm_dma_end(table);
			hpm_dma_put(table);
		}
		hpm_buffer_put_locked(buf);
	}
	return NOTIFY_OK;
}

static struct notifier_block pci_notifier = { .notifier_call = driver_unbinding };
static struct notifier_block platform_notifier = { .notifier_call = driver_unbinding };

/* vfio-pci and the like have the device in an IOMMU domain that is not the kernel's. */
static bool driver_manages_dma(const struct device *dev)
{
	return dev->bus == &pci_bus_type ? to_pci_driver(dev->driver)->driver_managed_dma :
					   to_platform_driver(dev->driver)->driver_managed_dma;
}

/*
 * Count the runs: adjacent entries are one to whoever programs the device by hand. Those that
 * @runs asks for go to its array. Return: how many there are; -EINTR: the task is being killed;
 * -EFAULT.
 */
static s64 mapping_copy_runs(const struct sg_table *sgt, const struct hpage_map_runs *runs)
{
	struct hpage_map_run __user *to = u64_to_user_ptr(runs->runs);
	struct hpage_map_run run = {};
	struct scatterlist *sg;
	u64 nr = 0, first = runs->first;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (!nr || sg_dma_address(sg) != run.address + run.length) {
			run = (struct hpage_map_run){ .address = sg_dma_address(sg) };
			nr++;
		}
		run.length += sg_dma_len(sg);
		if (nr > first && nr - first <= runs->nr &&
		    copy_to_user(to + (nr - first - 1), &run, sizeof(run)))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return nr;
}

/* Under the lock of the device. The sync, which takes longest, comes afterwards. */
static struct hpm_dma *mapping_begin(struct hpage_map_buffer *buf, struct device *dev, u32 flags)
{
	enum dma_data_direction dir = flags == HPAGE_MAP_DMA_FLAGS ? DMA_BIDIRECTIONAL :
				      flags == HPAGE_MAP_DMA_TO_DEVICE ? DMA_TO_DEVICE :
				      DMA_FROM_DEVICE;
	const struct hpm_part whole = hpm_buffer_whole(buf);
	struct hpm_dma *table;

	device_lock_assert(dev);
	if (!dev->driver)
		return ERR_PTR(-ENODEV);
	if (driver_manages_dma(dev))
		return ERR_PTR(-EBUSY);
	table = hpm_dma_begin(&whole, dev, dir, NULL);
	if (!IS_ERR(table)) {
		table->by_name = true;
		atomic_inc(&buf->devices);
	}
	return table;
}

static void mapping_end(struct hpm_dma *table)
{
	struct device *dev = table->dev;

	hpm_dma_end(table);
	atomic_dec(&table->buf->devices);
	hpm_dma_put(table);
	put_device(dev);
}

static int mapping_release(struct inode *inode, struct file *file)
{
	mapping_end(file->private_data);
	return 0;
}

static void mapping_show_fdinfo(struct seq_file *seq, struct file *file)
{
	const struct hpm_dma *table = file->private_data;

	seq_printf(seq, "hpage_map-id:\t%u\n", table->buf->id);
	seq_printf(seq, "hpage_map-device:\t%s\n", dev_name(table->dev));
}

/* Report the bus addresses of a mapping, or -ENODEV when the driver has gone. */
static int mapping_runs(struct hpm_call *call)
{
	const struct hpm_dma *table = call->file->private_data;
	struct hpage_map_runs *runs = &call->runs;
	s64 nr;

	if (runs->flags || runs->reserved)
		return -EINVAL;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (!READ_ONCE(table->mapped))
		return -ENODEV;
	nr = mapping_copy_runs(&table->sgt, runs);
	if (nr < 0)
		return nr;
	runs->nr = min_t(u64, runs->nr, nr - min_t(u64, nr, runs->first));
	return hpm_ioctl_respond(call);
}

/* The struct is only read. */
static int mapping_sync(struct hpm_call *call)
{
	const struct hpage_map_dma_sync *s = &call->dma_sync;
	struct hpm_dma *table = call->file->private_data;
	u64 size = table->length;

	if ((s->flags != HPAGE_MAP_SYNC_FOR_CPU && s->flags != HPAGE_MAP_SYNC_FOR_DEVICE) ||
	    !s->length || s->offset > size || s->length > size - s->offset)
		return -EINVAL;

	return hpm_dma_sync(table, s->offset, s->length, s->flags == HPAGE_MAP_SYNC_FOR_CPU);
}

static const struct hpm_ioctl mapping_ioctls[] = {
	HPM_IOCTL(HPAGE_MAP_RUNS, HPM_FOR_ANY, mapping_runs, hpage_map_runs, reserved),
	HPM_IOCTL(HPAGE_MAP_DMA_SYNC, HPM_FOR_ANY, mapping_sync, hpage_map_dma_sync, length),
};

static long mapping_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return hpm_ioctl_call(hpm_ioctl_find(mapping_ioctls, ARRAY_SIZE(mapping_ioctls), cmd),
			      file, cmd, arg);
}

static const struct file_operations mapping_fops = {
	.owner = THIS_MODULE,
	.release = mapping_release,
	.unlocked_ioctl = mapping_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = mapping_show_fdinfo,
};

/* A new mapping, which ends with the file; or an ERR_PTR. The table holds the device. */
static struct file *mapping_file(struct hpage_map_buffer *buf, struct hpage_map_dma_map *d)
{
	struct device *dev = hpm_device_find(d->device);
	struct hpm_dma *table = ERR_PTR(-ERESTARTSYS);
	struct file *file;
	s64 nr;

	if (IS_ERR(dev))
		return ERR_CAST(dev);
	if (!device_lock_interruptible(dev)) {
		table = mapping_begin(buf, dev, d->flags);
		device_unlock(dev);
	}
	if (IS_ERR(table)) {
		put_device(dev);
		return ERR_CAST(table);
	}
	nr = hpm_dma_sync(table, 0, table->length, false) ?:
	     mapping_copy_runs(&table->sgt, &(struct hpage_map_runs){});
	d->nr_runs = nr;
	file = nr < 0 ? ERR_PTR(nr) :
	       anon_inode_getfile("[hpage_map-dma]", &mapping_fops, table, O_RDWR);
	if (IS_ERR(file))
		mapping_end(table);
	return file;
}

/* Carry out HPAGE_MAP_DMA_MAP. */
int hpm_dmamap_map(struct hpm_call *call)
{
	struct hpage_map_dma_map *d = &call->dma_map;
	struct file *file = call->file;

	if (!d->flags || d->flags & ~HPAGE_MAP_DMA_FLAGS || d->reserved)
		return -EINVAL;
	/* The device reads and writes for whoever has the descriptor. */
	if ((d->flags & HPAGE_MAP_DMA_TO_DEVICE && !(file->f_mode & FMODE_READ)) ||
	    (d->flags & HPAGE_MAP_DMA_FROM_DEVICE && !(file->f_mode & FMODE_WRITE)))
		return -EBADF;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;

	d->fd = get_unused_fd_flags(O_CLOEXEC);
	if (d->fd < 0)
		return d->fd;
	return hpm_ioctl_respond_fd(call, d->fd, mapping_file(file->private_data, d));
}

int hpm_dmamap_init(void)
{
	return bus_register_notifier(&pci_bus_type, &pci_notifier) ?:
	       bus_register_notifier(&platform_bus_type, &platform_notifier);
}

/* To unregister what is not registered does nothing. */
void hpm_dmamap_exit(void)
{
	bus_unregister_notifier(&platform_bus_type, &platform_notifier);
	bus_unregister_notifier(&pci_bus_type, &pci_notifier);
}
