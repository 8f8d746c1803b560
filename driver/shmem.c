// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rungs on tmpfs: pages of the page allocator, with no pool at all.
 *
 * THP means that every folio is as large as a PMD maps. tmpfs itself tries only lightly for
 * such a folio and then takes small ones; what it took is dropped, memory is compacted by
 * allocating and freeing one such page, and it tries once more. What comes small then stays
 * small: that is a failure on the THP rung, and the mixed rung reports how many are huge.
 *
 * The pages are read into the cache, never preallocated: a preallocated folio is not up to
 * date, and the first fault would clear what a device wrote. Nothing is published yet, so
 * nothing is locked.
 */
#include <linux/jiffies.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>

#include "claim.h"
#include "fs.h"
#include "policy.h"
#include "request.h"
#include "room.h"
#include "shmem.h"
#include "signals.h"

/*
 * Not movable, because the pages get pinned. One round of reclaim for each try,
 * and neither the machine nor a control group over its limit wakes the OOM
 * killer. We bound how often it is tried, and a signal ends it.
 */
#define FILL_GFP	(GFP_HIGHUSER | __GFP_NORETRY | __GFP_NOWARN)
#define TRIES_EACH	16		/* for one page */
#define TRIES_HUGE	4		/* for one that is huge, if there is room */
#define TRIES_MORE	256		/* beyond the first, for all pages together */
#define TRY_AFTER	(HZ / 20)
#define LOOK_EACH	SZ_8M		/* bytes filled, and then for room again */
#define COMPACT_FOR	(10 * HZ)	/* for all pages together */
#define HUGE_ORDER	(PMD_SHIFT - PAGE_SHIFT)
#define SPARE_PART	16U	/* of the memory, which the reserve leaves available */

/*
 * Below 4 GiB is a zone of its own, and so is high memory. A lower limit has
 * none: what comes may lie low enough.
 */
static gfp_t filling_gfp(const struct hpm_place *place)
{
	bool low = place->limit && place->limit <= SZ_4G;

	return low ? (FILL_GFP & ~__GFP_HIGHMEM) | __GFP_DMA32 : FILL_GFP;
}

/* A part of a file that is being filled, and what that may cost yet. */
struct filling {
	struct file *file;
	const struct hpm_place *place;
	const char *rung;		/* its name */
	gfp_t gfp;
	bool compact;			/* for huge folios, as long as that helps */
	long patience;			/* jiffies to compact for */
	unsigned int tries;		/* more that may fail */
	struct hpm_why *why;
};

/*
 * The node of a free page that a PMD maps, if need be after compaction, or
 * NUMA_NO_NODE. The page allocator gives up by itself, but may need long for
 * each page that it makes.
 */
static int filling_make_room(struct filling *f)
{
	gfp_t gfp = (f->gfp & ~__GFP_NORETRY) | __GFP_RETRY_MAYFAIL | __GFP_COMP | __GFP_NOMEMALLOC;
	unsigned long start = jiffies;
	struct page *page = f->patience > 0 ? alloc_pages(gfp, HUGE_ORDER) : NULL;
	int node;

	f->patience -= jiffies - start;
	if (!page)
		return NUMA_NO_NODE;
	node = page_to_nid(page);
	__free_pages(page, HUGE_ORDER);
	return node;
}

/* The folio at @pos, from a node if that has one; not strictly, see below. */
static struct folio *folio_read_near(struct filling *f, loff_t pos, int node)
{
	const struct hpm_place near = { .policy = HPAGE_MAP_POLICY_PREFERRED, .node = node };
	struct hpm_policy *policy = hpm_policy_enter(&near);
	struct folio *folio;

	if (IS_ERR(policy))
		return ERR_CAST(policy);
	folio = shmem_read_folio_gfp(f->file->f_mapping, pos >> PAGE_SHIFT, f->gfp);
	hpm_policy_leave(policy);
	return folio;
}

/*
 * The folio at @pos, huge if that can be had. As tmpfs itself looks for huge
 * folios on the task's node alone, that is set to where one is; as a preference,
 * because mm/ does not bind allocations from low zones to a node. Somebody may
 * take it first, or the task be moved to another processor, which has other pages
 * at hand.
 */
