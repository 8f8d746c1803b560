// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one user may take.
 *
 * These limits make it safe to give the device to ordinary users, on machines
 * without control groups, too. Pages of the page allocator could be swapped
 * before they were pinned; so they count against RLIMIT_MEMLOCK, in one sum with
 * the user's io_uring buffers and RDMA regions. Pages of the pools have no limit
 * of that kind, and those of the reserve no control group; each has a parameter.
 *
 * Charged before the pages are taken, given back after they are. The user is the
 * one that the caller is now, as for RLIMIT_MEMLOCK. Whoever has CAP_IPC_LOCK is
 * neither limited nor counted.
 *
 * charges_lock protects the list of what counts against the parameters; it is
 * taken under mmap_lock when a mapping was the last holder.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>

#include "backing.h"

static u64 user_hugetlb = U64_MAX;
module_param_cb(user_hugetlb, &hpm_param_ops_bytes, &user_hugetlb, 0644);
MODULE_PARM_DESC(user_hugetlb, "bytes of hugetlb pages that one user may have (max)");

static u64 user_reserve;
module_param_cb(user_reserve, &hpm_param_ops_bytes, &user_reserve, 0644);
MODULE_PARM_DESC(user_reserve, "bytes of the reserve that one user may have (0)");

static LIST_HEAD(charges);
static DEFINE_MUTEX(charges_lock);

static int charge_param(struct hpm_charge *charge, struct hpm_why *why)
{
	bool reserve = charge->limit == HPM_LIMIT_RESERVE;
	const char *name = reserve ? "reserve" : "hugetlb";
	u64 max = READ_ONCE(*(reserve ? &user_reserve : &user_hugetlb)), used = 0;
	const struct hpm_charge *other;
	int ret = 0;

	mutex_lock(&charges_lock);
	list_for_each_entry(other, &charges, entry)
		if (other->limit == charge->limit && uid_eq(other->uid, charge->uid))
			used += other->bytes;
	if (used > max || charge->bytes > max - used) {
		hpm_why(why, "%s: %llu kB more than this user's %llu kB exceed %llu kB",
			name, charge->bytes >> 10, used >> 10, max >> 10);
		hpm_why_try(why, "a larger /sys/module/hpage_map/parameters/user_%s", name);
		ret = -EDQUOT;
	} else {
		list_add(&charge->entry, &charges);
	}
	mutex_unlock(&charges_lock);
	return ret;
}

/* As io_uring and iommufd account what they pin. */
static int charge_memlock(struct hpm_charge *charge, struct hpm_why *why)
{
	unsigned long max = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	unsigned long nr = charge->bytes >> PAGE_SHIFT;
	struct user_struct *user = current_user();
	long used = atomic_long_read(&user->locked_vm);

	do {
		if (used > max || nr > max - used) {
			hpm_why(why, "%llu kB besides %lu kB pinned exceed RLIMIT_MEMLOCK, %lu kB",
				charge->bytes >> 10, used << (PAGE_SHIFT - 10),
				max << (PAGE_SHIFT - 10));
			hpm_why_try(why, "a larger ulimit -l, or a hugetlb pool");
			return -EDQUOT;
		}
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &used, used + nr));

	/* The user stays with the credentials; some Linux 6.1 does not let go of one alone. */
	charge->cred = get_current_cred();
	return 0;
}

/*
 * Count bytes of the calling user against a limit. The charge is all zero, and counts for
 * nothing if the user has no limit. Return: 0, or -EDQUOT when it would be too much.
 */
int hpm_limit_charge(struct hpm_charge *charge, enum hpm_limit limit, u64 bytes,
		     struct hpm_why *why)
{
	int ret;

	if (ns_capable_noaudit(&init_user_ns, CAP_IPC_LOCK))
		return 0;
	charge->limit = limit;
	charge->uid = current_uid();
	charge->bytes = bytes;
	ret = limit == HPM_LIMIT_MEMLOCK ? charge_memlock(charge, why) :
					   charge_param(charge, why);
	if (ret)
		charge->bytes = 0;
	return ret;
}

/* Give back what was charged. Legal under mmap_lock. */
void hpm_limit_uncharge(struct hpm_charge *charge)
{
	if (!charge->bytes)
		return;
	if (charge->limit == HPM_LIMIT_MEMLOCK) {
		atomic_long_sub(charge->bytes >> PAGE_SHIFT, &charge->cred->user->locked_vm);
		put_cred(charge->cred);
	} else {
		mutex_lock(&charges_lock);
		list_del(&charge->entry);
		mutex_unlock(&charges_lock);
	}
	charge->bytes = 0;
}
