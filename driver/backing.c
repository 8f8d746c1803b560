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
 * Pages come from where they may stay (memalloc_pin_save()), are then pinned
 * for good, so that their addresses may be told to devices, and only then is
 * the file closed to others.
 */
#include <linux/file.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "backing.h"
#include "fs.h"

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

static const struct rung {
	enum hpage_map_backing kind;
	const char *name;
	struct file *(*fill)(const struct hpm_attr *attr, u64 size, unsigned long page_size,
			     struct hpm_why *why);
} ladder[] = {
	{ HPAGE_MAP_BACKING_HUGETLB, "hugetlb", hpm_hugetlb_fill },
	{ HPAGE_MAP_BACKING_THP, "thp", hpm_thp_fill },
	{ HPAGE_MAP_BACKING_BASE, "base", hpm_base_fill },
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

/* The size of the pages with which a rung serves a request, or 0 if it does not. */
static unsigned long rung_page_size(const struct rung *rung, const struct hpm_attr *attr)
{
	bool named = attr->page_size;

	switch (rung->kind) {
	case HPAGE_MAP_BACKING_HUGETLB:
		if (named)
			return attr->page_size == PAGE_SIZE ? 0 : attr->page_size;
		return PMD_SIZE;
	case HPAGE_MAP_BACKING_THP:
		return !named || attr->page_size == PMD_SIZE ? PMD_SIZE : 0;
	case HPAGE_MAP_BACKING_BASE:
		if (named)
			return attr->page_size == PAGE_SIZE ? PAGE_SIZE : 0;
		return attr->allow_base ? PAGE_SIZE : 0;
	}
	return 0;
}

static struct file *fill(const struct rung *rung, const struct hpm_attr *attr,
			 unsigned long page_size, u64 size, struct hpm_why *why)
{
	unsigned int flags = memalloc_pin_save();
	struct file *file = rung->fill(attr, size, page_size, why);

	memalloc_pin_restore(flags);
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
	pgoff_t offset;
	loff_t pos;
	long got;

	b->folios = kvmalloc_array(nr, sizeof(*b->folios), GFP_KERNEL | __GFP_NOWARN);
	if (!b->folios)
		return -ENOMEM;

	for (b->nr = 0; b->nr < nr; b->nr++) {
		pos = (loff_t)b->nr << b->shift;
		got = memfd_pin_folios(b->file, pos, pos, b->folios + b->nr, 1, &offset);
		if (got != 1) {
			unpin(b);
			return got < 0 ? got : -EFAULT;
		}
		if (folio_size(b->folios[b->nr]) < 1UL << b->shift) {
			b->nr++;
			unpin(b);
			hpm_why(why, "a huge page was split while the buffer was made");
			hpm_why_try(why, "again");
			return -ENOMEM;
		}
		cond_resched();
	}
	return 0;
}

/* What a person wants to know of the pages, counted once. */
static void take_stock(struct hpm_backing *b)
{
	unsigned long pfn, next = 0, i;
	struct page *page;

	for (i = 0; i < b->nr; i++) {
		page = hpm_backing_page(b, (loff_t)i << b->shift);
		pfn = page_to_pfn(page);

		if (!i || b->folios[i] != b->folios[i - 1])
			b->nr_huge += folio_size(b->folios[i]) >= PMD_SIZE;
		if (!i || pfn != next)
			b->nr_runs++;
		if (!i)
			b->node = page_to_nid(page);
		else if (b->node != page_to_nid(page))
			b->node = HPAGE_MAP_NODE_MIXED;
		next = pfn + (1UL << (b->shift - PAGE_SHIFT));
	}
}

/* Make @b on one rung. Nothing is left behind when that fails. */
static int make(struct hpm_backing *b, const struct rung *rung, const struct hpm_attr *attr,
		unsigned long page_size, struct hpm_why *why)
{
	u64 size = round_up(attr->size, page_size);
	int ret;

	b->kind = rung->kind;
	b->shift = ilog2(page_size);
	b->file = fill(rung, attr, page_size, size, why);
	if (IS_ERR(b->file))
		return PTR_ERR(b->file);

	ret = pin(b, size >> b->shift, why);
	if (ret)
		goto discard;
	ret = hpm_fs_seal(b->file);
	if (ret)
		goto unpin;
	take_stock(b);
	hpm_offline_guard(b);
	return 0;

unpin:
	unpin(b);
discard:
	hpm_fs_discard(b->file);
	return ret;
}

/**
 * hpm_backing_make() - get pages from the best rung that has them
 * @b: what to make, all zero
 * @attr: what is asked for
 * @why: told why a better rung, or any at all, could not be had
 *
 * Context: may sleep; a signal interrupts it.
 * Return: 0, or
 *
 * * -EINVAL: this machine has no pages of that size, or the size is 0
 * * -ENOMEM: no rung has the pages now, or the size exceeds the memory
 * * -EINTR: a signal came
 * * -ERESTARTNOINTR: no signal, but work of the task that cannot wait
 */
int hpm_backing_make(struct hpm_backing *b, const struct hpm_attr *attr, struct hpm_why *why)
{
	unsigned long page_size;
	int ret = -EINVAL, i, err;

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

	for (i = 0; i < ARRAY_SIZE(ladder); i++) {
		page_size = rung_page_size(&ladder[i], attr);
		if (!page_size)
			continue;
		err = make(b, &ladder[i], attr, page_size, why);
		if (!err)
			return 0;
		if (err == -EINTR && !task_sigpending(current))
			return -ERESTARTNOINTR;
		if (err != -EINVAL && err != -ENOMEM)
			return err;
		if (err == -ENOMEM)
			ret = -ENOMEM;
	}
	return ret;
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
	fput(b->file);
}
