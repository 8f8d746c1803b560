// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one user may take.
 *
 * Control groups limit what a group of processes takes; these limits are for
 * machines without, and make it safe to give the device to ordinary users.
 * Pages of the page allocator were swappable memory before they were pinned,
 * so they count against RLIMIT_MEMLOCK, in the same sum as the user's io_uring
 * buffers and RDMA regions. Pages of the pools have no limit of that kind, and
 * pages of the reserve not even a control group; each has a parameter.
 *
 * Charged before the pages are taken, given back after they are. Whoever has
 * CAP_IPC_LOCK is neither limited nor counted.
 *
 * An account is a user's sum against the parameters. It lives while a charge
 * refers to it. accounts_lock protects the list and everything in it; it is taken
 * under mmap_lock when a mapping was the last holder. The user is the one that
 * the caller is now, as for RLIMIT_MEMLOCK: a user who may become others has
 * what they have.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>

#include "backing.h"
#include "param.h"

static u64 user_hugetlb = U64_MAX;
module_param_cb(user_hugetlb, &hpm_param_ops_bytes, &user_hugetlb, 0644);
MODULE_PARM_DESC(user_hugetlb, "bytes of hugetlb pages that one user may have (no limit)");

static u64 user_reserve;
module_param_cb(user_reserve, &hpm_param_ops_bytes, &user_reserve, 0644);
MODULE_PARM_DESC(user_reserve, "bytes of the reserve that one user may have (0)");

struct hpm_account {
	struct list_head entry;
	kuid_t uid;		/* never changes */
	unsigned int charges;	/* that refer to it */
	u64 used[HPM_LIMIT_RESERVE + 1];
};

static LIST_HEAD(accounts);
static DEFINE_MUTEX(accounts_lock);

static struct hpm_account *get_account(kuid_t uid)
{
	struct hpm_account *account;

	lockdep_assert_held(&accounts_lock);
	list_for_each_entry(account, &accounts, entry)
		if (uid_eq(account->uid, uid))
			return account;

	account = kzalloc(sizeof(*account), GFP_KERNEL);
	if (account) {
		account->uid = uid;
		list_add(&account->entry, &accounts);
	}
	return account;
}

static void put_account(struct hpm_account *account)
{
	lockdep_assert_held(&accounts_lock);
	if (account->charges)
		return;
	list_del(&account->entry);
	kfree(account);
}

static int charge_account(struct hpm_charge *charge, struct hpm_why *why)
{
	bool reserve = charge->limit == HPM_LIMIT_RESERVE;
	u64 max = READ_ONCE(*(reserve ? &user_reserve : &user_hugetlb));
	struct hpm_account *account;
	int ret = -ENOMEM;
	u64 used;

	mutex_lock(&accounts_lock);
	account = get_account(current_uid());
	if (!account)
		goto unlock;

	used = account->used[charge->limit];
	if (used > max || charge->bytes > max - used) {
		hpm_why(why, "%s: %llu kB more than the %llu kB of this user exceed %llu kB",
			reserve ? "reserve" : "hugetlb", charge->bytes >> 10, used >> 10,
			max >> 10);
		hpm_why_try(why, "a larger /sys/module/hpage_map/parameters/%s",
			    reserve ? "user_reserve" : "user_hugetlb");
		ret = -EDQUOT;
		goto put;
	}
	account->used[charge->limit] += charge->bytes;
	account->charges++;
	charge->account = account;
	ret = 0;
put:
	put_account(account);
unlock:
	mutex_unlock(&accounts_lock);
	return ret;
}

static void uncharge_account(struct hpm_charge *charge)
{
	struct hpm_account *account = charge->account;

	mutex_lock(&accounts_lock);
	account->used[charge->limit] -= charge->bytes;
	account->charges--;
	put_account(account);
	mutex_unlock(&accounts_lock);
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
			hpm_why(why, "%llu kB more than the %lu kB pinned by this user exceed RLIMIT_MEMLOCK, %lu kB",
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
 * Count pages against a limit of the calling user. Return: 0, -EDQUOT when it would be
 * too much, or -ENOMEM.
 */
int hpm_limit_charge(struct hpm_charge *charge, enum hpm_limit limit, u64 bytes,
		     struct hpm_why *why)
{
	if (ns_capable_noaudit(&init_user_ns, CAP_IPC_LOCK))
		return 0;
	charge->limit = limit;
	charge->bytes = bytes;
	return limit == HPM_LIMIT_MEMLOCK ? charge_memlock(charge, why) :
					    charge_account(charge, why);
}

/* Give back what was charged. Legal under mmap_lock. */
void hpm_limit_uncharge(struct hpm_charge *charge)
{
	if (charge->user) {
		atomic_long_sub(charge->bytes >> PAGE_SHIFT, &charge->user->locked_vm);
		free_uid(charge->user);
	}
	if (charge->account)
		uncharge_account(charge);
	*charge = (struct hpm_charge){};
}
