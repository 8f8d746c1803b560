/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SAVE_H
#define SAVE_H

#include <stdbool.h>

#define CONF_DIR	"/etc/hpage-map.d"

int save_file(const char *dir, const char *name, const char *text, bool dry_run);
int save_remove(const char *dir, const char *name, bool dry_run);

#endif
