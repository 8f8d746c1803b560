/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_MEMORY_H
#define HPMAP_MEMORY_H

#include <stdint.h>

/**
 * struct room - how much memory the calling thread could be given
 * @bytes: how much; UINT64_MAX if that is not known
 * @where: what is so small
 * @remedy: a command that shows it
 */
struct room {
	uint64_t bytes;
	const char *where;
	char remedy[320];
};

int memory_room(uint32_t policy, int node, struct room *room);

#endif
