/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PARSE_H
#define PARSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

int number_read(const char *text, uint64_t *number);
int size_read(const char *text, uint64_t *bytes);
int user_read(const char *text, uid_t *uid);
int group_read(const char *text, gid_t *gid);
int mode_read(const char *text, uint32_t *mode);
int truth_read(const char *text, bool *truth);

#endif
