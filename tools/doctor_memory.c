// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl doctor: huge pages by size and node. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../include/uapi/linux/hpage_map.h"
#include "doctor_memory.h"
#include "file.h"
#include "names.h"
#include "nodes.h"
#include "report.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define MM	"/sys/kernel/mm"
#define THP	MM "/transparent_hugepage/"
#define NODES	"/sys/devices/system/node"
#define SHMEM	THP "shmem_enabled"
#define MAX_SIZES	32

enum { MEMORY_PAGE, MEMORY_NODE, MEMORY_FROM, MEMORY_NOW, MEMORY_WHY, MEMORY_TYPE, NR_MEMORY };

static const struct column memory_columns[NR_MEMORY] = {
	[MEMORY_PAGE] = { "PAGE", "page_size", COLUMN_RIGHT },
	[MEMORY_NODE] = { "NODE", "node", COLUMN_RIGHT },
	[MEMORY_FROM] = { "FROM", "from", 0 },
	[MEMORY_NOW] = { "NOW", "now", COLUMN_RIGHT },
	[MEMORY_WHY] = { "WHY NOT MORE", "why", COLUMN_LINES },
	[MEMORY_TYPE] = { NULL, "type", 0 },
};

/* What a PMD maps; 0 without transparent huge pages. */
static uint64_t thp_size(void)
{
	char text[32];

	if (file_read(text, sizeof(text), THP "hpage_pmd_size") <= 0)
		return 0;
	return strtoull(text, NULL, 10);
}

/* Why only pools have huge pages, and in @type what to type; NULL if others can be had, too. */
static const char *thp_missing(const struct doctor *d, const char **type)
{
	char mode[128] = "";

	*type = "sudo hpagectl pool -p 2M --set 64";
	if (!thp_size())
		return "this kernel has no transparent huge pages; only pools have huge ones";
	file_read(mode, sizeof(mode), SHMEM);
	*type = "echo never | sudo tee " SHMEM;
	if (strstr(mode, "[deny]"))
		return "shmem_enabled is deny, which forbids huge pages outside the pools";
	*type = "echo advise | sudo tee " SHMEM;
	/* The module does without. Linux before 6.1 cannot collapse pages of memfd. */
	if (d->loaded != YES && strstr(mode, "[never]") && madvise(NULL, 0, MADV_COLLAPSE))
		return "shmem_enabled is never, so memfd has huge pages of pools only";
	return NULL;
}

void doctor_thp(struct doctor *d)
{
	const char *type, *why = thp_missing(d, &type);

	if (access(MM, F_OK))
		doctor_finding_add(d, HIDDEN, "thp", "", "whether huge pages can be had without a "
				   "pool cannot be seen from here, without " MM);
	else if (why)
		doctor_finding_add(d, BAD, "thp", type, "%s", why);
	else
		doctor_finding_add(d, FINE, "thp", "", "huge pages can be had without a pool");
}

/* Add a row: so many bytes now, from there, and why not more. @now is NULL if it is not seen. */
static void memory_row(struct doctor *d, uint64_t page_size, int node, const char *from,
		       const uint64_t *now, const char *why, const char *type)
{
	struct rows *r = &d->memory;

	rows_add(r);
	row_size(r, MEMORY_PAGE, page_size);
	row_signed(r, MEMORY_NODE, node);
	row_text(r, MEMORY_FROM, from);
	if (now)
		row_size(r, MEMORY_NOW, *now);
	else
		row_null(r, MEMORY_NOW);
	row_text(r, MEMORY_WHY, why);
	row_text(r, MEMORY_TYPE, type);
	doctor_remedies_show(r, MEMORY_WHY, why, type);
}

static void memory_of_pool(struct doctor *d, uint64_t page_size, int node)
{
	struct hpmap_pool all = { .struct_size = sizeof(all) }, p = { .struct_size = sizeof(p) };
	char why[128], type[128];
	uint64_t free, more;

	if (hpmap_get_pool(page_size, -1, &all))
		return;
	/* A kernel that knows no nodes has one. */
	if (access(NODES, F_OK))
		p = all;
	else if (hpmap_get_pool(page_size, node, &p))
		return;
	/* Promises are not bound to nodes, and some kernels count them below 0. */
	free = all.promised > all.free ? 0 : all.free - all.promised;
	if (p.free < free)
		free = p.free;
	if (!p.total)
		strcpy(why, "the pool is empty");
	else
		snprintf(why, sizeof(why), "%" PRIu64 " of %" PRIu64 " page%s %s free", free,
			 p.total, plural(p.total), free == 1 ? "is" : "are");
	more = p.total ? 2 * p.total : page_size >> 30 ? 1 : 64;
	snprintf(type, sizeof(type), "sudo hpagectl pool -p %s -n %d --set %" PRIu64,
		 SIZE_WORD(page_size), node, more);
	free *= page_size;
	memory_row(d, page_size, node, "pool", &free, why, type);
}

