/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_SYSFS_H
#define _HPM_SYSFS_H

/* Of each device of the class. */
extern const struct attribute_group *hpm_sysfs_groups[];

#endif
