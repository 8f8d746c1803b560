// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rungs on tmpfs: pages of the page allocator, with no pool at all.
 *
 * THP means that every folio is as large as a PMD maps. tmpfs itself tries only lightly for
 * such a folio and then takes small ones; what it took is dropped, memory is compacted by
 * allocating and freeing one such page, and it tries once more. What comes small then stays
 * small: that is a failure on the THP rung, and the mixed rung says how many are huge.
 *
 * The pages are read into the cache, never preallocated: a preallocated folio is not up to
 * date, and the first fault would clear what a device wrote. Nothing is published yet, so
 * nothing is locked.
 */
#include <linux/file.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>

#include "backing.h"

/*
 * Not movable, because the pages get pinned. Try hard, but over a limit fail
 * instead of waking the OOM killer.
 */
#define FILL_GFP	(GFP_HIGHUSER | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)
#define HUGE_ORDER	(PMD_SHIFT - PAGE_SHIFT)
#define SPARE_PART	16U	/* of the memory, which the reserve leaves available */

/*
 * Below 4 GiB is a zone of its own, and so is high memory. A lower limit has
 * none: what comes may lie low enough.
 */
static gfp_t fill_gfp(const struct hpm_attr *attr)
{
	bool low = attr->limit && attr->limit <= SZ_4G;

	return low ? (FILL_GFP & ~__GFP_HIGHMEM) | __GFP_DMA32 : FILL_GFP;
}

/* The node of a free page that a PMD maps, if need be after compaction, or NUMA_NO_NODE. */
static int make_room(gfp_t gfp)
{
	struct page *page = alloc_pages(gfp | __GFP_COMP | __GFP_NOMEMALLOC, HUGE_ORDER);
	int node;

	if (!page)
		return NUMA_NO_NODE;
	node = page_to_nid(page);
	__free_pages(page, HUGE_ORDER);
	return node;
}

/*
 * The folio at @pos, huge if that can be had; @room tells if one was free. As
 * tmpfs itself looks for huge folios on the task's node alone, it is told where
 * one is; as a preference, because mm/ does not bind allocations from low zones
 * to a node.
 */
static struct folio *read_huge_folio(struct file *file, loff_t pos, gfp_t gfp, bool *room)
{
	struct folio *folio = shmem_read_folio_gfp(file->f_mapping, pos >> PAGE_SHIFT, gfp);
	struct hpm_attr attr = { .policy = HPAGE_MAP_POLICY_PREFERRED };
	struct hpm_policy *policy;

	if (IS_ERR(folio) || folio_order(folio) >= HUGE_ORDER)
		return folio;
	attr.node = make_room(gfp);
	*room = attr.node != NUMA_NO_NODE;
	if (!*room)
		return folio;

	folio_put(folio);
	hpm_thp_punch(file, pos, PMD_SIZE);
	policy = hpm_policy_enter(&attr);
	if (IS_ERR(policy))
		return ERR_CAST(policy);
	folio = shmem_read_folio_gfp(file->f_mapping, pos >> PAGE_SHIFT, gfp);
	hpm_policy_leave(policy);
	return folio;
}

static void explain_small(struct hpm_why *why, loff_t pos, bool room)
{
	char text[64];

	hpm_why(why, "thp: no PMD-sized folio after %lld kB", pos >> 10);
	if (hpm_fs_sysfs("kernel/mm/transparent_hugepage/shmem_enabled", text, sizeof(text)) > 0 &&
	    strstr(text, "[deny]"))
		hpm_why_try(why, "echo never > /sys/kernel/mm/transparent_hugepage/shmem_enabled");
	else if (room)
		hpm_why_try(why, "a larger memory.max for the caller's cgroup");
	else
		hpm_why_try(why, "echo 1 > /proc/sys/vm/compact_memory");
}

/* tmpfs says ENOSPC when the machine's commit limit refuses a page. Return: -errno. */
static int explain_none(struct hpm_why *why, loff_t pos, int err)
{
	if (err == -ENOSPC) {
		hpm_why(why, "no page after %lld kB: the commit limit is reached", pos >> 10);
		hpm_why_try(why, "a smaller size, or another vm.overcommit_memory");
		return -ENOMEM;
	}
	if (err == -ENOMEM) {
		hpm_why(why, "no page after %lld kB: no memory, or none for the cgroup", pos >> 10);
		hpm_why_try(why, "a smaller size, or a larger memory.max");
	}
	return err;
}

