/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_MODULE_H
#define HPMAP_MODULE_H

#include <stdbool.h>

#include "internal.h"

/* The flags of hpmap_options that are the module's own. */
#define MODULE_FLAGS	(HPMAP_EXACT | HPMAP_ALLOW_BASE | HPMAP_CONTIGUOUS | HPMAP_BELOW_4G | \
			 HPMAP_RESERVE)
/* What memfd cannot do. */
#define NEED_MODULE	(HPMAP_CONTIGUOUS | HPMAP_BELOW_4G | HPMAP_RESERVE)

#define PATH_ROOM	(sizeof("/dev/hpage/") + HPMAP_NAME_SIZE)

bool module_name_valid(const char *name);
void module_path(const char *name, char path[PATH_ROOM]);
int module_alloc(const struct hpmap_options *o, bool named, struct hpmap_buffer *b);
int module_pin(const void *address, uint64_t length, struct hpmap_buffer *b);
int module_open(const char *name, bool read_only);
int module_adopt(struct hpmap_buffer *b);
int module_info(int fd, struct hpmap_info *info);
int module_nodes(int fd, uint64_t *pages, unsigned int *nr);
int module_runs(int fd, uint64_t first, struct hpmap_run *runs, unsigned int *nr);
int module_address(const struct hpmap_buffer *b, uint64_t offset, uint64_t *address,
		   uint64_t *size);
int module_export(int buffer, int *fd);

#endif
