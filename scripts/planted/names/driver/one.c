// SPDX-License-Identifier: GPL-2.0-only
static int thing_make(void)
{
	return 0;
}
