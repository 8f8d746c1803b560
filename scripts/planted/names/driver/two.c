// SPDX-License-Identifier: GPL-2.0-only
static struct thing *thing_make(int a,
				int b)
{
	return 0;
}
