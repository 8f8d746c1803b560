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

/* Seen only by following values, and only when optimising. */
int planted_value(int argument)
{
	int value;

	if (argument > 3)
		value = argument;
	if (argument > 2)
		return value;
	return 0;
}
