// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

static int outer;

static int old();

int main(int argc, char **argv)
{
	int outer = argc;
	int unused;

	printf("%s\n", outer);
	return old();
}
