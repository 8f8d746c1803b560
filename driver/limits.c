// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one user may take.
 *
 * Control groups limit what a group of processes takes; these limits are for
 * machines without, and make it safe to give the device to ordinary users.
 * Pages of the page allocator were swappable memory before they were pinned, so
 * they count against RLIMIT_MEMLOCK, in one sum with the user's io_uring buffers
 * and RDMA regions. Pages of the pools have no limit of that kind, and pages of
 * the reserve not even a control group; each has a parameter.
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

static u64 used_by(kuid_t uid, enum hpm_limit limit)
{
	const struct hpm_charge *charge;
	u64 used = 0;

	lockdep_assert_held(&charges_lock);
	list_for_each_entry(charge, &charges, entry)
		if (charge->limit == limit && uid_eq(charge->uid, uid))
			used += charge->bytes;
	return used;
}

static int charge_param(struct hpm_charge *charge, struct hpm_why *why)
{
	bool reserve = charge->limit == HPM_LIMIT_RESERVE;
	u64 max = READ_ONCE(*(reserve ? &user_reserve : &user_hugetlb)), used;
	int ret = 0;

	mutex_lock(&charges_lock);
	used = used_by(charge->uid, charge->limit);
	if (used > max || charge->bytes > max - used) {
		hpm_why(why, "%s: %llu kB more than the %llu kB of this user exceed %llu kB",
			reserve ? "reserve" : "hugetlb", charge->bytes >> 10, used >> 10,
			max >> 10);
		hpm_why_try(why, "a larger /sys/module/hpage_map/parameters/%s",
			    reserve ? "user_reserve" : "user_hugetlb");
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
			hpm_why(why, "%llu kB more than the %lu kB pinned by this user exceed its RLIMIT_MEMLOCK of %lu kB",
				charge->bytes >> 10, used << (PAGE_SHIFT - 10),
				max << (PAGE_SHIFT - 10));
			hpm_why_try(why, "a larger ulimit -l, or a hugetlb pool");
			return -EDQUOT;
		}
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &used, used + nr));

	charge->user = get_uid(user);
	return 0;
}

/*
 * Count bytes of the calling user against a limit; charge is all zero, and stays so
 * without a limit. Return: 0, or -EDQUOT when it would be too much.
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
		atomic_long_sub(charge->bytes >> PAGE_SHIFT, &charge->user->locked_vm);
		free_uid(charge->user);
	} else {
		mutex_lock(&charges_lock);
		list_del(&charge->entry);
		mutex_unlock(&charges_lock);
	}
	charge->bytes = 0;
}
