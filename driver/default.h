/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_DEFAULT_H
#define _HPM_DEFAULT_H

struct hpage_map_buffer;

int hpm_default_init(void);
void hpm_default_exit(void);
struct hpage_map_buffer *hpm_default_get(void);
struct hpage_map_buffer *hpm_default_peek(void);

#endif
