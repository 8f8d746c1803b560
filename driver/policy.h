/* SPDX-License-Identifier: GPL-2.0-only */
/* Where pages shall lie. */
#ifndef _HPM_POLICY_H
#define _HPM_POLICY_H

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/nodemask.h>
#include <linux/types.h>
#include <uapi/linux/hpage_map.h>

struct hpm_place {
	enum hpage_map_policy policy;	/* how node is meant */
	int node;			/* one that has memory, with a policy that names one */
	u64 limit;			/* the first physical address out of reach; 0 for none */
};

/* Does a policy name a node? */
static inline bool hpm_policy_names_node(u32 policy)
{
	return policy == HPAGE_MAP_POLICY_PREFERRED || policy == HPAGE_MAP_POLICY_STRICT;
}

/* Nodes to look at one after the other. */
struct hpm_nodes {
	int first;		/* look here first, if it is among them */
	nodemask_t left;
};

bool hpm_place_exists(const struct hpm_place *place);
void hpm_nodes_begin(struct hpm_nodes *nodes, const struct hpm_place *place);
int hpm_nodes_next(struct hpm_nodes *nodes);

struct hpm_policy *hpm_policy_enter(const struct hpm_place *place);
void hpm_policy_leave(struct hpm_policy *policy);
void hpm_policy_exit(void);

DEFINE_FREE(hpm_policy, struct hpm_policy *, if (!IS_ERR_OR_NULL(_T)) hpm_policy_leave(_T))

#endif
