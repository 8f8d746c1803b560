/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_INFO_H
#define _HPM_INFO_H

struct hpm_call;

/* Handlers of the ioctls that ask; INFO does without a buffer. */
int hpm_info_info(struct hpm_call *call);
int hpm_info_list(struct hpm_call *call);
int hpm_info_nodes(struct hpm_call *call);
int hpm_info_runs(struct hpm_call *call);
int hpm_info_forecast(struct hpm_call *call);

#endif
