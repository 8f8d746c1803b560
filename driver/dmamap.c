// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer mapped for a device by name, for drivers in user space.
 *
 * A mapping is an open file of its own. It holds the buffer, the device and
 * the DMA addresses, and ends when it is closed. But addresses are only good
 * while the driver of the device is bound that they were made under: a mapping
 * is undone just before that is unbound, and then is an empty shell.
 *
 * mappings_lock protects the list of mappings and the table of each; it is
 * taken under the lock of a device. Making one takes both, so that the driver
 * cannot go in between.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "dma.h"
#include "dmamap.h"
#include "faces.h"

/**
 * struct dma_mapping - the private part of a mapping's file
 * @entry: in mappings, under mappings_lock
 * @buf: held; never changes
 * @dev: held; never changes
 * @dir: never changes
 * @sgt: mapped, or NULL after the driver has gone; under mappings_lock
 */
struct dma_mapping {
	struct list_head entry;
	struct hpage_map_buffer *buf;
	struct device *dev;
	enum dma_data_direction dir;
	struct sg_table *sgt;
};

static LIST_HEAD(mappings);
static DEFINE_MUTEX(mappings_lock);

/* The device has the lock that keeps its driver, or the mapping is not used any more. */
static void undo(struct dma_mapping *m)
{
	lockdep_assert_held(&mappings_lock);
	if (!m->sgt)
		return;
	dma_unmap_sgtable(m->dev, m->sgt, m->dir, 0);
	hpm_dma_free_table(m->sgt);
	m->sgt = NULL;
}

static int unbinding(struct notifier_block *nb, unsigned long action, void *data)
{
	struct dma_mapping *m;

	if (action != BUS_NOTIFY_UNBIND_DRIVER)
		return NOTIFY_DONE;
	mutex_lock(&mappings_lock);
	list_for_each_entry(m, &mappings, entry)
		if (m->dev == data)
			undo(m);
	mutex_unlock(&mappings_lock);
	return NOTIFY_OK;
}

static struct notifier_block platform_notifier = { .notifier_call = unbinding };

#if IS_ENABLED(CONFIG_PCI)
static struct notifier_block pci_notifier = { .notifier_call = unbinding };

static struct device *find_pci(const char *name)
{
	return bus_find_device_by_name(&pci_bus_type, NULL, name);
}

static int watch_pci(void)
{
	return bus_register_notifier(&pci_bus_type, &pci_notifier);
}

static void unwatch_pci(void)
{
	bus_unregister_notifier(&pci_bus_type, &pci_notifier);
}

static bool pci_manages_dma(const struct device *dev)
{
	return dev->bus == &pci_bus_type && to_pci_driver(dev->driver)->driver_managed_dma;
}
#else
static struct device *find_pci(const char *name)
{
	return NULL;
}

static int watch_pci(void)
{
	return 0;
}

static void unwatch_pci(void)
{
}

static bool pci_manages_dma(const struct device *dev)
{
	return false;
}
#endif

/* vfio-pci and the like have the device in an IOMMU domain that is not the kernel's. */
static bool manages_dma(const struct device *dev)
{
	if (dev->bus == &platform_bus_type)
		return to_platform_driver(dev->driver)->driver_managed_dma;
	return pci_manages_dma(dev);
}

/**
 * hpm_dmamap_find_device() - the device of a name
 * @name: of a PCI or platform device
 *
 * Return: the device, for put_device(), or NULL.
 */
struct device *hpm_dmamap_find_device(const char *name)
{
	return find_pci(name) ?: bus_find_device_by_name(&platform_bus_type, NULL, name);
}

static int map_for_device(struct dma_mapping *m)
{
	struct sg_table *sgt;
	int ret;

	device_lock_assert(m->dev);
	if (!m->dev->driver)
		return -ENODEV;
	if (manages_dma(m->dev))
		return -EBUSY;
	if (!m->dev->dma_mask)
		return -EINVAL;
	sgt = hpm_dma_table(m->buf, m->dev);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	ret = hpm_dma_map(m->buf, m->dev, sgt, m->dir);
	if (ret) {
		hpm_dma_free_table(sgt);
		return ret;
	}
	mutex_lock(&mappings_lock);
	m->sgt = sgt;
	list_add(&m->entry, &mappings);
	mutex_unlock(&mappings_lock);
	return 0;
}

