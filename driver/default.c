// SPDX-License-Identifier: GPL-2.0-only
/*
 * The default buffer, the one that /dev/hpage_map is.
 *
 * It is made once and lives until the module goes, so that what one program leaves in it
 * the next one finds. Nobody asked for it when the module is loaded for another driver's
 * sake; so without parameters it is made by the first open. A parameter asks for it, and
 * then it is made at load.
 *
 * making serialises the makers and protects nothing else: the pointer goes from NULL to
 * the buffer once, and whoever sees the buffer may use it while the module is there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "buffer.h"
#include "default.h"
#include "kind.h"
#include "log.h"
#include "param.h"
#include "request.h"
#include "signals.h"

#define DEFAULT_NR_HPAGES 10

/* Parameters that are 0 are as if they were not given. */
static u64 size;
static u64 hpage_size;

static unsigned long nr_hpages;
module_param(nr_hpages, ulong, 0444);
MODULE_PARM_DESC(nr_hpages, "pages of the default buffer (10)");

module_param_cb(size, &hpm_param_ops_bytes, &size, 0444);
MODULE_PARM_DESC(size, "size of the default buffer instead, e.g. 64M");

module_param_cb(hpage_size, &hpm_param_ops_bytes, &hpage_size, 0444);
MODULE_PARM_DESC(hpage_size, "its page size, e.g. 2M or 1G (0: the best up to a PMD)");

static bool allow_base;
module_param(allow_base, bool, 0444);
MODULE_PARM_DESC(allow_base, "take base pages if no huge pages can be had (N)");

static DEFINE_MUTEX(making);
static struct hpage_map_buffer *default_buffer;

static int default_request(struct hpm_request *r)
{
	u64 nr = nr_hpages ?: DEFAULT_NR_HPAGES;

	r->role = HPAGE_MAP_ATTR_DEFAULT;
	r->name = "default";
	r->length = size;
	r->page_size = hpage_size;
	r->flags = hpage_size ? HPAGE_MAP_EXACT : allow_base ? HPAGE_MAP_ALLOW_BASE : 0;
	if (nr_hpages && size)
		return hpm_why_invalid(r->why, "nr_hpages and size exclude each other");
	if (!size && check_mul_overflow(nr, hpage_size ?: (u64)HPM_BEST_SIZE, &r->length))
		return hpm_why_invalid(r->why, "nr_hpages is too large");
	return 0;
}

static void default_announce(const struct hpage_map_buffer *buf, const struct hpm_why *why)
{
	const struct hpm_pages *pages = &buf->backing.pages;

	pr_info("default buffer: %lu x %s of %s, %s in %lu run%s%s%s\n",
		pages->nr, hpm_text_size(hpage_map_page_size(buf)).text,
		hpm_kinds[buf->backing.kind].name, hpm_text_size(hpage_map_size(buf)).text,
		pages->nr_runs, pages->nr_runs == 1 ? "" : "s", why->len ? ", because " : "",
		why->text);
}

static struct hpage_map_buffer *default_make(void)
{
	struct hpm_why *why __free(kfree) = kzalloc(sizeof(*why), GFP_KERNEL);
	struct hpm_request r = { .why = why };
	struct hpage_map_buffer *buf;
	int ret;

	lockdep_assert_held(&making);

	if (!why)
		return ERR_PTR(-ENOMEM);
	ret = default_request(&r);
	buf = ret ? ERR_PTR(ret) : hpm_buffer_create(&r);
	if (!IS_ERR(buf)) {
		default_announce(buf, why);
		/* Pairs with hpm_default_peek(): whoever sees the buffer sees it whole. */
		smp_store_release(&default_buffer, buf);
	} else if (!hpm_signals_ended(PTR_ERR(buf)) && hpm_log_may(true)) {
		pr_err("no default buffer (%pe)%s%s\n", buf, why->len ? ": " : "", why->text);
	}
	return buf;
}

/* NULL while it is not made. It lives as long as the faces of the module do. */
struct hpage_map_buffer *hpm_default_peek(void)
{
	/* Pairs with default_make(). */
	return smp_load_acquire(&default_buffer);
}

/*
 * The default buffer, with a reference for the caller; made first if need be. Errors as of
 * hpm_buffer_create(), and -ERESTARTSYS.
 */
struct hpage_map_buffer *hpm_default_get(void)
{
	struct hpage_map_buffer *buf = hpm_default_peek();

	if (!buf) {
		if (mutex_lock_interruptible(&making))
			return ERR_PTR(-ERESTARTSYS);
		buf = default_buffer ?: default_make();
		mutex_unlock(&making);
	}
	return IS_ERR(buf) ? buf : hpm_buffer_get(buf);
}

/*
 * Make the default buffer now if a parameter asks for it. -EINVAL: the parameters make no
 * sense together or name no page size of this machine; -ENOMEM: its pages cannot be had.
 */
int hpm_default_init(void)
{
	if (!nr_hpages && !size && !hpage_size && !allow_base)
		return 0;

	guard(mutex)(&making);
	return PTR_ERR_OR_ZERO(default_make());
}

void hpm_default_exit(void)
{
	if (default_buffer)
		hpm_buffer_put(default_buffer);
}
