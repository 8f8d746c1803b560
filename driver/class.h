/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_CLASS_H
#define _HPM_CLASS_H

#include <linux/bits.h>
#include <linux/types.h>

/* Minor numbers: /dev/hpage_map has the first, named buffers have the others. */
#define HPM_MINORS	BIT(16)

/* Not one of the module's own memory: whoever holds the class may let it go after us. */
extern struct class *hpm_class;

/* Of /dev/hpage_map; those of named buffers follow. */
extern dev_t hpm_class_devt;

int hpm_class_init(void);
void hpm_class_exit(void);

#endif
