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
 * Made in the context of whoever asks, so that its cgroups are charged. While
 * it is made only its maker knows it; then it never changes until it is freed,
 * and so it needs no lock.
 *
 * A caller who asks for the reserve gets pages that are ready, on the first rung
 * whose reserve has enough; then the ladder is gone down once more for pages
 * that have to be made.
 *
 * Pages come from where they may stay (memalloc_pin_save()), are then pinned
 * for good, so that their addresses may be told to devices, and only then is
 * the file closed to others.
 */
#include <linux/file.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "backing.h"
#include "fs.h"
#include "policy.h"
#include "reserve.h"

static void why_append(struct hpm_why *why, const char *before, const char *after,
		       const char *fmt, va_list *args)
{
	struct va_format vaf = { .fmt = fmt, .va = args };

	why->len += scnprintf(why->text + why->len, sizeof(why->text) - why->len, "%s%pV%s",
			      before, &vaf, after);
}

/**
 * hpm_why() - add a reason
 * @why: the reasons so far
 * @fmt: as printf(); what does not fit is cut
 */
void hpm_why(struct hpm_why *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	why_append(why, why->len ? "; " : "", "", fmt, &args);
	va_end(args);
}

/**
 * hpm_why_try() - add what a person can do about the last reason
 * @why: the reasons so far
 * @fmt: as printf(); what does not fit is cut
 */
void hpm_why_try(struct hpm_why *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	why_append(why, " (try: ", ")", fmt, &args);
	va_end(args);
}

/*
 * The size of the pages with which a rung serves a request, or 0 if it does
 * not. A page size that is named is gone below, unless it is meant exactly.
 */
static unsigned long size_asked(const struct hpm_attr *attr)
{
	if (!attr->page_size)
		return PMD_SIZE;
	return attr->page_size == PAGE_SIZE ? 0 : attr->page_size;
}

static unsigned long size_below(const struct hpm_attr *attr)
{
	return attr->page_size > PMD_SIZE && !attr->exact ? PMD_SIZE : 0;
}

static unsigned long size_thp(const struct hpm_attr *attr)
{
	if (!attr->page_size || attr->page_size == PMD_SIZE)
		return PMD_SIZE;
	return size_below(attr);
}

static unsigned long size_base(const struct hpm_attr *attr)
{
	if (attr->page_size == PAGE_SIZE)
		return PAGE_SIZE;
	return attr->allow_base && !attr->exact ? PAGE_SIZE : 0;
}

static const struct rung {
	enum hpage_map_backing kind;
	enum hpm_limit limit;
	const char *name;
	struct file *(*fill)(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			     struct hpm_why *why);
	unsigned long (*page_size)(const struct hpm_attr *attr);
} ladder[] = {
	{ HPAGE_MAP_BACKING_HUGETLB, HPM_LIMIT_HUGETLB, "hugetlb", hpm_hugetlb_fill, size_asked },
	{ HPAGE_MAP_BACKING_HUGETLB, HPM_LIMIT_HUGETLB, "hugetlb", hpm_hugetlb_fill, size_below },
	{ HPAGE_MAP_BACKING_THP, HPM_LIMIT_MEMLOCK, "thp", hpm_thp_fill, size_thp },
	{ HPAGE_MAP_BACKING_BASE, HPM_LIMIT_MEMLOCK, "base", hpm_base_fill, size_base },
};

/**
 * hpm_backing_name() - the public name of a rung
 * @kind: the rung
 *
 * Return: a constant string.
 */
const char *hpm_backing_name(enum hpage_map_backing kind)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(ladder); i++)
		if (ladder[i].kind == kind)
			return ladder[i].name;
	return "none";
}

/**
 * hpm_backing_features() - which rungs this machine has
 *
 * Return: bits of enum hpage_map_features.
 */
u64 hpm_backing_features(void)
{
	return (IS_ENABLED(CONFIG_HUGETLBFS) ? HPAGE_MAP_FEATURE_HUGETLB : 0) |
	       (has_transparent_hugepage() ? HPAGE_MAP_FEATURE_THP : 0);
}

static struct file *fill(const struct rung *rung, const struct hpm_attr *attr,
			 unsigned long page_size, u64 size, struct hpm_why *why)
{
	struct hpm_policy *policy = hpm_policy_enter(attr);
	unsigned int flags;
	struct file *file;

	if (IS_ERR(policy))
		return ERR_CAST(policy);
	flags = memalloc_pin_save();
	file = rung->fill(attr, size, page_size, why);
	memalloc_pin_restore(flags);
	hpm_policy_leave(policy);
	return file;
}

