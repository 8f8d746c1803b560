/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_SYSFS_H
#define HPMAP_SYSFS_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_NODES	1024		/* as many as kernels can have */
#define SYSFS_NODES	"/sys/devices/system/node"

uint64_t base_page_size(void);
uint64_t pmd_size(void);
uint64_t best_size(void);
bool node_has_memory(int node);
int node_highest(void);
int node_only(void);
int device_node(const char *name, int *node);

#endif
