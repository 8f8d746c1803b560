// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the pages of a buffer come from.
 *
 * A backing is a file that is filled, pinned and sealed. It is made by going
 * down a ladder of rungs until one can serve the whole request:
 *
 *	hugetlb		pages of the kernel's pool of a page size
 *	thp		PMD-sized folios of the page allocator
 *	base		pages of the page allocator, only for those who allow it
 *
 * A caller who asks for the reserve gets pages that are ready, on the first rung
 * whose reserve has enough, or else goes down once more for pages to be made.
 *
 * It is made in the context of whoever asks, so that its cgroups are charged.
 * Only its maker knows it then, and later it never changes: it needs no lock.
 *
 * Pages come from where they may stay (memalloc_pin_save()), are then pinned
 * for good, so that devices may be told their addresses, and only then is the
 * file closed to others.
 */
#include <linux/sched/mm.h>

#include "backing.h"

/*
 * Add a text between two others, as far as there is room; see hpm_why() and hpm_why_try().
 * @before: NULL for what separates reasons.
 */
void hpm_why_add(struct hpm_why *why, const char *before, const char *behind, const char *fmt, ...)
{
	va_list args;
	struct va_format vaf = { .fmt = fmt, .va = &args };

	va_start(args, fmt);
	why->len += scnprintf(why->text + why->len, sizeof(why->text) - why->len, "%s%pV%s",
			      before ?: why->len ? "; " : "", &vaf, behind);
	va_end(args);
}

/*
 * The size of the pages with which a rung serves a request, or 0 if it does
 * not. A page size that is named is gone below, unless it is meant exactly.
 */
static unsigned long size_asked(const struct hpm_attr *attr)
{
	return attr->page_size == PAGE_SIZE ? 0 : (attr->page_size ?: PMD_SIZE);
}

static unsigned long size_below(const struct hpm_attr *attr)
{
	return attr->page_size > PMD_SIZE && !attr->exact ? PMD_SIZE : 0;
}

static unsigned long size_thp(const struct hpm_attr *attr)
{
	return size_asked(attr) == PMD_SIZE ? PMD_SIZE : size_below(attr);
}

static unsigned long size_base(const struct hpm_attr *attr)
{
	bool below = attr->allow_base && !attr->exact;

	return below || attr->page_size == PAGE_SIZE ? PAGE_SIZE : 0;
}

static const struct rung {
	enum hpage_map_backing kind;
	struct file *(*fill)(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			     struct hpm_why *why);
	unsigned long (*page_size)(const struct hpm_attr *attr);
	bool (*has)(unsigned long page_size);	/* NULL: every machine does */
} ladder[] = {
	{ HPAGE_MAP_BACKING_HUGETLB, hpm_hugetlb_fill, size_asked, hpm_hugetlb_has },
	{ HPAGE_MAP_BACKING_HUGETLB, hpm_hugetlb_fill, size_below, hpm_hugetlb_has },
	{ HPAGE_MAP_BACKING_THP, hpm_thp_fill, size_thp, hpm_thp_has },
	{ HPAGE_MAP_BACKING_BASE, hpm_base_fill, size_base },
};

/* The public name of where pages come from. */
const char *hpm_backing_name(enum hpage_map_backing kind)
{
	static const char * const names[] = {
		[HPAGE_MAP_BACKING_HUGETLB] = "hugetlb",
		[HPAGE_MAP_BACKING_THP] = "thp",
		[HPAGE_MAP_BACKING_BASE] = "base",
		[HPAGE_MAP_BACKING_USER] = "user",
	};

	return names[kind];
}

/* Which rungs this machine has, as bits of enum hpage_map_features. */
u64 hpm_backing_features(void)
{
	return (IS_ENABLED(CONFIG_HUGETLBFS) ? HPAGE_MAP_FEATURE_HUGETLB : 0) |
	       (has_transparent_hugepage() ? HPAGE_MAP_FEATURE_THP : 0);
}

static int fill(struct hpm_backing *b, const struct rung *rung, const struct hpm_attr *attr,
		u64 size, struct hpm_why *why)
{
	struct hpm_policy *policy = hpm_policy_enter(attr);
	unsigned int flags;

	if (IS_ERR(policy))
		return PTR_ERR(policy);
	flags = memalloc_pin_save();
	b->file = rung->fill(attr, size, 1UL << b->shift, why);
	memalloc_pin_restore(flags);
	hpm_policy_leave(policy);
	return PTR_ERR_OR_ZERO(b->file);
}

