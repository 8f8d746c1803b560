/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_CLAIM_H
#define _HPM_CLAIM_H

#include <linux/mm.h>

/* Can it be done with this kernel? */
static inline bool hpm_claim_exists(void)
{
	return IS_ENABLED(CONFIG_CONTIG_ALLOC) && has_transparent_hugepage();
}

extern const struct hpm_source hpm_blocks;

#endif
