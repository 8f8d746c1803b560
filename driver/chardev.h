/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_CHARDEV_H
#define _HPM_CHARDEV_H

int hpm_chardev_init(void);
void hpm_chardev_exit(void);

#endif
