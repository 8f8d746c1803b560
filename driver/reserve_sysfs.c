// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/class/hpage_map_reserve/NAME: how many pages a reserve keeps, has, and why not more.
 *
 * There is a device for each reserve. The reserve is its driver data, and lives longer.
 */
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/sysfs.h>

#include "reserve.h"

static ssize_t pages_show(struct device *dev, struct device_attribute *attr, char *text)
{
	const struct hpm_reserve *r = dev_get_drvdata(dev);

	return sysfs_emit(text, "%lu\n", READ_ONCE(r->asked));
}

static ssize_t pages_store(struct device *dev, struct device_attribute *attr, const char *text,
			   size_t len)
{
	unsigned long nr;
	int ret = kstrtoul(text, 10, &nr) ?: hpm_reserve_ask(dev_get_drvdata(dev), nr);

	return ret ?: len;
}
static DEVICE_ATTR_RW(pages);

static ssize_t ready_show(struct device *dev, struct device_attribute *attr, char *text)
{
	return sysfs_emit(text, "%lu\n", hpm_reserve_count_good(dev_get_drvdata(dev)));
}
static DEVICE_ATTR_RO(ready);

static ssize_t why_show(struct device *dev, struct device_attribute *attr, char *text)
{
	struct hpm_reserve *r = dev_get_drvdata(dev);

	guard(mutex)(&r->lock);
	return sysfs_emit(text, "%s\n", r->why.text);
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

/* To destroy a class that could not be created does nothing. */
void hpm_reserve_sysfs_exit(void)
{
	struct hpm_reserve *r;

	list_for_each_entry(r, &hpm_reserves, entry)
		if (!IS_ERR_OR_NULL(r->dev))
			device_unregister(r->dev);
	class_destroy(reserve_class);
}

/* Show all reserves. */
int hpm_reserve_sysfs_init(void)
{
	struct hpm_reserve *r;

	reserve_class = class_create("hpage_map_reserve");
	if (IS_ERR(reserve_class))
		return PTR_ERR(reserve_class);
	reserve_class->dev_groups = reserve_groups;
	list_for_each_entry(r, &hpm_reserves, entry) {
		r->dev = device_create(reserve_class, NULL, 0, r, "%s", r->name);
		if (IS_ERR(r->dev))
			return PTR_ERR(r->dev);
	}
	return 0;
}
