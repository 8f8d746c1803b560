/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>

#include "../lib/loaded.h"

enum answer first_user_namespace(void);
enum answer first_cgroup_namespace(void);
bool in_sandbox(void);

#endif
