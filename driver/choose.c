// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory chosen by its physical address.
 *
 * Whoever allocates gets what comes first. Pages in a row, or below a limit, have to be chosen. A
 * choice is made of units, each as large as a page of the file that is to have them:
 *
 *	survey		see in the memory map what each unit of a node costs, which is the number
 *			of pages to be moved out of it, and which units cannot be had
 *	choose		the run that costs least, or single units
 *	hold		get all of them out of where they are
 *	transfer	let go of them one by one, so that each is what comes first, have the file
 *			allocate a page, which takes it, and look whether it did
 *
 * There are two sources: pages of a hugetlb pool (collect.c) and blocks of the page allocator
 * (claim.c). What is surveyed is not locked: it is a forecast. If somebody else gets a unit first,
 * what is held goes back, and another choice is made. This has bounds: so many tries on a node, and
 * none is begun later than half a minute after the first there. Then it is the next node's turn.
 *
 * All but the transfer is done by a worker: on no control group's account, and as fast as the
 * machine is, however little the caller may use of it. The caller transfers, so that it is charged
 * for the result. If it gets a signal it stops the worker, and waits for one unit at most. But mm/
 * may wait for a page of that unit, as long as a disk or server that has to answer likes: then the
 * caller leaves the choice to the worker after a while. The choice is of them both, and goes with
 * the last. The worker is not frozen: whoever waits for it is.
 *
 * Two who hold units of one node take them from under each other. So they take turns, in the order
 * in which they come: a node has a queue, of which one worker runs at a time, and each try is put
 * at its end. A worker has the turn until it is done, which nobody can slow down. While the caller
 * transfers, others who hold units may disturb it: so the worker keeps the turn for it. But the
 * caller may be throttled, stopped or frozen: so it is kept for a moment only. Whoever comes after
 * that may not find what the caller has in its hands. It would not find it later, either.
 *
 * An ordinary user has one place in a queue, by the low bits of the user id; those who have them in
 * common share it. So his many tasks keep others waiting no longer than one does, and many user ids
 * in one hand, as of a user namespace, no longer than there are places. Who waits for a place gets
 * it in no order. Administrators need none.
 */
#include <linux/bitmap.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "choose.h"
#include "fs.h"
#include "signals.h"
#include "trace.h"
#include "why.h"
#include "work.h"

#define MAX_TRIES	64
#define ASTRAY		4		/* as many tries counts one in which a unit went astray */
#define TRY_FOR		(30 * HZ)	/* from the first try on; no other is begun later */
#define PATIENCE	HZ		/* with a caller who transfers */
#define LEAVE_AFTER	(10 * HZ)	/* a worker alone that does not end */
#define MORE		SZ_1G		/* bytes of others that an ordinary user may have moved */
#define PLACES		64		/* in a queue, for ordinary users */

/* The places that are taken, of all queues. */
static DECLARE_BITMAP(places, HPM_QUEUES_CHOOSE * PLACES);

/* Worse than any cost: where no PUD can map it, and below 4 GiB, which others may need. */
#define WEIGHT_CROOKED	BIT(14)
#define WEIGHT_LOW	BIT(15)

/* Look what a unit costs now. Nobody is kept from changing it while we look. */
void hpm_choice_look(struct hpm_choice *c, unsigned long unit)
{
	struct page *page = pfn_to_online_page(hpm_choice_pfn(c, unit));

	if (c->costs[unit] > HPM_USELESS)
		return;
	c->costs[unit] = page && page_to_nid(page) == c->node ? c->source->look(c, page) :
			 HPM_USELESS;
	cond_resched();
}

/* Go to the next node. Return: false when there is none, or no memory. */
static bool node_begin(struct hpm_choice *c)
{
	unsigned long step = c->size >> PAGE_SHIFT, end;

	c->node = hpm_nodes_next(&c->nodes);
	if (c->node == NUMA_NO_NODE)
		return false;
	end = node_end_pfn(c->node);
	if (c->place.limit)
		end = min_t(unsigned long, end, PHYS_PFN(c->place.limit));
	c->first = round_down(node_start_pfn(c->node), 2 * step);
	c->nr_units = end > c->first ? (end - c->first) / step : 0;
	c->costs = kvcalloc(c->nr_units, sizeof(*c->costs), GFP_KERNEL);
	c->surveyed = false;
	return c->costs;
}