/*
 * Pin every page for good. Until then a folio may be split, by memory failure or by migration;
 * what is too small by now is not the page that was asked for. Nor is a broken one, which a
 * reserve may have. Return: 0; -ENOMEM; or -EHWPOISON, when what is left of a reserve may do.
 */
static int pin(struct hpm_backing *b, u64 size, struct hpm_why *why)
{
	const char *what = NULL;
	struct folio *folio;
	struct page *page;
	u64 pos = 0, len;
	int ret = 0;

	while (pos < size) {
		if (hpm_fs_pin(b->file, b->start + pos, &page)) {
			what = "lost";
			break;
		}
		folio = page_folio(page);
		len = folio_size(folio) - PFN_PHYS(folio_page_idx(folio, page));
		len = min(len, size - pos);
		if (hpm_folio_is_bad(folio))
			what = "broken";
		else if (len < 1UL << b->shift)
			what = "split";
		else
			ret = hpm_pages_add(b, page, len);
		if (what || ret) {
			hpm_fs_unpin(page);
			break;
		}
		pos += len;
		cond_resched();
	}
	if (!what)
		return ret;
	hpm_why(why, "a page was %s while the buffer was made", what);
	hpm_why_try(why, "again");
	return b->reserve ? -EHWPOISON : -ENOMEM;
}

/* Allocators do what they can; here it is seen whether that was what was asked for. */
static int verify(const struct hpm_backing *b, const struct hpm_attr *attr, struct hpm_why *why)
{
	const char *name = hpm_backing_name(b->kind);
	u64 on_node = 0;

	if (attr->contiguous && b->nr_runs > 1) {
		hpm_why(why, "%s: %lu pages in a row needed, got %lu runs, the longest of %lu",
			name, b->nr, b->nr_runs, hpm_pages_longest(b));
		hpm_why_try(why, "a hugetlb pool, of which pages can be chosen");
		return -ENOMEM;
	}
	if (attr->limit && b->end > attr->limit) {
		hpm_why(why, "%s: the pages do not all lie below %#llx", name, attr->limit);
		hpm_why_try(why, "a larger hugetlb pool, set at boot");
		return -ENOMEM;
	}
	if (b->node == attr->node || (attr->policy != HPAGE_MAP_POLICY_PREFERRED &&
				      attr->policy != HPAGE_MAP_POLICY_STRICT))
		return 0;
	hpm_pages_by_node(b, attr->node, 1, &on_node);
	hpm_why(why, "%s: %llu of %lu pages are on node %d", name, on_node, b->nr, attr->node);
	hpm_why_try(why, "a larger pool or more free memory on that node");
	return attr->policy == HPAGE_MAP_POLICY_STRICT ? -ENOMEM : 0;
}

/* Pin, verify and seal what was got. On failure it is still to be given back. */
static int finish(struct hpm_backing *b, const struct hpm_attr *attr, u64 size,
		  struct hpm_why *why)
{
	int ret = pin(b, size, why);

	if (!ret)
		ret = verify(b, attr, why);
	if (!ret && !b->reserve)
		ret = hpm_fs_seal(b->file);
	return ret ?: hpm_offline_guard(b);
}

/* From the reserve of a rung. What of it turns out to be broken is dropped, and the next taken. */
static int make_ready(struct hpm_backing *b, const struct hpm_attr *attr, u64 size,
		      struct hpm_why *why)
{
	int ret;

	do {
		ret = hpm_reserve_take(b, attr, size >> b->shift, why);
		if (ret)
			return ret;
		ret = finish(b, attr, size, why);
		if (ret)
			hpm_backing_drop(b, size);
	} while (ret == -EHWPOISON);
	return ret;
}

static int make_new(struct hpm_backing *b, const struct rung *rung, const struct hpm_attr *attr,
		    u64 size, struct hpm_why *why)
{
	int ret = fill(b, rung, attr, size, why);

	if (ret)
		return ret;
	ret = finish(b, attr, size, why);
	if (ret)
		hpm_backing_drop(b, size);
	return ret;
}

