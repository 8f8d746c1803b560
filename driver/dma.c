// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer mapped for devices.
 *
 * Whoever maps the buffer for a device gets a scatter-gather table, and gives it back; until then
 * the table holds the buffer, and stands among the buffer's, under the buffer's lock.
 *
 * Where the DMA API lends the device copies of the pages (bounce buffers), what the device
 * writes comes to the pages when they are synced for the CPU, and takes with it whatever stands
 * in the rest of the copy. Two of those, or one and anybody else, would overwrite each other's
 * data with what is old. So a table of such copies is the only one of its buffer.
 *
 * The entries never change. That they are mapped is under the lock of the table. A sync of a
 * part holds it for a small piece at a time: who ends a mapping, as the kernel does before it
 * unbinds a driver, waits for one piece. A sync of all holds it to its end, which no signal brings
 * about sooner. Who has a descriptor of the mapping, or a dma-buf that is mapped, may make one. The
 * lock of the buffer is taken under it.
 */
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "buffer.h"
#include "dma.h"
#include "entries.h"
#include "trace.h"

/* Bytes that are synced before somebody else may have the table. */
#define SYNC_PIECE	SZ_2M

/* Show a table that is mapped among the buffer's, or refuse it. */
static int table_publish(struct hpm_dma *t)
{
	struct hpage_map_buffer *buf = t->buf;
	int ret;

	guard(mutex)(&buf->lock);
	if (buf->copied || (t->copied && !xa_empty(&buf->tables)))
		return -EBUSY;
	ret = xa_alloc(&buf->tables, &t->id, t, xa_limit_31b, GFP_KERNEL_ACCOUNT);
	if (!ret)
		WRITE_ONCE(buf->copied, t->copied);
	return ret;
}

static void table_withdraw(struct hpm_dma *t)
{
	guard(mutex)(&t->buf->lock);
	xa_erase(&t->buf->tables, t->id);
	if (t->copied)
		WRITE_ONCE(t->buf->copied, false);
}

/* The buffer's first table from *@id on, with a reference for the caller, or NULL. */
struct hpm_dma *hpm_dma_next(struct hpage_map_buffer *buf, unsigned long *id)
{
	struct hpm_dma *t;

	guard(mutex)(&buf->lock);
	t = xa_find(&buf->tables, id, ULONG_MAX, XA_PRESENT);
	if (t)
		refcount_inc(&t->refs);
	return t;
}

/* Give up a reference; the mapping has ended, if it is the last. */
void hpm_dma_put(struct hpm_dma *t)
{
	if (!refcount_dec_and_test(&t->refs))
		return;
	sg_free_table(&t->sgt);
	hpm_buffer_put(t->buf);
	mutex_destroy(&t->lock);
	kfree(t);
}

/*
 * Sync the next piece. All is one: DMA_API_DEBUG knows a part only where the device has the page
 * mapped no second time, by another dma-buf for example.
 */
static int table_sync(struct hpm_dma *t, struct hpm_cursor *at, u64 length, bool for_cpu)
{
	guard(mutex)(&t->lock);
	if (!t->mapped)
		return -ENODEV;
	if (length < t->length)
		hpm_cursor_sync(at, length, t->dev, t->dir, for_cpu);
	else if (for_cpu)
		dma_sync_sgtable_for_cpu(t->dev, &t->sgt, t->dir);
	else
		dma_sync_sgtable_for_device(t->dev, &t->sgt, t->dir);
	t->synced |= length >= t->length && !for_cpu;
	return 0;
}

/*
 * Sync all, or a part, which lies within the table, piece by piece. Whoever syncs a part holds the
 * device. Return: 0; -ENODEV when the mapping has ended; -EINTR: the task is being killed.
 */
