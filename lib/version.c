// SPDX-License-Identifier: LGPL-2.1-or-later
#include "public.h"

/* lib/Makefile knows it. */
#ifndef HPMAP_VERSION
#define HPMAP_VERSION	"unknown"
#endif

PUBLIC const char *hpmap_version(void)
{
	return HPMAP_VERSION;
}
