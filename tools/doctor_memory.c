// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl doctor: huge pages by size and node. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "doctor.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define MM	"/sys/kernel/mm"
#define THP	MM "/transparent_hugepage/"
#define NODES	"/sys/devices/system/node"

static uint64_t pmd_size(void)
{
	char text[32];

	if (file_read(text, sizeof(text), THP "hpage_pmd_size") <= 0)
		return 0;
	return strtoull(text, NULL, 10);
}

/* Why there are huge pages in pools only, and in @type what to type; NULL if elsewhere, too. */
static const char *no_thp(const struct doctor *d, const char **type)
{
	char mode[128] = "";

	*type = "hpagectl pool --page-size 2M --set 64, as root";
	if (!pmd_size())
		return "this kernel has no transparent huge pages; only pools have huge ones";
	file_read(mode, sizeof(mode), THP "shmem_enabled");
	*type = "echo never > " THP "shmem_enabled, as root";
	if (strstr(mode, "[deny]"))
		return "shmem_enabled is deny, which forbids huge pages outside the pools";
	*type = "echo advise > " THP "shmem_enabled, as root";
	/* The module does without. Linux before 6.1 cannot collapse pages of memfd. */
	if (d->loaded != YES && strstr(mode, "[never]") && madvise(NULL, 0, MADV_COLLAPSE))
		return "shmem_enabled is never, so memfd has huge pages of pools only";
	return NULL;
}

void doctor_thp(struct doctor *d)
{
	const char *type, *why = no_thp(d, &type);

	if (access(MM, F_OK))
		find(d, HIDDEN, "thp", "", "whether huge pages can be had without a pool cannot be "
		     "seen from here, without " MM);
	else if (why)
		find(d, BAD, "thp", type, "%s", why);
	else
		find(d, FINE, "thp", "", "huge pages can be had without a pool");
}

/* Add a line: so many bytes now, from there, and why not more. @now is NULL if it is not seen. */
static void line(struct doctor *d, uint64_t page_size, int node, const char *from,
		 const uint64_t *now, const char *why, const char *type)
{
	char page[SIZE_ROOM], name[16], size[SIZE_ROOM], text[512];
	struct json_object *o;

	if (!d->json) {
		snprintf(text, sizeof(text), "%s%s%s", why, *type ? "; type: " : "", type);
		table_row(5, size_show(page_size, page), node_name(node, name), from,
			  now ? size_show(*now, size) : "?", text);
		return;
	}
	o = json_object_new_object();
	json_number(o, "page_size", page_size);
	json_signed(o, "node", node);
	json_text(o, "from", from);
	if (now)
		json_number(o, "now", *now);
	else
		json_object_object_add(o, "now", NULL);
	json_text(o, "why", why);
	json_text(o, "type", type);
	json_object_array_add(d->memory, o);
}

static void from_pool(struct doctor *d, uint64_t page_size, int node)
{
	struct hpmap_pool all = { .size = sizeof(all) }, p = { .size = sizeof(p) };
	char why[128], type[128];
	uint64_t free, unit = page_size >> 10;

	if (hpmap_pool(page_size, -1, &all))
		return;
	/* A kernel that knows no nodes has one. */
	if (access(NODES, F_OK))
		p = all;
	else if (hpmap_pool(page_size, node, &p))
		return;
	/* Promises are not bound to nodes, and some kernels count them below 0. */
	free = all.promised > all.free ? 0 : all.free - all.promised;
	if (p.free < free)
		free = p.free;
	if (!p.total)
		strcpy(why, "the pool is empty");
	else
		snprintf(why, sizeof(why), "%" PRIu64 " of %" PRIu64 " pages are free", free,
			 p.total);
	snprintf(type, sizeof(type), "hpagectl pool --page-size %" PRIu64 "%s --node %d --set %"
		 PRIu64, unit >> 20 ? unit >> 20 : unit >> 10 ? unit >> 10 : unit,
		 unit >> 20 ? "G" : unit >> 10 ? "M" : "K", node,
		 p.total ? 2 * p.total : unit >> 20 ? 1 : 64);
	free *= page_size;
	line(d, page_size, node, "pool", &free, why, type);
}

/* Free blocks of at least a PMD's size, from /proc/buddyinfo, and free memory at all. */
static enum answer free_blocks(int node, uint64_t pmd, uint64_t *huge, uint64_t *all)
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

static void from_allocator(struct doctor *d, uint64_t pmd, int node)
{
	const char *type, *never = no_thp(d, &type);
	char why[128], size[SIZE_ROOM];
	uint64_t all, now = 0;

	if (never) {
		line(d, pmd, node, "thp", &now, never, type);
		return;
	}
	if (free_blocks(node, pmd, &now, &all) == UNSEEN) {
		line(d, pmd, node, "thp", NULL, "cannot be seen from here, without /proc/buddyinfo",
		     "");
		return;
	}
	snprintf(why, sizeof(why), "of %s free; compacting and dropping caches may give more",
		 size_show(all, size));
	line(d, pmd, node, "thp", &now, why, "echo 1 > /proc/sys/vm/compact_memory");
}

/* Neither pools nor transparent huge pages: that is so, or there is no view of them. */
static void nothing_seen(struct doctor *d)
{
	bool hidden = access(MM, F_OK);

	if (!d->json)
		printf("\nWhat could be had now%s\n", hidden ?
		       " cannot be seen from here, without " MM "." : ": base pages alone.");
	else
		find(d, hidden ? HIDDEN : NOTE, "memory", "", "%s", hidden ?
		     "what could be had now cannot be seen from here, without " MM :
		     "this kernel has no huge pages");
}

void doctor_memory(struct doctor *d)
{
	int nodes[MAX_NODES], nr_nodes = nodes_online(nodes), n;
	uint64_t sizes[32], pmd = pmd_size();
	unsigned int nr = 32, i;

	hpmap_page_sizes(sizes, &nr);
	if (!nr && !pmd) {
		nothing_seen(d);
		return;
	}
	if (!d->json) {
		printf("\nWhat could be had now:\n\n");
		table_row(5, "PAGE", "NODE", "FROM", "NOW", "WHY NOT MORE");
	}
	for (n = 0; n < nr_nodes; n++) {
		for (i = 0; i < nr && i < 32; i++)
			from_pool(d, sizes[i], nodes[n]);
		if (pmd)
			from_allocator(d, pmd, nodes[n]);
	}
	if (!d->json)
		table_print();
}
