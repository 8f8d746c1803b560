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
 * the file as others lend a whole one, and when it goes its part is punched
 * out. No offset is used twice by takers, and there are enough of them.
 *
 * Ready pages are not pinned: they may be migrated while nobody has been told
 * their addresses. Pinning them is what is left to do when they are taken.
 *
 * lock protects asked, head, file and why, and is never held while pages are
 * allocated or given back. Only the worker moves tail, under lock, too, and so
 * it may read it without. Reserves live as long as the module.
 */
#include <linux/device.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "fs.h"
#include "policy.h"
#include "reserve.h"
#include "work.h"

/* How long to wait for memory that is short, and try again. */
#define RETRY_AFTER	(10 * HZ)
/* Of the file; it has pages only in its window. */
#define FILE_SIZE	(1ULL << 60)

static const struct source {
	enum hpage_map_backing kind;
	struct file *(*create)(unsigned long page_size, u64 size);
	int (*extend)(struct file *file, loff_t pos, unsigned long page_size,
		      struct hpm_why *why);
	void (*punch)(struct file *file, loff_t pos, loff_t len);
} sources[] = {
	{ HPAGE_MAP_BACKING_HUGETLB, hpm_hugetlb_file, hpm_hugetlb_extend, hpm_fs_punch },
	{ HPAGE_MAP_BACKING_THP, hpm_thp_file, hpm_thp_extend, hpm_thp_punch },
};

/**
 * struct hpm_reserve - pages of one kind, size and node
 * @entry: in reserves; the list never changes after init
 * @source: how pages are had; never changes
 * @page_size: bytes; never changes
 * @node: never changes
 * @dev: in sysfs; never changes
 * @work: fills and trims
 * @lock: of what follows
 * @file: the pages, NULL until the first is wanted
 * @asked: how many pages to keep ready
 * @head: index of the first ready page in @file
 * @tail: index of the page behind the last ready one
 * @why: why fewer are ready than asked for
 */
struct hpm_reserve {
	struct list_head entry;
	const struct source *source;
	unsigned long page_size;
	int node;
	struct device *dev;
	struct delayed_work work;
	struct mutex lock;
	struct file *file;
	unsigned long asked;
	u64 head;
	u64 tail;
	struct hpm_why why;
};

static LIST_HEAD(reserves);

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

static int extend(struct hpm_reserve *r, struct hpm_why *why)
{
	struct hpm_attr attr = { .policy = HPAGE_MAP_POLICY_STRICT, .node = r->node };
	struct hpm_policy *policy;
	unsigned int flags;
	int ret;

	if (!r->file) {
		ret = make_file(r);
		if (ret)
			return ret;
	}
	policy = hpm_policy_enter(&attr);
	if (IS_ERR(policy))
		return PTR_ERR(policy);
	flags = memalloc_pin_save();
	ret = r->source->extend(r->file, r->tail * r->page_size, r->page_size, why);
	memalloc_pin_restore(flags);
	hpm_policy_leave(policy);
	if (ret)
		return ret;

	mutex_lock(&r->lock);
	r->tail++;
	mutex_unlock(&r->lock);
	return 0;
}

/* How many pages are missing; negative if there are too many. */
static long missing(struct hpm_reserve *r)
{
	long nr;

	mutex_lock(&r->lock);
	nr = r->asked - (r->tail - r->head);
	mutex_unlock(&r->lock);
	return nr;
}

static void trim(struct hpm_reserve *r)
{
	u64 last;

	mutex_lock(&r->lock);
	if (r->tail == r->head) {
		mutex_unlock(&r->lock);
		return;
	}
	last = --r->tail;
	mutex_unlock(&r->lock);
	r->source->punch(r->file, last * r->page_size, r->page_size);
}

static void reserve_work(struct work_struct *work)
{
	struct hpm_reserve *r = container_of(to_delayed_work(work), struct hpm_reserve, work);
	struct hpm_why *why = kzalloc(sizeof(*why), GFP_KERNEL);
	int ret = why ? 0 : -ENOMEM;
	long nr;

	while (!ret && (nr = missing(r))) {
		if (nr > 0)
			ret = extend(r, why);
		else
			trim(r);
		cond_resched();
	}
	if (ret) {
		if (why && !why->len)
			hpm_why(why, "%pe", ERR_PTR(ret));
		queue_delayed_work(hpm_workqueue, &r->work, RETRY_AFTER);
	}

	mutex_lock(&r->lock);
	if (why)
		r->why = *why;
	mutex_unlock(&r->lock);
	kfree(why);
}

static void look_again(struct hpm_reserve *r)
{
	mod_delayed_work(hpm_workqueue, &r->work, 0);
}

static bool take(struct hpm_reserve *r, struct hpm_backing *b, unsigned long nr)
{
	bool enough;

	mutex_lock(&r->lock);
	enough = r->tail - r->head >= nr;
	if (enough) {
		b->start = r->head * r->page_size;
		b->file = get_file(r->file);
		b->reserve = r;
		r->head += nr;
	}
	mutex_unlock(&r->lock);
	if (enough)
		look_again(r);
	return enough;
}