static void node_survey(struct hpm_choice *c)
{
	unsigned long unit = 0;

	while (unit < c->nr_units && !READ_ONCE(c->stop) && !fatal_signal_pending(current))
		hpm_choice_look(c, unit++);
	c->surveyed = true;
}

/* What a unit counts when windows are compared. */
static unsigned long unit_weight(const struct hpm_choice *c, unsigned long unit)
{
	bool low = !c->place.limit && PFN_PHYS(hpm_choice_pfn(c, unit)) < SZ_4G;

	return c->costs[unit] + (low ? WEIGHT_LOW : 0);
}

/* As many units in a row as are wanted. */
struct window {
	unsigned long from;	/* the first one */
	unsigned long weight;	/* of all; ULONG_MAX if there is no window */
	unsigned long run;	/* how many useful ones are in a row there */
};

/* Choose from a run of useful units, which ends before @to. */
static void run_choose(struct hpm_choice *c, unsigned long from, unsigned long to,
		       struct window *best)
{
	unsigned long align = c->nr * c->size >= PUD_SIZE ? PHYS_PFN(PUD_SIZE) : 1;
	struct window window = { .run = to - from };
	unsigned long unit, sum = 0;

	c->longest = max(c->longest, window.run);
	for (unit = from; unit < to; unit++) {
		sum += unit_weight(c, unit);
		if (unit - from + 1 < c->nr)
			continue;
		window.from = unit + 1 - c->nr;
		window.weight = sum;
		if (!IS_ALIGNED(hpm_choice_pfn(c, window.from), align))
			window.weight += c->nr * WEIGHT_CROOKED;
		if (window.weight < best->weight ||
		    (window.weight == best->weight && window.run <= best->run))
			*best = window;
		sum -= unit_weight(c, window.from);
	}
}

/* The highest useful ones. */
static bool singles_choose(struct hpm_choice *c)
{
	unsigned long unit = c->nr_units, found = 0;

	while (unit && found < c->nr)
		found += c->costs[--unit] < HPM_USELESS;
	if (found < c->nr)
		return false;
	c->from = unit;
	c->to = c->nr_units;
	return true;
}

/*
 * Single units, or the window that costs least; of these the one in the shortest run, so that long
 * ones are left for those who need them; and of these the highest.
 */
static bool units_choose(struct hpm_choice *c)
{
	struct window best = { .weight = ULONG_MAX };
	unsigned long from = 0, to;

	if (!c->contiguous && c->nr > 1)
		return singles_choose(c);
	for (to = 0; to <= c->nr_units; to++) {
		if (to < c->nr_units && c->costs[to] < HPM_USELESS)
			continue;
		run_choose(c, from, to, &best);
		from = to + 1;
	}
	if (best.weight == ULONG_MAX)
		return false;
	c->from = best.from;
	c->to = best.from + c->nr;
	return true;
}

/* Allocate from the node of the units first. Which page came is looked at. */
static int choice_on_node(struct hpm_choice *c, int (*act)(struct hpm_choice *c))
{
	const struct hpm_place place = { .policy = HPAGE_MAP_POLICY_PREFERRED, .node = c->node };
	struct hpm_policy *policy __free(hpm_policy) = hpm_policy_enter(&place);

	return IS_ERR(policy) ? PTR_ERR(policy) : act(c);
}

/* Whoever comes last lets go of what is held, too. */
static void choice_put(struct hpm_choice *c)
{
	if (!refcount_dec_and_test(&c->refs))
		return;
	c->source->release(c);
	kvfree(c->costs);
	kfree(c);
}

/* The worker has done its part, or will not. */
static void choice_leave_queue(struct hpm_choice *c)
{
	if (c->most < ULONG_MAX)
		clear_and_wake_up_bit(c->bit, places);
	choice_put(c);
}

