// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one user may take.
 *
 * These limits make it safe to give the device to ordinary users, on machines
 * without control groups, too. Pages of the page allocator could be swapped
 * before they were pinned; so they count against RLIMIT_MEMLOCK, in one sum with
 * what io_uring, AF_XDP and iommufd pin for the user. Pages of the pools have no
 * limit of that kind, and those of the reserve no control group; each has a
 * parameter.
 *
 * Charged before the pages are taken, given back when they are free again, which
 * may be after the buffer has gone, see backing.c. The user is the one that the
 * caller is now, as for RLIMIT_MEMLOCK. Whoever has CAP_IPC_LOCK is neither
 * limited nor counted.
 *
 * Who pins 4 KiB of a huge page holds all of it. So what programs pin is charged
 * by the folio, whole, and once for each user whatever the number of pins: a large
 * folio has a count in its user's folios.
 *
 * A user is there as long as something is charged to him. users, with its lock,
 * has them all; the lock of folios protects their counts. They are spinlocks, so
 * that nobody waits for a task that has been stopped while it held one.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "limits.h"
#include "param.h"
#include "why.h"

static u64 user_hugetlb = U64_MAX;
module_param_cb(user_hugetlb, &hpm_param_ops_bytes, &user_hugetlb, 0644);
MODULE_PARM_DESC(user_hugetlb, "bytes of hugetlb pages that one user may have (max)");

static u64 user_reserve;
module_param_cb(user_reserve, &hpm_param_ops_bytes, &user_reserve, 0644);
MODULE_PARM_DESC(user_reserve, "bytes of the reserve that one user may have (0)");

/* Somebody to whom something is charged. */
struct hpm_user {
	unsigned long refs;		/* charges; under the lock of users */
	const struct cred *cred;	/* held, with the user_struct, which has what is locked */
	atomic_long_t used[HPM_LIMIT_RESERVE + 1];	/* base pages; of MEMLOCK the user_struct */
	struct xarray folios;		/* large, pinned: how often, by frame number */
};

static DEFINE_XARRAY(users);		/* by user id */

static void user_free(struct hpm_user *user)
{
	xa_destroy(&user->folios);
	put_cred(user->cred);
	kfree(user);
}

/* The calling user, with a reference, or NULL without memory. */
static struct hpm_user *user_get(void)
{
	struct hpm_user *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT), *user;

	if (!new)
		return NULL;
	/* Some Linux 6.1 does not export how to let go of a user_struct alone. */
	new->cred = get_current_cred();
	xa_init(&new->folios);
	xa_lock(&users);
	user = __xa_cmpxchg(&users, __kuid_val(new->cred->uid), NULL, new, GFP_KERNEL_ACCOUNT);
	if (!user)
		swap(user, new);
	if (!xa_is_err(user))
		user->refs++;
	xa_unlock(&users);

	if (new)
		user_free(new);
	return xa_is_err(user) ? NULL : user;
}

static void user_put(struct hpm_user *user)
{
	bool last;

	xa_lock(&users);
	last = !--user->refs;
	if (last)
		__xa_erase(&users, __kuid_val(user->cred->uid));
	xa_unlock(&users);
	if (last)
		user_free(user);
}

/* What counts against the limit, in base pages; as io_uring and iommufd count what they pin. */
static atomic_long_t *limit_used(const struct hpm_charge *charge)
{
	struct hpm_user *user = charge->user;

	return charge->limit == HPM_LIMIT_MEMLOCK ? &user->cred->user->locked_vm :
						    &user->used[charge->limit];
}

static u64 limit_max(enum hpm_limit limit)
{
	if (limit == HPM_LIMIT_MEMLOCK)
		return rlimit(RLIMIT_MEMLOCK);
	return READ_ONCE(*(limit == HPM_LIMIT_RESERVE ? &user_reserve : &user_hugetlb));
}

static void limit_explain(enum hpm_limit limit, u64 bytes, u64 used, struct hpm_why *why)
{
	const char *name = limit == HPM_LIMIT_RESERVE ? "reserve" : "hugetlb";
	struct hpm_text more = hpm_text_size(bytes), has = hpm_text_size(used);
	struct hpm_text max = hpm_text_size(limit_max(limit));

	if (limit == HPM_LIMIT_MEMLOCK) {
		hpm_why_or(why, "a larger ulimit -l, or a hugetlb pool",
			   "%s besides %s pinned exceed RLIMIT_MEMLOCK, %s", more.text, has.text,
			   max.text);
	} else {
		hpm_why(why, "%s: %s more than this user's %s exceed %s", name, more.text,
			has.text, max.text);
		hpm_why_try(why, "a larger /sys/module/hpage_map/parameters/user_%s", name);
	}
}

