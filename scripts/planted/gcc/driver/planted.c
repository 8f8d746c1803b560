// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>

/* Only W=1 asks for this. */
static const int unused_constant = 1;

int without_prototype(void)
{
	int unused;

	return 0;
}

MODULE_LICENSE("GPL");
