/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_MEMFD_H
#define HPMAP_MEMFD_H

#include "internal.h"

int memfd_alloc(const struct hpmap_options *o, enum hpmap_backing backing, bool module_tried,
		struct hpmap_buffer *b);

#endif
