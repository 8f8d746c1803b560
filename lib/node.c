// SPDX-License-Identifier: LGPL-2.1-or-later
/* Device nodes: how to come by one that is missing, or closed to the caller. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "loaded.h"
#include "node.h"
#include "sandbox.h"
#include "text.h"

/*
 * A command that makes the node @path of the module: by its number, or by loading the module; else
 * "". In a container neither is of use, and the module is not the caller's. If it is loaded, but
 * its number is out of sight, this may be one.
 */
const char *node_again(const char *path, char remedy[REMEDY_ROOM])
{
	unsigned int major, minor;
	char dev[128], text[32];

	*remedy = '\0';
	if (in_sandbox())
		return remedy;
	/* Nodes have the names that their devices have there. */
	snprintf(dev, sizeof(dev), "/sys/class/hpage_map/%.64s/dev", strrchr(path, '/') + 1);
	if (file_text(dev, text, sizeof(text)) > 0 && sscanf(text, "%u:%u", &major, &minor) == 2)
		snprintf(remedy, REMEDY_ROOM, "sudo rm -f %s && sudo mknod -m 600 %s c %u %u",
			 path, path, major, minor);
	else if (module_loaded() == NO)
		snprintf(remedy, REMEDY_ROOM, "sudo rm -f %s && sudo modprobe hpage_map", path);
	return remedy;
}

/* What helps where the node @path is missing or not the module's, as the end of a reason. */
const char *node_remedies(const char *path, char remedies[2 * REMEDY_ROOM])
{
	char again[REMEDY_ROOM];

	node_again(path, again);
	snprintf(remedies, 2 * REMEDY_ROOM, TRY "docker run --device=%s%s%s", path,
		 *again ? TRY : "", again);
	return remedies;
}

/* A command that lets the user open the node @path, if its group may; else "". */
const char *node_join(const char *path, char remedy[REMEDY_ROOM])
{
	struct stat st;

	*remedy = '\0';
	if (!stat(path, &st) && (st.st_mode & 0060) == 0060)
		snprintf(remedy, REMEDY_ROOM,
			 "sudo usermod -aG $(stat -Lc %%G %s) $USER    # and log in again", path);
	return remedy;
}
