// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backings, side by side.
 *
 * hugetlbfs maps pages of one size and nothing smaller, and counts a page in the pool for each copy
 * that a private mapping might need. tmpfs does neither. Memory of a program has no file that could
 * be mapped.
 */
#include "kind.h"

static const struct hpm_kind kinds[] = {
	[HPAGE_MAP_BACKING_HUGETLB] = {
		.name = "hugetlb",
		.limit = HPM_LIMIT_HUGETLB,
		.reservable = true,
		.whole_pages = true,
	},
	[HPAGE_MAP_BACKING_THP] = {
		.name = "thp",
		.limit = HPM_LIMIT_MEMLOCK,
		.reservable = true,
	},
	[HPAGE_MAP_BACKING_BASE] = {
		.name = "base",
		.limit = HPM_LIMIT_MEMLOCK,
	},
	[HPAGE_MAP_BACKING_USER] = {
		.name = "user",
		.limit = HPM_LIMIT_MEMLOCK,
	},
};

const struct hpm_kind *hpm_kind(enum hpage_map_backing backing)
{
	return &kinds[backing];
}
