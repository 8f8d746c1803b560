/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the backings, so that nobody has to ask which one it is. */
#ifndef _HPM_KIND_H
#define _HPM_KIND_H

#include <linux/types.h>
#include <uapi/linux/hpage_map.h>

struct hpm_kind {
	const char *name;		/* for programs and people */
	bool reservable;		/* there are reserves of its pages */
	bool pooled;			/* pages of a pool: mapped and copied whole */
};

extern const struct hpm_kind hpm_kinds[];	/* by enum hpage_map_backing */

#endif
