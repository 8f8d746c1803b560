/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_LOG_H
#define _HPM_LOG_H

#include <linux/types.h>

bool hpm_log_may(bool refused);

#endif
