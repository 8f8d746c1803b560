// SPDX-License-Identifier: GPL-2.0-only
/*
 * Named buffers: /dev/hpage/NAME, made and destroyed by the administrator.
 *
 * A name is a device of our class and holds one reference to its buffer, from its creation
 * until it is destroyed or the module goes; so it outlives the programs that use it.
 * Destroying takes the name away at once. Those who have the buffer open or mapped keep it;
 * the pages go with the last of them.
 *
 * Making one has three steps. The name and a minor number are claimed first, so that a name
 * that is taken is refused before a page is touched; then the pages are made, which may take
 * long; then the device is shown. A name that is only claimed has no buffer, and is not there
 * for those who open or destroy it.
 *
 * names_lock serialises whoever makes and destroys names, but not the making of their buffers.
 * Opening does not take it: a minor number is looked up under the lock of the array of names, and
 * a name that is there with a buffer has a reference.
 *
 * Others in the kernel may hold a device beyond its name. It is released by code of this
 * module, which waits for that when it goes.
 */
#include <linux/device.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <linux/xarray.h>

#include "buffer.h"
#include "class.h"
#include "named.h"
#include "request.h"

struct named {
	struct device dev;	/* in the class and in /dev; has the buffer as its driver data */
	umode_t mode;	/* permission bits of the node; never changes, nor does what follows */
	kuid_t uid;	/* its owner */
	kgid_t gid;	/* its group */
};

static DEFINE_XARRAY_ALLOC1(names);	/* by minor number */
static DEFINE_MUTEX(names_lock);
static u32 last_minor;	/* under names_lock */
static atomic_t nr_named;	/* devices that are not released yet */

static void named_release(struct device *dev)
{
	kfree(container_of(dev, struct named, dev));
	if (atomic_dec_and_test(&nr_named))
		wake_up_var(&nr_named);
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
	/* Without memory there would be no node, or one would stay for ever, and no error. */
	return kasprintf(GFP_KERNEL | __GFP_NOFAIL, "hpage/%s", dev_name(dev));
}

static const struct device_type named_type = {
	.name = "hpage_map_named",
	.devnode = named_devnode,
	.release = named_release,
};

static struct named *named_find(const char *name)
{
	struct named *named;
	unsigned long minor;

	lockdep_assert_held(&names_lock);
	xa_for_each(&names, minor, named)
		if (!strcmp(dev_name(&named->dev), name))
			return named;
	return NULL;
}

static struct named *named_new(const struct hpm_request *r)
{
	struct named *named = kzalloc(sizeof(*named), GFP_KERNEL);

	if (!named)
		return NULL;
	atomic_inc(&nr_named);
	device_initialize(&named->dev);
	named->dev.class = hpm_class;
	named->dev.type = &named_type;
	named->mode = r->mode;
	named->uid = r->uid;
	named->gid = r->gid;
	if (!dev_set_name(&named->dev, "%s", r->name))
		return named;
	put_device(&named->dev);
	return NULL;
}

/* Why a name cannot be had, or 0. */
static int name_taken(const char *name, struct hpm_why *why)
{
	/* "default" is what the default buffer is called, hpage_map its device in this class. */
	if (!strcmp(name, "default") || !strcmp(name, KBUILD_MODNAME))
		return hpm_refuse(why, -EEXIST, "another name",
				  "%s stands for the default buffer", name);
	return named_find(name) ? hpm_refuse(why, -EEXIST, "another name",
					     "there is a buffer named %s already", name) : 0;
}

/* From here on nobody else can have the name. */
static int named_claim(struct named *named, struct hpm_why *why)
{
	u32 minor;
	int ret;

	guard(mutex)(&names_lock);
	ret = name_taken(dev_name(&named->dev), why);
	/* Cyclic, so that an old copy of a node does not lead to a new buffer soon. */
	if (!ret)
		ret = xa_alloc_cyclic(&names, &minor, named, XA_LIMIT(1, HPM_MINORS - 1),
				      &last_minor, GFP_KERNEL);
	if (ret >= 0)
		named->dev.devt = hpm_class_devt + minor;
	return ret == -EBUSY ? -ENOSPC : min(ret, 0);
}

