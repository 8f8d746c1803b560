/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_USER_H
#define _HPM_USER_H

struct hpm_backing;
struct hpm_request;

int hpm_user_pin(struct hpm_backing *b, const struct hpm_request *r);

#endif
