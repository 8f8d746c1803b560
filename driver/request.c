// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a request must be, whether a program, a driver or a parameter makes it.
 *
 * A request belongs to the task that makes it, so nothing is locked.
 */
#include <linux/device.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include "device.h"
#include "request.h"

/*
 * Place a request near a device; anywhere when there is none, or the machine does not report where
 * it is. Return: 0, or -EINVAL when it has to be near.
 */
int hpm_request_near(struct hpm_request *r, struct device *dev)
{
	struct hpm_place *place = &r->place;

	place->node = dev ? hpm_device_node(dev) : NUMA_NO_NODE;
	if (place->policy == HPAGE_MAP_POLICY_STRICT)
		return place->node == NUMA_NO_NODE ? -EINVAL : 0;
	if (place->policy <= HPAGE_MAP_POLICY_PREFERRED)
		place->policy = place->node == NUMA_NO_NODE ? HPAGE_MAP_POLICY_DEFAULT :
							      HPAGE_MAP_POLICY_PREFERRED;
	return 0;
}

/* Return: 0, or -EINVAL when the request makes no sense. */
int hpm_request_check(const struct hpm_request *r)
{
	const struct hpm_place *place = &r->place;

	if (r->flags & ~HPAGE_MAP_ALLOC_FLAGS)
		return -EINVAL;
	if (r->flags & HPAGE_MAP_EXACT && r->flags & HPAGE_MAP_ALLOW_BASE)
		return hpm_why_invalid(r->why, "EXACT and ALLOW_BASE exclude each other");
	if (!r->length)
		return hpm_why_invalid(r->why, "a size of 0");
	if (r->page_size && (r->page_size < PAGE_SIZE || !is_power_of_2(r->page_size)))
		return hpm_why_invalid(r->why, "%llu is no page size", r->page_size);
	if (place->policy > HPAGE_MAP_POLICY_INTERLEAVE)
		return -EINVAL;
	if (place->policy == HPAGE_MAP_POLICY_INTERLEAVE &&
	    (r->flags & HPAGE_MAP_CONTIGUOUS || place->limit))
		return hpm_why_invalid(r->why, "interleaved pages are not chosen by address");
	if (hpm_policy_names_node(place->policy) && !hpm_place_exists(place))
		return hpm_refuse(r->why, -EINVAL, "cat /sys/devices/system/node/has_memory",
				  "there is no node %d with memory", place->node);
	return 0;
}
