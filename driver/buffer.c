// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer: pages, and those who hold them.
 *
 * Holders are open files of the device, mappings, and whoever in the module keeps a
 * pointer; each has one reference. A mapping holds the module too (an open file does so
 * through its file operations), so that the module cannot go while anybody has a buffer.
 * With the last reference the pages are unpinned and the lent file is put.
 *
 * The pages never change while the buffer lives. What does is under its lock: vm_ops, see
 * vma.c, made once at first use, and the tables for devices, see dma.c. All
 * buffers stand in one array by their id, from the end of their making to their last put;
 * who finds one there under RCU must still get a reference. Lock order:
 *
 *	the lock of a device, of a dma-buf, of the module's makers: default.c, named.c, collect.c
 *	  mmap_lock
 *	    the lock of mappings for devices, of a table for a device
 *	      hpage_map_buffer.lock
 *	    the lock of a reserve, of accounts, of guarded backings, of buffers
 *
 * No lock is held while user memory is touched, which may fault on a mapping of the very
 * same buffer.
 */
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include "buffer.h"

static DEFINE_XARRAY_ALLOC1(buffers);
static u32 last_id;	/* under the lock of buffers */

/* What programs and drivers ask for, with bits of enum hpage_map_alloc_flags. */
struct hpm_attr hpm_buffer_attr(u64 size, u64 page_size, u32 flags)
{
	return (struct hpm_attr){
		.size = size,
		.page_size = page_size,
		.limit = flags & HPAGE_MAP_BELOW_4G ? SZ_4G : 0,
		.exact = flags & HPAGE_MAP_EXACT,
		.allow_base = flags & HPAGE_MAP_ALLOW_BASE,
		.contiguous = flags & HPAGE_MAP_CONTIGUOUS,
		.reserve = flags & HPAGE_MAP_RESERVE,
	};
}

static void free_buffer(struct hpage_map_buffer *buf)
{
	put_pid(buf->creator);
	mutex_destroy(&buf->lock);
	kfree_rcu(buf, rcu);
}

/* A buffer without pages, which nobody sees yet. */
static struct hpage_map_buffer *new_buffer(u32 role, const char *name, u64 asked)
{
	struct hpage_map_buffer *buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);

	if (!buf)
		return NULL;
	refcount_set(&buf->refs, 1);
	mutex_init(&buf->lock);
	xa_init_flags(&buf->tables, XA_FLAGS_ALLOC);
	buf->role = role;
	buf->asked = asked;
	buf->creator = get_pid(task_tgid(current));
	buf->uid = current_uid();
	strscpy(buf->name, name, sizeof(buf->name));
	return buf;
}

/* The buffer has its pages, unless @ret says that it got none: show or free it. */
static struct hpage_map_buffer *publish(struct hpage_map_buffer *buf, int ret)
{
	if (ret)
		goto free;
	ret = xa_alloc_cyclic(&buffers, &buf->id, buf, xa_limit_31b, &last_id, GFP_KERNEL);
	if (ret < 0)
		goto free_backing;
	return buf;

free_backing:
	hpm_backing_free(&buf->backing);
free:
	free_buffer(buf);
	return ERR_PTR(ret);
}

/* Make a buffer, whose one reference is the caller's. Errors as of hpm_backing_make(). */
struct hpage_map_buffer *hpm_buffer_create(const struct hpm_attr *attr, u32 role,
					   const char *name, struct hpm_why *why)
{
	struct hpage_map_buffer *buf = new_buffer(role, name, attr->size);

	if (!buf)
		return ERR_PTR(-ENOMEM);
	return publish(buf, hpm_backing_make(&buf->backing, attr, why));
}

/* Likewise of the calling program's memory. Errors as of hpm_backing_pin(). */
struct hpage_map_buffer *hpm_buffer_pin(unsigned long addr, u64 length, const char *name,
					struct hpm_why *why)
{
	struct hpage_map_buffer *buf = new_buffer(0, name, length);

