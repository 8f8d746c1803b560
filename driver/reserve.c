// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reserve: pages that are ready and zeroed before anybody asks.
 *
 * There is one for each backing with huge pages, page size and node, shown as
 * /sys/class/hpage_map_reserve/hugetlb-2048kB-node0 and the like. The
 * administrator says how many pages it shall keep; a worker fills it, on no
 * task's time and no control group's account, and again after some were taken.
 *
 * A reserve is one sealed file, of which a window is full:
 *
 *	        lent          ready            empty
 *	  ... A A B B B | r r r r r r r r |  . . . . . . .
 *	              head              tail
 *
 * A backing takes the pages from head on, so whatever number is ready can be
 * had in one piece; the worker adds pages at tail. A backing lends its part of
 * the file as others lend a whole one, and its pages are taken out of the file
 * when they are given back. No offset is used twice by takers, and there are
 * enough of them.
 *
 * Ready pages may still be migrated, and may break: they are pinned and looked at
 * when they are taken, and who finds a broken one among his drops them all.
 *
 * hugetlbfs allocates and maps under one lock of the inode. So the worker waits
 * a moment before it fills again: whoever took pages is about to map them. It
 * works in portions, so that hibernation, which stops the worker, does not wait.
 *
 * lock protects what takers see, and is never held while pages are allocated or
 * given back. Only the worker moves tail and sets file, under lock, too, and so
 * it may read them without. Reserves live as long as the module.
 */
#include <linux/device.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "backing.h"

#define REFILL_AFTER	(HZ / 2)	/* pages were taken */
#define RETRY_AFTER	(10 * HZ)	/* there were none to be had */
#define PORTION		(HZ / 5)	/* of work at once */
#define FILE_SIZE	BIT_ULL(60)	/* bytes; it has pages only in its window */

static const struct source {
	enum hpage_map_backing kind;
	bool (*has)(unsigned long page_size);
	struct file *(*create)(unsigned long page_size, u64 size);
	int (*extend)(struct file *file, loff_t pos, unsigned long page_size,
		      struct hpm_why *why);
} sources[] = {
	{ HPAGE_MAP_BACKING_HUGETLB, hpm_hugetlb_has, hpm_hugetlb_file, hpm_hugetlb_extend },
	{ HPAGE_MAP_BACKING_THP, hpm_thp_has, hpm_thp_file, hpm_thp_extend },
};

/* Pages of one kind, size and node. */
struct hpm_reserve {
	struct list_head entry;		/* in reserves; never changes, nor does what follows */
	const struct source *source;
	unsigned long page_size;	/* bytes */
	int node;
	struct device *dev;		/* in sysfs */

	unsigned long asked;		/* pages to keep ready; READ_ONCE() */
	struct delayed_work work;	/* fills and trims */
	struct hpm_why finding;		/* of the worker alone: why it cannot fill */

	struct mutex lock;		/* of what follows */
	struct file *file;		/* NULL until the first page is wanted */
	u64 head;			/* index in file of the first ready page */
	u64 tail;			/* index of the page behind the last ready one */
	struct hpm_why why;		/* what the worker found when it ended */
};

static LIST_HEAD(reserves);

static unsigned long ready(struct hpm_reserve *r)
{
	unsigned long nr;

	mutex_lock(&r->lock);
	nr = r->tail - r->head;
	mutex_unlock(&r->lock);
	return nr;
}

static int make_file(struct hpm_reserve *r)
{
	struct file *file = r->source->create(r->page_size, FILE_SIZE);
	int ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = hpm_fs_seal(file);
	if (ret) {
		fput(file);
		return ret;
	}
	mutex_lock(&r->lock);
	r->file = file;
	mutex_unlock(&r->lock);
	return 0;
}

