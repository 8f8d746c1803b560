/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_DMABUF_H
#define _HPM_DMABUF_H

struct hpm_call;

/* The handler of HPAGE_MAP_EXPORT. */
int hpm_dmabuf_export(struct hpm_call *call);

#endif
