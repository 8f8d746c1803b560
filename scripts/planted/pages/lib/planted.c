/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hpage_map.h"

int hpmap_told(void)
{
	return 0;
}
