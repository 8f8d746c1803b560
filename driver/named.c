// SPDX-License-Identifier: GPL-2.0-only
/*
 * Named buffers: /dev/hpage/NAME, made and destroyed by the administrator.
 *
 * A name is a device of our class and holds one reference to its buffer, from
 * its creation until it is destroyed or the module goes; so it outlives the
 * programs that use it. Destroying takes the name away at once. Those who have
 * the buffer open or mapped keep it; the pages go with the last of them.
 *
 * Those that are made at load have no device until nothing can fail any more.
 *
 * names_lock serialises whoever makes and destroys names, a buffer's
 * allocation included; it protects the list. Opening does not take it: a minor
 * number is looked up under the lock of its array, where an entry means that
 * the name has its reference.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "faces.h"
#include "param.h"

#define MAX_AT_LOAD	32

static char *create[MAX_AT_LOAD];
static int nr_create;
module_param_array(create, charp, &nr_create, 0444);
MODULE_PARM_DESC(create, "buffers to make at load, NAME:SIZE[:PAGE_SIZE] each");

/**
 * struct named - one name
 * @dev: its device, in the class and in /dev
 * @entry: in names, under names_lock
 * @buf: its buffer; held. Never changes, nor does what follows
 * @mode: permission bits of the node
 * @uid: its owner
 * @gid: its group
 */
struct named {
	struct device dev;
	struct list_head entry;
	struct hpm_buffer *buf;
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
};

static LIST_HEAD(names);
static DEFINE_MUTEX(names_lock);
static DEFINE_XARRAY_ALLOC1(minors);	/* of buffers, by minor number */
static u32 last_minor;			/* under the lock of minors */

static void named_release(struct device *dev)
{
	kfree(container_of(dev, struct named, dev));
}

static char *named_devnode(devnode_device *dev, umode_t *mode, kuid_t *uid, kgid_t *gid)
{
	const struct named *named = container_of(dev, struct named, dev);

	if (mode)
		*mode = named->mode;
	if (uid)
		*uid = named->uid;
	if (gid)
		*gid = named->gid;
	/* Without it nobody is told that there is no node, or that one stays for ever. */
	return kasprintf(GFP_KERNEL | __GFP_NOFAIL, "hpage/%s", dev_name(dev));
}

static const struct device_type named_type = {
	.name = "hpage_map_named",
	.devnode = named_devnode,
	.release = named_release,
};

/**
 * hpm_named_valid() - may a buffer be called so?
 * @name: terminated by a NUL
 *
 * Return: true for letters, digits and, behind the first, '.', '_' and '-'.
 */
bool hpm_named_valid(const char *name)
{
	const char *c;

	for (c = name; *c; c++)
		if (!isascii(*c) || !(isalnum(*c) || (c > name && strchr("._-", *c))))
			return false;
	return c > name && c - name < HPAGE_MAP_NAME_SIZE;
}

static struct named *find(const char *name)
{
	struct named *named;

	lockdep_assert_held(&names_lock);
	list_for_each_entry(named, &names, entry)
		if (!strcmp(dev_name(&named->dev), name))
			return named;
	return NULL;
}

/* Make a name that nobody sees yet, with its buffer. */
static struct named *make(const char *name, const struct hpm_attr *attr, struct hpm_why *why)
{
	struct named *named;
	int ret;

	lockdep_assert_held(&names_lock);

	/* The default buffer's device stands in the same class. */
	if (find(name) || !strcmp(name, KBUILD_MODNAME)) {
		hpm_why(why, "there is a buffer named %s already", name);
		hpm_why_try(why, "another name");
		return ERR_PTR(-EEXIST);
	}
	named = kzalloc(sizeof(*named), GFP_KERNEL);
	if (!named)
		return ERR_PTR(-ENOMEM);
	device_initialize(&named->dev);
	named->dev.class = &hpm_class;
	named->dev.type = &named_type;
	ret = dev_set_name(&named->dev, "%s", name);
	if (ret)
		goto put;
	named->buf = hpm_buffer_create(attr, HPAGE_MAP_ATTR_NAMED, name, why);
	ret = PTR_ERR_OR_ZERO(named->buf);
	if (ret)
		goto put;
	dev_set_drvdata(&named->dev, named->buf);
	list_add_tail(&named->entry, &names);
	return named;

put:
	put_device(&named->dev);
	return ERR_PTR(ret);
}

/* Show it. Nodes that people made for its number are soon in vain, not another's. */
static int publish(struct named *named)
{
	u32 minor;
	int ret;

	lockdep_assert_held(&names_lock);
	ret = xa_alloc_cyclic(&minors, &minor, named->buf, XA_LIMIT(1, HPM_MINORS - 1),
			      &last_minor, GFP_KERNEL);
	if (ret < 0)
		return ret == -EBUSY ? -ENOSPC : ret;
	named->dev.devt = hpm_chardev_devt(minor);
	ret = device_add(&named->dev);
	if (ret)
		xa_erase(&minors, minor);
	return ret;
}

/* Take it away, be it published or not. */
static void destroy(struct named *named)
{
	struct hpm_buffer *buf = named->buf;

	lockdep_assert_held(&names_lock);
	list_del(&named->entry);
	if (device_is_registered(&named->dev)) {
		device_del(&named->dev);
		xa_erase(&minors, MINOR(named->dev.devt));
	}
	put_device(&named->dev);
	WRITE_ONCE(buf->role, 0);
	hpm_buffer_put(buf);
}

