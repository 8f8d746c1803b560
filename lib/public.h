/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What programs may call; all else is hidden by -fvisibility=hidden. */
#ifndef HPMAP_PUBLIC_H
#define HPMAP_PUBLIC_H

#include "hpage_map.h"

#define PUBLIC	__attribute__((visibility("default")))

#endif
