// SPDX-License-Identifier: GPL-2.0-only
/* Devices of others: by name, and where they are. */
#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/nodemask.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/topology.h>

#include "device.h"

/*
 * A PCI or platform device by its name. Return: the device, for put_device(); or an ERR_PTR:
 * -EINVAL when the name has no end or is not printable, -ENODEV when there is no such device.
 */
struct device *hpm_device_find(const char name[HPAGE_MAP_DEVICE_SIZE])
{
	int i;

	for (i = 0; name[i]; i++)
		if (i == HPAGE_MAP_DEVICE_SIZE - 1 || !isascii(name[i]) || !isgraph(name[i]))
			return ERR_PTR(-EINVAL);
	return bus_find_device_by_name(&pci_bus_type, NULL, name) ?:
	       bus_find_device_by_name(&platform_bus_type, NULL, name) ?: ERR_PTR(-ENODEV);
}

/*
 * The node with memory nearest to a device, or NUMA_NO_NODE when there are several and the
 * machine does not report where the device is.
 */
int hpm_device_node(struct device *dev)
{
	int device_node = dev_to_node(dev), nearest = NUMA_NO_NODE, node;

	if (num_node_state(N_MEMORY) == 1)
		return first_node(node_states[N_MEMORY]);
	if (device_node == NUMA_NO_NODE)
		return NUMA_NO_NODE;
	for_each_node_state(node, N_MEMORY)
		if (nearest == NUMA_NO_NODE ||
		    node_distance(device_node, node) < node_distance(device_node, nearest))
			nearest = node;
	return nearest;
}
