/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define COMM_ROOM	32
#define USER_ROOM	64
#define NODE_ROOM	16

const char *backing_name(uint32_t backing);
const char *backend_name(uint32_t backend);
const char *node_name(int node, char text[NODE_ROOM]);
bool process_name(pid_t pid, char comm[COMM_ROOM]);
const char *user_name(uid_t uid, char text[USER_ROOM]);

#endif