/* Free blocks of at least a PMD's size, from /proc/buddyinfo, and free memory at all. */
static enum answer blocks_free(int node, uint64_t pmd, uint64_t *huge, uint64_t *all)
{
	uint64_t page = sysconf(_SC_PAGESIZE), count;
	char text[65536], *at, *next, *end;
	unsigned int order;
	int n;

	*huge = *all = 0;
	if (file_read(text, sizeof(text), "/proc/buddyinfo") <= 0)
		return UNSEEN;
	for (at = text; *at; at = next) {
		next = at + strcspn(at, "\n");
		if (*next)
			*next++ = '\0';
		at = sscanf(at, "Node %d, zone", &n) == 1 && n == node ? strstr(at, "zone") : NULL;
		if (!at)
			continue;
		at += strlen("zone ");
		at += strspn(at, " ");
		at += strcspn(at, " ");
		for (order = 0; ; order++, at = end) {
			count = strtoull(at, &end, 10);
			if (end == at)
				break;
			*all += (page << order) * count;
			if (page << order >= pmd)
				*huge += (page << order) * count;
		}
	}
	return YES;
}

static void memory_of_allocator(struct doctor *d, uint64_t pmd, int node)
{
	const char *type, *never = thp_missing(d, &type);
	uint64_t all, now = 0;
	char why[128];

	if (never) {
		memory_row(d, pmd, node, "thp", &now, never, type);
		return;
	}
	if (blocks_free(node, pmd, &now, &all) == UNSEEN) {
		memory_row(d, pmd, node, "thp", NULL,
			   "cannot be seen from here, without /proc/buddyinfo", "");
		return;
	}
	snprintf(why, sizeof(why), "of %s free; compacting and dropping caches may give more",
		 SIZE_TEXT(all));
	memory_row(d, pmd, node, "thp", &now, why, "echo 1 | sudo tee /proc/sys/vm/compact_memory");
}

/*
 * The longest run that could be had without a pool, as the module sees it. It shows that to root
 * alone, and older ones do not know.
 */
static void memory_of_run(struct doctor *d, uint64_t pmd, int node)
{
	struct hpage_map_forecast f = { .size = sizeof(f), .node = node };
	int door = open("/dev/hpage_map", HPAGE_MAP_O_DOOR | O_CLOEXEC);
	int err = door < 0 || ioctl(door, HPAGE_MAP_FORECAST, &f) ? errno : 0;
	uint64_t now = f.length;
	const char *type;
	char why[256];

	if (door >= 0)
		close(door);
	if (err == EPERM || err == EACCES)
		memory_row(d, pmd, node, "run", NULL,
			   "only root can see how long a run could be had", "sudo hpagectl doctor");
	/* The rows above say it when there are none at all. */
	if (err || thp_missing(d, &type))
		return;
	snprintf(why, sizeof(why), "in one run: %s free, %s by moving; of the rest the kernel "
		 "holds %s, %s pinned, pools %s", SIZE_TEXT(f.length - f.moved),
		 SIZE_TEXT(f.moved), SIZE_TEXT(f.kernel), SIZE_TEXT(f.pinned),
		 SIZE_TEXT(f.pooled));
	memory_row(d, pmd, node, "run", &now, why, "");
}

/* Neither pools nor transparent huge pages: there are none, or /sys is missing. */
static void memory_unseen(struct doctor *d)
{
	if (access(MM, F_OK))
		doctor_finding_add(d, HIDDEN, "memory", "",
				   "what could be had now cannot be seen from here, without " MM);
	else
		doctor_finding_add(d, NOTE, "memory", "", "this kernel has no huge pages");
}

/* Fill in what could be had now. */
void doctor_memory(struct doctor *d, const struct args *a)
{
	int nodes[MAX_NODES], nr_nodes = nodes_online(nodes), n;
	uint64_t sizes[MAX_SIZES], pmd = thp_size();
	unsigned int nr = MAX_SIZES, i;

	rows_begin(&d->memory, memory_columns, NR_MEMORY, a);
	hpmap_page_sizes(sizes, &nr);
	if (!nr && !pmd)
		memory_unseen(d);
	for (n = 0; n < nr_nodes; n++) {
		for (i = 0; i < nr && i < MAX_SIZES; i++)
			memory_of_pool(d, sizes[i], nodes[n]);
		if (pmd)
			memory_of_allocator(d, pmd, nodes[n]);
		if (pmd)
			memory_of_run(d, pmd, nodes[n]);
	}
}
