// SPDX-License-Identifier: LGPL-2.1-or-later
/* Is the module loaded? A device that is missing does not show that. For hpagectl as well. */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "loaded.h"

/* /sys may be missing, as in containers, and /proc/modules where the kernel has none. */
enum answer module_loaded(void)
{
	bool seen = !access("/sys/module", F_OK), there = false;
	struct lines modules;
	char *line;

	if (!access("/sys/module/hpage_map", F_OK))
		return YES;
	if (!lines_open(&modules, "/proc/modules")) {
		while (!there && (line = lines_next(&modules))) {
			seen = true;
			there = !strncmp(line, "hpage_map ", strlen("hpage_map "));
		}
		lines_close(&modules);
	}
	return there ? YES : seen ? NO : UNSEEN;
}