static void unpin(struct hpm_backing *b)
{
	unpin_folios(b->folios, b->nr);
	kvfree(b->folios);
}

/*
 * Pin every page for good. Until then a folio may be split, by memory failure
 * or by migration; what is too small by now is not the page that was asked for.
 */
static int pin(struct hpm_backing *b, unsigned long nr, struct hpm_why *why)
{
	loff_t pos = b->start;
	int ret;

	b->folios = kvmalloc_array(nr, sizeof(*b->folios), GFP_KERNEL | __GFP_NOWARN);
	if (!b->folios)
		return -ENOMEM;

	for (b->nr = 0; b->nr < nr; pos += 1L << b->shift) {
		ret = hpm_fs_pin(b->file, pos, b->folios + b->nr);
		if (ret)
			goto unpin;
		if (folio_size(b->folios[b->nr++]) < 1UL << b->shift) {
			hpm_why(why, "a huge page was split while the buffer was made");
			hpm_why_try(why, "again");
			ret = -ENOMEM;
			goto unpin;
		}
		cond_resched();
	}
	return 0;

unpin:
	unpin(b);
	return ret;
}

/* What a person wants to know of the pages, counted once. */
static void take_stock(struct hpm_backing *b, unsigned long *longest)
{
	unsigned long step = 1UL << (b->shift - PAGE_SHIFT);
	unsigned long pfn, next = 0, run = 0, i;
	struct page *page;

	*longest = 0;
	b->below_4g = true;
	b->node = folio_nid(b->folios[0]);
	for (i = 0; i < b->nr; i++) {
		page = hpm_backing_page(b, (loff_t)i << b->shift);
		pfn = page_to_pfn(page);

		if (!i || b->folios[i] != b->folios[i - 1])
			b->nr_huge += folio_size(b->folios[i]) >= PMD_SIZE;
		if (!i || pfn != next) {
			b->nr_runs++;
			run = 0;
		}
		*longest = max(*longest, ++run);
		if (b->node != page_to_nid(page))
			b->node = HPAGE_MAP_NODE_MIXED;
		next = pfn + step;
		if (PFN_PHYS(next) > SZ_4G)
			b->below_4g = false;
	}
}

/**
 * hpm_backing_pages_on() - count the pages on a node
 * @b: the backing
 * @node: the node
 *
 * Return: how many pages of the backing's page size are there.
 */
unsigned long hpm_backing_pages_on(const struct hpm_backing *b, int node)
{
	unsigned long i, nr = 0;

	for (i = 0; i < b->nr; i++)
		nr += folio_nid(b->folios[i]) == node;
	return nr;
}

static u64 address_at(const struct hpm_backing *b, loff_t pos)
{
	return PFN_PHYS(page_to_pfn(hpm_backing_page(b, pos)));
}

/**
 * hpm_backing_run() - the physically contiguous run at an offset
 * @b: the backing
 * @pos: offset in bytes, a multiple of the page size; set to the end of the run
 * @run: where it goes
 *
 * Return: false at the end.
 */
bool hpm_backing_run(const struct hpm_backing *b, loff_t *pos, struct hpage_map_run *run)
{
	if (*pos >= hpm_backing_size(b))
		return false;
	run->address = address_at(b, *pos);
	run->length = 0;
	do {
		run->length += 1ULL << b->shift;
		*pos += 1LL << b->shift;
	} while (*pos < hpm_backing_size(b) &&
		 address_at(b, *pos) == run->address + run->length);
	return true;
}

/* Allocators do what they can; here it is seen whether that was what was asked for. */
static int verify(const struct hpm_backing *b, const struct hpm_attr *attr,
		  unsigned long longest, struct hpm_why *why)
{
	const char *name = hpm_backing_name(b->kind);

	if (attr->contiguous && b->nr_runs > 1) {
		hpm_why(why, "%s: %lu pages in a row needed, got %lu runs, the longest of %lu pages",
			name, b->nr, b->nr_runs, longest);
		hpm_why_try(why, "a hugetlb pool, of which pages can be chosen");
		return -ENOMEM;
	}
	if (attr->below_4g && !b->below_4g) {
		hpm_why(why, "%s: the pages do not all lie below 4 GiB", name);
		hpm_why_try(why, "a larger hugetlb pool, set at boot");
		return -ENOMEM;
	}
	if (attr->policy != HPAGE_MAP_POLICY_PREFERRED && attr->policy != HPAGE_MAP_POLICY_STRICT)
		return 0;
	if (b->node == attr->node)
		return 0;
	hpm_why(why, "%s: %lu of %lu pages are on node %d", name, hpm_backing_pages_on(b, attr->node), b->nr,
		attr->node);
	hpm_why_try(why, "a larger pool or more free memory on that node");
	return attr->policy == HPAGE_MAP_POLICY_STRICT ? -ENOMEM : 0;
}

