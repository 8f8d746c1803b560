/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_BUFFER_H
#define _HPM_BUFFER_H

#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/uidgid.h>
#include <linux/uio.h>

#include "backing.h"

/**
 * struct hpm_buffer - one buffer, see buffer.c
 * @refs: who holds it
 * @id: number in the list of all buffers; never changes
 * @role: HPAGE_MAP_ATTR_DEFAULT or _NAMED, or 0; a name that is taken away is
 *	cleared once
 * @asked: size in bytes that was asked for; never changes
 * @creator: the process that asked for it; never changes
 * @uid: the user who did; never changes
 * @name: name or tag, may be empty; never changes
 * @backing: its pages; never changes
 * @descriptors: open files of the device that refer to it, for people
 * @mappings: VMAs that refer to it, for people
 * @lock: see the field
 * @fs_vm_ops: the operations of the lent file's own mappings; NULL until the
 *	first mmap(), set under @lock and never changed afterwards
 * @vm_ops: a copy of them that tells us of copies and ends of mappings; filled
 *	under @lock before @fs_vm_ops is set, never changed afterwards
 * @rcu: keeps @vm_ops readable to whoever looks at a VMA under RCU alone
 */
struct hpm_buffer {
	refcount_t refs;
	u32 id;
	u32 role;
	u64 asked;
	struct pid *creator;
	kuid_t uid;
	char name[HPAGE_MAP_NAME_SIZE];
	struct hpm_backing backing;
	atomic_t descriptors;
	atomic_t mappings;
	struct mutex lock;	/* vm_ops and fs_vm_ops, at the first mmap() */
	const struct vm_operations_struct *fs_vm_ops;
	struct vm_operations_struct vm_ops;
	struct rcu_head rcu;
};

struct hpm_buffer *hpm_buffer_create(const struct hpm_attr *attr, u32 role, const char *name,
				     struct hpm_why *why);
struct hpm_buffer *hpm_buffer_get(struct hpm_buffer *buf);
struct hpm_buffer *hpm_buffer_next(u32 *id);
void hpm_buffer_put(struct hpm_buffer *buf);
u32 hpm_buffer_attributes(const struct hpm_buffer *buf);

ssize_t hpm_buffer_read(struct hpm_buffer *buf, loff_t *pos, struct iov_iter *to);
ssize_t hpm_buffer_write(struct hpm_buffer *buf, loff_t *pos, struct iov_iter *from);

int hpm_buffer_mmap(struct hpm_buffer *buf, struct vm_area_struct *vma);
unsigned long hpm_buffer_get_unmapped_area(struct hpm_buffer *buf, unsigned long addr,
					   unsigned long len, unsigned long pgoff,
					   unsigned long flags);

#endif
