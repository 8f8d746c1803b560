// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer: pages, and those who hold them.
 *
 * Holders are open files, the lease of the mappings, see vma.c, and whoever in the module keeps a
 * pointer; each has one reference. Files hold the module through their operations, so that it
 * cannot go while a program has a buffer.
 *
 * Whoever drops the last reference gives the pages back, if they are few, else a worker does. The
 * last close() or munmap() thus ends with the pages free, before the program sees that it did;
 * and who asks for pages that are on their way back waits for them a moment. A driver may hold
 * any lock when it drops its reference. So if that was the last one, a file is opened and put, and
 * the pages are given back by its release, which runs without a lock.
 *
 * Pages that others still have linger, see backing.c. Their buffer stays in the list until they
 * are back, with one reference, of the work that looks at them. It does not hold the module:
 * when that goes the account is given up.
 *
 * The pages never change while the buffer has holders. What does is under its lock: what mappings
 * refer to, see vma.c, and the tables for devices, see dma.c. All buffers stand in one array by
 * their id, from the end of their making to their last put; who finds one there under RCU must
 * still get a reference. Lock order:
 *
 *	the lock of a device; the mutexes of default.c and named.c
 *	  mmap_lock
 *	    the lock of a dma-buf (dma_resv)
 *	      the lock of a table for a device
 *	        hpage_map_buffer.lock
 *	    the lock of a reserve, of accounts, of sections of memory, of buffers
 *
 * No lock is held while user memory is touched, which may fault on a mapping of the very
 * same buffer.
 */
#include <linux/cred.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "buffer.h"
#include "fs.h"
#include "ladder.h"
#include "offline.h"
#include "request.h"
#include "signals.h"
#include "trace.h"
#include "user.h"
#include "work.h"

static DEFINE_XARRAY_ALLOC1(buffers);
static u32 last_id;	/* under the lock of buffers */

#define FEW_FOLIOS	4096	/* that a task gives back itself */
#define AWAIT		HZ
#define LOOK_FIRST	max(1UL, HZ / 100)

/* Buffers whose last reference has gone and whose pages are not back yet. */
static atomic_t on_their_way = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(came_back);

/**
 * hpage_map_size() - the size that was got
 * @buf: the buffer
 *
 * Context: Any.
 * Return: bytes, a multiple of the page size; at least what was asked for.
 */
u64 hpage_map_size(const struct hpage_map_buffer *buf)
{
	return hpm_pages_size(&buf->backing.pages);
}
EXPORT_SYMBOL_NS_GPL(hpage_map_size, "HPAGE_MAP");

/**
 * hpage_map_page_size() - the page size that was got
 * @buf: the buffer
 *
 * Context: Any.
 * Return: bytes, a power of two.
 */
u64 hpage_map_page_size(const struct hpage_map_buffer *buf)
{
	return 1ULL << buf->backing.pages.shift;
}
EXPORT_SYMBOL_NS_GPL(hpage_map_page_size, "HPAGE_MAP");

/* Nobody has it, and no pages are left. One that was never shown has the id 0, which none has. */
static void buffer_destroy(struct hpage_map_buffer *buf)
{
	xa_erase(&buffers, buf->id);
	hpm_pages_free(&buf->backing.pages);
	put_pid(buf->creator);
	mutex_destroy(&buf->lock);
	kfree_rcu(buf, rcu);
}

static void buffer_give_back(struct hpage_map_buffer *buf)
{
	trace_hpage_map_free(buf->id, buf->backing.kind, hpage_map_size(buf), 0, ktime_get());
	vunmap(buf->vaddr);
	hpm_offline_count(&buf->backing.pages, -1);
	if (hpm_backing_free(&buf->backing)) {
		buf->interval = LOOK_FIRST;
		/* From here on those who go through the list see it again, as it now is. */
		smp_mb();
		refcount_set(&buf->refs, 1);
		queue_delayed_work(hpm_queues[HPM_QUEUE_RETURN], &buf->work, buf->interval);
	} else {
		buffer_destroy(buf);
	}
	atomic_dec(&on_their_way);
	wake_up_all(&came_back);
}

