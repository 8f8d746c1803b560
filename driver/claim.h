/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_CLAIM_H
#define _HPM_CLAIM_H

#include "fs.h"

/* Can it be done with this kernel? */
static inline bool hpm_claim_exists(void)
{
	return IS_ENABLED(CONFIG_CONTIG_ALLOC) && hpm_fs_has_thp();
}

struct hpage_map_forecast;
struct hpm_place;

extern const struct hpm_source hpm_blocks;

int hpm_claim_forecast(const struct hpm_place *place, struct hpage_map_forecast *forecast);

#endif
