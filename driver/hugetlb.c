// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hugetlb rung: pages of the kernel's pool of one page size.
 *
 * The figures of the pool are looked at before a page is zeroed, so that a refusal is quick,
 * takes nothing from others even for a moment, and can name what is missing. The pages are those
 * that come first, or those that collect.c chooses. Nothing here is shared, so nothing is locked.
 */
#include <linux/err.h>
#include <linux/sizes.h>

#include "choose.h"
#include "collect.h"
#include "fs.h"
#include "hugetlb.h"
#include "pool.h"
#include "request.h"
#include "room.h"

static bool hugetlb_suffices(const struct hpm_pool *pool, unsigned long nr)
{
	/* No sum: overcommit may be as large as a number can be. */
	return nr - min(nr, pool->free) <= pool->growth;
}

static void hugetlb_explain(const struct hpm_pool *pool, unsigned long nr, struct hpm_why *why)
{
	if (hugetlb_suffices(pool, nr)) {
		hpm_why_or(why, "look at its cgroup's hugetlb.*.max, memory policy and cpuset",
			   "hugetlb: the pool has the pages, but a limit holds the caller");
		return;
	}
	hpm_why(why, "hugetlb: %s needed, %lu of %lu free%s, %lu by overcommit",
		hpm_text_pages(nr, pool->page_size).text, pool->free, pool->nr, pool->where,
		pool->growth);
	hpm_why_try(why, "echo %lu > /sys/%s/hugepages/hugepages-%lukB/nr_hugepages",
		    pool->nr - min(pool->nr, pool->surplus) + nr - min(nr, pool->free),
		    pool->place, pool->page_size / SZ_1K);
}

/* Pages that are freed have to come back into the pool, see collect.c. */
static int hugetlb_choose(struct file *file, const struct hpm_request *r,
			  const struct hpm_pool *pool, unsigned long nr)
{
	const struct hpm_choice c = {
		.source = &hpm_pool_pages,
		.place = r->place,
		.file = file,
		.contiguous = r->flags & HPAGE_MAP_CONTIGUOUS,
		.size = pool->page_size,
		.nr = nr,
	};

	if (pool->surplus)
		return hpm_refuse(r->why, -ENOMEM,
				  "a larger nr_hugepages, which makes them persistent",
				  "hugetlb: pages cannot be chosen while %lu of them are surplus",
				  pool->surplus);
	return hpm_choose(&c, 0, (loff_t)nr * pool->page_size, r->why);
}

/* The rung of the hugetlb pools; see ladder.c. Return: the filled file, or an ERR_PTR. */
struct file *hpm_hugetlb_fill(const struct hpm_request *r, u64 size, unsigned long page_size)
{
	unsigned long nr = size / page_size;
	struct hpm_pool pool;
	struct file *file;
	int ret = hpm_pool_look(&pool, &r->place, page_size);
	bool choose;

	if (ret)
		return ERR_PTR(ret);
	/*
	 * Persistent pages can be chosen; new ones come as they come. How many are free is looked
	 * at when it is our turn, as somebody who chooses has some of them for a moment.
	 */
	choose = nr + pool.surplus <= pool.nr &&
		 (r->place.limit || (r->flags & HPAGE_MAP_CONTIGUOUS && nr > 1));
	if (!choose && !hugetlb_suffices(&pool, nr)) {
		hugetlb_explain(&pool, nr, r->why);
		return ERR_PTR(-ENOMEM);
	}
	/* What the pool does not have comes from the page allocator. */
	if (!choose && nr > pool.free &&
	    !hpm_room_has(&r->place, (u64)(nr - pool.free) * page_size, "hugetlb", r->why))
		return ERR_PTR(-ENOMEM);

	file = hpm_pool_file(page_size, size);
	if (IS_ERR(file))
		return file;
	ret = choose ? hugetlb_choose(file, r, &pool, nr) :
		       hpm_pool_allocate(file, 0, size, page_size);
	if (!ret)
		return file;

	hpm_fs_discard(file);
	if (ret != -ENOSPC && ret != -ENOMEM)
		return ERR_PTR(ret);
	if (!hpm_pool_look(&pool, &r->place, page_size) &&
	    (ret == -ENOSPC || !hugetlb_suffices(&pool, nr)))
		hugetlb_explain(&pool, nr, r->why);
	return ERR_PTR(-ENOMEM);
}

/* One page more, for the reserve. Return: 0; -ENOMEM when the pool has none; or -errno. */
int hpm_hugetlb_extend(struct file *file, loff_t pos, unsigned long page_size, struct hpm_why *why)
{
	int ret = hpm_pool_allocate(file, pos, page_size, page_size);

	if (ret != -ENOSPC)
		return ret;
	return hpm_refuse(why, -ENOMEM, "a larger nr_hugepages of that node",
			  "hugetlb: the pool has no page of %s for the reserve",
			  hpm_text_size(page_size).text);
}
