// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/class/hpage_map/NAME: facts about a buffer, one a file.
 *
 * The device of a named buffer has it as its driver data, and goes before it. hpage_map is
 * the default buffer; while it is not made, its size is 0 and its backing is none.
 */
#include <linux/device.h>
#include <linux/pid.h>
#include <linux/sizes.h>
#include <linux/sysfs.h>

#include "buffer.h"
#include "default.h"
#include "kind.h"
#include "sysfs.h"
#include "vma.h"

#define BUFFER_ATTR(_name, _format, _value, _none)				\
static ssize_t _name##_show(struct device *dev, struct device_attribute *attr,	\
			    char *text)						\
{										\
	const struct hpage_map_buffer *buf = dev_get_drvdata(dev) ?: hpm_default_peek();	\
										\
	return sysfs_emit(text, _format "\n", buf ? (_value) : (_none));	\
}										\
static DEVICE_ATTR_RO(_name)

BUFFER_ATTR(id, "%u", buf->id, 0U);
BUFFER_ATTR(asked, "%llu", buf->asked, 0ULL);
BUFFER_ATTR(size, "%llu", hpage_map_size(buf), 0ULL);
BUFFER_ATTR(page_size, "%llu", hpage_map_page_size(buf), 0ULL);
BUFFER_ATTR(backing, "%s", hpm_kinds[buf->backing.kind].name, "none");
BUFFER_ATTR(nr_pages, "%lu", buf->backing.pages.nr, 0UL);
BUFFER_ATTR(nr_huge, "%lu", buf->backing.pages.nr_huge, 0UL);
BUFFER_ATTR(runs, "%lu", buf->backing.pages.nr_runs, 0UL);
BUFFER_ATTR(node, "%d", buf->backing.pages.node, HPAGE_MAP_NODE_MIXED);
BUFFER_ATTR(below_4g, "%d", buf->backing.pages.end <= SZ_4G, 0);
BUFFER_ATTR(reserve, "%d", !!buf->backing.reserve, 0);
BUFFER_ATTR(creator, "%d", pid_vnr(buf->creator), 0);
BUFFER_ATTR(descriptors, "%d", atomic_read(&buf->descriptors), 0);
BUFFER_ATTR(mappings, "%u", hpm_vma_count(buf), 0U);
BUFFER_ATTR(exports, "%d", atomic_read(&buf->exports), 0);
BUFFER_ATTR(drivers, "%d", atomic_read(&buf->drivers), 0);
BUFFER_ATTR(devices, "%d", atomic_read(&buf->devices), 0);

#define ATTR(_name) (&dev_attr_##_name.attr)

static struct attribute *buffer_attrs[] = {
	ATTR(id), ATTR(asked), ATTR(size), ATTR(page_size), ATTR(backing), ATTR(nr_pages),
	ATTR(nr_huge), ATTR(runs), ATTR(node), ATTR(below_4g), ATTR(reserve), ATTR(creator),
	ATTR(descriptors), ATTR(mappings), ATTR(exports), ATTR(drivers), ATTR(devices), NULL
};

static const struct attribute_group buffer_group = { .attrs = buffer_attrs };
const struct attribute_group *hpm_sysfs_groups[] = { &buffer_group, NULL };