/*
 * Read a part of the file into the cache. @want_huge: compact for huge folios as
 * long as that helps; @need_huge: accept nothing else.
 */
static int fill(struct file *file, loff_t pos, loff_t end, gfp_t gfp, bool want_huge,
		bool need_huge, struct hpm_why *why)
{
	bool room = want_huge;
	struct folio *folio;
	loff_t next;
	bool huge;

	for (; pos < end; pos = next) {
		if (signal_pending(current))
			return -EINTR;

		if (room && IS_ALIGNED(pos, PMD_SIZE) && end - pos >= PMD_SIZE)
			folio = read_huge_folio(file, pos, gfp, &room);
		else
			folio = shmem_read_folio_gfp(file->f_mapping, pos >> PAGE_SHIFT, gfp);
		if (IS_ERR(folio))
			return explain_none(why, pos, PTR_ERR(folio));

		huge = folio_order(folio) >= HUGE_ORDER;
		next = folio_pos(folio) + folio_size(folio);
		folio_put(folio);
		if (need_huge && !huge) {
			explain_small(why, pos, room);
			return -ENOMEM;
		}
		cond_resched();
	}
	return 0;
}

static struct file *create(u64 size, const char *huge)
{
	struct file *file = hpm_fs_create("tmpfs", huge, size);

	/* Reclaim would unmap the pages in spite of their pins. */
	if (!IS_ERR(file))
		mapping_set_unevictable(file->f_mapping);
	return file;
}

static struct file *make(const struct hpm_attr *attr, u64 size, const char *huge,
			 bool want_huge, bool need_huge, struct hpm_why *why)
{
	unsigned long available = si_mem_available();	/* never negative */
	struct file *file;
	int ret;

	/* Pinning the last page would end well for nobody. */
	if (size >> PAGE_SHIFT > available) {
		hpm_why(why, "%llu kB needed, %lu kB of memory available", size >> 10,
			available << (PAGE_SHIFT - 10));
		hpm_why_try(why, "a smaller size");
		return ERR_PTR(-ENOMEM);
	}

	file = create(size, huge);
	if (IS_ERR(file))
		return file;
	ret = fill(file, 0, size, fill_gfp(attr), want_huge, need_huge, why);
	if (!ret)
		return file;
	hpm_fs_discard(file);
	return ERR_PTR(ret);
}

bool hpm_thp_has(unsigned long page_size)
{
	return page_size == PMD_SIZE && has_transparent_hugepage();
}

/* PMD-sized folios and nothing else; see backing.h. */
struct file *hpm_thp_fill(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			  struct hpm_why *why)
{
	return make(attr, size, "always", true, true, why);
}

/* Base pages, or the best mix; see backing.h. */
struct file *hpm_base_fill(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			   struct hpm_why *why)
{
	bool mixed = has_transparent_hugepage() && !attr->page_size;

	return make(attr, size, mixed ? "within_size" : "never", mixed, false, why);
}

/* An empty file for PMD-sized folios. Return: the file, or an ERR_PTR as of hpm_fs_create(). */
struct file *hpm_thp_file(unsigned long page_size, u64 size)
{
	return create(size, "always");
}

/* One folio more, for the reserve. Return: 0; -ENOMEM when no huge one is to be had; or -errno. */
int hpm_thp_extend(struct file *file, loff_t pos, unsigned long page_size, struct hpm_why *why)
{
	int ret;

	/* What is only kept ready must not press upon what is used. */
	if (si_mem_available() < (long)(totalram_pages() / SPARE_PART)) {
		hpm_why(why, "thp: less than 1/%u of the memory is available", SPARE_PART);
		hpm_why_try(why, "a smaller reserve");
		return -ENOMEM;
	}
	ret = fill(file, pos, pos + page_size, FILL_GFP, true, true, why);
	if (ret)
		hpm_thp_punch(file, pos, page_size);
	return ret;
}

/* Give the pages of a part of a tmpfs file back. */
void hpm_thp_punch(struct file *file, loff_t pos, loff_t len)
{
	shmem_truncate_range(file_inode(file), pos, pos + len - 1);
}
