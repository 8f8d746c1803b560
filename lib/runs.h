/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_RUNS_H
#define HPMAP_RUNS_H

#include "hpage_map.h"

int runs_read(int fd, uint64_t first, struct hpmap_run *runs, unsigned int *nr);
int runs_address(int fd, uint64_t offset, uint64_t *address, uint64_t *size);

#endif