	if (!buf)
		return ERR_PTR(-ENOMEM);
	return publish(buf, hpm_backing_pin(&buf->backing, addr, length, why));
}

/* Become a holder: @buf, with one more reference. */
struct hpage_map_buffer *hpm_buffer_get(struct hpage_map_buffer *buf)
{
	refcount_inc(&buf->refs);
	return buf;
}

/* Cease to be a holder. Legal under mmap_lock. */
void hpm_buffer_put(struct hpage_map_buffer *buf)
{
	if (!refcount_dec_and_test(&buf->refs))
		return;

	xa_erase(&buffers, buf->id);
	vunmap(buf->vaddr);
	hpm_backing_free(&buf->backing);
	free_buffer(buf);
}

/* The first buffer from *@id on, with a reference for the caller, or NULL after the last. */
struct hpage_map_buffer *hpm_buffer_next(u32 *id)
{
	unsigned long index = *id;
	struct hpage_map_buffer *buf;

	/* A buffer without holders is about to leave the list. */
	rcu_read_lock();
	buf = xa_find(&buffers, &index, U32_MAX, XA_PRESENT);
	while (buf && !refcount_inc_not_zero(&buf->refs))
		buf = xa_find_after(&buffers, &index, U32_MAX, XA_PRESENT);
	rcu_read_unlock();
	*id = index;
	return buf;
}

/* Bits of enum hpage_map_attributes. */
u32 hpm_buffer_attributes(const struct hpage_map_buffer *buf)
{
	const struct hpm_backing *b = &buf->backing;

	return READ_ONCE(buf->role) |
	       (b->nr_runs == 1 ? HPAGE_MAP_ATTR_CONTIGUOUS : 0) |
	       (b->end <= SZ_4G ? HPAGE_MAP_ATTR_BELOW_4G : 0) |
	       (b->window ? HPAGE_MAP_ATTR_RESERVE : 0);
}

/* Copy between the buffer and user memory page by page, up to its end. */
static ssize_t transfer(struct hpage_map_buffer *buf, loff_t *pos, struct iov_iter *iter,
			size_t (*copy)(struct page *page, size_t offset, size_t bytes,
				       struct iov_iter *iter))
{
	loff_t size = hpm_backing_size(&buf->backing);
	size_t offset, bytes, copied;
	ssize_t done = 0, ret = 0;
	struct page *page;

	while (*pos < size && iov_iter_count(iter)) {
		page = hpm_backing_page(&buf->backing, *pos);
		if (is_page_hwpoison(page)) {
			ret = -EIO;
			break;
		}

		offset = offset_in_page(*pos);
		bytes = min_t(loff_t, iov_iter_count(iter), PAGE_SIZE - offset);
		copied = copy(page, offset, bytes, iter);
		*pos += copied;
		done += copied;
		if (copied < bytes) {
			ret = -EFAULT;
			break;
		}
		/* Not before: every call makes progress, and none is interrupted. */
		if (signal_pending(current))
			break;
		cond_resched();
	}
	return done ?: ret;
}

/*
 * Copy from the buffer: bytes, fewer than asked at the end, after a signal, at a poisoned
 * page or at a fault; 0 at or behind the end; -EIO or -EFAULT when nothing was copied.
 */
ssize_t hpm_buffer_read(struct hpage_map_buffer *buf, loff_t *pos, struct iov_iter *to)
{
	return transfer(buf, pos, to, copy_page_to_iter);
}

/* Copy into the buffer: as hpm_buffer_read(), but -ENOSPC at or behind the end. */
ssize_t hpm_buffer_write(struct hpage_map_buffer *buf, loff_t *pos, struct iov_iter *from)
{
	if (iov_iter_count(from) && *pos >= hpm_backing_size(&buf->backing))
		return -ENOSPC;
	return transfer(buf, pos, from, copy_page_from_iter);
}