static int limit_take(const struct hpm_charge *charge, u64 bytes, struct hpm_why *why)
{
	unsigned long max = limit_max(charge->limit) >> PAGE_SHIFT, nr = bytes >> PAGE_SHIFT;
	atomic_long_t *counter = limit_used(charge);
	long used = atomic_long_read(counter);

	do {
		if (used > max || nr > max - used) {
			limit_explain(charge->limit, bytes, (u64)used << PAGE_SHIFT, why);
			return -EDQUOT;
		}
	} while (!atomic_long_try_cmpxchg(counter, &used, used + nr));
	return 0;
}

/*
 * Let the calling user be charged from here on. A user without a limit is not, and then the
 * charge stays empty. Return: 0, or -ENOMEM.
 */
int hpm_limit_begin(struct hpm_charge *charge, enum hpm_limit limit)
{
	if (ns_capable_noaudit(&init_user_ns, CAP_IPC_LOCK))
		return 0;
	charge->limit = limit;
	charge->user = user_get();
	return charge->user ? 0 : -ENOMEM;
}

/* Charge bytes more. Return: 0, or -EDQUOT when it would be too much. */
int hpm_limit_add(struct hpm_charge *charge, u64 bytes, struct hpm_why *why)
{
	int ret;

	if (!charge->user)
		return 0;
	ret = limit_take(charge, bytes, why);
	if (!ret)
		charge->bytes += bytes;
	return ret;
}

/* Give back some of what was charged. */
void hpm_limit_sub(struct hpm_charge *charge, u64 bytes)
{
	if (!charge->user)
		return;
	charge->bytes -= bytes;
	atomic_long_sub(bytes >> PAGE_SHIFT, limit_used(charge));
}

/* Give back all that is left, and the user. */
void hpm_limit_end(struct hpm_charge *charge)
{
	if (!charge->user)
		return;
	hpm_limit_sub(charge, charge->bytes);
	user_put(charge->user);
	charge->user = NULL;
}

/*
 * Charge the folio of a page that a program has pinned. Return: 0, -EDQUOT, or -ENOMEM.
 */
int hpm_limit_add_folio(struct hpm_charge *charge, struct folio *folio, struct hpm_why *why)
{
	unsigned long pfn = folio_pfn(folio), pins;
	struct xarray *folios;
	int ret = 0;

	if (!charge->user)
		return 0;
	if (!folio_test_large(folio))
		return hpm_limit_add(charge, PAGE_SIZE, why);
	folios = &charge->user->folios;
	if (xa_reserve(folios, pfn, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	xa_lock(folios);
	pins = xa_to_value(xa_load(folios, pfn));
	/* Not in the charge's own bytes: it may go before others of the user who pin this folio. */
	if (!pins)
		ret = limit_take(charge, folio_size(folio), why);
	if (ret) {
		__xa_erase(folios, pfn);
	} else if (xa_is_err(__xa_store(folios, pfn, xa_mk_value(pins + 1), GFP_ATOMIC))) {
		/* Another thread has given up the place in between, and there is none. */
		ret = -ENOMEM;
		if (!pins)
			atomic_long_sub(folio_nr_pages(folio), limit_used(charge));
	}
	xa_unlock(folios);
	return ret;
}

/* The folio is not pinned for this charge any more, or will not be in a moment. */
void hpm_limit_sub_folio(struct hpm_charge *charge, struct folio *folio)
{
	unsigned long pfn = folio_pfn(folio), pins;
	struct xarray *folios;

	if (!charge->user)
		return;
	if (!folio_test_large(folio)) {
		hpm_limit_sub(charge, PAGE_SIZE);
		return;
	}
	folios = &charge->user->folios;
	xa_lock(folios);
	pins = xa_to_value(xa_load(folios, pfn));
	__xa_store(folios, pfn, pins > 1 ? xa_mk_value(pins - 1) : NULL, GFP_ATOMIC);
	xa_unlock(folios);
	if (pins == 1)
		atomic_long_sub(folio_nr_pages(folio), limit_used(charge));
}
