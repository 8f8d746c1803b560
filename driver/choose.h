/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory chosen by its physical address, see choose.c. */
#ifndef _HPM_CHOOSE_H
#define _HPM_CHOOSE_H

#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "policy.h"

struct file;
struct hpm_choice;
struct hpm_why;
struct page;

/* What a unit costs is how many base pages have to be moved for it, or one of these. */
enum hpm_cost {
	HPM_USELESS = U16_MAX - 3,	/* it cannot be had */
	HPM_VAIN,			/* it was tried in vain: it is not looked at again */
	HPM_HELD,			/* we have it */
	HPM_GIVEN,			/* the file has it */
};

/* Where units come from. All but give() is called by a worker, or when that has done its part. */
struct hpm_source {
	const char *name;		/* of the rung */
	bool keeps_turn;		/* until the units are in the file, or for a moment */

	/* Return: what a unit costs, of which @page is the first page. */
	u16 (*look)(struct hpm_choice *c, struct page *page);
	/*
	 * Hold what is chosen and not held yet. Return: 0; -EAGAIN: it is not there any more;
	 * -EPERM: more of others would have to be moved than may be; or -errno.
	 */
	int (*hold)(struct hpm_choice *c);
	/*
	 * Let go of a unit and have the file take it. Return: 0; -EBUSY: it went astray, and may
	 * be held again; -EAGAIN: others have it; or -errno.
	 */
	int (*give)(struct hpm_choice *c, unsigned long unit, loff_t pos);
	/* Let go of all that is held. */
	void (*release)(struct hpm_choice *c);
	/* Say what could be done when there are not as many as are wanted. */
	void (*explain)(const struct hpm_choice *c, struct hpm_why *why);
};

/*
 * It is the caller's; but all except stop and left is the worker's until it has held the units.
 * hpm_choose() makes a copy of what it is asked for: source, place, file, size, nr, contiguous.
 */
struct hpm_choice {
	const struct hpm_source *source;
	struct hpm_place place;		/* as asked for */
	struct file *file;		/* to fill */
	unsigned long size;		/* of a unit, bytes */
	unsigned long nr;		/* units wanted at once */
	unsigned long most;		/* bytes of others that may be moved at all, */
	unsigned long bound;		/* and in the last try */
	bool contiguous;		/* in one run */
	unsigned int bit;		/* the place of the user in a queue, in places */

	struct hpm_nodes nodes;		/* those to look at yet */
	int node;			/* that of the units */
	u16 *costs;			/* of its units, or NULL */
	bool surveyed;			/* and they are not old */
	unsigned long nr_units;
	unsigned long first;		/* page frame number of the first one, which is even */
	unsigned long from, to;		/* the chosen: @nr useful ones between them */

	struct work_struct work;
	struct completion held;		/* the worker has done its part */
	struct completion transferred;	/* the caller has, or has given up */
	bool stop;			/* the caller does not want it any more, */
	bool left;			/* and has left it to the worker */
	refcount_t refs;		/* of the caller and the worker */
	unsigned long until;		/* jiffies, when no try is begun any more */
	int ret;			/* of the worker */

	loff_t pos;			/* in the file, where the first one goes */
	struct file *scratch;		/* of collect.c */
	unsigned long moved;		/* of claim.c: bytes of others, by now */

	/* What was seen last, to explain a refusal. */
	unsigned long longest;		/* most useful units in a row */
	unsigned long found[5];		/* of claim.c: units, by what is in them */
};

static inline unsigned long hpm_choice_pfn(const struct hpm_choice *c, unsigned long unit)
{
	return c->first + unit * (c->size >> PAGE_SHIFT);
}

int hpm_choose(const struct hpm_choice *wanted, loff_t pos, loff_t end, struct hpm_why *why);
int hpm_choose_forecast(struct hpm_choice *c);
void hpm_choice_look(struct hpm_choice *c, unsigned long unit);

#endif
