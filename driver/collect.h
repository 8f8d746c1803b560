/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COLLECT_H
#define _HPM_COLLECT_H

extern const struct hpm_source hpm_pool_pages;

#endif
