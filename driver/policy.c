// SPDX-License-Identifier: GPL-2.0-only
/*
 * On which NUMA nodes pages are allocated.
 *
 * hugetlbfs and tmpfs follow the memory policy of the calling task, and a module cannot call
 * set_mempolicy(). But a task's policy is a plain object, and only the task itself changes
 * it; so while a buffer is filled the task has ours in its place.
 *
 * Others look at a task's policy under task_lock(), or take a reference there, as
 * /proc/PID/numa_maps does, and sleep with it for as long as they like. So the pointer is
 * swapped under that lock, and nobody waits for them: what is still referred to stays in a list,
 * and whoever leaves a policy later frees it, when no reader under RCU can see it any more. It
 * is never put by reference count: mm/ would free it into a cache of its own.
 *
 * What somebody still refers to when the module goes is left to him, and lost: it is plain
 * memory that leads to no code of ours. left_lock protects the list and nothing else.
 *
 * A change of the task's cpuset meanwhile reaches our policy and not the task's own, which keeps
 * its nodes until the next change. What was got is verified afterwards.
 */
#include <linux/cpuset.h>
#include <linux/list.h>
#include <linux/mempolicy.h>
#include <linux/mutex.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "policy.h"

/* The nodes to use: all that the calling task may, by its cpuset and its own policy. */
static nodemask_t nodes_allowed(const struct hpm_place *place)
{
	nodemask_t nodes = node_states[N_MEMORY];

	if (place->policy == HPAGE_MAP_POLICY_STRICT)
		nodes = nodemask_of_node(place->node);
	nodes_and(nodes, nodes, cpuset_current_mems_allowed);
#if IS_ENABLED(CONFIG_NUMA)
	/* Only the task itself changes it. */
	if (place->policy == HPAGE_MAP_POLICY_DEFAULT && current->mempolicy &&
	    current->mempolicy->mode == MPOL_BIND)
		nodes_and(nodes, nodes, current->mempolicy->nodes);
#endif
	return nodes;
}

/* Has the node that is named memory? */
bool hpm_place_exists(const struct hpm_place *place)
{
	return place->node >= 0 && place->node < MAX_NUMNODES &&
	       node_state(place->node, N_MEMORY);
}

/* Begin to look for pages on one node after the other. */
void hpm_nodes_begin(struct hpm_nodes *nodes, const struct hpm_place *place)
{
	nodes->first = hpm_policy_names_node(place->policy) ? place->node : numa_mem_id();
	nodes->left = nodes_allowed(place);
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

#if IS_ENABLED(CONFIG_NUMA)

struct hpm_policy {
	struct mempolicy pol;
	struct mempolicy *tasks_own;
	struct list_head entry;		/* in policies_left; under its lock */
	struct rcu_head rcu;
};

static DEFINE_MUTEX(left_lock);
static LIST_HEAD(policies_left);	/* those that others may still look at */

/* Free what nobody refers to any more. The tasks have let go of it, so nobody new can find it. */
static void policies_sweep(void)
{
	struct hpm_policy *policy, *next;

	lockdep_assert_held(&left_lock);
	list_for_each_entry_safe(policy, next, &policies_left, entry) {
		/* Pairs with mpol_put(): what others do with it is done. */
		if (atomic_read_acquire(&policy->pol.refcnt) > 1)
			continue;
		list_del(&policy->entry);
		kfree_rcu(policy, rcu);
	}
}

static struct mempolicy *policy_swap(struct mempolicy *pol)
{
	struct mempolicy *old;

	task_lock(current);
	old = current->mempolicy;
	current->mempolicy = pol;
	task_unlock(current);
	return old;
}

static const unsigned short policy_modes[] = {
	[HPAGE_MAP_POLICY_PREFERRED] = MPOL_PREFERRED,
	[HPAGE_MAP_POLICY_STRICT] = MPOL_BIND,
	[HPAGE_MAP_POLICY_INTERLEAVE] = MPOL_INTERLEAVE,
};

/* Allocate by a policy from here on. Return: what hpm_policy_leave() takes, or -ENOMEM. */
struct hpm_policy *hpm_policy_enter(const struct hpm_place *place)
{
	struct hpm_policy *policy;
	struct mempolicy *pol;

	if (place->policy == HPAGE_MAP_POLICY_DEFAULT)
		return NULL;
	policy = kzalloc(sizeof(*policy), GFP_KERNEL_ACCOUNT);
	if (!policy)
		return ERR_PTR(-ENOMEM);

	pol = &policy->pol;
	atomic_set(&pol->refcnt, 1);
	pol->mode = policy_modes[place->policy];
	pol->flags = MPOL_F_STATIC_NODES;
	pol->home_node = NUMA_NO_NODE;
	pol->nodes = place->policy == HPAGE_MAP_POLICY_INTERLEAVE ? nodes_allowed(place) :
		     nodemask_of_node(place->node);
	pol->w.user_nodemask = pol->nodes;
	policy->tasks_own = policy_swap(pol);
	return policy;
}

/* Allocate as the task did before. Waits for nobody. */
void hpm_policy_leave(struct hpm_policy *policy)
{
	policy_swap(policy->tasks_own);
	guard(mutex)(&left_lock);
	list_add(&policy->entry, &policies_left);
	policies_sweep();
}

/* Nobody enters any more. */
void hpm_policy_exit(void)
{
	guard(mutex)(&left_lock);
	policies_sweep();
}

#else

struct hpm_policy *hpm_policy_enter(const struct hpm_place *place)
{
	return NULL;
}

void hpm_policy_leave(struct hpm_policy *policy)
{
}

void hpm_policy_exit(void)
{
}

#endif
