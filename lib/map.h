/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_MAP_H
#define HPMAP_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

void *map_aligned(int fd, off_t offset, uint64_t length, uint64_t page_size, int prot,
		  int flags);
void *map_at(int fd, off_t offset, void *place, uint64_t length, int prot, int flags, bool replace);
void range_reserve(void *range, uint64_t length, int fixed);

#endif