/* The worker's part, for which nobody is charged: hold what is chosen, or else choose. */
static void choice_work(struct work_struct *work)
{
	struct hpm_choice *c = container_of(work, struct hpm_choice, work);

	if (!c->surveyed)
		node_survey(c);
	c->ret = c->to || units_choose(c) ? choice_on_node(c, c->source->hold) : -ENXIO;
	/* At once, before others look: the caller may be slow. */
	if (c->ret)
		c->source->release(c);
	complete(&c->held);
	if (c->source->keeps_turn && !c->ret)
		wait_for_completion_timeout(&c->transferred, PATIENCE);
	choice_leave_queue(c);
}

/* The caller's part. */
static int choice_transfer(struct hpm_choice *c)
{
	loff_t pos = c->pos;
	unsigned long unit;
	int ret = 0;

	for (unit = c->from; unit < c->to && !ret; unit++) {
		if (c->costs[unit] < HPM_HELD)
			continue;
		if (hpm_signals_pending())
			ret = -ERESTARTSYS;
		else if (c->costs[unit] == HPM_HELD)
			ret = c->source->give(c, unit, pos);
		pos += c->size;
		cond_resched();
	}
	return ret;
}

/* Let go of what is held, and unless it is @done, of what the file has. */
static void choice_release(struct hpm_choice *c, bool done)
{
	unsigned long unit;

	if (!done)
		hpm_fs_punch(c->file, c->pos, (loff_t)c->nr * c->size);
	c->source->release(c);
	for (unit = c->from; !done && unit < c->to; unit++)
		if (c->costs[unit] >= HPM_HELD)
			c->costs[unit] = 0;
	c->surveyed = done;
	c->from = 0;
	c->to = 0;
}

/* Take a try back that the worker has not begun. */
static bool choice_cancel(struct hpm_choice *c)
{
	bool cancelled = cancel_work(&c->work);

	if (cancelled)
		choice_leave_queue(c);
	return cancelled;
}

/* Put the worker's part in the queue, in the user's place. Return: as the next. */
static int choice_queue(struct hpm_choice *c)
{
	int ret;

	c->bit = c->node % HPM_QUEUES_CHOOSE * PLACES + __kuid_val(current_uid()) % PLACES;
	while (c->most < ULONG_MAX && test_and_set_bit_lock(c->bit, places)) {
		ret = wait_on_bit_timeout(places, c->bit, TASK_INTERRUPTIBLE,
					  max_t(long, c->until - jiffies, 1));
		if (ret == -EAGAIN || hpm_signals_pending())
			return ret == -EAGAIN ? ret : -ERESTARTSYS;
	}
	refcount_inc(&c->refs);
	queue_work(hpm_queues[HPM_QUEUE_CHOOSE + c->bit / PLACES], &c->work);
	return 0;
}

/* Wait for the worker. Return: what it returned; -EAGAIN: its turn did not come; -ERESTARTSYS. */
static int choice_await(struct hpm_choice *c)
{
	long left, ret = 1;

	do {
		left = ret ? max_t(long, c->until - jiffies, 1) : MAX_SCHEDULE_TIMEOUT;
		ret = wait_for_completion_interruptible_timeout(&c->held, left);
		if (ret > 0)
			return c->ret;
		if (!ret && choice_cancel(c))
			return -EAGAIN;
	} while (!hpm_signals_pending());
	WRITE_ONCE(c->stop, true);
	c->left = !choice_cancel(c) && !wait_for_completion_timeout(&c->held, LEAVE_AFTER);
	return -ERESTARTSYS;
}

/* On one node. Return: as the source's hold() and give(), or -ENXIO: nothing is to be had there. */
static int choice_try_node(struct hpm_choice *c)
{
	int ret;

	init_completion(&c->held);
	init_completion(&c->transferred);
	ret = choice_queue(c) ?: choice_await(c);
	if (c->left)
		return ret;
	if (!ret)
		ret = choice_on_node(c, choice_transfer);
	/* In our turn, if it is not over. But what went astray is held once more. */
	if (ret != -EBUSY)
		choice_release(c, !ret);
	complete(&c->transferred);
	flush_work(&c->work);
	return ret;
}

