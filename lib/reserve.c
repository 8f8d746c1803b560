// SPDX-License-Identifier: LGPL-2.1-or-later
/* The reserves of the module. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "loaded.h"
#include "public.h"
#include "structs.h"
#include "text.h"
#include "why.h"

#define RESERVES	"/sys/class/hpage_map_reserve"

static int reserve_missing(void)
{
	if (module_loaded() == NO)
		return fail(-ENOTSUP, "a reserve needs the module hpage_map, which is not loaded"
			    TRY "sudo modprobe hpage_map");
	return fail(-ENOTSUP, "reserves cannot be seen without " RESERVES
		    TRY "sudo mount -t sysfs sysfs /sys");
}

PUBLIC int hpmap_get_reserve(enum hpmap_backing backing, uint64_t page_size, int node,
			     struct hpmap_reserve *reserve)
{
	const char *kind = backing == HPMAP_BACKING_THP ? "thp" : "hugetlb";
	struct hpmap_reserve r = {};
	char dir[128];
	int ret = struct_check("hpmap_reserve", reserve, sizeof(r), sizeof(r));

	if (ret)
		return ret;
	if (backing != HPMAP_BACKING_HUGETLB && backing != HPMAP_BACKING_THP)
		return fail(-EINVAL, "a reserve is of hugetlb or thp pages");
	if (access(RESERVES, F_OK))
		return reserve_missing();
	snprintf(dir, sizeof(dir), RESERVES "/%s-%llukB-node%d", kind,
		 (unsigned long long)page_size >> 10, node);
	ret = page_size % 1024 ? -ENOENT : file_number_in(dir, "pages", &r.asked);
	if (!ret)
		ret = file_number_in(dir, "ready", &r.ready);
	if (ret == -ENOENT)
		return fail(ret, "there is no reserve of %s pages of %s on node %d"
			    TRY "hpagectl reserve", SIZE_TEXT(page_size), kind, node);
	if (ret)
		return fail(ret, "%s: %s", dir, strerror(-ret));
	struct_out(reserve, &r, sizeof(r));
	return 0;
}
