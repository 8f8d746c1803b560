// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/types.h>

static DEFINE_SPINLOCK(lock);

static int planted_address(char __user *buffer)
{
	return *buffer;
}

static __be32 planted_order(u32 value)
{
	return value;
}

static int __init planted_init(void)
{
	spin_lock(&lock);
	return planted_address(NULL) + (planted_order(1) != 0);
}

module_init(planted_init);
MODULE_DESCRIPTION("a driver for sparse to find fault with");
MODULE_LICENSE("GPL");
