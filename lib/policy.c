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

#define BITS	(8 * sizeof(unsigned long))

_Static_assert(sizeof(((struct saved_policy *)0)->nodes) * 8 >= 1024, "as many as nodes can be");

static const int modes[] = {
	[HPMAP_POLICY_PREFERRED] = MPOL_PREFERRED,
	[HPMAP_POLICY_STRICT] = MPOL_BIND,
	[HPMAP_POLICY_INTERLEAVE] = MPOL_INTERLEAVE,
};

static int set(int mode, const unsigned long *nodes)
{
	/* The kernel takes one bit less than it is told. */
	return syscall(SYS_set_mempolicy, mode, nodes, 1025) ? -errno : 0;
}

static int change(uint32_t policy, int node, struct saved_policy *saved)
{
	unsigned long nodes[16] = {};

	if (syscall(SYS_get_mempolicy, &saved->mode, saved->nodes, 1024, NULL, 0))
		return -errno;
	if (policy == HPMAP_POLICY_INTERLEAVE) {
		if (syscall(SYS_get_mempolicy, NULL, nodes, 1024, NULL, MPOL_F_MEMS_ALLOWED))
			return -errno;
	} else {
		nodes[node / BITS] |= 1UL << node % BITS;
	}
	return set(modes[policy], nodes);
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
