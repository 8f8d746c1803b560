/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_LIMITS_H
#define _HPM_LIMITS_H

#include <linux/types.h>

struct hpm_account;
struct hpm_why;
struct user_struct;

/**
 * enum hpm_limit - what a user's pages count against
 * @HPM_LIMIT_MEMLOCK: RLIMIT_MEMLOCK, together with all else that the user has
 *	pinned
 * @HPM_LIMIT_HUGETLB: the parameter user_hugetlb
 * @HPM_LIMIT_RESERVE: the parameter user_reserve
 */
enum hpm_limit {
	HPM_LIMIT_MEMLOCK,
	HPM_LIMIT_HUGETLB,
	HPM_LIMIT_RESERVE,
};

/**
 * struct hpm_charge - pages that count against a limit; all zero for none
 * @limit: which one
 * @bytes: how much
 * @user: whose, with HPM_LIMIT_MEMLOCK; held
 * @account: whose, with the others; held
 */
struct hpm_charge {
	enum hpm_limit limit;
	u64 bytes;
	struct user_struct *user;
	struct hpm_account *account;
};

int hpm_limit_charge(struct hpm_charge *charge, enum hpm_limit limit, u64 bytes,
		     struct hpm_why *why);
void hpm_limit_uncharge(struct hpm_charge *charge);

#endif