static void buffer_work(struct work_struct *work)
{
	struct hpage_map_buffer *buf = container_of(to_delayed_work(work),
						    struct hpage_map_buffer, work);

	if (!refcount_read(&buf->refs)) {
		buffer_give_back(buf);
	} else if (hpm_backing_settle(&buf->backing)) {
		buf->interval = min(2 * buf->interval, 1UL * HZ);
		queue_delayed_work(hpm_queues[HPM_QUEUE_RETURN], &buf->work, buf->interval);
	} else {
		hpm_buffer_put(buf);
	}
}

/* The pages are on their way. What is given back takes locks that come before mmap_lock. */
static void buffer_begin_return(struct hpage_map_buffer *buf)
{
	if (buf->backing.pages.nr_folios > FEW_FOLIOS)
		queue_delayed_work(hpm_queues[HPM_QUEUE_RETURN], &buf->work, 0);
	else
		buffer_give_back(buf);
}

static int ticket_release(struct inode *inode, struct file *ticket)
{
	buffer_begin_return(ticket->private_data);
	return 0;
}

static const struct file_operations ticket_fops = {
	.owner = THIS_MODULE,
	.release = ticket_release,
};

/* A buffer without pages, which nobody sees yet, or an ERR_PTR. */
static struct hpage_map_buffer *buffer_new(const struct hpm_request *r)
{
	struct hpage_map_buffer *buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);

	if (!buf)
		return ERR_PTR(-ENOMEM);
	refcount_set(&buf->refs, 1);
	mutex_init(&buf->lock);
	xa_init_flags(&buf->tables, XA_FLAGS_ALLOC);
	INIT_DELAYED_WORK(&buf->work, buffer_work);
	buf->role = r->role;
	buf->asked = r->length;
	buf->creator = get_pid(task_tgid(current));
	buf->uid = current_uid();
	strscpy(buf->name, r->name, sizeof(buf->name));
	return buf;
}

/* The buffer has its pages, unless @ret is an error: show it, or free it. */
static struct hpage_map_buffer *buffer_publish(struct hpage_map_buffer *buf, int ret)
{
	if (!ret) {
		hpm_offline_count(&buf->backing.pages, 1);
		ret = xa_alloc_cyclic(&buffers, &buf->id, buf, xa_limit_31b, &last_id, GFP_KERNEL);
		if (ret >= 0)
			return buf;
		hpm_offline_count(&buf->backing.pages, -1);
		hpm_backing_discard(&buf->backing, hpage_map_size(buf));
		/* It may have an id in spite of the failure, which another has got since. */
		buf->id = 0;
	}
	buffer_destroy(buf);
	return ERR_PTR(ret);
}

/*
 * Wait for pages that are on their way back. It takes no longer than AWAIT, since others may be
 * slow to give them. Return: may there be more pages now?
 */
static bool buffers_await_pages(void)
{
	int before = atomic_read(&on_their_way);

	return before && wait_event_killable_timeout(came_back,
						     atomic_read(&on_their_way) < before ||
						     !atomic_read(&on_their_way), AWAIT) > 0;
}

static int buffer_fill(struct hpage_map_buffer *buf, const struct hpm_request *r)
{
	return r->pin ? hpm_user_pin(&buf->backing, r) : hpm_ladder_make(&buf->backing, r);
}

/*
 * Make a buffer, with its first reference for the caller. Pages that are on their way back are
 * waited for, a moment, before there are none. Return: the buffer, or an ERR_PTR as of
 * hpm_request_check(), hpm_ladder_make() and hpm_user_pin().
 */
struct hpage_map_buffer *hpm_buffer_create(const struct hpm_request *r)
{
	int ret = hpm_request_check(r);
	struct hpage_map_buffer *buf;
	size_t len = r->why->len;
	ktime_t start = ktime_get();
	sigset_t before;

