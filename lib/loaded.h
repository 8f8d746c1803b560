/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_LOADED_H
#define HPMAP_LOADED_H

/* What is looked for is there or not, or out of sight: a container, no /sys, no permission. */
enum answer { NO, YES, UNSEEN };

enum answer module_loaded(void);

#endif
