/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_DOOR_H
#define HPMAP_DOOR_H

#include "why.h"

#define DEVICE	"/dev/hpage_map"

int door_ioctl(unsigned long request, void *arg, struct why *why);
int door_node_failed(int err, const char *path, struct why *why);

#endif
