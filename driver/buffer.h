/* SPDX-License-Identifier: GPL-2.0-only */
/* The middle storey: who holds what, and how it is seen. */
#ifndef _HPM_BUFFER_H
#define _HPM_BUFFER_H

#include <linux/hpage_map.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/uidgid.h>
#include <linux/uio.h>
#include <linux/xarray.h>

#include "backing.h"

/* One buffer, see buffer.c. What says nothing of a lock never changes. */
struct hpage_map_buffer {
	refcount_t refs;
	struct file *ticket;		/* put with the last reference, see buffer.c; then NULL */
	struct delayed_work work;	/* gives many pages back, and looks at what lingers */
	unsigned long interval;		/* between looks, in jiffies; of the work alone */
	u32 id;
	u32 role;			/* ATTR_DEFAULT, _NAMED or 0; cleared with the name */
	u64 asked;			/* bytes that were asked for */
	struct pid *creator;		/* the process that asked; held */
	kuid_t uid;			/* its user */
	char name[HPAGE_MAP_NAME_SIZE];	/* or tag; may be empty */
	struct hpm_backing backing;

	/* Holders, counted for people. */
	atomic_t descriptors;
	atomic_t mappings;
	atomic_t exports;
	atomic_t drivers;
	atomic_t devices;

	void *vaddr;			/* in the kernel, see dma.c; set once, by cmpxchg() */

	struct mutex lock;		/* of what follows */
	struct xarray tables;		/* for devices, see dma.c */
	bool copied;			/* the only one is of copies; what follows is set once */
	const struct vm_operations_struct *fs_vm_ops;	/* of the lent file, see vma.c */
	struct vm_operations_struct vm_ops;		/* wrapped; set before fs_vm_ops */
	struct rcu_head rcu;		/* keeps vm_ops for who looks at a VMA under RCU alone */
};

struct hpm_attr hpm_buffer_attr(u64 size, u64 page_size, u32 flags);
struct hpage_map_buffer *hpm_buffer_create(const struct hpm_attr *attr, u32 role,
					   const char *name, struct hpm_why *why);
struct hpage_map_buffer *hpm_buffer_pin(unsigned long addr, u64 length, const char *name,
					struct hpm_why *why);
struct hpage_map_buffer *hpm_buffer_get(struct hpage_map_buffer *buf);
struct hpage_map_buffer *hpm_buffer_next(u32 *id,
					 bool (*wanted)(const struct hpage_map_buffer *buf));
void hpm_buffer_put(struct hpage_map_buffer *buf);
void hpm_buffer_put_now(struct hpage_map_buffer *buf);
bool hpm_buffer_await_pages(void);
void hpm_buffer_exit(void);
u32 hpm_buffer_attributes(const struct hpage_map_buffer *buf);

ssize_t hpm_buffer_read(struct hpage_map_buffer *buf, loff_t *pos, struct iov_iter *to);
ssize_t hpm_buffer_write(struct hpage_map_buffer *buf, loff_t *pos, struct iov_iter *from);

int hpm_buffer_mmap(struct hpage_map_buffer *buf, struct vm_area_struct *vma);
int hpm_buffer_mmap_anywhere(struct hpage_map_buffer *buf, struct vm_area_struct *vma);
unsigned long hpm_buffer_get_unmapped_area(struct hpage_map_buffer *buf, unsigned long addr,
					   unsigned long len, unsigned long pgoff,
					   unsigned long flags);

/* A buffer mapped for a device, see dma.c. What says nothing of a lock never changes. */
struct hpm_dma {
	struct sg_table sgt;
	struct hpage_map_buffer *buf;	/* held */
	struct device *dev;		/* not used when it is not mapped any more */
	enum dma_data_direction dir;
	bool imported;			/* by a dma-buf: synced when an access of the CPU begins */
	bool copied;			/* the device writes copies, which are written back */
	u32 id;				/* among the buffer's tables */
	refcount_t refs;
	struct list_head sibling;	/* of an attachment; under the buffer's lock */
	struct mutex lock;		/* of what follows */
	bool mapped;
};

static inline struct hpm_dma *hpm_dma_of(const struct sg_table *sgt)
{
	return container_of(sgt, struct hpm_dma, sgt);
}

u64 hpm_dma_limit(struct device *dev);
bool hpm_dma_reaches(const struct hpage_map_buffer *buf, struct device *dev);
struct hpm_dma *hpm_dma_begin(struct hpage_map_buffer *buf, struct device *dev,
			      enum dma_data_direction dir, bool imported);
struct hpm_dma *hpm_dma_map(struct hpage_map_buffer *buf, struct device *dev,
			    enum dma_data_direction dir, bool imported);
int hpm_dma_sync(struct hpm_dma *t, u64 offset, u64 length, bool for_cpu, bool killable);
void hpm_dma_end(struct hpm_dma *t);
struct hpm_dma *hpm_dma_next(struct hpage_map_buffer *buf, unsigned long *id);
void hpm_dma_put(struct hpm_dma *t);

#endif
