// SPDX-License-Identifier: GPL-2.0-only
/*
 * Named buffers: /dev/hpage/NAME, made and destroyed by the administrator.
 *
 * A name is a device of our class and holds one reference to its buffer, from
 * its creation until it is destroyed or the module goes; so it outlives the
 * programs that use it. Destroying takes the name away at once. Those who have
 * the buffer open or mapped keep it; the pages go with the last of them.
 *
 * names_lock protects the list, and serialises whoever makes and destroys names,
 * but not the making of their buffers, which may take long. Opening does not take it: a minor
 * number is looked up under the lock of its array, where an entry means that
 * the name has its reference.
 */
#include <linux/ctype.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "faces.h"

/* One name. */
struct named {
	struct device dev;	/* its device, in the class and in /dev */
	struct list_head entry;	/* in names, under names_lock */
	/* its buffer; held. Never changes, nor does what follows */
	struct hpage_map_buffer *buf;
	umode_t mode;	/* permission bits of the node */
	kuid_t uid;	/* its owner */
	kgid_t gid;	/* its group */
};

static LIST_HEAD(names);
static DEFINE_MUTEX(names_lock);
static DEFINE_XARRAY_ALLOC1(minors);	/* of buffers, by minor number */
static u32 last_minor;	/* under names_lock */

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
	return kasprintf(GFP_KERNEL, "hpage/%s", dev_name(dev));
}

static const struct device_type named_type = {
	.name = "hpage_map_named",
	.devnode = named_devnode,
	.release = named_release,
};

/*
 * May a buffer be called so? Return: true for letters, digits and, behind the first, '.',
 * '_' and '-'.
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

/* Show @named, which has all but its device. On failure it is freed. */
static int publish(struct named *named, const char *name)
{
	struct device *dev = &named->dev;
	u32 minor;
	int ret;

	device_initialize(dev);
	dev->class = &hpm_class;
	dev->type = &named_type;
	dev_set_drvdata(dev, named->buf);
	ret = dev_set_name(dev, "%s", name);
	if (ret)
		goto put;
	/* Cyclic, so that an old copy of a node does not lead to a new buffer soon. */
	ret = xa_alloc_cyclic(&minors, &minor, named->buf, XA_LIMIT(1, HPM_MINORS - 1),
			      &last_minor, GFP_KERNEL);
	if (ret < 0) {
		ret = ret == -EBUSY ? -ENOSPC : ret;
		goto put;
	}
	dev->devt = hpm_chardev_devt(minor);
	ret = device_add(dev);
	if (ret)
		goto erase;
	list_add_tail(&named->entry, &names);
	return 0;

erase:
	xa_erase(&minors, minor);
put:
	put_device(dev);
	return ret;
}

/* Give named its name, or free it. */
static int name_it(struct named *named, const char *name, struct hpm_why *why)
{
	int ret;

	mutex_lock(&names_lock);
	/* The default buffer's device stands in the same class. */
	if (find(name) || !strcmp(name, KBUILD_MODNAME)) {
		hpm_why(why, "there is a buffer named %s already", name);
		hpm_why_try(why, "another name");
		kfree(named);
		ret = -EEXIST;
	} else {
		ret = publish(named, name);
	}
	mutex_unlock(&names_lock);
	return ret;
}

/*
 * Make a buffer with a name. Return: the buffer, with a reference for the caller, or an
 * ERR_PTR: -EEXIST, -ENOSPC, or as hpm_buffer_create().
 */
struct hpage_map_buffer *hpm_named_create(const char *name, umode_t mode, kuid_t uid, kgid_t gid,
					  const struct hpm_attr *attr, struct hpm_why *why)
{
	struct hpage_map_buffer *buf;
	struct named *named;
	int ret;

	named = kzalloc(sizeof(*named), GFP_KERNEL);
	if (!named)
		return ERR_PTR(-ENOMEM);
	buf = hpm_buffer_create(attr, HPAGE_MAP_ATTR_NAMED, name, why);
	if (IS_ERR(buf)) {
		kfree(named);
		return buf;
	}
	named->buf = hpm_buffer_get(buf);
	named->mode = mode;
	named->uid = uid;
	named->gid = gid;

	ret = name_it(named, name, why);
	if (ret) {
		hpm_buffer_put(buf);
		hpm_buffer_put(buf);
		return ERR_PTR(ret);
	}
	return buf;
}

static void destroy(struct named *named)
{
	struct hpage_map_buffer *buf = named->buf;
	dev_t devt = named->dev.devt;

	lockdep_assert_held(&names_lock);
	list_del(&named->entry);
	device_unregister(&named->dev);
	xa_erase(&minors, MINOR(devt));
	WRITE_ONCE(buf->role, 0);
	hpm_buffer_put(buf);
}

/* Take a name away. Return: 0, or -ENOENT when there is no such name. */
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

/*
 * Hold the buffer of a node. Return: the buffer, with a reference for the caller, or NULL
 * when the name is gone.
 */
struct hpage_map_buffer *hpm_named_get(unsigned int minor)
{
	struct hpage_map_buffer *buf;

	xa_lock(&minors);
	buf = xa_load(&minors, minor);
	if (buf)
		hpm_buffer_get(buf);
	xa_unlock(&minors);
	return buf;
}

/* Nobody has anything of ours open any more. */
void hpm_named_exit(void)
{
	struct named *named, *next;

	mutex_lock(&names_lock);
	list_for_each_entry_safe(named, next, &names, entry)
		destroy(named);
	mutex_unlock(&names_lock);
}
