/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_POLICY_H
#define _HPM_POLICY_H

#include <linux/nodemask.h>

#include "backing.h"

struct hpm_policy;

/**
 * struct hpm_nodes - nodes to look for pages on, one after the other
 * @first: the one to begin with, if it is among @left
 * @left: those that were not looked at yet
 */
struct hpm_nodes {
	int first;
	nodemask_t left;
};

void hpm_policy_nodes(struct hpm_nodes *nodes, const struct hpm_attr *attr);
int hpm_policy_next(struct hpm_nodes *nodes);
struct hpm_policy *hpm_policy_enter(const struct hpm_attr *attr);
void hpm_policy_leave(struct hpm_policy *policy);

#endif
