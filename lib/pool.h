/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_POOL_H
#define HPMAP_POOL_H

#include "hpage_map.h"

int pool_read(uint64_t page_size, int node, struct hpmap_pool *p);

#endif
