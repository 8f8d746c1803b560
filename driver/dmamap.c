// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer mapped for a device by name, for drivers in user space.
 *
 * A mapping is an open file of its own. It holds the buffer, the device and the DMA
 * addresses, and ends when it is closed. But addresses are only good while the driver of
 * the device is bound that they were made under: a mapping is undone just before that is
 * unbound, and then is an empty shell.
 *
 * mappings_lock protects the list of mappings, in which each stands until its table has ended;
 * it is taken under the lock of a device, and nothing long happens under it. Making a mapping
 * takes both, so that the driver cannot go in between. Whether the table is mapped is under its
 * own lock, see dma.c: who ends it waits for nobody who syncs.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "buffer.h"
#include "device.h"
#include "dma.h"
#include "dmamap.h"
#include "ioctl.h"

/* The private part of a mapping's file. Fields without a note never change. */
struct dma_mapping {
	struct list_head entry;		/* under mappings_lock; empty when the driver has gone */
	struct hpage_map_buffer *buf;	/* held */
	struct device *dev;		/* held */
	struct hpm_dma *table;		/* held; NULL only while it is made */
};

static LIST_HEAD(mappings);
static DEFINE_MUTEX(mappings_lock);

/* A table for a device that is in the list, which it leaves; with a reference for the caller. */
static struct hpm_dma *mapping_take_table(const struct device *dev)
{
	struct hpm_dma *table = NULL;
	struct dma_mapping *m;

	mutex_lock(&mappings_lock);
	list_for_each_entry(m, &mappings, entry) {
		if (m->dev != dev)
			continue;
		list_del_init(&m->entry);
		table = m->table;
		refcount_inc(&table->refs);
		break;
	}
	mutex_unlock(&mappings_lock);
	return table;
}

