// SPDX-License-Identifier: LGPL-2.1-or-later
/* Device nodes: how to come by one that is missing, or closed to the caller. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "loaded.h"
#include "node.h"

/* A command that makes the node @path of the module: by its number, or by loading the module. */
const char *node_again(const char *path, char remedy[REMEDY_ROOM])
{
	unsigned int major, minor;
	char dev[128], text[32];

	/* Nodes have the names that their devices have there. */
	snprintf(dev, sizeof(dev), "/sys/class/hpage_map/%.64s/dev", strrchr(path, '/') + 1);
	if (file_text(dev, text, sizeof(text)) > 0 && sscanf(text, "%u:%u", &major, &minor) == 2)
		snprintf(remedy, REMEDY_ROOM, "sudo rm -f %s && sudo mknod -m 600 %s c %u %u",
			 path, path, major, minor);
	else
		snprintf(remedy, REMEDY_ROOM, "sudo rm -f %s && %ssudo modprobe hpage_map", path,
			 module_loaded() == NO ? "" : "sudo modprobe -r hpage_map && ");
	return remedy;
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
