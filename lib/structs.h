/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_STRUCTS_H
#define HPMAP_STRUCTS_H

#include <stddef.h>

int struct_in(const char *name, void *to, size_t known, size_t first, const void *from);
int struct_check(const char *name, const void *from, size_t known, size_t first);
void struct_out(void *to, const void *from, size_t known);

#endif