static void free_mapping(struct dma_mapping *m)
{
	mutex_lock(&mappings_lock);
	undo(m);
	list_del_init(&m->entry);
	mutex_unlock(&mappings_lock);
	put_device(m->dev);
	atomic_dec(&m->buf->devices);
	hpm_buffer_put(m->buf);
	kfree(m);
}

static struct dma_mapping *make(struct hpage_map_buffer *buf, const char *name,
				enum dma_data_direction dir)
{
	struct dma_mapping *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!m)
		return ERR_PTR(-ENOMEM);
	m->dev = hpm_dmamap_find_device(name);
	if (!m->dev) {
		kfree(m);
		return ERR_PTR(-ENODEV);
	}
	INIT_LIST_HEAD(&m->entry);
	m->buf = hpm_buffer_get(buf);
	atomic_inc(&buf->devices);
	m->dir = dir;

	device_lock(m->dev);
	ret = map_for_device(m);
	device_unlock(m->dev);
	if (ret) {
		free_mapping(m);
		return ERR_PTR(ret);
	}
	return m;
}

static int mapping_release(struct inode *inode, struct file *file)
{
	free_mapping(file->private_data);
	return 0;
}

static void mapping_show_fdinfo(struct seq_file *seq, struct file *file)
{
	const struct dma_mapping *m = file->private_data;

	seq_printf(seq, "hpage_map-id:\t%u\n", m->buf->id);
	seq_printf(seq, "hpage_map-device:\t%s\n", dev_name(m->dev));
}

static const struct file_operations mapping_fops = {
	.owner = THIS_MODULE,
	.release = mapping_release,
	.unlocked_ioctl = hpm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = mapping_show_fdinfo,
};

/**
 * hpm_dmamap_is() - is a file of ours a mapping for a device?
 * @file: a file whose ioctls are ours
 *
 * Return: whether its private data is a mapping, and not a buffer.
 */
bool hpm_dmamap_is(const struct file *file)
{
	return file->f_op == &mapping_fops;
}

static enum dma_data_direction direction(u32 flags)
{
	if (flags == HPAGE_MAP_DMA_FLAGS)
		return DMA_BIDIRECTIONAL;
	return flags & HPAGE_MAP_DMA_TO_DEVICE ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
}

/* Adjacent entries are one run to whoever programs the device by hand. */
static bool next_run(struct scatterlist **sg, unsigned int *left, struct hpage_map_run *run)
{
	if (!*left)
		return false;
	*run = (struct hpage_map_run){ .address = sg_dma_address(*sg) };
	do {
		run->length += sg_dma_len(*sg);
		*sg = sg_next(*sg);
		(*left)--;
	} while (*left && sg_dma_address(*sg) == run->address + run->length);
	return true;
}

static u64 count_runs(const struct sg_table *sgt)
{
	struct scatterlist *sg = sgt->sgl;
	unsigned int left = sgt->nents;
	struct hpage_map_run run;
	u64 nr = 0;

	while (next_run(&sg, &left, &run))
		nr++;
	return nr;
}

