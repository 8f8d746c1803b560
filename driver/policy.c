// SPDX-License-Identifier: GPL-2.0-only
/*
 * On which NUMA nodes pages are allocated.
 *
 * hugetlbfs and tmpfs follow the memory policy of the calling task, and a module cannot call
 * set_mempolicy(). But a task's policy is a plain object, and only the task itself changes
 * it; so while a buffer is filled the task has ours in its place.
 *
 * Others look at a task's policy under task_lock(), or take a reference there, as
 * /proc/PID/numa_maps does, and sleep with it. So the pointer is swapped under that lock, and
 * the object goes when nobody refers to it and no reader under RCU can see it any more. It is
 * never put by reference count: mm/ would free it into a cache of its own.
 *
 * A change of the task's cpuset meanwhile reaches our policy and not the task's own, which keeps
 * its nodes until the next change. What was got is verified afterwards.
 */
#include <linux/cpuset.h>
#include <linux/delay.h>
#include <linux/mempolicy.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "backing.h"

/* The nodes to use: all that the calling task may, by its cpuset and its own policy. */
static nodemask_t allowed_nodes(const struct hpm_attr *attr)
{
	nodemask_t nodes = node_states[N_MEMORY];

	if (attr->policy == HPAGE_MAP_POLICY_STRICT)
		nodes = nodemask_of_node(attr->node);
	nodes_and(nodes, nodes, cpuset_current_mems_allowed);
#if IS_ENABLED(CONFIG_NUMA)
	/* Only the task itself changes it. */
	if (attr->policy == HPAGE_MAP_POLICY_DEFAULT && current->mempolicy &&
	    current->mempolicy->mode == MPOL_BIND)
		nodes_and(nodes, nodes, current->mempolicy->nodes);
#endif
	return nodes;
}

/* Begin to look for pages on one node after the other. */
void hpm_nodes_begin(struct hpm_nodes *nodes, const struct hpm_attr *attr)
{
	bool named = attr->policy == HPAGE_MAP_POLICY_STRICT ||
		     attr->policy == HPAGE_MAP_POLICY_PREFERRED;

	nodes->first = named ? attr->node : numa_mem_id();
	nodes->left = allowed_nodes(attr);
}

/*
 * The next node: first the one that is asked for, or the calling task's, and then, unless
 * the policy is strict, the others that the task may use. Return: NUMA_NO_NODE at the end.
 */
int hpm_nodes_next(struct hpm_nodes *nodes)
{
	int node = node_isset(nodes->first, nodes->left) ? nodes->first : first_node(nodes->left);

	if (node >= MAX_NUMNODES)
		return NUMA_NO_NODE;
	node_clear(node, nodes->left);
	return node;
}

/* The node with memory nearest to a device; NUMA_NO_NODE if there are several and none is told. */
int hpm_policy_near(struct device *dev)
{
	int device_node = dev_to_node(dev), nearest = NUMA_NO_NODE, node;

	if (num_node_state(N_MEMORY) == 1)
		return first_node(node_states[N_MEMORY]);
	if (device_node == NUMA_NO_NODE)
		return NUMA_NO_NODE;
	for_each_node_state(node, N_MEMORY)
		if (nearest == NUMA_NO_NODE ||
		    node_distance(device_node, node) < node_distance(device_node, nearest))
			nearest = node;
	return nearest;
}

#if IS_ENABLED(CONFIG_NUMA)

struct hpm_policy {
	struct mempolicy pol;
	struct mempolicy *tasks_own;
	struct rcu_head rcu;
};

static struct mempolicy *swap_policy(struct mempolicy *pol)
{
	struct mempolicy *old;

	task_lock(current);
	old = current->mempolicy;
	current->mempolicy = pol;
	task_unlock(current);
	return old;
}

/* Allocate by a policy from here on. Return: what hpm_policy_leave() takes, or -ENOMEM. */
struct hpm_policy *hpm_policy_enter(const struct hpm_attr *attr)
{
	struct hpm_policy *policy;
	struct mempolicy *pol;

	if (attr->policy == HPAGE_MAP_POLICY_DEFAULT)
		return NULL;
	policy = kzalloc(sizeof(*policy), GFP_KERNEL);
	if (!policy)
		return ERR_PTR(-ENOMEM);

	pol = &policy->pol;
	atomic_set(&pol->refcnt, 1);
	pol->home_node = NUMA_NO_NODE;
	pol->flags = MPOL_F_STATIC_NODES;
	if (attr->policy == HPAGE_MAP_POLICY_INTERLEAVE) {
		pol->mode = MPOL_INTERLEAVE;
		pol->nodes = allowed_nodes(attr);
	} else {
		pol->mode = attr->policy == HPAGE_MAP_POLICY_STRICT ? MPOL_BIND : MPOL_PREFERRED;
		pol->nodes = nodemask_of_node(attr->node);
	}
	pol->w.user_nodemask = pol->nodes;
	policy->tasks_own = swap_policy(pol);
	return policy;
}

/* Allocate as the task did before. */
void hpm_policy_leave(struct hpm_policy *policy)
{
	if (!policy)
		return;
	swap_policy(policy->tasks_own);
	while (atomic_read(&policy->pol.refcnt) > 1)
		usleep_range(100, 1000);
	kfree_rcu(policy, rcu);
}

#else

struct hpm_policy *hpm_policy_enter(const struct hpm_attr *attr)
{
	return NULL;
}

void hpm_policy_leave(struct hpm_policy *policy)
{
}

#endif
