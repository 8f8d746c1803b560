/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_POLICY_H
#define _HPM_POLICY_H

#include "backing.h"

struct hpm_policy;

int hpm_policy_next(const struct hpm_attr *attr, int prev);
struct hpm_policy *hpm_policy_enter(const struct hpm_attr *attr);
void hpm_policy_leave(struct hpm_policy *policy);

#endif