static struct folio *folio_read_huge(struct filling *f, loff_t pos)
{
	struct folio *folio = shmem_read_folio_gfp(f->file->f_mapping, pos >> PAGE_SHIFT, f->gfp);
	int node, i;

	for (i = 0; i < TRIES_HUGE && !IS_ERR(folio) && folio_order(folio) < HUGE_ORDER; i++) {
		node = filling_make_room(f);
		f->compact = node != NUMA_NO_NODE;
		if (!f->compact)
			break;
		folio_put(folio);
		hpm_fs_punch(f->file, pos, PMD_SIZE);
		folio = folio_read_near(f, pos, node);
	}
	return folio;
}

/* The folio at @pos, where it may be pinned, tried again as long as that may help. */
static struct folio *folio_read(struct filling *f, loff_t pos, loff_t end)
{
	bool huge = IS_ALIGNED(pos, PMD_SIZE) && end - pos >= PMD_SIZE;
	struct folio *folio;
	unsigned int flags;
	int i;

	for (i = 1; !hpm_signals_pending(); i++) {
		flags = memalloc_pin_save();
		if (f->compact && huge)
			folio = folio_read_huge(f, pos);
		else
			folio = shmem_read_folio_gfp(f->file->f_mapping, pos >> PAGE_SHIFT, f->gfp);
		memalloc_pin_restore(flags);
		if (PTR_ERR_OR_ZERO(folio) != -ENOMEM || i == TRIES_EACH || !f->tries)
			return folio;
		f->tries--;
		schedule_timeout_killable(TRY_AFTER);
	}
	return ERR_PTR(-ERESTARTSYS);
}

static void filling_explain_small(struct hpm_why *why, loff_t pos, bool room)
{
	char text[64];

	hpm_why(why, "thp: no PMD-sized folio after %s", hpm_text_size(pos).text);
	if (hpm_fs_sysfs("kernel/mm/transparent_hugepage/shmem_enabled", text, sizeof(text)) > 0 &&
	    strstr(text, "[deny]"))
		hpm_why_try(why, "echo never > /sys/kernel/mm/transparent_hugepage/shmem_enabled");
	else if (room)
		hpm_why_try(why, "a larger memory.max for the caller's cgroup");
	else
		hpm_why_try(why, "echo 1 > /proc/sys/vm/compact_memory");
}

/* tmpfs returns ENOSPC when the machine's commit limit refuses a page. Return: -errno. */
static int filling_explain_none(struct hpm_why *why, loff_t pos, int err)
{
	if (err == -ENOSPC) {
		hpm_why(why, "no page after %s: the commit limit is reached",
			hpm_text_size(pos).text);
		hpm_why_try(why, "a smaller size, or another vm.overcommit_memory");
		return -ENOMEM;
	}
	if (err == -ENOMEM) {
		hpm_why(why, "no page after %s: no memory, or none for the cgroup",
			hpm_text_size(pos).text);
		hpm_why_try(why, "a smaller size, or a larger memory.max");
	}
	return err;
}

/* tmpfs finds no huge folio by itself: claim blocks for the rest. */
static int filling_claim(struct filling *f, loff_t pos, loff_t end)
{
	int ret = -ENOMEM;

	hpm_fs_punch(f->file, pos, end - pos);
	if (hpm_claim_exists())
		ret = hpm_claim_fill(f->file, pos, end, f->place, false, f->why);
	if (ret == -ENOMEM)
		filling_explain_small(f->why, pos, f->compact);
	return ret;
}

/* Read a part of the file into the cache, if need be with huge folios alone. */
static int filling_fill(struct filling *f, loff_t pos, loff_t end, bool need_huge)
{
	struct folio *folio;
	loff_t look = pos, next;
	bool huge;

	while (pos < end) {
		if (pos >= look && !hpm_room_has(f->place, end - pos, f->rung, f->why))
			return -ENOMEM;
		if (pos >= look)
			look = pos + LOOK_EACH;

		folio = folio_read(f, pos, end);
		if (IS_ERR(folio))
			return filling_explain_none(f->why, pos, PTR_ERR(folio));

		huge = folio_order(folio) >= HUGE_ORDER;
		next = folio_pos(folio) + folio_size(folio);
		/* Clean pages that nobody refers to are a cache: drop_caches would take them. */
		folio_mark_dirty(folio);
		folio_put(folio);
		if (need_huge && !huge)
			return filling_claim(f, pos, end);
		pos = next;
		cond_resched();
	}
	return 0;
}

