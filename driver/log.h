/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_LOG_H
#define _HPM_LOG_H

#include <linux/compiler_attributes.h>
#include <linux/types.h>

bool hpm_log_may(bool refused);
__printf(2, 3) void hpm_log(bool refused, const char *fmt, ...);

#endif
