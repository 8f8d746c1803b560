// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>

/* A word that is mispelled. */
static struct file_operations planted;

int planted_function( int a )
{
	if (a == 1) {
		return 0;
	}
	planted_call(a,
		a);
	return 0;
}