int hpm_dma_sync(struct hpm_dma *t, u64 offset, u64 length, bool for_cpu)
{
	bool all = length == t->length;
	struct hpm_cursor at;
	int ret = 0;
	u64 len;

	if (!all && !dma_dev_need_sync(t->dev))
		return READ_ONCE(t->mapped) ? 0 : -ENODEV;
	at = hpm_cursor_at(&t->sgt, offset);
	for (; !ret && length; length -= len) {
		if (fatal_signal_pending(current))
			return -EINTR;
		len = all ? length : min_t(u64, length, SYNC_PIECE);
		ret = table_sync(t, &at, len, for_cpu);
		cond_resched();
	}
	return ret;
}

/*
 * Map a part of a buffer for a device, but sync nothing yet: that may take long, and the caller may
 * have a lock. Return: the table, whose reference is the caller's, or an ERR_PTR as of
 * hpage_map_dma_map().
 */
struct hpm_dma *hpm_dma_begin(const struct hpm_part *part, struct device *dev,
			      enum dma_data_direction dir, const void *importer)
{
	struct hpage_map_buffer *buf = part->buf;
	struct hpm_dma *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	ktime_t start = ktime_get();
	int ret;

	if (!t)
		return ERR_PTR(-ENOMEM);
	*t = (struct hpm_dma){ .buf = hpm_buffer_get(buf), .offset = part->offset,
			       .length = part->length, .dev = dev, .dir = dir,
			       .importer = importer, .mapped = true };
	refcount_set(&t->refs, 1);
	mutex_init(&t->lock);
	ret = READ_ONCE(buf->copied) ? -EBUSY : hpm_entries_make(&t->sgt, part, dev);
	if (ret)
		goto out;
	/* Many may map the same pages, which the DMA API allows to those who sync by themselves. */
	ret = dma_map_sgtable(dev, &t->sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		goto out;
	/* What a device only reads is never copied back. */
	if (dir != DMA_TO_DEVICE)
		t->copied = hpm_entries_are_copied(&t->sgt, dev, t->length);
	ret = table_publish(t);
	if (ret)
		dma_unmap_sgtable(dev, &t->sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
out:
	trace_hpage_map_dma_map(buf->id, buf->backing.kind, t->length, ret, start);
	if (!ret)
		return t;
	hpm_dma_put(t);
	return ERR_PTR(ret);
}

/*
 * End a mapping, be it for the second time. The device does not use the addresses any more. A
 * device that was never handed the pages has written nothing; syncing for the CPU would then
 * discard what the CPU has written and its caches still have.
 */
void hpm_dma_end(struct hpm_dma *t)
{
	guard(mutex)(&t->lock);
	if (t->mapped) {
		if (t->synced)
			dma_sync_sgtable_for_cpu(t->dev, &t->sgt, t->dir);
		dma_unmap_sgtable(t->dev, &t->sgt, t->dir, DMA_ATTR_SKIP_CPU_SYNC);
		table_withdraw(t);
	}
	WRITE_ONCE(t->mapped, false);
}

/* Map and sync, for who has no lock. Errors as of hpage_map_dma_map(). */
struct hpm_dma *hpm_dma_map(const struct hpm_part *part, struct device *dev,
			    enum dma_data_direction dir, const void *importer)
{
	struct hpm_dma *t = hpm_dma_begin(part, dev, dir, importer);
	int ret;

	if (IS_ERR(t))
		return t;
	ret = hpm_dma_sync(t, 0, t->length, false);
	if (!ret)
		return t;
	hpm_dma_end(t);
	hpm_dma_put(t);
	return ERR_PTR(ret);
}

/**
 * hpage_map_dma_map() - map a buffer for DMA
 * @buf: the buffer, which the mapping holds
 * @dev: the device
 * @dir: who writes
 *
 * Adjacent pages are one entry, up to the segment size that the driver has set with
 * dma_set_max_seg_size(), 64 KiB if it has not, and to its dma_set_seg_boundary(); and, where
 * the DMA API copies (swiotlb=force, encrypted virtual machines), to dma_max_mapping_size().
 *
 * Context: Process context; may sleep.
 * Return: the table, mapped, for hpage_map_dma_unmap(), or an ERR_PTR: -ENOMEM; -EIO when
 * the device cannot reach the pages, or the DMA API has no room for a copy of them; -EBUSY when
 * the DMA API copies what this device writes, or another for which the buffer is mapped: only
 * one mapping can be right then; -EINVAL when it does no DMA, or takes no whole page of
 * the base size in one segment; -EINTR when the calling task is being killed.
 */
struct sg_table *hpage_map_dma_map(struct hpage_map_buffer *buf, struct device *dev,
				   enum dma_data_direction dir)
{
	const struct hpm_part whole = hpm_buffer_whole(buf);
	struct hpm_dma *t = hpm_dma_map(&whole, dev, dir, NULL);

	if (IS_ERR(t))
		return ERR_CAST(t);
	atomic_inc(&buf->drivers);
	return &t->sgt;
}
EXPORT_SYMBOL_NS_GPL(hpage_map_dma_map, "HPAGE_MAP");

/**
 * hpage_map_dma_unmap() - end DMA
 * @buf: the buffer, which this holds no more
 * @dev: the device; it does not use the addresses any more
 * @sgt: of hpage_map_dma_map(); freed
 * @dir: as it was mapped
 *
 * Context: Process context; may sleep.
 */
void hpage_map_dma_unmap(struct hpage_map_buffer *buf, struct device *dev, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	struct hpm_dma *t = hpm_dma_of(sgt);

	/* The caller may hold any lock, so the table's reference must not be the last. */
	hpm_buffer_get(buf);
	hpm_dma_end(t);
	atomic_dec(&buf->drivers);
	hpm_dma_put(t);
	hpm_buffer_put_locked(buf);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_dma_unmap, "HPAGE_MAP");

static void table_sync_range(struct device *dev, const struct sg_table *sgt, u64 offset,
			     u64 length, enum dma_data_direction dir, bool for_cpu)
{
	u64 size = hpm_dma_of(sgt)->length;
	struct hpm_cursor at;

	if (!dma_dev_need_sync(dev) || offset >= size)
		return;
	at = hpm_cursor_at(sgt, offset);
	hpm_cursor_sync(&at, min(length, size - offset), dev, dir, for_cpu);
}

/**
 * hpage_map_sync_range_for_cpu() - the device has written a part, the CPU will read it
 * @dev: the device
 * @sgt: of hpage_map_dma_map()
 * @offset: bytes, where in the buffer the part begins
 * @length: bytes; what lies behind the end of the buffer is left out
 * @dir: as it was mapped
 *
 * Everything outside of the part stays as it is. That matters where the CPU writes there
 * meanwhile, and the device is not coherent or the DMA API copies: syncing the whole table
 * would discard what the CPU wrote. The ends of the part are to be multiples of a cache line.
 * Finding the part takes as long as the table has entries before it.
 *
 * Context: any.
 */
void hpage_map_sync_range_for_cpu(struct device *dev, struct sg_table *sgt, u64 offset,
				  u64 length, enum dma_data_direction dir)
{
	table_sync_range(dev, sgt, offset, length, dir, true);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_sync_range_for_cpu, "HPAGE_MAP");

/**
 * hpage_map_sync_range_for_device() - the CPU has done with a part, the device may use it
 * @dev: the device
 * @sgt: of hpage_map_dma_map()
 * @offset: bytes, as above
 * @length: bytes, as above
 * @dir: as it was mapped
 *
 * Context: any.
 */
void hpage_map_sync_range_for_device(struct device *dev, struct sg_table *sgt, u64 offset,
				     u64 length, enum dma_data_direction dir)
{
	table_sync_range(dev, sgt, offset, length, dir, false);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_sync_range_for_device, "HPAGE_MAP");
