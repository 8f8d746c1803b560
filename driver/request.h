/* SPDX-License-Identifier: GPL-2.0-only */
/* A request for a buffer, from whichever face it comes. */
#ifndef _HPM_REQUEST_H
#define _HPM_REQUEST_H

#include <linux/pgtable.h>
#include <linux/sizes.h>
#include <linux/uidgid.h>
#include <uapi/linux/hpage_map.h>

#include "policy.h"
#include "why.h"

struct device;

/*
 * The best page size: what a PMD maps, unless that is the 512 MiB of arm64 with base pages of 64
 * KiB, which few buffers would fill.
 */
#define HPM_BEST_SIZE	(IS_ENABLED(CONFIG_ARM64_64K_PAGES) ? SZ_2M : PMD_SIZE)

struct hpm_request {
	u64 length;			/* bytes; rounded up to the page size that is got */
	u64 page_size;			/* bytes; 0 for the best */
	struct hpm_place place;		/* where the pages shall lie */
	u32 flags;			/* bits of enum hpage_map_alloc_flags */
	bool charge_user;		/* against the limits of the calling task's user */
	bool pin;			/* memory of the calling program, */
	u64 address;			/* which is there */

	u32 role;			/* HPAGE_MAP_ATTR_DEFAULT, _NAMED, or 0 */
	const char *name;		/* or tag; may be empty */
	umode_t mode;			/* of the node of a named buffer, permission bits */
	kuid_t uid;			/* its owner */
	kgid_t gid;			/* its group */

	struct hpm_why *why;		/* where reasons go, whether it succeeds or not */
};

int hpm_request_near(struct hpm_request *r, struct device *dev);
int hpm_request_check(const struct hpm_request *r);

#endif
