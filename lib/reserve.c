// SPDX-License-Identifier: LGPL-2.1-or-later
/* The reserves of the module. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cancel.h"
#include "files.h"
#include "loaded.h"
#include "public.h"
#include "structs.h"
#include "text.h"
#include "why.h"

#define RESERVES	"/sys/class/hpage_map_reserve"
#define DIR_ROOM	128

static int reserve_missing(void)
{
	if (module_loaded() == NO)
		return fail(-ENOTSUP, "a reserve needs the module hpage_map, which is not loaded"
			    TRY "sudo modprobe hpage_map");
	return fail(-ENOTSUP, "reserves cannot be seen without " RESERVES
		    TRY "sudo mount -t sysfs sysfs /sys");
}

/* The directory of a reserve, or why there is none. */
static int reserve_dir(enum hpmap_backing backing, uint64_t page_size, int node, char dir[DIR_ROOM])
{
	const char *kind = backing == HPMAP_BACKING_THP ? "thp" : "hugetlb";

	if (backing != HPMAP_BACKING_HUGETLB && backing != HPMAP_BACKING_THP)
		return fail(-EINVAL, "a reserve is of hugetlb or thp pages");
	if (access(RESERVES, F_OK))
		return reserve_missing();
	snprintf(dir, DIR_ROOM, RESERVES "/%s-%llukB-node%d", kind,
		 (unsigned long long)page_size >> 10, node);
	if (!(page_size % 1024) && !access(dir, F_OK))
		return 0;
	return fail(-ENOENT, "there is no reserve of %s pages of %s on node %d"
		    TRY "hpagectl reserve", SIZE_TEXT(page_size), kind, node);
}

PUBLIC int hpmap_get_reserve(enum hpmap_backing backing, uint64_t page_size, int node,
			     struct hpmap_reserve *reserve)
{
	UNCANCELLED;
	struct hpmap_reserve r = {};
	char dir[DIR_ROOM];
	int ret = struct_check("hpmap_reserve", reserve, sizeof(r), sizeof(r));

	if (!ret)
		ret = reserve_dir(backing, page_size, node, dir);
	if (ret)
		return ret;
	ret = file_number_in(dir, "pages", &r.asked);
	if (!ret)
		ret = file_number_in(dir, "ready", &r.ready);
	if (ret)
		return fail(ret, "%s: %s", dir, strerror(-ret));
	struct_out(reserve, &r, sizeof(r));
	return 0;
}

PUBLIC int hpmap_set_reserve(enum hpmap_backing backing, uint64_t page_size, int node,
			     uint64_t pages)
{
	UNCANCELLED;
	char dir[DIR_ROOM];
	int ret = reserve_dir(backing, page_size, node, dir);

	if (ret)
		return ret;
	ret = file_put_number_in(dir, "pages", pages);
	if (ret == -EROFS || ret == -EPERM || ret == -EACCES)
		return fail(-EACCES, "reserves may not be set from here"
			    TRY "sudo hpagectl reserve");
	if (ret == -ENOMEM)
		return fail(ret, "the machine has less memory than %llu page%s of %s",
			    (unsigned long long)pages, plural(pages), SIZE_TEXT(page_size));
	return ret ? fail(ret, "%s/pages: %s", dir, strerror(-ret)) : 0;
}
