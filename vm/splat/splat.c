// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that does wrong on purpose, once, when it is loaded: for vm/selftest,
 * which proves with it that vm/run sees what a kernel says about such a thing.
 */
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *what = "";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "which of the mistakes to make");

static DEFINE_SPINLOCK(lock);
static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static int __rcu *guarded;

static void warn(void)
{
	WARN_ON(1);
}

static void oops(void)
{
	int *nowhere = NULL;

	OPTIMIZER_HIDE_VAR(nowhere);
	WRITE_ONCE(*nowhere, 1);
}

static void gpf(void)
{
	int *wild = (int *)0xdead000000000000;

	OPTIMIZER_HIDE_VAR(wild);
	WRITE_ONCE(*wild, 1);
}

static void hang(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_timeout(15 * HZ);
}

static void leak(void)
{
	int *lost = kmalloc(1000, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(lost);
}

static void use_after_free(void)
{
	int *gone = kmalloc(1000, GFP_KERNEL);

	if (!gone)
		return;
	kfree(gone);
	OPTIMIZER_HIDE_VAR(gone);
	WRITE_ONCE(*gone, 1);
}

static void shift(void)
{
	unsigned int by = 40;

	OPTIMIZER_HIDE_VAR(by);
	pr_info("%u\n", 1U << by);
}

static void sleep_locked(void)
{
	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

/* Each order alone is right; nothing needs to dead-lock for lockdep to see it. */
static void circle(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void in_interrupt_context(struct irq_work *work)
{
	spin_lock(&lock);
	spin_unlock(&lock);
}

static DEFINE_IRQ_WORK(work, in_interrupt_context);

static void irq_unsafe(void)
{
	irq_work_queue(&work);
	irq_work_sync(&work);
	spin_lock(&lock);
	spin_unlock(&lock);
}

static void rcu_unlocked(void)
{
	pr_info("%p\n", rcu_dereference(guarded));
}

static const struct {
	const char *name;
	void (*make)(void);
} mistakes[] = {
	{ "warn", warn },
	{ "oops", oops },
	{ "gpf", gpf },
	{ "hang", hang },
	{ "leak", leak },
	{ "uaf", use_after_free },
	{ "shift", shift },
	{ "sleep", sleep_locked },
	{ "circle", circle },
	{ "irq", irq_unsafe },
	{ "rcu", rcu_unlocked },
};

static int __init splat_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (strcmp(mistakes[i].name, what))
			continue;
		mistakes[i].make();
		return 0;
	}
	return -EINVAL;
}

static void __exit splat_exit(void)
{
}

module_init(splat_init);
module_exit(splat_exit);
MODULE_DESCRIPTION("mistakes made on purpose");
MODULE_LICENSE("GPL");