/* Make @b on one rung, from its reserve or with new pages. */
static int make(struct hpm_backing *b, const struct rung *rung, const struct hpm_attr *attr,
		bool reserve, struct hpm_why *why)
{
	bool pool = rung->kind == HPAGE_MAP_BACKING_HUGETLB;
	enum hpm_limit limit = pool ? HPM_LIMIT_HUGETLB : HPM_LIMIT_MEMLOCK;
	unsigned long page_size = rung->page_size(attr);
	u64 size;
	int ret = 0;

	if (!page_size || (reserve && rung->kind == HPAGE_MAP_BACKING_BASE))
		return -EINVAL;
	size = round_up(attr->size, page_size);
	*b = (struct hpm_backing){ .kind = rung->kind, .shift = ilog2(page_size) };
	if (rung->has && !rung->has(page_size)) {
		hpm_why(why, "%s: no pages of %lu kB on this machine", hpm_backing_name(b->kind),
			page_size >> 10);
		hpm_why_try(why, "ls /sys/kernel/mm/hugepages");
		return -EINVAL;
	}
	if (!attr->own)
		ret = hpm_limit_begin(&b->charge, reserve ? HPM_LIMIT_RESERVE : limit);
	if (!ret)
		ret = hpm_limit_add(&b->charge, size, why);
	if (!ret)
		ret = reserve ? make_ready(b, attr, size, why) :
				make_new(b, rung, attr, size, why);
	if (ret)
		hpm_limit_end(&b->charge);
	return ret;
}

/* Down the ladder, once. */
static int descend(struct hpm_backing *b, const struct hpm_attr *attr, bool reserve,
		   struct hpm_why *why)
{
	int ret = -EINVAL, i, err;

	for (i = 0; i < ARRAY_SIZE(ladder); i++) {
		err = make(b, &ladder[i], attr, reserve, why);
		if (!err)
			return 0;
		if (err != -EINVAL && err != -ENOMEM && err != -EDQUOT)
			return err;
		/* A limit may be all that stands against it; so that is told. */
		if (err == -EDQUOT || (err == -ENOMEM && ret == -EINVAL))
			ret = err;
	}
	return ret;
}

static int check(const struct hpm_attr *attr, struct hpm_why *why)
{
	if (!attr->size) {
		hpm_why(why, "a size of 0");
		return -EINVAL;
	}
	if (attr->page_size && (attr->page_size < PAGE_SIZE || !is_power_of_2(attr->page_size))) {
		hpm_why(why, "%llu is no page size", attr->page_size);
		return -EINVAL;
	}
	if (attr->size >> PAGE_SHIFT > totalram_pages()) {
		hpm_why(why, "more than this machine's memory");
		return -ENOMEM;
	}
	return 0;
}

/*
 * Get pages from the best rung that has them. Return: 0; -EINVAL when the size is 0 or
 * this machine has no pages of that size; -ENOMEM when no rung has the pages now; -EDQUOT
 * when a limit of the user refuses them, be it on one rung; -ERESTARTSYS when a signal
 * came.
 */
int hpm_backing_make(struct hpm_backing *b, const struct hpm_attr *attr, struct hpm_why *why)
{
	int ret = check(attr, why);

	if (ret)
		return ret;
	if (attr->reserve && !attr->contiguous && !attr->limit &&
	    attr->policy != HPAGE_MAP_POLICY_INTERLEAVE) {
		ret = descend(b, attr, true, why);
		if (!ret || hpm_interrupted(ret))
			return ret;
	} else if (attr->reserve) {
		hpm_why(why, "reserve: its pages are not chosen by address, nor interleaved");
	}
	return descend(b, attr, false, why);
}

/*
 * Take memory of the calling program. The pages stay the program's, too, and charged as
 * they are; being pinned they count against its user's RLIMIT_MEMLOCK. The backing has no
 * file to lend. Return: 0, or -EINVAL, -EDQUOT, -ENOMEM, or as hpm_user_pin().
 */
int hpm_backing_pin(struct hpm_backing *b, unsigned long addr, u64 length, struct hpm_why *why)
{
	unsigned long nr = length >> PAGE_SHIFT;
	int ret;

	if (!length || !PAGE_ALIGNED(addr | length) || addr + length < addr) {
		hpm_why(why, "address and length are multiples of the base page size, not 0");
		return -EINVAL;
	}
	if (nr > totalram_pages())
		return -ENOMEM;
	*b = (struct hpm_backing){ .kind = HPAGE_MAP_BACKING_USER, .shift = PAGE_SHIFT };
	ret = hpm_limit_begin(&b->charge, HPM_LIMIT_MEMLOCK);
	if (ret)
		return ret;
	ret = hpm_user_pin(b, addr, nr, why) ?: hpm_offline_guard(b);
	if (ret) {
		hpm_backing_free(b);
		return ret;
	}
	return 0;
}
