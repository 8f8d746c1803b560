// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>

/* Only W=1 asks for this. */
static const int unused_constant = 1;

int without_prototype(int argument)
{
	int only_clang_sees;

	if (argument)
		only_clang_sees = 1;
	return only_clang_sees;
}

MODULE_LICENSE("GPL");
