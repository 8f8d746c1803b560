/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOUCH_H
#define TOUCH_H

#include <stdint.h>

#include "../lib/loaded.h"

uint64_t touch(void *memory, uint64_t length);
enum answer memory_available(uint64_t *bytes);
void *ordinary_memory(uint64_t length);

#endif
