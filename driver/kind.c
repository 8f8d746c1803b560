// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backings, side by side.
 *
 * hugetlbfs maps pages of one size and nothing smaller, and counts a page in the pool for each copy
 * that a private mapping might need. tmpfs does neither. Memory of a program has no file that could
 * be mapped.
 */
#include "kind.h"

const struct hpm_kind hpm_kinds[] = {
	[HPAGE_MAP_BACKING_HUGETLB] = { .name = "hugetlb", .reservable = true, .pooled = true },
	[HPAGE_MAP_BACKING_THP] = { .name = "thp", .reservable = true },
	[HPAGE_MAP_BACKING_BASE] = { .name = "base" },
	[HPAGE_MAP_BACKING_USER] = { .name = "user" },
};