/* Before it is unbound. Who closes a mapping meanwhile has it in the list until it has ended. */
static int driver_unbinding(struct notifier_block *nb, unsigned long action, void *data)
{
	struct hpm_dma *table;

	if (action != BUS_NOTIFY_UNBIND_DRIVER)
		return NOTIFY_DONE;
	while ((table = mapping_take_table(data))) {
		hpm_dma_end(table);
		hpm_dma_put(table);
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
 * Count the runs: adjacent entries are one to whoever programs the device by hand. Those
 * from @first on go to an array, as far as there is room. -EINTR: the task is being killed.
 */
static int mapping_collect_runs(const struct sg_table *sgt, u64 first, u32 room,
				struct hpage_map_run *to, u64 *nr_runs)
{
	struct hpage_map_run run = {};
	struct scatterlist *sg;
	u64 nr = 0;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (!nr || sg_dma_address(sg) != run.address + run.length) {
			run = (struct hpage_map_run){ .address = sg_dma_address(sg) };
			nr++;
		}
		run.length += sg_dma_len(sg);
		if (nr > first && nr - first <= room)
			to[nr - first - 1] = run;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	*nr_runs = nr;
	return 0;
}

/* Under the lock of the device. The sync, which takes longest, comes afterwards. */
static int mapping_begin(struct dma_mapping *m, enum dma_data_direction dir)
{
	struct hpm_dma *table;

	device_lock_assert(m->dev);
	if (!m->dev->driver)
		return -ENODEV;
	if (driver_manages_dma(m->dev))
		return -EBUSY;
	table = hpm_dma_begin(m->buf, m->dev, dir, false);
	if (IS_ERR(table))
		return PTR_ERR(table);
	mutex_lock(&mappings_lock);
	m->table = table;
	list_add(&m->entry, &mappings);
	mutex_unlock(&mappings_lock);
	return 0;
}

static void mapping_free(struct dma_mapping *m)
{
	if (m->table)
		hpm_dma_end(m->table);
	mutex_lock(&mappings_lock);
	list_del_init(&m->entry);
	mutex_unlock(&mappings_lock);
	if (m->table)
		hpm_dma_put(m->table);
	put_device(m->dev);
	atomic_dec(&m->buf->devices);
	hpm_buffer_put(m->buf);
	kfree(m);
}

static struct dma_mapping *mapping_new(struct hpage_map_buffer *buf, struct hpage_map_dma_map *d)
{
	struct device *dev = hpm_device_find(d->device);
	struct dma_mapping *m;
	int ret;

	if (IS_ERR(dev))
		return ERR_CAST(dev);
	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m) {
		put_device(dev);
		return ERR_PTR(-ENOMEM);
	}
	INIT_LIST_HEAD(&m->entry);
	m->dev = dev;
	m->buf = hpm_buffer_get(buf);
	atomic_inc(&buf->devices);

	ret = device_lock_interruptible(dev) ? -ERESTARTSYS : 0;
	if (!ret) {
		ret = mapping_begin(m, d->flags == HPAGE_MAP_DMA_FLAGS ? DMA_BIDIRECTIONAL :
				     d->flags == HPAGE_MAP_DMA_TO_DEVICE ? DMA_TO_DEVICE :
				     DMA_FROM_DEVICE);
		device_unlock(dev);
	}
	if (!ret)
		ret = hpm_dma_start(m->table);
	if (!ret)
		ret = mapping_collect_runs(&m->table->sgt, 0, 0, NULL, &d->nr_runs);
	if (ret) {
		mapping_free(m);
		return ERR_PTR(ret);
	}
	return m;
}

static int mapping_release(struct inode *inode, struct file *file)
{
	mapping_free(file->private_data);
	return 0;
}

static void mapping_show_fdinfo(struct seq_file *seq, struct file *file)
{
	const struct dma_mapping *m = file->private_data;

	seq_printf(seq, "hpage_map-id:\t%u\n", m->buf->id);
	seq_printf(seq, "hpage_map-device:\t%s\n", dev_name(m->dev));
}

/* Report the bus addresses of a mapping, or -ENODEV when the driver has gone. */
static int mapping_runs(struct hpm_call *call)
{
	const struct dma_mapping *m = call->file->private_data;
	const struct sg_table *sgt = &m->table->sgt;
	struct hpage_map_runs *runs = &call->runs;
	u32 room = min(runs->nr, sgt->nents);
	struct hpage_map_run *found;
	u64 nr;
	int ret;

	if (runs->flags & ~HPAGE_MAP_RUNS_FLAGS || runs->reserved)
		return -EINVAL;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (!READ_ONCE(m->table->mapped))
		return -ENODEV;
	found = kvcalloc(room ?: 1, sizeof(*found), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!found)
		return -ENOMEM;
	ret = mapping_collect_runs(sgt, runs->first, room, found, &nr);
	if (!ret) {
		runs->nr = min_t(u64, room, nr - min(nr, runs->first));
		if (copy_to_user(u64_to_user_ptr(runs->runs), found, runs->nr * sizeof(*found)))
			ret = -EFAULT;
	}
	kvfree(found);
	return ret ?: hpm_ioctl_respond(call);
}

/* The struct is only read. */
static int mapping_sync(struct hpm_call *call)
{
	const struct hpage_map_dma_sync *s = &call->dma_sync;
	struct dma_mapping *m = call->file->private_data;
	u64 size = hpm_buffer_size(m->buf);

	if ((s->flags != HPAGE_MAP_SYNC_FOR_CPU && s->flags != HPAGE_MAP_SYNC_FOR_DEVICE) ||
	    !s->length || s->offset > size || s->length > size - s->offset)
		return -EINVAL;

	return hpm_dma_sync(m->table, s->offset, s->length, s->flags == HPAGE_MAP_SYNC_FOR_CPU,
			    true);
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

/* A file for a mapping, which it takes over; or an ERR_PTR, also for one. */
static struct file *mapping_file(struct dma_mapping *m)
{
	struct file *file;

	if (IS_ERR(m))
		return ERR_CAST(m);
	file = anon_inode_getfile("[hpage_map-dma]", &mapping_fops, m, O_RDWR);
	if (IS_ERR(file))
		mapping_free(m);
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
	return hpm_ioctl_respond_fd(call, d->fd, mapping_file(mapping_new(file->private_data, d)));
}

int hpm_dmamap_init(void)
{
	int ret = bus_register_notifier(&pci_bus_type, &pci_notifier);

	if (ret)
		return ret;
	ret = bus_register_notifier(&platform_bus_type, &platform_notifier);
	if (ret)
		bus_unregister_notifier(&pci_bus_type, &pci_notifier);
	return ret;
}

void hpm_dmamap_exit(void)
{
	bus_unregister_notifier(&platform_bus_type, &platform_notifier);
	bus_unregister_notifier(&pci_bus_type, &pci_notifier);
}
