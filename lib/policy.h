/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_POLICY_H
#define HPMAP_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "sysfs.h"
#include "why.h"

#define WORD_BITS	(8 * sizeof(unsigned long))
#define NODE_WORDS	(MAX_NODES / WORD_BITS)

/**
 * struct saved_policy - the memory policy of a thread, while it has another
 * @changed: it has another
 * @mode: of set_mempolicy(2)
 * @nodes: a bit for each
 */
struct saved_policy {
	bool changed;
	int mode;
	unsigned long nodes[NODE_WORDS];
};

bool policy_nodes(uint32_t policy, int node, unsigned long nodes[NODE_WORDS]);
void policy_turn(const struct saved_policy *saved, uint64_t turn);
int policy_enter(uint32_t policy, int node, struct saved_policy *saved, struct why *why);
void policy_leave(const struct saved_policy *saved);

#endif
