/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HOLDERS_H
#define HOLDERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "names.h"

/**
 * struct holder - a process and a buffer that it holds
 * @pid: of the process
 * @comm: its name
 * @id: of the buffer; 0 if that is not known
 * @descriptors: how many it has
 * @mappings: how many it has
 * @mapped: bytes of these
 */
struct holder {
	pid_t pid;
	char comm[COMM_ROOM];
	uint32_t id;
	unsigned int descriptors;
	unsigned int mappings;
	uint64_t mapped;
};

int holders_find(struct holder **holders, size_t *nr);

#endif
