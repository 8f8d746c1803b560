// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * On which NUMA nodes the calling thread allocates.
 *
 * The policy of the thread that first touches a page of memfd decides where it
 * comes from. So the policy is set around that, and then put back; other
 * threads are not concerned. There is no wrapper for these system calls in the
 * C library.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "hpage_map.h"
#include "policy.h"

static const int policy_modes[] = {
	[HPMAP_POLICY_PREFERRED] = MPOL_PREFERRED,
	[HPMAP_POLICY_STRICT] = MPOL_BIND,
	[HPMAP_POLICY_INTERLEAVE] = MPOL_INTERLEAVE,
};

static int policy_set(int mode, const unsigned long *nodes)
{
	/* The kernel takes one bit less than the argument. */
	return syscall(SYS_set_mempolicy, mode, nodes, MAX_NODES + 1) ? -errno : 0;
}

/* The nodes that the cpuset of the thread allows. */
static int nodes_allowed(unsigned long nodes[NODE_WORDS])
{
	return syscall(SYS_get_mempolicy, NULL, nodes, MAX_NODES, NULL, MPOL_F_MEMS_ALLOWED) ?
		-errno : 0;
}

static void nodes_single(int node, unsigned long nodes[NODE_WORDS])
{
	memset(nodes, 0, NODE_WORDS * sizeof(*nodes));
	nodes[node / WORD_BITS] |= 1UL << node % WORD_BITS;
}

/* Where pages may come from, whatever is preferred; false where the kernel does not know. */
bool policy_nodes(uint32_t policy, int node, unsigned long nodes[NODE_WORDS])
{
	unsigned long mask[NODE_WORDS] = {};
	size_t i;
	int mode;

	if (nodes_allowed(nodes) || syscall(SYS_get_mempolicy, &mode, mask, MAX_NODES, NULL, 0))
		return false;
	if (policy == HPMAP_POLICY_STRICT)
		nodes_single(node, mask);
	else if (policy != HPMAP_POLICY_DEFAULT || mode & MPOL_F_RELATIVE_NODES ||
		 (mode & ~MPOL_MODE_FLAGS) != MPOL_BIND)
		return true;
	for (i = 0; i < NODE_WORDS; i++)
		nodes[i] &= mask[i];
	return true;
}

/*
 * Take the next pages from one node after the other, as interleaving does, which would turn with
 * each allocation, also of a page table. For between policy_enter() and policy_leave().
 */
void policy_turn(const struct saved_policy *saved, uint64_t turn)
{
	unsigned long nodes[NODE_WORDS], mask[NODE_WORDS];
	unsigned int n = 0, node;
	size_t i;

	if (!saved->changed || nodes_allowed(nodes))
		return;
	for (i = 0; i < NODE_WORDS; i++)
		n += __builtin_popcountl(nodes[i]);
	if (!n)
		return;
	turn %= n;
	for (node = 0; node < MAX_NODES; node++)
		if (nodes[node / WORD_BITS] >> node % WORD_BITS & 1 && !turn--)
			break;
	nodes_single(node, mask);
	policy_set(MPOL_PREFERRED, mask);
}

static int policy_change(uint32_t policy, int node, struct saved_policy *saved)
{
	unsigned long nodes[NODE_WORDS];
	int ret = 0;

	if (syscall(SYS_get_mempolicy, &saved->mode, saved->nodes, MAX_NODES, NULL, 0))
		return -errno;
	if (policy == HPMAP_POLICY_INTERLEAVE)
		ret = nodes_allowed(nodes);
	else
		nodes_single(node, nodes);
	return ret ? ret : policy_set(policy_modes[policy], nodes);
}

/*
 * Allocate by @policy until policy_leave(). A kernel without NUMA has one node,
 * which any policy means.
 */
int policy_enter(uint32_t policy, int node, struct saved_policy *saved, struct why *why)
{
	int ret;

	*saved = (struct saved_policy){};
	if (policy == HPMAP_POLICY_DEFAULT)
		return 0;
	ret = policy_change(policy, node, saved);
	if (!ret)
		saved->changed = true;
	if (!ret || ret == -ENOSYS)
		return 0;
	why_add(why, "memfd: the memory policy cannot be set by set_mempolicy(2): %s",
		strerror(-ret));
	/* A preference that cannot be kept is reported, and no more. */
	return policy == HPMAP_POLICY_STRICT ? -ENOMEM : 0;
}

void policy_leave(const struct saved_policy *saved)
{
	if (saved->changed)
		policy_set(saved->mode, saved->nodes);
}