/* The same, tried again as long as that may help. */
static int choice_try_again(struct hpm_choice *c)
{
	int ret, i;

	c->until = jiffies + TRY_FOR;
	for (i = 0; i < MAX_TRIES; i += ret == -EBUSY ? ASTRAY : 1) {
		ret = choice_try_node(c);
		if ((ret != -EAGAIN && ret != -EBUSY) || time_after(jiffies, c->until))
			break;
		if (ret == -EAGAIN)
			memset_startat(c, 0, longest);
	}
	if (ret == -EBUSY)
		choice_release(c, false);
	return ret == -EBUSY ? -EAGAIN : ret;
}

/*
 * On one node after the other. Return: 0; -EAGAIN, -EPERM: what kept the last node from being used
 * that has units; -ENOMEM: none has; -ERESTARTSYS; or -errno.
 */
static int choice_fill(struct hpm_choice *c)
{
	int refusal = -ENOMEM, ret;

	while (c->costs || node_begin(c)) {
		ret = choice_try_again(c);
		if (ret != -ENXIO && ret != -EAGAIN && ret != -EPERM)
			return ret;
		if (ret != -ENXIO)
			refusal = ret;
		kvfree(c->costs);
		c->costs = NULL;
	}
	return refusal;
}

static void choice_explain(struct hpm_choice *c, u64 nr, int ret, struct hpm_why *why)
{
	struct hpm_text units = hpm_text_pages(nr, c->size);
	const char *name = c->source->name;
	char low[32] = "";

	if (c->place.limit)
		snprintf(low, sizeof(low), " below %#llx", c->place.limit);
	if (ret == -EAGAIN)
		hpm_why_or(why, "again, or a larger memory.max for the caller's cgroup",
			   "%s: others got the chosen pages, or the turn, in each try", name);
	else if (ret == -EPERM)
		hpm_why_or(why, "as root, or a smaller size",
			   "%s: to get %s%s, more than %s of others had to be moved", name,
			   units.text, low, hpm_text_size(c->bound).text);
	else if (c->contiguous)
		hpm_why(why, "%s: %s in a row needed%s, at most %lu are", name, units.text, low,
			c->longest);
	else
		hpm_why(why, "%s: fewer than %s are free%s", name, units.text, low);
	if (ret == -ENOMEM)
		c->source->explain(c, why);
}

/*
 * Fill a part of the file of a choice, at once or in as many pieces as it takes; what of it was
 * filled stays on failure. Return: 0; -ENOMEM, with a reason, when what is wanted cannot be had
 * now; -ERESTARTSYS; or -errno, when the file gets no page.
 */
int hpm_choose(const struct hpm_choice *wanted, loff_t pos, loff_t end, struct hpm_why *why)
{
	struct hpm_choice *c = kmemdup(wanted, sizeof(*c), GFP_KERNEL);
	u64 nr = (end - pos) / wanted->size;
	ktime_t start = ktime_get();
	int ret = 0;

	if (!c)
		return -ENOMEM;
	refcount_set(&c->refs, 1);
	INIT_WORK(&c->work, choice_work);
	c->most = ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN) ? ULONG_MAX : MORE;
	c->bound = c->most;
	hpm_nodes_begin(&c->nodes, &c->place);
	for (c->pos = pos; c->pos < end && !ret; c->pos += (loff_t)c->nr * c->size)
		ret = choice_fill(c);
	trace_hpage_map_choose(0, 0, end - pos, ret, start);
	if (ret == -ENOMEM || ret == -EAGAIN || ret == -EPERM) {
		choice_explain(c, nr, ret, why);
		ret = -ENOMEM;
	}
	choice_put(c);
	return ret;
}

/*
 * Find the run, of at most @c->nr units, that would be chosen on the first node now, and how much
 * would have to be moved for it. Nothing is held. Return: 0, or -ENOMEM.
 */
int hpm_choose_forecast(struct hpm_choice *c)
{
	unsigned long unit;

	hpm_nodes_begin(&c->nodes, &c->place);
	if (!node_begin(c))
		return c->node == NUMA_NO_NODE ? 0 : -ENOMEM;
	node_survey(c);
	while (c->nr && !units_choose(c))
		c->nr = c->longest;
	for (unit = c->from; unit < c->to; unit++)
		c->moved += c->costs[unit] * PAGE_SIZE;
	kvfree(c->costs);
	return 0;
}