	if (ret)
		return ERR_PTR(ret);
	buf = buffer_new(r);
	if (IS_ERR(buf))
		return buf;
	hpm_signals_hold(&before);
	ret = buffer_fill(buf, r);
	if ((ret == -ENOMEM || ret == -EDQUOT) && buffers_await_pages()) {
		r->why->len = len;
		r->why->text[len] = '\0';
		ret = buffer_fill(buf, r);
	}
	/* The handlers run when the system call returns. */
	sigprocmask(SIG_SETMASK, &before, NULL);
	/* What ended it may be over, as a stop is; the way out must begin it anew all the same. */
	if (hpm_signals_ended(ret))
		set_thread_flag(TIF_SIGPENDING);
	buf = buffer_publish(buf, ret);
	if (IS_ERR(buf))
		trace_hpage_map_make(0, 0, r->length, PTR_ERR(buf), start);
	else
		trace_hpage_map_make(buf->id, buf->backing.kind, hpage_map_size(buf), 0, start);
	return buf;
}

/* Become a holder: @buf, with one more reference. */
struct hpage_map_buffer *hpm_buffer_get(struct hpage_map_buffer *buf)
{
	refcount_inc(&buf->refs);
	return buf;
}

/* Drop a reference. Return: was it the last, and are there pages to give back? */
static bool buffer_ends(struct hpage_map_buffer *buf)
{
	if (!refcount_dec_and_test(&buf->refs))
		return false;
	/* What lingers is all that is left. */
	if (!buf->interval) {
		atomic_inc(&on_their_way);
		return true;
	}
	buffer_destroy(buf);
	return false;
}

/* Cease to be a holder, under no lock. */
void hpm_buffer_put(struct hpage_map_buffer *buf)
{
	if (buffer_ends(buf))
		buffer_begin_return(buf);
}

/*
 * As hpm_buffer_put(), with any lock held under which the caller may sleep. The release of a file
 * runs without one, when the task returns to user space.
 */
void hpm_buffer_put_locked(struct hpage_map_buffer *buf)
{
	struct file *ticket = NULL;

	if (!buffer_ends(buf))
		return;
	if (buf->backing.file)
		ticket = hpm_fs_open_again(buf->backing.file, &ticket_fops);
	if (IS_ERR_OR_NULL(ticket)) {
		queue_delayed_work(hpm_queues[HPM_QUEUE_RETURN], &buf->work, 0);
		return;
	}
	ticket->private_data = buf;
	fput(ticket);
}

/*
 * Nobody has anything of ours open or mapped any more. What a worker gives back is waited for;
 * what lingers is others', and counted no more.
 */
void hpm_buffer_exit(void)
{
	struct hpage_map_buffer *buf;
	u32 id = 0;

	wait_event(came_back, !atomic_read(&on_their_way));
	for (; (buf = hpm_buffer_next(&id, NULL)); id++) {
		cancel_delayed_work_sync(&buf->work);
		if (!xa_empty(&buf->backing.lingering)) {
			hpm_backing_abandon(&buf->backing);
			hpm_buffer_put(buf);
		}
		hpm_buffer_put(buf);
	}
}

/*
 * The first buffer from *@id on that is @wanted, with a reference for the caller, or NULL after
 * the last. Others are passed over without a reference: whoever had the last one would have to
 * give back pages that are none of his.
 */
struct hpage_map_buffer *hpm_buffer_next(u32 *id,
					 bool (*wanted)(const struct hpage_map_buffer *buf))
{
	unsigned long index = *id;
	struct hpage_map_buffer *buf;
	bool found;

	do {
		rcu_read_lock();
		buf = xa_find(&buffers, &index, U32_MAX, XA_PRESENT);
		/* A buffer without holders is about to leave the list. */
		found = buf && (!wanted || wanted(buf)) && refcount_inc_not_zero(&buf->refs);
		rcu_read_unlock();
		*id = index++;
		cond_resched();
	} while (buf && !found);
	return buf;
}

/* Bits of enum hpage_map_attributes. */
u32 hpm_buffer_attributes(const struct hpage_map_buffer *buf)
{
	const struct hpm_backing *b = &buf->backing;

	return READ_ONCE(buf->role) |
	       (b->pages.nr_runs == 1 ? HPAGE_MAP_ATTR_CONTIGUOUS : 0) |
	       (b->pages.end <= SZ_4G ? HPAGE_MAP_ATTR_BELOW_4G : 0) |
	       (b->reserve ? HPAGE_MAP_ATTR_RESERVE : 0);
}
