/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_DMAMAP_H
#define _HPM_DMAMAP_H

struct hpm_call;

int hpm_dmamap_init(void);
void hpm_dmamap_exit(void);

/* The handler of HPAGE_MAP_DMA_MAP. */
int hpm_dmamap_map(struct hpm_call *call);

#endif
