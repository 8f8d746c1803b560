// SPDX-License-Identifier: GPL-2.0-only
/*
 * On which NUMA nodes pages are allocated.
 *
 * hugetlbfs and tmpfs follow the memory policy of the calling task, and a
 * module cannot call set_mempolicy(). But a task's policy is a plain object,
 * and only the task itself changes it; so while a buffer is filled the task has
 * ours in its place.
 *
 * Others look at a task's policy under task_lock(), or take a reference there:
 * /proc/PID/numa_maps does, and sleeps with it. So the pointer is swapped under
 * that lock, and the object goes when nobody refers to it and no reader under
 * RCU can see it any more. It is never put by reference count: mm/ would free
 * it into a cache of its own.
 */
#include <linux/cpuset.h>
#include <linux/delay.h>
#include <linux/mempolicy.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "policy.h"

#if IS_ENABLED(CONFIG_NUMA)

/* The policy that counts when none is asked for; NULL is mm/'s default. */
static const struct mempolicy *own_policy(const struct hpm_attr *attr)
{
	return attr->policy == HPAGE_MAP_POLICY_DEFAULT ? current->mempolicy : NULL;
}

static bool is_wish(const struct mempolicy *pol)
{
	return pol->mode == MPOL_PREFERRED || pol->mode == MPOL_PREFERRED_MANY ||
	       pol->mode == MPOL_LOCAL;
}

static void restrict_to_own(const struct hpm_attr *attr, nodemask_t *nodes)
{
	const struct mempolicy *own = own_policy(attr);

	if (own && !is_wish(own))
		nodes_and(*nodes, *nodes, own->nodes);
}

static int own_choice(const struct hpm_attr *attr)
{
	const struct mempolicy *own = own_policy(attr);

	if (own && is_wish(own) && !nodes_empty(own->nodes))
		return first_node(own->nodes);
	return numa_mem_id();
}

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

/**
 * hpm_policy_enter() - allocate by a policy from here on
 * @attr: what is asked for
 *
 * Context: may sleep; ends with hpm_policy_leave() in the same task.
 * Return: what hpm_policy_leave() takes, or an ERR_PTR of -ENOMEM.
 */
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
	/* A cpuset that changes meanwhile does not move it to other nodes. */
	pol->flags = MPOL_F_STATIC_NODES;
	switch (attr->policy) {
	case HPAGE_MAP_POLICY_INTERLEAVE:
		pol->mode = MPOL_INTERLEAVE;
		nodes_and(pol->nodes, node_states[N_MEMORY], cpuset_current_mems_allowed);
		break;
	case HPAGE_MAP_POLICY_STRICT:
		pol->mode = MPOL_BIND;
		pol->nodes = nodemask_of_node(attr->node);
		break;
	default:
		pol->mode = MPOL_PREFERRED;
		pol->nodes = nodemask_of_node(attr->node);
		break;
	}
	pol->w.user_nodemask = pol->nodes;
	policy->tasks_own = swap_policy(pol);
	return policy;
}

/**
 * hpm_policy_leave() - allocate as the task did before
 * @policy: of hpm_policy_enter(); not to be used afterwards
 *
 * Context: may sleep, as long as somebody reads this task's numa_maps.
 */
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

static void restrict_to_own(const struct hpm_attr *attr, nodemask_t *nodes)
{
}

static int own_choice(const struct hpm_attr *attr)
{
	return numa_mem_id();
}

struct hpm_policy *hpm_policy_enter(const struct hpm_attr *attr)
{
	return NULL;
}

void hpm_policy_leave(struct hpm_policy *policy)
{
}

#endif

/* Nodes with memory that the request and the calling task's cpuset allow. */
static nodemask_t allowed_nodes(const struct hpm_attr *attr)
{
	nodemask_t nodes;

	if (attr->policy == HPAGE_MAP_POLICY_STRICT)
		nodes = nodemask_of_node(attr->node);
	else
		nodes = node_states[N_MEMORY];
	nodes_and(nodes, nodes, cpuset_current_mems_allowed);
	restrict_to_own(attr, &nodes);
	return nodes;
}

static int first_choice(const struct hpm_attr *attr)
{
	if (attr->policy == HPAGE_MAP_POLICY_STRICT ||
	    attr->policy == HPAGE_MAP_POLICY_PREFERRED)
		return attr->node;
	return own_choice(attr);
}

/**
 * hpm_policy_nodes() - the nodes to look for pages on
 * @nodes: what hpm_policy_next() goes through
 * @attr: what is asked for
 *
 * For those who choose pages themselves, where mm/ would follow the policy and
 * the cpuset of the calling task. Decided once: a task that moves to another
 * CPU meanwhile must not miss a node.
 */
void hpm_policy_nodes(struct hpm_nodes *nodes, const struct hpm_attr *attr)
{
	nodes->first = first_choice(attr);
	nodes->left = allowed_nodes(attr);
}

/**
 * hpm_policy_next() - the next node to look for pages on
 * @nodes: of hpm_policy_nodes()
 *
 * Return: the node that is asked for, or the one that the task prefers, and
 * then the others that it may use; NUMA_NO_NODE after the last.
 */
int hpm_policy_next(struct hpm_nodes *nodes)
{
	int node = node_isset(nodes->first, nodes->left) ? nodes->first :
							   first_node(nodes->left);

	if (node >= MAX_NUMNODES)
		return NUMA_NO_NODE;
	node_clear(node, nodes->left);
	return node;
}