static unsigned long ready(struct hpm_reserve *r)
{
	unsigned long nr;

	mutex_lock(&r->lock);
	nr = r->tail - r->head;
	mutex_unlock(&r->lock);
	return nr;
}

/**
 * hpm_reserve_take() - take pages that are ready
 * @b: what to fill in: file, start and reserve; its kind and page size are set
 * @attr: what is asked for
 * @page_size: bytes
 * @why: told when there are not enough
 *
 * Context: may sleep, but does not wait for pages.
 * Return: 0, or -ENOMEM.
 */
int hpm_reserve_take(struct hpm_backing *b, const struct hpm_attr *attr, unsigned long page_size,
		     struct hpm_why *why)
{
	unsigned long nr = DIV_ROUND_UP_ULL(attr->size, page_size), most = 0;
	struct hpm_nodes nodes;
	struct hpm_reserve *r;
	int node;

	hpm_policy_nodes(&nodes, attr);
	while ((node = hpm_policy_next(&nodes)) != NUMA_NO_NODE) {
		list_for_each_entry(r, &reserves, entry) {
			if (r->source->kind != b->kind || r->page_size != page_size ||
			    r->node != node)
				continue;
			if (take(r, b, nr))
				return 0;
			most = max(most, ready(r));
		}
	}
	hpm_why(why, "reserve: %lu pages of %lu kB from %s needed, %lu ready", nr,
		page_size / SZ_1K, hpm_backing_name(b->kind), most);
	hpm_why_try(why, "a larger number in /sys/class/hpage_map_reserve/*/pages");
	return -ENOMEM;
}

/**
 * hpm_reserve_return() - give back what was taken
 * @b: the backing, unpinned; its reference to the file is taken over
 *
 * The pages do not become ready again: nobody has zeroed them.
 *
 * Context: may sleep. Legal under mmap_lock.
 */
void hpm_reserve_return(struct hpm_backing *b)
{
	b->reserve->source->punch(b->file, b->start, hpm_backing_size(b));
	fput(b->file);
	look_again(b->reserve);
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
	int ret = kstrtoul(text, 0, &nr);

	if (ret)
		return ret;
	if (nr > totalram_pages() / (r->page_size >> PAGE_SHIFT))
		return -ENOMEM;
	mutex_lock(&r->lock);
	r->asked = nr;
	mutex_unlock(&r->lock);
	look_again(r);
	return len;
}
static DEVICE_ATTR_RW(pages);

static ssize_t ready_show(struct device *dev, struct device_attribute *attr, char *text)
{
	return sysfs_emit(text, "%lu\n", ready(dev_get_drvdata(dev)));
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

static struct class reserve_class = {
	.name = "hpage_map_reserve",
	.dev_groups = reserve_groups,
};

static int add(const struct source *source, unsigned long page_size, int node)
{
	struct hpm_reserve *r = kzalloc(sizeof(*r), GFP_KERNEL);
	struct device *dev;

	if (!r)
		return -ENOMEM;
	r->source = source;
	r->page_size = page_size;
	r->node = node;
	mutex_init(&r->lock);
	INIT_DELAYED_WORK(&r->work, reserve_work);

	dev = device_create(&reserve_class, NULL, 0, r, "%s-%lukB-node%d",
			    hpm_backing_name(source->kind), page_size / SZ_1K, node);
	if (IS_ERR(dev)) {
		kfree(r);
		return PTR_ERR(dev);
	}
	r->dev = dev;
	list_add_tail(&r->entry, &reserves);
	return 0;
}

static bool exists(const struct source *source, unsigned long page_size)
{
	if (source->kind == HPAGE_MAP_BACKING_THP)
		return page_size == PMD_SIZE && has_transparent_hugepage();
	return hpm_hugetlb_has(page_size);
}

static void remove_all(void)
{
	struct hpm_reserve *r, *next;

	list_for_each_entry_safe(r, next, &reserves, entry) {
		/* Nobody sets asked any more: the worker only trims, if anything. */
		device_unregister(r->dev);
		mutex_lock(&r->lock);
		r->asked = 0;
		mutex_unlock(&r->lock);
		cancel_delayed_work_sync(&r->work);
		if (r->file)
			hpm_fs_discard(r->file);
		mutex_destroy(&r->lock);
		kfree(r);
	}
	INIT_LIST_HEAD(&reserves);
}

/**
 * hpm_reserve_init() - make all reserves, empty, and show them
 *
 * Return: 0 or -errno.
 */
int hpm_reserve_init(void)
{
	unsigned long page_size;
	int node, i, ret;

	ret = class_register(&reserve_class);
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		for (page_size = PAGE_SIZE * 2; page_size && page_size <= SZ_16G; page_size *= 2) {
			if (!exists(&sources[i], page_size))
				continue;
			for_each_node_state(node, N_MEMORY) {
				ret = add(&sources[i], page_size, node);
				if (ret)
					goto remove;
			}
		}
	}
	return 0;

remove:
	remove_all();
	class_unregister(&reserve_class);
	return ret;
}

void hpm_reserve_exit(void)
{
	remove_all();
	class_unregister(&reserve_class);
}