static void give_back(struct hpm_backing *b)
{
	if (b->reserve)
		hpm_reserve_return(b);
	else
		fput(b->file);
	hpm_limit_uncharge(&b->charge);
}

/* Pin, seal and verify what was got. Nothing is left behind when that fails. */
static int finish(struct hpm_backing *b, const struct hpm_attr *attr, unsigned long nr,
		  struct hpm_why *why)
{
	unsigned long longest;
	int ret;

	ret = pin(b, nr, why);
	if (ret)
		return ret;
	take_stock(b, &longest);
	ret = verify(b, attr, longest, why);
	if (!ret && !b->reserve)
		ret = hpm_fs_seal(b->file);
	if (ret)
		unpin(b);
	else
		hpm_offline_guard(b);
	return ret;
}

/* Make @b on one rung, from its reserve or with new pages. */
static int make(struct hpm_backing *b, const struct rung *rung, const struct hpm_attr *attr,
		unsigned long page_size, bool reserve, struct hpm_why *why)
{
	u64 size = round_up(attr->size, page_size);
	int ret = 0;

	*b = (struct hpm_backing){ .kind = rung->kind, .shift = ilog2(page_size) };
	if (!attr->own)
		ret = hpm_limit_charge(&b->charge, reserve ? HPM_LIMIT_RESERVE : rung->limit,
				       size, why);
	if (ret)
		return ret;

	if (reserve) {
		ret = hpm_reserve_take(b, attr, page_size, why);
	} else {
		b->file = fill(rung, attr, page_size, size, why);
		ret = PTR_ERR_OR_ZERO(b->file);
	}
	if (ret)
		goto uncharge;

	ret = finish(b, attr, size >> b->shift, why);
	if (ret)
		goto discard;
	return 0;

discard:
	b->nr = size >> b->shift;
	if (b->reserve)
		hpm_reserve_return(b);
	else
		hpm_fs_discard(b->file);
uncharge:
	hpm_limit_uncharge(&b->charge);
	return ret;
}

/* Down the ladder, once. */
static int descend(struct hpm_backing *b, const struct hpm_attr *attr, bool reserve,
		   struct hpm_why *why)
{
	unsigned long page_size;
	int ret = -EINVAL, i, err;

	for (i = 0; i < ARRAY_SIZE(ladder); i++) {
		page_size = ladder[i].page_size(attr);
		if (!page_size || (reserve && ladder[i].kind == HPAGE_MAP_BACKING_BASE))
			continue;
		err = make(b, &ladder[i], attr, page_size, reserve, why);
		if (!err)
			return 0;
		if (err == -EINTR && !task_sigpending(current))
			return -ERESTARTNOINTR;
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

/* What is in a reserve stands where it stands, on one node. */
static bool from_reserve(const struct hpm_attr *attr, struct hpm_why *why)
{
	if (!attr->reserve)
		return false;
	if (attr->contiguous || attr->below_4g) {
		hpm_why(why, "reserve: its pages are not chosen by address");
		return false;
	}
	if (attr->policy == HPAGE_MAP_POLICY_INTERLEAVE) {
		hpm_why(why, "reserve: its pages are not interleaved");
		return false;
	}
	return true;
}

/**
 * hpm_backing_make() - get pages from the best rung that has them
 * @b: what to make
 * @attr: what is asked for
 * @why: told why a better rung, or any at all, could not be had
 *
 * Context: may sleep; a signal interrupts it.
 * Return: 0, or
 *
 * * -EINVAL: this machine has no pages of that size, or the size is 0
 * * -ENOMEM: no rung has the pages now, or the size exceeds the memory
 * * -EDQUOT: a limit of the user refuses them, be it on one rung
 * * -EINTR: a signal came
 * * -ERESTARTNOINTR: no signal, but work of the task that cannot wait
 */
int hpm_backing_make(struct hpm_backing *b, const struct hpm_attr *attr, struct hpm_why *why)
{
	int ret = check(attr, why);

	if (ret)
		return ret;
	if (from_reserve(attr, why)) {
		ret = descend(b, attr, true, why);
		if (!ret || hpm_interrupted(ret))
			return ret;
	}
	return descend(b, attr, false, why);
}

/**
 * hpm_backing_free() - give the pages back
 * @b: the backing; nobody uses its pages any more
 *
 * Mappings keep the file, and so the pages, until they go.
 *
 * Context: may sleep.
 */
void hpm_backing_free(struct hpm_backing *b)
{
	hpm_offline_release(b);
	unpin(b);
	give_back(b);
}
