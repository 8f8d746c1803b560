/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the backings, so that nobody has to ask which one it is. */
#ifndef _HPM_KIND_H
#define _HPM_KIND_H

#include <linux/types.h>
#include <uapi/linux/hpage_map.h>

#include "limits.h"

struct hpm_kind {
	const char *name;		/* for programs and people */
	enum hpm_limit limit;		/* what its pages count against, unless they were ready */
	bool reservable;		/* there are reserves of its pages */
	bool whole_pages;		/* mappings and their copies are of whole pages of a pool */
};

const struct hpm_kind *hpm_kind(enum hpage_map_backing backing);

#endif