int hpm_ioctl_dma_map(struct file *file, struct hpm_call *call)
{
	struct hpage_map_dma_map *d = &call->dma_map;
	struct dma_mapping *m;

	if (!file->private_data || !(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (!d->flags || d->flags & ~HPAGE_MAP_DMA_FLAGS || d->reserved ||
	    !hpm_ioctl_is_text(d->device))
		return -EINVAL;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;

	call->fd = get_unused_fd_flags(O_CLOEXEC);
	if (call->fd < 0)
		return call->fd;
	m = make(file->private_data, d->device, direction(d->flags));
	if (IS_ERR(m)) {
		put_unused_fd(call->fd);
		return PTR_ERR(m);
	}
	mutex_lock(&mappings_lock);
	d->nr_runs = m->sgt ? count_runs(m->sgt) : 0;
	mutex_unlock(&mappings_lock);

	call->file = anon_inode_getfile("[hpage_map-dma]", &mapping_fops, m, O_RDWR);
	if (IS_ERR(call->file)) {
		int ret = PTR_ERR(call->file);

		call->file = NULL;
		put_unused_fd(call->fd);
		free_mapping(m);
		return ret;
	}
	d->fd = call->fd;
	return 0;
}

/* Collect up to @room runs after @first in @to. */
static u32 collect_runs(const struct sg_table *sgt, u64 first, u32 room, struct hpage_map_run *to)
{
	struct scatterlist *sg = sgt->sgl;
	unsigned int left = sgt->nents;
	struct hpage_map_run run;
	u32 nr = 0;

	while (nr < room && next_run(&sg, &left, &run)) {
		if (first)
			first--;
		else
			to[nr++] = run;
	}
	return nr;
}

/**
 * hpm_dmamap_runs() - tell the bus addresses of a mapping
 * @file: of the mapping
 * @runs: what is asked for; its number is set to what was written
 *
 * They are collected first: writing to the program under the lock would let it
 * keep a driver from being unbound.
 *
 * Context: may sleep.
 * Return: 0, -ENODEV when the driver has gone, -ENOMEM, or -EFAULT.
 */
int hpm_dmamap_runs(struct file *file, struct hpage_map_runs *runs)
{
	struct dma_mapping *m = file->private_data;
	u32 room = min_t(u64, runs->nr, hpm_backing_size(&m->buf->backing) >> PAGE_SHIFT);
	struct hpage_map_run *found = kvmalloc_array(room ?: 1, sizeof(*found),
						     GFP_KERNEL_ACCOUNT);
	int ret = -ENODEV;

	if (!found)
		return -ENOMEM;
	mutex_lock(&mappings_lock);
	if (m->sgt) {
		ret = 0;
		runs->nr = collect_runs(m->sgt, runs->first, room, found);
	}
	mutex_unlock(&mappings_lock);
	if (!ret && copy_to_user(u64_to_user_ptr(runs->runs), found, runs->nr * sizeof(*found)))
		ret = -EFAULT;
	kvfree(found);
	return ret;
}

/* The entries that cover [@offset, @offset + @length) of the buffer, whole. */
static void sync(struct dma_mapping *m, u64 offset, u64 length, bool for_cpu)
{
	struct scatterlist *sg;
	u64 pos = 0;
	int i;

	/*
	 * An IOMMU merges entries, and then nothing tells which address is
	 * where: all is synced, which is right, if more than was asked for.
	 */
	if (m->sgt->nents != m->sgt->orig_nents) {
		if (for_cpu)
			dma_sync_sgtable_for_cpu(m->dev, m->sgt, m->dir);
		else
			dma_sync_sgtable_for_device(m->dev, m->sgt, m->dir);
		return;
	}
	for_each_sgtable_sg(m->sgt, sg, i) {
		if (pos < offset + length && pos + sg->length > offset) {
			if (for_cpu)
				dma_sync_sg_for_cpu(m->dev, sg, 1, m->dir);
			else
				dma_sync_sg_for_device(m->dev, sg, 1, m->dir);
		}
		pos += sg->length;
	}
}

int hpm_ioctl_dma_sync(struct file *file, struct hpm_call *call)
{
	const struct hpage_map_dma_sync *s = &call->dma_sync;
	struct dma_mapping *m = file->private_data;
	u64 size = hpm_backing_size(&m->buf->backing);
	int ret = -ENODEV;

	if ((s->flags != HPAGE_MAP_SYNC_FOR_CPU && s->flags != HPAGE_MAP_SYNC_FOR_DEVICE) ||
	    !s->length || s->offset > size || s->length > size - s->offset)
		return -EINVAL;

	mutex_lock(&mappings_lock);
	if (m->sgt) {
		ret = 0;
		sync(m, s->offset, s->length, s->flags == HPAGE_MAP_SYNC_FOR_CPU);
	}
	mutex_unlock(&mappings_lock);
	return ret;
}

/**
 * hpm_dmamap_init() - watch drivers that are unbound
 *
 * Return: 0 or -errno.
 */
int hpm_dmamap_init(void)
{
	int ret = watch_pci();

	if (ret)
		return ret;
	ret = bus_register_notifier(&platform_bus_type, &platform_notifier);
	if (ret)
		unwatch_pci();
	return ret;
}

void hpm_dmamap_exit(void)
{
	bus_unregister_notifier(&platform_bus_type, &platform_notifier);
	unwatch_pci();
}
