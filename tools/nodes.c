// SPDX-License-Identifier: GPL-2.0-only
/* The NUMA nodes of the machine. */
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "nodes.h"
#include "report.h"

#define HAS_MEMORY	"/sys/devices/system/node/has_memory"

/* Those with memory, from a list as 0-1,3; 0 if that is out of sight. Returns how many. */
int nodes_online(int nodes[MAX_NODES])
{
	char text[8192], *at = text, *end;
	int nr = 0;
	long from, to;

	if (file_read(text, sizeof(text), HAS_MEMORY) <= 0)
		strcpy(text, "0");
	while (*at) {
		from = to = strtol(at, &end, 10);
		if (end == at)
			break;
		if (*end == '-')
			to = strtol(end + 1, &end, 10);
		for (; from <= to && nr < MAX_NODES; from++)
			nodes[nr++] = from;
		at = *end == ',' ? end + 1 : end;
	}
	return nr;
}

/* Has this node memory? Complains if not. */
bool node_is_there(int node)
{
	int nodes[MAX_NODES], nr = nodes_online(nodes), i;

	for (i = 0; i < nr; i++)
		if (nodes[i] == node)
			return true;
	complain("there is no node %d with memory" TRY "cat " HAS_MEMORY, node);
	return false;
}