static struct file *shmem_create(u64 size, const char *huge)
{
	struct file *file = hpm_fs_create("tmpfs", huge, size);

	/* Reclaim would unmap the pages in spite of their pins. */
	if (!IS_ERR(file))
		mapping_set_unevictable(file->f_mapping);
	return file;
}

/* Are there pages only at some addresses that will do? For those below 4 GiB there is a zone. */
static bool shmem_is_choosy(const struct hpm_request *r, u64 size)
{
	return (r->flags & HPAGE_MAP_CONTIGUOUS && size > PMD_SIZE) ||
	       (r->place.limit && r->place.limit != SZ_4G);
}

static struct file *shmem_fill(const struct hpm_request *r, u64 size, const char *rung,
			       const char *huge, bool want_huge, bool need_huge)
{
	struct filling f = {
		.place = &r->place,
		.rung = rung,
		.gfp = filling_gfp(&r->place),
		.compact = want_huge,
		.patience = COMPACT_FOR,
		.tries = TRIES_MORE,
		.why = r->why,
	};
	int ret = -ENOMEM;

	f.file = shmem_create(size, huge);
	if (IS_ERR(f.file))
		return f.file;
	if (!need_huge || !hpm_claim_exists() || !shmem_is_choosy(r, size))
		ret = filling_fill(&f, 0, size, need_huge);
	else if (hpm_room_has(&r->place, size, rung, r->why))
		ret = hpm_claim_fill(f.file, 0, size, &r->place,
				     r->flags & HPAGE_MAP_CONTIGUOUS, r->why);
	if (!ret)
		return f.file;
	hpm_fs_discard(f.file);
	return ERR_PTR(ret);
}

bool hpm_thp_exists(unsigned long page_size)
{
	return page_size == PMD_SIZE && has_transparent_hugepage();
}

/* PMD-sized folios and nothing else; see ladder.c. */
struct file *hpm_thp_fill(const struct hpm_request *r, u64 size, unsigned long page_size)
{
	return shmem_fill(r, size, "thp", "always", true, true);
}

/* Base pages, or the best mix; see ladder.c. */
struct file *hpm_base_fill(const struct hpm_request *r, u64 size, unsigned long page_size)
{
	bool mixed = has_transparent_hugepage() && !r->page_size;

	return shmem_fill(r, size, "base", mixed ? "within_size" : "never", mixed, false);
}

/* An empty file for PMD-sized folios. Return: the file, or an ERR_PTR as of hpm_fs_create(). */
struct file *hpm_thp_file(unsigned long page_size, u64 size)
{
	return shmem_create(size, "always");
}

/* One folio more, for the reserve. Return: 0; -ENOMEM when no huge one is to be had; or -errno. */
int hpm_thp_extend(struct file *file, loff_t pos, unsigned long page_size, struct hpm_why *why)
{
	/* The worker's policy chooses the node. */
	const struct hpm_place place = {};
	struct filling f = {
		.file = file,
		.place = &place,
		.rung = "thp",
		.gfp = FILL_GFP,
		.compact = true,
		.patience = COMPACT_FOR,
		.tries = TRIES_MORE,
		.why = why,
	};
	int ret;

	/* What is only kept ready must not press upon what is used. */
	if (si_mem_available() < (long)(totalram_pages() / SPARE_PART)) {
		hpm_why(why, "thp: less than 1/%u of the memory is available", SPARE_PART);
		hpm_why_try(why, "a smaller reserve");
		return -ENOMEM;
	}
	ret = filling_fill(&f, pos, pos + page_size, true);
	if (ret)
		hpm_fs_punch(file, pos, page_size);
	return ret;
}