/* Show what has been claimed, or give the claim up if there is no buffer. */
static int named_publish(struct named *named, struct hpage_map_buffer *buf)
{
	int ret = PTR_ERR_OR_ZERO(buf);

	guard(mutex)(&names_lock);
	if (!ret) {
		/* From here on openers take references, who can as long as its maker has one. */
		xa_lock(&names);
		dev_set_drvdata(&named->dev, buf);
		xa_unlock(&names);
		ret = device_add(&named->dev);
	}
	if (ret)
		xa_erase(&names, MINOR(named->dev.devt));
	else
		hpm_buffer_get(buf);
	return ret;
}

/*
 * Make a buffer with the name, mode and owner of the request. Return: the buffer, with a reference
 * for the caller, or an ERR_PTR: -EEXIST when the name is taken, before a page is made; -ENOSPC
 * when there are too many names; or as of hpm_buffer_create().
 */
struct hpage_map_buffer *hpm_named_create(const struct hpm_request *r)
{
	struct hpage_map_buffer *buf;
	struct named *named = named_new(r);
	int ret;

	if (!named)
		return ERR_PTR(-ENOMEM);
	ret = named_claim(named, r->why);
	if (ret)
		goto put;
	buf = hpm_buffer_create(r);
	ret = named_publish(named, buf);
	if (!ret)
		return buf;
	if (!IS_ERR(buf))
		hpm_buffer_put(buf);
put:
	put_device(&named->dev);
	return ERR_PTR(ret);
}

/* Take a name away. Return: its buffer, with the reference that the name had. */
static struct hpage_map_buffer *named_remove(struct named *named)
{
	struct hpage_map_buffer *buf = dev_get_drvdata(&named->dev);

	lockdep_assert_held(&names_lock);
	xa_erase(&names, MINOR(named->dev.devt));
	device_unregister(&named->dev);
	WRITE_ONCE(buf->role, 0);
	return buf;
}

/* Take a name away, if it is that of the buffer @id or this is 0; else -ENOENT. */
int hpm_named_destroy(const char *name, u32 id)
{
	struct hpage_map_buffer *buf;
	struct named *named;

	mutex_lock(&names_lock);
	named = named_find(name);
	buf = named ? dev_get_drvdata(&named->dev) : NULL;
	if (buf && id && buf->id != id)
		buf = NULL;
	if (buf)
		named_remove(named);
	mutex_unlock(&names_lock);
	if (!buf)
		return -ENOENT;
	hpm_buffer_put(buf);
	return 0;
}

/*
 * The buffer of a node, with a reference for the caller, or -ENXIO when the name is gone. A node
 * held beyond its name, as by O_PATH, must not lead to the next buffer of the number.
 */
struct hpage_map_buffer *hpm_named_get(const struct inode *node)
{
	struct hpage_map_buffer *buf;
	struct named *named;

	xa_lock(&names);
	named = node->i_nlink ? xa_load(&names, iminor(node)) : NULL;
	buf = named ? dev_get_drvdata(&named->dev) : NULL;
	if (buf)
		hpm_buffer_get(buf);
	xa_unlock(&names);
	return buf ?: ERR_PTR(-ENXIO);
}

/* Nobody has anything of ours open any more. */
void hpm_named_exit(void)
{
	struct named *named;
	unsigned long minor;

	mutex_lock(&names_lock);
	xa_for_each(&names, minor, named)
		hpm_buffer_put(named_remove(named));
	mutex_unlock(&names_lock);
	/* hpm_exit() waits for the end of the last named_release(). */
	wait_var_event(&nr_named, !atomic_read(&nr_named));
}
