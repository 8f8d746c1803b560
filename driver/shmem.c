// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rungs on tmpfs: pages of the page allocator, with no pool at all.
 *
 * THP means that every folio is as large as a PMD maps. tmpfs itself tries only lightly for such a
 * folio and then takes small ones. What it took is dropped on the THP rung, and blocks are claimed
 * for all that is left, see claim.c. The mixed rung reports how many are huge.
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

#include "choose.h"
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
#define TRIES_MORE	256		/* beyond the first, for all pages together */
#define TRY_AFTER	(HZ / 20)
#define LOOK_EACH	SZ_8M		/* bytes filled, and then for room again */
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

/* A part of a file that is being filled, and what that has cost. */
struct filling {
	struct file *file;
	const struct hpm_place *place;
	bool huge;			/* with huge folios alone */
	bool choosy;			/* not with those that come first */
	bool in_a_row;
	unsigned int failed;		/* tries that were not the last for a page */
	struct hpm_why *why;
};

/* The folio at @pos, where it may be pinned, tried again as long as that may help. */
static struct folio *folio_read(struct filling *f, loff_t pos)
{
	gfp_t gfp = filling_gfp(f->place);
	struct folio *folio;
	unsigned int flags;
	int i;

	for (i = 1; !hpm_signals_pending(); i++) {
		flags = memalloc_pin_save();
		folio = shmem_read_folio_gfp(f->file->f_mapping, pos >> PAGE_SHIFT, gfp);
		memalloc_pin_restore(flags);
		if (PTR_ERR_OR_ZERO(folio) != -ENOMEM || i == TRIES_EACH ||
		    f->failed++ == TRIES_MORE)
			return folio;
		schedule_timeout_killable(TRY_AFTER);
	}
	return ERR_PTR(-ERESTARTSYS);
}

/* tmpfs returns ENOSPC when the machine's commit limit refuses a page. Return: -errno. */
static int filling_explain_none(struct hpm_why *why, loff_t pos, int err)
{
	if (err == -ENOSPC)
		return hpm_refuse(why, -ENOMEM, "a smaller size, or another vm.overcommit_memory",
				  "no page after %s: the commit limit is reached",
				  hpm_text_size(pos).text);
	if (err == -ENOMEM)
		return hpm_refuse(why, -ENOMEM, "a smaller size, or a larger memory.max",
				  "no page after %s: no memory, or none for the cgroup",
				  hpm_text_size(pos).text);
	return err;
}

/* tmpfs does not find the huge folios that are wanted: claim blocks, unless it takes none. */
static int filling_claim(struct filling *f, loff_t pos, loff_t end)
{
	static const char policy[] = "kernel/mm/transparent_hugepage/shmem_enabled";
	char text[64];
	bool denied = hpm_fs_sysfs(policy, text, sizeof(text)) > 0 && strstr(text, "[deny]");
	const struct hpm_choice c = {
		.source = &hpm_blocks,
		.place = *f->place,
		.file = f->file,
		.contiguous = f->in_a_row,
		.size = PMD_SIZE,
		.nr = f->in_a_row ? (end - pos) / PMD_SIZE : 1,
	};

	hpm_fs_punch(f->file, pos, end - pos);
	if (!denied && hpm_claim_exists())
		return hpm_choose(&c, pos, end, f->why);
	hpm_why(f->why, "thp: no PMD-sized folio after %s", hpm_text_size(pos).text);
	if (denied)
		hpm_why_try(f->why, "echo never > /sys/%s", policy);
	return -ENOMEM;
}

/* Read a part of the file into the cache. */
static int filling_fill(struct filling *f, loff_t pos, loff_t end)
{
	const char *rung = f->huge ? "thp" : "base";
	struct folio *folio;
	loff_t look = pos, next;
	bool huge;

	while (pos < end) {
		if (pos >= look && !hpm_room_has(f->place, end - pos, rung, f->why))
			return -ENOMEM;
		if (pos >= look)
			look = pos + LOOK_EACH;
		if (f->choosy)
			return filling_claim(f, pos, end);

		folio = folio_read(f, pos);
		if (IS_ERR(folio))
			return filling_explain_none(f->why, pos, PTR_ERR(folio));

		huge = folio_order(folio) >= HUGE_ORDER;
		next = folio_pos(folio) + folio_size(folio);
		/* Clean pages that nobody refers to are a cache: drop_caches would take them. */
		folio_mark_dirty(folio);
		folio_put(folio);
		if (f->huge && !huge)
			return filling_claim(f, pos, end);
		pos = next;
		cond_resched();
	}
	return 0;
}

static struct file *shmem_fill(struct filling *f, u64 size, enum hpm_fs fs)
{
	int ret;

	f->file = hpm_fs_create(fs, size);
	if (IS_ERR(f->file))
		return f->file;
	ret = filling_fill(f, 0, size);
	if (!ret)
		return f->file;
	hpm_fs_discard(f->file);
	return ERR_PTR(ret);
}

bool hpm_thp_exists(unsigned long page_size)
{
	return page_size == PMD_SIZE && hpm_fs_has_thp();
}

/* PMD-sized folios and nothing else; see ladder.c. */
struct file *hpm_thp_fill(const struct hpm_request *r, u64 size, unsigned long page_size)
{
	bool in_a_row = r->flags & HPAGE_MAP_CONTIGUOUS && size > page_size;
	struct filling f = {
		.place = &r->place,
		.huge = true,
		/* For what has to be below 4 GiB there is a zone. */
		.choosy = hpm_claim_exists() &&
			  (in_a_row || (r->place.limit && r->place.limit != SZ_4G)),
		.in_a_row = in_a_row,
		.why = r->why,
	};

	return shmem_fill(&f, size, HPM_FS_ALWAYS);
}

/* Base pages, or the best mix; see ladder.c. */
struct file *hpm_base_fill(const struct hpm_request *r, u64 size, unsigned long page_size)
{
	bool mixed = hpm_fs_has_thp() && !r->page_size;
	struct filling f = { .place = &r->place, .why = r->why };

	return shmem_fill(&f, size, mixed ? HPM_FS_WITHIN_SIZE : HPM_FS_NEVER);
}

/* An empty file for PMD-sized folios. Return: the file, or an ERR_PTR as of hpm_fs_create(). */
struct file *hpm_thp_file(unsigned long page_size, u64 size)
{
	return hpm_fs_create(HPM_FS_ALWAYS, size);
}

/* One folio more, for the reserve. Return: 0; -ENOMEM when no huge one is to be had; or -errno. */
int hpm_thp_extend(struct file *file, loff_t pos, unsigned long page_size, struct hpm_why *why)
{
	struct filling f = {
		.file = file,
		.place = &(const struct hpm_place){},	/* the worker's policy chooses the node */
		.huge = true,
		.why = why,
	};
	int ret;

	/* What is only kept ready must not press upon what is used. */
	if (si_mem_available() < (long)(totalram_pages() / SPARE_PART))
		return hpm_refuse(why, -ENOMEM, "a smaller reserve",
				  "thp: less than 1/%u of the memory is available", SPARE_PART);
	ret = filling_fill(&f, pos, pos + page_size);
	if (ret)
		hpm_fs_punch(file, pos, page_size);
	return ret;
}
