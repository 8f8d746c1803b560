/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_BUFFER_H
#define _HPM_BUFFER_H

#include <linux/hpage_map.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "backing.h"

struct hpm_request;

/* One buffer, see buffer.c. Fields without a note never change. */
struct hpage_map_buffer {
	refcount_t refs;
	struct delayed_work work;	/* gives many pages back, and looks at what lingers */
	unsigned long interval;		/* between looks, in jiffies; 0 until pages linger */
	u32 id;
	u32 role;			/* ATTR_DEFAULT, _NAMED or 0; cleared with the name */
	u64 asked;			/* the length that was asked for, in bytes */
	struct pid *creator;		/* the process that asked; held */
	kuid_t uid;			/* its user */
	char name[HPAGE_MAP_NAME_SIZE];	/* or tag; may be empty */
	struct hpm_backing backing;

	/* Holders, counted for people; mappings are in vma.c. */
	atomic_t descriptors;
	atomic_t exports;
	atomic_t drivers;
	atomic_t devices;

	void *vaddr;			/* in the kernel, see vmap.c; set once, by cmpxchg() */

	struct mutex lock;		/* of what follows */
	struct xarray tables;		/* for devices, see dma.c */
	bool copied;			/* there is one table, and it is of copies */

	/* See vma.c; set under lock, too. */
	struct file *lease;		/* what mappings refer to; not held; NULL without any */
	const struct vm_operations_struct *lent_vm_ops;	/* of the lent file; set once */
	struct vm_operations_struct vm_ops;	/* of mappings; set before lent_vm_ops */
	struct rcu_head rcu;		/* keeps vm_ops for who looks at a VMA under RCU alone */
};

/* A part of a buffer, in bytes that are multiples of the base page size. */
struct hpm_part {
	struct hpage_map_buffer *buf;
	u64 offset;
	u64 length;
};

static inline struct hpm_part hpm_buffer_whole(struct hpage_map_buffer *buf)
{
	return (struct hpm_part){ .buf = buf, .length = hpage_map_size(buf) };
}

struct hpage_map_buffer *hpm_buffer_create(const struct hpm_request *r);
struct hpage_map_buffer *hpm_buffer_get(struct hpage_map_buffer *buf);
struct hpage_map_buffer *hpm_buffer_next(u32 *id,
					 bool (*wanted)(const struct hpage_map_buffer *buf));
void hpm_buffer_put(struct hpage_map_buffer *buf);
void hpm_buffer_put_locked(struct hpage_map_buffer *buf);
void hpm_buffer_exit(void);
u32 hpm_buffer_attributes(const struct hpage_map_buffer *buf);

#endif
