/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_BUFFER_H
#define _HPM_BUFFER_H

#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/uidgid.h>
#include <linux/uio.h>

#include "backing.h"

/* One buffer, see buffer.c. */
struct hpage_map_buffer {
	refcount_t refs;	/* who holds it */
	u32 id;	/* number in the list of all buffers; never changes */
	/* HPAGE_MAP_ATTR_DEFAULT or _NAMED, or 0; a name that is taken away is cleared once */
	u32 role;
	u64 asked;	/* size in bytes that was asked for; never changes */
	struct pid *creator;	/* the process that asked for it; never changes */
	kuid_t uid;	/* the user who did; never changes */
	char name[HPAGE_MAP_NAME_SIZE];	/* name or tag, may be empty; never changes */
	struct hpm_backing backing;	/* its pages; never changes */
	atomic_t descriptors;	/* open files of the device that refer to it, for people */
	atomic_t mappings;	/* VMAs that refer to it, for people */
	atomic_t exports;	/* dma-bufs that refer to it, for people */
	atomic_t drivers;	/* references of other drivers, for people */
	atomic_t devices;	/* mappings for devices that refer to it, for people */
	struct mutex lock;	/* see the field */
	/* where its pages are mapped in the kernel if they are not one run; set once under @lock */
	void *vaddr;
	/*
	 * the operations of the lent file's own mappings; NULL until the first mmap(), set
	 * under @lock and never changed afterwards
	 */
	const struct vm_operations_struct *fs_vm_ops;
	/*
	 * a copy of them that tells us of copies and ends of mappings; filled under @lock
	 * before @fs_vm_ops is set, never changed afterwards
	 */
	struct vm_operations_struct vm_ops;
	/* keeps @vm_ops readable to whoever looks at a VMA under RCU alone */
	struct rcu_head rcu;
};

struct hpage_map_buffer *hpm_buffer_create(const struct hpm_attr *attr, u32 role,
					   const char *name, struct hpm_why *why);
struct hpage_map_buffer *hpm_buffer_pin(unsigned long addr, u64 length, const char *name,
					struct hpm_why *why);
struct hpage_map_buffer *hpm_buffer_get(struct hpage_map_buffer *buf);
struct hpage_map_buffer *hpm_buffer_next(u32 *id);
void hpm_buffer_put(struct hpage_map_buffer *buf);
u32 hpm_buffer_attributes(const struct hpage_map_buffer *buf);

ssize_t hpm_buffer_read(struct hpage_map_buffer *buf, loff_t *pos, struct iov_iter *to);
ssize_t hpm_buffer_write(struct hpage_map_buffer *buf, loff_t *pos, struct iov_iter *from);

int hpm_buffer_mmap(struct hpage_map_buffer *buf, struct vm_area_struct *vma);
int hpm_buffer_mmap_anywhere(struct hpage_map_buffer *buf, struct vm_area_struct *vma);
unsigned long hpm_buffer_get_unmapped_area(struct hpage_map_buffer *buf, unsigned long addr,
					   unsigned long len, unsigned long pgoff,
					   unsigned long flags);

#endif
