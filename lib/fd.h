/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_FD_H
#define HPMAP_FD_H

#include <stdbool.h>

int fd_above_standard(int fd);
int fd_duplicate(int fd);
bool fd_may_be_asked(int fd);

#endif
