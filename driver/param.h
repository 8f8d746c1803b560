/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_PARAM_H
#define _HPM_PARAM_H

#include <linux/moduleparam.h>
#include <linux/types.h>

/* For a u64 in bytes, with a suffix: 64M, 1G, or max. */
extern const struct kernel_param_ops hpm_param_ops_bytes;

#endif
