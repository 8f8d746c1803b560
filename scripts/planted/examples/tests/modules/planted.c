// SPDX-License-Identifier: GPL-2.0-only
int planted(void)
{
	int ret;

	ret = this_stands_there();
	if (ret)
		return ret;
	return 0;
}