/* One page more, if it can be had on the node. */
static int extend(struct hpm_reserve *r)
{
	struct hpm_attr attr = { .policy = HPAGE_MAP_POLICY_STRICT, .node = r->node };
	int ret = r->file ? 0 : make_file(r);
	struct hpm_policy *policy;
	unsigned int flags;

	if (ret)
		return ret;
	policy = hpm_policy_enter(&attr);
	if (IS_ERR(policy))
		return PTR_ERR(policy);
	flags = memalloc_pin_save();
	ret = r->source->extend(r->file, r->tail * r->page_size, r->page_size, &r->finding);
	memalloc_pin_restore(flags);
	hpm_policy_leave(policy);
	if (ret)
		return ret;

	mutex_lock(&r->lock);
	r->tail++;
	mutex_unlock(&r->lock);
	return 0;
}

/* One page fewer, unless somebody takes it first. */
static void trim(struct hpm_reserve *r)
{
	bool some;

	mutex_lock(&r->lock);
	some = r->tail > r->head;
	r->tail -= some;
	mutex_unlock(&r->lock);
	if (some)
		hpm_fs_punch(r->file, r->tail * r->page_size, r->page_size);
}

/* Is there a page at an offset that can be lent? It may be taken, or given back, meanwhile. */
static bool is_good(struct file *file, loff_t pos)
{
	struct page *page;
	bool bad;

	if (hpm_fs_pin(file, pos, &page))
		return false;
	bad = hpm_folio_is_bad(page_folio(page));
	hpm_fs_unpin(page);
	return !bad;
}

/* How many of the ready pages are there and good. */
static unsigned long count_good(struct hpm_reserve *r)
{
	struct file *file = NULL;
	unsigned long nr = 0;
	u64 at, end;

	mutex_lock(&r->lock);
	at = r->head;
	end = r->tail;
	if (r->file)
		file = get_file(r->file);
	mutex_unlock(&r->lock);
	for (; at < end; at++) {
		nr += is_good(file, at * r->page_size);
		cond_resched();
	}
	if (file)
		fput(file);
	return nr;
}

static void reserve_work(struct work_struct *work)
{
	struct hpm_reserve *r = container_of(to_delayed_work(work), struct hpm_reserve, work);
	unsigned long end = jiffies + PORTION;
	long missing;
	int ret = 0;

	r->finding = (struct hpm_why){};
	while (!ret && (missing = READ_ONCE(r->asked) - ready(r)) && time_before(jiffies, end)) {
		if (missing > 0)
			ret = extend(r);
		else
			trim(r);
		cond_resched();
	}
	if (ret && !r->finding.len)
		hpm_why(&r->finding, "%pe", ERR_PTR(ret));
	if (ret || missing)
		queue_delayed_work(hpm_workqueue, &r->work, ret ? RETRY_AFTER : 0);
	mutex_lock(&r->lock);
	r->why = r->finding;
	mutex_unlock(&r->lock);
}

static bool take(struct hpm_reserve *r, struct hpm_backing *b, unsigned long nr)
{
	bool enough;

	mutex_lock(&r->lock);
	enough = r->tail - r->head >= nr;
	if (enough) {
		b->reserve = r;
		b->start = r->head * r->page_size;
		b->file = get_file(r->file);
		r->head += nr;
	}
	mutex_unlock(&r->lock);
	/* Work that is due sooner stays so. */
	if (enough)
		queue_delayed_work(hpm_workqueue, &r->work, REFILL_AFTER);
	return enough;
}

/*
 * Take nr pages that are ready; kind and shift of the backing are set, and file, start
 * and reserve become so. Return: 0, or -ENOMEM when there are not enough.
 */
int hpm_reserve_take(struct hpm_backing *b, const struct hpm_attr *attr, unsigned long nr,
		     struct hpm_why *why)
{
	unsigned long most = 0;
	struct hpm_nodes nodes;
	struct hpm_reserve *r;
	int node;

	hpm_nodes_begin(&nodes, attr);
	while ((node = hpm_nodes_next(&nodes)) != NUMA_NO_NODE) {
		list_for_each_entry(r, &reserves, entry) {
			if (r->source->kind != b->kind || r->page_size != 1UL << b->shift ||
			    r->node != node)
				continue;
			if (take(r, b, nr))
				return 0;
			most = max(most, ready(r));
		}
	}
	hpm_why(why, "reserve: %lu pages of %lu kB from %s needed, %lu ready", nr,
		1UL << (b->shift - 10), hpm_backing_name(b->kind), most);
	hpm_why_try(why, "a larger number in /sys/class/hpage_map_reserve/*/pages");
	return -ENOMEM;
}

