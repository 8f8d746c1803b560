/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_SIGNALS_H
#define _HPM_SIGNALS_H

#include <linux/errno.h>
#include <linux/signal_types.h>
#include <linux/types.h>

bool hpm_signals_pending(void);
void hpm_signals_hold(sigset_t *before);

/* Did a signal end it? mm/ returns -EINTR to tasks that are being killed. */
static inline bool hpm_signals_ended(int err)
{
	return err == -EINTR || err == -ERESTARTSYS;
}

#endif