/**
 * hpm_named_create() - make a buffer with a name
 * @name: valid
 * @mode: permission bits of the node
 * @uid: its owner
 * @gid: its group
 * @attr: what is asked for
 * @why: told why something better, or anything, could not be had
 * @buf: where the buffer goes, with a reference for the caller
 *
 * Context: may sleep.
 * Return: 0, -EEXIST, -ENOSPC, -EINTR, or as hpm_buffer_create().
 */
int hpm_named_create(const char *name, umode_t mode, kuid_t uid, kgid_t gid,
		     const struct hpm_attr *attr, struct hpm_why *why, struct hpm_buffer **buf)
{
	struct named *named;
	int ret;

	if (mutex_lock_interruptible(&names_lock))
		return -EINTR;
	named = make(name, attr, why);
	ret = PTR_ERR_OR_ZERO(named);
	if (ret)
		goto unlock;
	named->mode = mode;
	named->uid = uid;
	named->gid = gid;

	ret = publish(named);
	if (ret)
		destroy(named);
	else
		*buf = hpm_buffer_get(named->buf);
unlock:
	mutex_unlock(&names_lock);
	return ret;
}

/**
 * hpm_named_destroy() - take a name away
 * @name: valid
 * @id: of this buffer only, or 0 for whatever has the name
 *
 * Context: may sleep.
 * Return: 0, or -ENOENT when there is no such name.
 */
int hpm_named_destroy(const char *name, u32 id)
{
	struct named *named;

	mutex_lock(&names_lock);
	named = find(name);
	if (named && id && named->buf->id != id)
		named = NULL;
	if (named)
		destroy(named);
	mutex_unlock(&names_lock);
	return named ? 0 : -ENOENT;
}

/**
 * hpm_named_get() - hold the buffer of a node
 * @node: the node
 *
 * Whoever held the node beyond its name, as O_PATH does, must not come with it
 * to the next buffer of the number: the node is unlinked before the number is
 * free.
 *
 * Return: the buffer, with a reference for the caller, or NULL when the name
 * is gone.
 */
struct hpm_buffer *hpm_named_get(const struct inode *node)
{
	struct hpm_buffer *buf;

	xa_lock(&minors);
	buf = node->i_nlink ? xa_load(&minors, iminor(node)) : NULL;
	if (buf)
		hpm_buffer_get(buf);
	xa_unlock(&minors);
	return buf;
}

/* NAME:SIZE[:PAGE_SIZE]; @text is taken apart. */
static int parse(char *text, const char **name, struct hpm_attr *attr)
{
	char *size, *page_size;

	*name = strsep(&text, ":");
	size = strsep(&text, ":");
	page_size = strsep(&text, ":");
	if (text || !size || !hpm_named_valid(*name) || hpm_parse_bytes(size, &attr->size))
		return -EINVAL;
	attr->exact = page_size;
	return page_size ? hpm_parse_bytes(page_size, &attr->page_size) : 0;
}

static int create_at_load(const char *param, struct hpm_why *why)
{
	char *text = kstrdup(param, GFP_KERNEL);
	struct hpm_attr attr = {};
	struct named *named;
	const char *name;
	int ret;

	if (!text)
		return -ENOMEM;
	ret = parse(text, &name, &attr);
	if (ret) {
		hpm_why(why, "it is not NAME:SIZE[:PAGE_SIZE]");
	} else {
		named = make(name, &attr, why);
		ret = PTR_ERR_OR_ZERO(named);
	}
	if (!ret)
		named->mode = 0600;
	if (ret)
		pr_err("create=%s: %pe%s%s\n", param, ERR_PTR(ret), why->len ? ": " : "",
		       why->text);
	else if (why->len)
		pr_info("create=%s: %s\n", param, why->text);
	kfree(text);
	return ret;
}

/**
 * hpm_named_init() - make the buffers that the parameter names
 *
 * Nobody sees them yet, because a load that fails cannot take back what
 * somebody has opened.
 *
 * Return: 0 or -errno; nothing is left behind then.
 */
int hpm_named_init(void)
{
	struct hpm_why *why;
	int ret = 0, i;

	mutex_lock(&names_lock);
	for (i = 0; i < nr_create && !ret; i++) {
		why = kzalloc(sizeof(*why), GFP_KERNEL);
		ret = why ? create_at_load(create[i], why) : -ENOMEM;
		kfree(why);
	}
	mutex_unlock(&names_lock);
	if (ret)
		hpm_named_exit();
	return ret;
}

/**
 * hpm_named_publish() - show what hpm_named_init() made
 *
 * Return: 0 or -errno; hpm_named_exit() takes back what is shown by then.
 */
int hpm_named_publish(void)
{
	struct named *named;
	int ret = 0;

	mutex_lock(&names_lock);
	list_for_each_entry(named, &names, entry) {
		ret = publish(named);
		if (ret)
			break;
	}
	mutex_unlock(&names_lock);
	return ret;
}

/* Nobody opens or has open anything of ours any more, or not yet. */
void hpm_named_exit(void)
{
	struct named *named, *next;

	mutex_lock(&names_lock);
	list_for_each_entry_safe(named, next, &names, entry)
		destroy(named);
	mutex_unlock(&names_lock);
}
