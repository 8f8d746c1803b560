/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_REACH_H
#define _HPM_REACH_H

#include <linux/types.h>

struct device;
struct iommu_domain;

struct iommu_domain *hpm_reach_domain(struct device *dev);
bool hpm_reach_is_direct(struct device *dev);
u64 hpm_reach_length(struct device *dev, u64 address, u64 length);
u64 hpm_reach_limit(struct device *dev);

#endif
