/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_NAME_H
#define _HPM_NAME_H

#include <linux/types.h>

/* The rule in words. */
#define HPM_NAME_RULE	"a name is made of letters, digits, '.', '_' and '-'"

bool hpm_name_valid(const char *name);

#endif
