/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_LIMITS_H
#define _HPM_LIMITS_H

#include <linux/types.h>

struct folio;
struct hpm_user;
struct hpm_why;

enum hpm_limit {
	HPM_LIMIT_MEMLOCK,	/* RLIMIT_MEMLOCK, with what else the user has pinned */
	HPM_LIMIT_HUGETLB,	/* the parameter user_hugetlb */
	HPM_LIMIT_RESERVE,	/* the parameter user_reserve */
};

/* Bytes that count against a limit of a user; all zero when nobody is charged. */
struct hpm_charge {
	struct hpm_user *user;		/* held; NULL when nobody is charged */
	enum hpm_limit limit;
	u64 bytes;
};

int hpm_limit_begin(struct hpm_charge *charge, enum hpm_limit limit);
int hpm_limit_add(struct hpm_charge *charge, u64 bytes, struct hpm_why *why);
void hpm_limit_sub(struct hpm_charge *charge, u64 bytes);
void hpm_limit_end(struct hpm_charge *charge);
int hpm_limit_add_folio(struct hpm_charge *charge, struct folio *folio, struct hpm_why *why);
void hpm_limit_sub_folio(struct hpm_charge *charge, struct folio *folio);

#endif
