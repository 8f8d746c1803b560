/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_MEMFD_FACTS_H
#define HPMAP_MEMFD_FACTS_H

#include <stdbool.h>

#include "internal.h"

int pmd_mapped(const void *address, uint64_t *bytes);
uint64_t memfd_lacks(const struct hpmap_buffer *b);
int memfd_adopt(struct hpmap_buffer *b, bool unsealed);
int memfd_info(const struct hpmap_buffer *b, struct hpmap_info *info);
int memfd_nodes(const struct hpmap_buffer *b, uint64_t *pages, unsigned int *nr);

#endif
