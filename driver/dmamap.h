/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_DMAMAP_H
#define _HPM_DMAMAP_H

#include <linux/device.h>

#include "ioctl.h"

int hpm_dmamap_init(void);
void hpm_dmamap_exit(void);
struct device *hpm_dmamap_find_device(const char *name);
bool hpm_dmamap_is(const struct file *file);
int hpm_dmamap_runs(struct file *file, struct hpage_map_runs *runs);
int hpm_ioctl_dma_map(struct file *file, struct hpm_call *call);
int hpm_ioctl_dma_sync(struct file *file, struct hpm_call *call);

#endif
