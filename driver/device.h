/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_DEVICE_H
#define _HPM_DEVICE_H

#include <uapi/linux/hpage_map.h>

struct device;

struct device *hpm_device_find(const char name[HPAGE_MAP_DEVICE_SIZE]);
int hpm_device_node(struct device *dev);

#endif
