/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The buffer, as the files of the library share it. */
#ifndef HPMAP_INTERNAL_H
#define HPMAP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "hpage_map.h"
#include "why.h"

/**
 * struct hpmap_buffer - see hpage_map.h
 * @fd: the descriptor; this and what follows never changes
 * @backend: who keeps the pages
 * @backing: where they come from
 * @length: bytes
 * @page_size: bytes
 * @asked: bytes that were asked for
 * @tag: of a buffer of memfd
 * @why: why nothing better was had
 * @lock: makes one mapping of two calls at once
 * @address: of the mapping, or NULL; written under @lock
 * @unforked: NULL, or a page with the address of a mapping that children do not have, in which they
 *	find NULL; stays until the end of the buffer
 * @flags: of the mapping, as of hpmap_map(); under @lock
 * @populating: how many calls need the mapping to stay; under @lock
 */
struct hpmap_buffer {
	int fd;
	enum hpmap_backend backend;
	enum hpmap_backing backing;
	uint64_t length;
	uint64_t page_size;
	uint64_t asked;
	char tag[HPMAP_NAME_SIZE];
	struct why why;
	pthread_mutex_t lock;
	_Atomic(void *) address;
	_Atomic(void *) *_Atomic unforked;
	unsigned int flags;
	unsigned int populating;
};

void mapping_end(struct hpmap_buffer *b);
void mapping_free(struct hpmap_buffer *b);

static inline uint64_t round_up_to(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

#endif
