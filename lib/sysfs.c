// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the machine has: sizes of pages, nodes, and the nodes of devices. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "sysfs.h"

uint64_t base_page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* What one entry of a page middle directory maps. */
uint64_t pmd_size(void)
{
	uint64_t size = 0, base = base_page_size();

	if (!file_number("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", &size) && size)
		return size;
	/* Without transparent huge pages nobody tells it. A table has 8 bytes for each page. */
	return base / 8 * base;
}

/* As HPM_BEST_SIZE of the module: what a PMD maps, unless few buffers would fill that. */
uint64_t best_size(void)
{
	uint64_t pmd = pmd_size();

	return pmd <= 32 << 20 ? pmd : 2 << 20;
}

bool node_has_memory(int node)
{
	char path[64];

	if (node < 0)
		return false;
	snprintf(path, sizeof(path), SYSFS_NODES "/node%d/meminfo", node);
	return !access(path, F_OK) || (node == 0 && access(SYSFS_NODES, F_OK));
}

/* The highest number that a node can have: the last in a list as "0" or "0-1". */
int node_highest(void)
{
	char text[8192];
	size_t at;

	if (file_text(SYSFS_NODES "/possible", text, sizeof(text)) <= 0)
		return 0;
	at = strlen(text);
	while (at && isdigit(text[at - 1]))
		at--;
	return atoi(text + at) < MAX_NODES ? atoi(text + at) : MAX_NODES - 1;
}

/* The one node that has memory; -1 if there are several. */
int node_only(void)
{
	int node, last = node_highest(), only = -1;

	for (node = 0; node <= last; node++) {
		if (!node_has_memory(node))
			continue;
		if (only >= 0)
			return -1;
		only = node;
	}
	return only;
}

/* The node of a PCI or platform device; -1 if the machine does not know. Returns 0 or -ENODEV. */
int device_node(const char *name, int *node)
{
	static const char *const buses[] = { "pci", "platform" };
	char path[320], text[16];
	size_t i;

	for (i = 0; *name && *name != '.' && !strchr(name, '/') && i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%.200s", buses[i], name);
		if (access(path, F_OK))
			continue;
		strcat(path, "/numa_node");
		*node = file_text(path, text, sizeof(text)) < 0 ? -1 : atoi(text);
		return 0;
	}
	return -ENODEV;
}
