/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_SANDBOX_H
#define HPMAP_SANDBOX_H

#include <stdbool.h>

#include "loaded.h"

enum answer first_user_namespace(void);
enum answer first_cgroup_namespace(void);
bool in_sandbox(void);

#endif
