/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_OFFLINE_H
#define _HPM_OFFLINE_H

struct hpm_pages;

int hpm_offline_init(void);
void hpm_offline_exit(void);

void hpm_offline_count(const struct hpm_pages *pages, long pieces);

#endif