/*
 * The pages of a backing have been taken out of the file of its reserve, if it has one, and can
 * be had again. They do not become ready by that: nobody has zeroed them.
 */
void hpm_reserve_return(struct hpm_backing *b)
{
	if (b->reserve)
		mod_delayed_work(hpm_workqueue, &b->reserve->work, 0);
	b->reserve = NULL;
}

static ssize_t pages_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct hpm_reserve *r = dev_get_drvdata(dev);

	return sysfs_emit(text, "%lu\n", READ_ONCE(r->asked));
}

static ssize_t pages_store(struct device *dev, struct device_attribute *attr, const char *text,
			   size_t len)
{
	struct hpm_reserve *r = dev_get_drvdata(dev);
	unsigned long nr;
	int ret = kstrtoul(text, 10, &nr);

	if (ret)
		return ret;
	if (nr > totalram_pages() / (r->page_size >> PAGE_SHIFT))
		return -ENOMEM;
	WRITE_ONCE(r->asked, nr);
	mod_delayed_work(hpm_workqueue, &r->work, 0);
	return len;
}
static DEVICE_ATTR_RW(pages);

static ssize_t ready_show(struct device *dev, struct device_attribute *attr, char *text)
{
	return sysfs_emit(text, "%lu\n", count_good(dev_get_drvdata(dev)));
}
static DEVICE_ATTR_RO(ready);

static ssize_t why_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct hpm_reserve *r = dev_get_drvdata(dev);
	ssize_t len;

	mutex_lock(&r->lock);
	len = sysfs_emit(text, "%s\n", r->why.text);
	mutex_unlock(&r->lock);
	return len;
}
static DEVICE_ATTR_RO(why);

static struct attribute *reserve_attrs[] = {
	&dev_attr_pages.attr,
	&dev_attr_ready.attr,
	&dev_attr_why.attr,
	NULL
};
ATTRIBUTE_GROUPS(reserve);

static struct class *reserve_class;

static int add(const struct source *source, unsigned long page_size, int node)
{
	struct hpm_reserve *r = kzalloc(sizeof(*r), GFP_KERNEL);
	int ret;

	if (!r)
		return -ENOMEM;
	r->source = source;
	r->page_size = page_size;
	r->node = node;
	mutex_init(&r->lock);
	INIT_DELAYED_WORK(&r->work, reserve_work);

	r->dev = device_create(reserve_class, NULL, 0, r, "%s-%lukB-node%d",
			       hpm_backing_name(source->kind), page_size / SZ_1K, node);
	ret = PTR_ERR_OR_ZERO(r->dev);
	if (ret)
		kfree(r);
	else
		list_add_tail(&r->entry, &reserves);
	return ret;
}

void hpm_reserve_exit(void)
{
	struct hpm_reserve *r, *next;

	list_for_each_entry_safe(r, next, &reserves, entry) {
		/* Nobody sets asked any more, so the worker does not begin anew. */
		device_unregister(r->dev);
		WRITE_ONCE(r->asked, 0);
		cancel_delayed_work_sync(&r->work);
		if (r->file)
			hpm_fs_discard(r->file);
		mutex_destroy(&r->lock);
		list_del(&r->entry);
		kfree(r);
	}
	class_destroy(reserve_class);
}

/* Make all reserves, empty, and show them. */
int hpm_reserve_init(void)
{
	unsigned long page_size;
	int node, i, ret;

	reserve_class = class_create("hpage_map_reserve");
	if (IS_ERR(reserve_class))
		return PTR_ERR(reserve_class);
	reserve_class->dev_groups = reserve_groups;
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		for (page_size = PAGE_SIZE * 2; page_size <= SZ_16G; page_size *= 2) {
			if (!sources[i].has(page_size))
				continue;
			for_each_node_state(node, N_MEMORY) {
				ret = add(&sources[i], page_size, node);
				if (ret)
					goto exit;
			}
		}
	}
	return 0;

exit:
	hpm_reserve_exit();
	return ret;
}
