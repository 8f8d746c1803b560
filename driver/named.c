// SPDX-License-Identifier: GPL-2.0-only
/*
 * Named buffers: /dev/hpage/NAME, made and destroyed by the administrator.
 *
 * A name is a device of our class and holds one reference to its buffer, from its creation
 * until it is destroyed or the module goes; so it outlives the programs that use it.
 * Destroying takes the name away at once. Those who have the buffer open or mapped keep it;
 * the pages go with the last of them.
 *
 * names_lock protects the list, and serialises whoever makes and destroys names, but not the
 * making of their buffers, which may take long. Opening does not take it: a minor number is
 * looked up under the lock of its array, where an entry means that the name has its
 * reference.
 */
#include <linux/ctype.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "faces.h"

struct named {
	struct device dev;	/* its device, in the class and in /dev */
	struct list_head entry;	/* in names, under names_lock */
	struct hpage_map_buffer *buf;	/* held; never changes, nor does what follows */
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
	/* Without it nobody is told that there is no node, or that one stays for ever. */
	return kasprintf(GFP_KERNEL | __GFP_NOFAIL, "hpage/%s", dev_name(dev));
}

static const struct device_type named_type = {
	.name = "hpage_map_named",
	.devnode = named_devnode,
	.release = named_release,
};

/* Is that a name? Letters, digits and, behind the first, '.', '_' and '-', and an end in time. */
bool hpm_named_valid(const char *name)
{
	int i;

	for (i = 0; i < HPAGE_MAP_NAME_SIZE && name[i]; i++)
		if (!isascii(name[i]) || !(isalnum(name[i]) || (i && strchr("._-", name[i]))))
			return false;
	return i && i < HPAGE_MAP_NAME_SIZE;
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

/* As hpm_buffer_create(), with a name. Also -EEXIST, or -ENOSPC when there are no more numbers. */
struct hpage_map_buffer *hpm_named_create(const char *name, umode_t mode, kuid_t uid, kgid_t gid,
					  const struct hpm_attr *attr, struct hpm_why *why)
{
	struct named *named = kzalloc(sizeof(*named), GFP_KERNEL);
	struct hpage_map_buffer *buf;
	int ret;

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

static void destroy(struct named *named, void (*put)(struct hpage_map_buffer *buf))
{
	struct hpage_map_buffer *buf = named->buf;
	dev_t devt = named->dev.devt;

	lockdep_assert_held(&names_lock);
	list_del(&named->entry);
	device_unregister(&named->dev);
	xa_erase(&minors, MINOR(devt));
	WRITE_ONCE(buf->role, 0);
	put(buf);
}

/* Take a name away, if it is that of the buffer @id or this is 0; else -ENOENT. */
int hpm_named_destroy(const char *name, u32 id)
{
	struct named *named;
	int ret = 0;

	mutex_lock(&names_lock);
	named = find(name);
	if (named && (!id || named->buf->id == id))
		destroy(named, hpm_buffer_put);
	else
		ret = -ENOENT;
	mutex_unlock(&names_lock);
	return ret;
}

/*
 * The buffer of a node, with a reference for the caller, or -ENXIO when the name is gone. A node
 * held beyond its name, as by O_PATH, must not lead to the next buffer of the number.
 */
struct hpage_map_buffer *hpm_named_get(const struct inode *node)
{
	struct hpage_map_buffer *buf;

	xa_lock(&minors);
	buf = node->i_nlink ? xa_load(&minors, iminor(node)) : NULL;
	if (buf)
		hpm_buffer_get(buf);
	xa_unlock(&minors);
	return buf ?: ERR_PTR(-ENXIO);
}

/* Nobody has anything of ours open any more. */
void hpm_named_exit(void)
{
	struct named *named, *next;

	mutex_lock(&names_lock);
	list_for_each_entry_safe(named, next, &names, entry)
		destroy(named, hpm_buffer_put_now);
	mutex_unlock(&names_lock);
}
