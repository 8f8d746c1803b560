/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_LIMITS_H
#define _HPM_LIMITS_H

#include <linux/types.h>

struct hpm_account;
struct hpm_why;
struct user_struct;

/* What a user's pages count against. */
enum hpm_limit {
	/* RLIMIT_MEMLOCK, together with all else that the user has pinned */
	HPM_LIMIT_MEMLOCK,
	HPM_LIMIT_HUGETLB,	/* the parameter user_hugetlb */
	HPM_LIMIT_RESERVE,	/* the parameter user_reserve */
};

/* Pages that count against a limit; all zero for none. */
struct hpm_charge {
	enum hpm_limit limit;	/* which one */
	u64 bytes;	/* how much */
	struct user_struct *user;	/* whose, with HPM_LIMIT_MEMLOCK; held */
	struct hpm_account *account;	/* whose, with the others; held */
};

int hpm_limit_charge(struct hpm_charge *charge, enum hpm_limit limit, u64 bytes,
		     struct hpm_why *why);
void hpm_limit_uncharge(struct hpm_charge *charge);

#endif
