// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether there is memory for a request.
 *
 * A page that is not there can be looked for very long, on a full node for minutes, and what is
 * found in the end is what others need: the OOM killer then ends one of them, and never our
 * caller, whose pages are pinned and no task's. So a request looks first, and again while it is
 * filled, and is refused before it leaves too little for others.
 *
 * What is there are the free pages of the nodes that the request may use, down to the zones'
 * high watermarks, and what reclaim gets for the asking, which is most of the page cache and half
 * of the slabs. It is what MemAvailable estimates, for these nodes. It is a forecast: nothing is
 * locked, and the allocation decides.
 */
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/sizes.h>
#include <linux/vmstat.h>

#include "policy.h"
#include "room.h"
#include "why.h"

/* That much of a node is left to others. */
#define FLOOR_PART	64U
#define FLOOR_MIN	(SZ_8M >> PAGE_SHIFT)
#define FLOOR_MAX	(SZ_512M >> PAGE_SHIFT)

/* Pages of a zone for allocations that may use zones up to @highest. */
static unsigned long zone_room(struct zone *zone, enum zone_type highest)
{
	unsigned long free = zone_page_state(zone, NR_FREE_PAGES);
	unsigned long kept = zone_page_state(zone, NR_FREE_CMA_PAGES) + high_wmark_pages(zone) +
			     zone->lowmem_reserve[highest];
	unsigned long cache = zone_page_state(zone, NR_ZONE_ACTIVE_FILE) +
			      zone_page_state(zone, NR_ZONE_INACTIVE_FILE);

	return free - min(free, kept) + cache - min(cache / 2, low_wmark_pages(zone));
}

static unsigned long node_room(struct pglist_data *node, enum zone_type highest)
{
	unsigned long floor = clamp_t(unsigned long, node->node_present_pages / FLOOR_PART,
				      FLOOR_MIN, FLOOR_MAX);
	unsigned long room = 0;
	int i;

	for (i = 0; i <= highest; i++)
		if (populated_zone(&node->node_zones[i]))
			room += zone_room(&node->node_zones[i], highest);
	room += atomic_long_read(&node->vm_stat[NR_SLAB_RECLAIMABLE_B]) / 2;
	return room - min(room, floor);
}

/* How many pages of the page allocator a request may take, on all of its nodes together. */
unsigned long hpm_room(const struct hpm_place *place)
{
	/* ZONE_MOVABLE has no pages that may be pinned. */
	enum zone_type highest = gfp_zone(place->limit && place->limit <= SZ_4G ? GFP_DMA32 :
					  GFP_KERNEL);
	unsigned long room = 0;
	struct hpm_nodes nodes;
	int node;

	hpm_nodes_begin(&nodes, place);
	while ((node = hpm_nodes_next(&nodes)) != NUMA_NO_NODE)
		room += node_room(NODE_DATA(node), highest);
	return room;
}

/* Is there memory of the page allocator for @size bytes more? If not, add a reason for @rung. */
bool hpm_room_has(const struct hpm_place *place, u64 size, const char *rung, struct hpm_why *why)
{
	unsigned long room = hpm_room(place);
	char where[24] = "";

	if (size >> PAGE_SHIFT <= room)
		return true;
	if (place->policy == HPAGE_MAP_POLICY_STRICT && num_node_state(N_MEMORY) > 1)
		snprintf(where, sizeof(where), " on node %d", place->node);
	return hpm_refuse(why, false, "a smaller size", "%s: %s needed, %s of memory available%s",
			  rung, hpm_text_size(size).text,
			  hpm_text_size((u64)room << PAGE_SHIFT).text, where);
}
