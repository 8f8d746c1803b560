/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_SIGNALS_H
#define HPMAP_SIGNALS_H

#include <signal.h>

void signals_hold(sigset_t *before);
void signals_release(const sigset_t *before);

#endif
