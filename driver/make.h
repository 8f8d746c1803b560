/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_MAKE_H
#define _HPM_MAKE_H

struct hpm_call;

/* Handlers of the ioctls that make and destroy buffers. */
int hpm_make_alloc(struct hpm_call *call);
int hpm_make_create(struct hpm_call *call);
int hpm_make_pin(struct hpm_call *call);
int hpm_make_destroy(struct hpm_call *call);

#endif
