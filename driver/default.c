// SPDX-License-Identifier: GPL-2.0-only
/*
 * The default buffer, the one that /dev/hpage_map is.
 *
 * It is made once and lives until the module goes, so that what one program leaves in it
 * the next one finds. Nobody asked for it when the module is loaded for another driver's
 * sake; so without parameters it is made at the first open. A parameter asks for it, and
 * then it is made at load, by the task that loads the module.
 *
 * Who opens first did not ask for it, either, and others want it as soon as he does. If he filled
 * it, they would wait for as long as his control group lets him; if each filled one and kept the
 * first that is done, many would take many times the memory, past every limit. So a worker fills
 * it. No control group throttles it or is charged, and no policy or cpuset of a task counts. It
 * goes on when nobody waits any more.
 *
 * The pointer goes from NULL to the buffer once, and whoever sees the buffer may use it while the
 * module is there. How the last try ended is under outcome_lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "buffer.h"
#include "default.h"
#include "kind.h"
#include "log.h"
#include "param.h"
#include "request.h"
#include "signals.h"
#include "why.h"
#include "work.h"

#define DEFAULT_NR_HPAGES 10

static u64 size;
static u64 hpage_size;

/* 0 means that it was not given. */
static int param_set_size(const char *text, const struct kernel_param *kp)
{
	int ret = hpm_param_set_bytes(text, kp);

	if (ret)
		return ret;
	return size && size != U64_MAX ? 0 : -EINVAL;
}

static const struct kernel_param_ops size_ops = {
	.set = param_set_size,
	.get = hpm_param_get_bytes,
};

static unsigned long nr_hpages;
module_param(nr_hpages, ulong, 0444);
MODULE_PARM_DESC(nr_hpages, "pages of the default buffer (10)");

module_param_cb(size, &size_ops, &size, 0444);
MODULE_PARM_DESC(size, "size of the default buffer instead, e.g. 64M");

module_param_cb(hpage_size, &hpm_param_ops_bytes, &hpage_size, 0444);
MODULE_PARM_DESC(hpage_size, "its page size, e.g. 2M or 1G (0: the best up to a PMD)");

static bool allow_base;
module_param(allow_base, bool, 0444);
MODULE_PARM_DESC(allow_base, "take base pages if no huge pages can be had (N)");

static struct hpage_map_buffer *default_buffer;

/* How the last try to make it ended. */
static DEFINE_SPINLOCK(outcome_lock);
static DECLARE_WAIT_QUEUE_HEAD(outcome_wait);
static unsigned int tries;
static int outcome;
static struct hpm_why outcome_why;

static int default_request(struct hpm_request *r)
{
	u64 nr = nr_hpages ?: DEFAULT_NR_HPAGES;

	r->role = HPAGE_MAP_ATTR_DEFAULT;
	r->name = "default";
	r->length = size;
	r->page_size = hpage_size;
	if (hpage_size)
		r->flags = HPAGE_MAP_EXACT;
	else if (allow_base)
		r->flags = HPAGE_MAP_ALLOW_BASE;
	if (nr_hpages && size)
		return hpm_why_invalid(r->why, "nr_hpages and size exclude each other");
	if (!size && check_mul_overflow(nr, hpage_size ?: (u64)PMD_SIZE, &r->length))
		return hpm_why_invalid(r->why, "nr_hpages is too large");
	return 0;
}

static void default_announce(const struct hpage_map_buffer *buf, const struct hpm_why *why)
{
	const struct hpm_pages *pages = &buf->backing.pages;

	pr_info("default buffer: %lu x %s of %s, %s in %lu run%s%s%s\n",
		pages->nr, hpm_text_size(hpm_buffer_page_size(buf)).text,
		hpm_kind(buf->backing.kind)->name, hpm_text_size(hpm_buffer_size(buf)).text,
		pages->nr_runs, pages->nr_runs == 1 ? "" : "s", why->len ? ", because " : "",
		why->text);
}

static int default_make(struct hpm_why *why)
{
	struct hpm_request r = { .why = why };
	int ret = default_request(&r);
	struct hpage_map_buffer *buf;

	buf = ret ? ERR_PTR(ret) : hpm_buffer_create(&r);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	default_announce(buf, why);
	/* Pairs with hpm_default_peek(): whoever sees the buffer sees it whole. */
	smp_store_release(&default_buffer, buf);
	return 0;
}

/* NULL while it is not made. It lives as long as the faces of the module do. */
struct hpage_map_buffer *hpm_default_peek(void)
{
	/* Pairs with default_make(). */
	return smp_load_acquire(&default_buffer);
}

/* For the worker, which may be queued once more while it runs. */
static void default_try(struct work_struct *work)
{
	static struct hpm_why why;	/* never are two at it */
	int ret;

	why = (struct hpm_why){};
	ret = hpm_default_peek() ? 0 : default_make(&why);
	spin_lock(&outcome_lock);
	tries++;
	outcome = ret;
	outcome_why = why;
	spin_unlock(&outcome_lock);
	wake_up_all(&outcome_wait);
}

static DECLARE_WORK(default_work, default_try);

/* Each who waited for it in vain is told in the log, as log.c allows. */
static int default_outcome(void)
{
	int ret;

	spin_lock(&outcome_lock);
	ret = outcome;
	if (ret && !hpm_signals_ended(ret) && hpm_log_may(true))
		pr_err("no default buffer (%pe)%s%s\n", ERR_PTR(ret), outcome_why.len ? ": " : "",
		       outcome_why.text);
	spin_unlock(&outcome_lock);
	return ret;
}

/*
 * The default buffer, with a reference for the caller; made first if need be. Errors as of
 * hpm_buffer_create(), and -ERESTARTSYS: a signal came, and the worker goes on.
 */
struct hpage_map_buffer *hpm_default_get(void)
{
	unsigned int before = READ_ONCE(tries);
	int ret = 0;

	if (!hpm_default_peek()) {
		queue_work(hpm_workqueue, &default_work);
		ret = wait_event_interruptible(outcome_wait, READ_ONCE(tries) != before) ?:
		      default_outcome();
	}
	return ret ? ERR_PTR(ret) : hpm_buffer_get(hpm_default_peek());
}

/*
 * Make the default buffer now if a parameter asks for it. -EINVAL: the parameters make no
 * sense together or name no page size of this machine; -ENOMEM: its pages cannot be had.
 */
int hpm_default_init(void)
{
	if (!nr_hpages && !size && !hpage_size && !allow_base)
		return 0;

	default_try(NULL);
	return default_outcome();
}

void hpm_default_exit(void)
{
	cancel_work_sync(&default_work);
	if (default_buffer)
		hpm_buffer_put(default_buffer);
}
