// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * On which NUMA nodes the calling thread allocates.
 *
 * Pages of memfd come from where the policy of the thread that first touches
 * them says. So the policy is set around that, and then put back; other
 * threads are not concerned. There is no wrapper for these system calls in the
 * C library.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mempolicy.h>

#include "internal.h"

static const int modes[] = {
	[HPMAP_POLICY_PREFERRED] = MPOL_PREFERRED,
	[HPMAP_POLICY_STRICT] = MPOL_BIND,
	[HPMAP_POLICY_INTERLEAVE] = MPOL_INTERLEAVE,
};

static int set(int mode, const unsigned long *nodes)
{
	/* The kernel takes one bit less than it is told. */
	return syscall(SYS_set_mempolicy, mode, nodes, MAX_NODES + 1) ? -errno : 0;
}

/* Those that the cpuset of the thread allows. */
static int allowed(unsigned long nodes[NODE_WORDS])
{
	return syscall(SYS_get_mempolicy, NULL, nodes, MAX_NODES, NULL, MPOL_F_MEMS_ALLOWED) ?
		-errno : 0;
}

static void only(int node, unsigned long nodes[NODE_WORDS])
{
	memset(nodes, 0, NODE_WORDS * sizeof(*nodes));
	nodes[node / WORD_BITS] |= 1UL << node % WORD_BITS;
}

/* Where pages may come from, whatever is preferred; false where the kernel does not say. */
bool policy_nodes(uint32_t policy, int node, unsigned long nodes[NODE_WORDS])
{
	unsigned long mask[NODE_WORDS] = {};
	size_t i;
	int mode;

	if (allowed(nodes) || syscall(SYS_get_mempolicy, &mode, mask, MAX_NODES, NULL, 0))
		return false;
	if (policy == HPMAP_POLICY_STRICT)
		only(node, mask);
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

	if (!saved->changed || allowed(nodes))
		return;
	for (i = 0; i < NODE_WORDS; i++)
		n += __builtin_popcountl(nodes[i]);
	if (!n)
		return;
	turn %= n;
	for (node = 0; node < MAX_NODES; node++)
		if (nodes[node / WORD_BITS] >> node % WORD_BITS & 1 && !turn--)
			break;
	only(node, mask);
	set(MPOL_PREFERRED, mask);
}

static int change(uint32_t policy, int node, struct saved_policy *saved)
{
	unsigned long nodes[NODE_WORDS];
	int ret = 0;

	if (syscall(SYS_get_mempolicy, &saved->mode, saved->nodes, MAX_NODES, NULL, 0))
		return -errno;
	if (policy == HPMAP_POLICY_INTERLEAVE)
		ret = allowed(nodes);
	else
		only(node, nodes);
	return ret ? ret : set(modes[policy], nodes);
}

/*
 * Allocate by @policy until policy_leave(). A kernel without NUMA has one node,
 * and so does as it is told.
 */
int policy_enter(uint32_t policy, int node, struct saved_policy *saved, struct why *why)
{
	int ret;

	*saved = (struct saved_policy){};
	if (policy == HPMAP_POLICY_DEFAULT)
		return 0;
	ret = change(policy, node, saved);
	if (!ret)
		saved->changed = true;
	if (!ret || ret == -ENOSYS)
		return 0;
	why_add(why, "memfd: the memory policy cannot be set: %s", strerror(-ret));
	why_try(why, "another node, a wider cpuset, or a sandbox that allows set_mempolicy(2)");
	/* A preference that cannot be kept is told, and no more. */
	return policy == HPMAP_POLICY_STRICT ? -ENOMEM : 0;
}

void policy_leave(const struct saved_policy *saved)
{
	if (saved->changed)
		set(saved->mode, saved->nodes);
}
