/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_POLICY_H
#define _HPM_POLICY_H

#include <linux/device.h>
#include <linux/nodemask.h>

#include "backing.h"

struct hpm_policy;

/* Nodes to look at. */
struct hpm_nodes {
	int first;	/* look here first, if it is among them */
	nodemask_t left;	/* those that are left */
};

void hpm_nodes_begin(struct hpm_nodes *nodes, const struct hpm_attr *attr);
int hpm_nodes_next(struct hpm_nodes *nodes);
int hpm_policy_near(struct device *dev);
struct hpm_policy *hpm_policy_enter(const struct hpm_attr *attr);
void hpm_policy_leave(struct hpm_policy *policy);

#endif
