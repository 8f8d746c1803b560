/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef NODES_H
#define NODES_H

#include <stdbool.h>

#include "options.h"

int nodes_online(int nodes[MAX_NODES]);
bool node_is_there(int node);

#endif
