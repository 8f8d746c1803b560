// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The addresses of a file of the module: physical ones of a buffer, or those that a device uses of
 * a device mapping.
 *
 * The module reports how many runs it has written, and the library how many there are. They stay
 * as they are while the file is open. So those that an array has no room for are found by asking
 * for single ones, twice as far each time, and then in halves.
 */
#include <errno.h>
#include <limits.h>
#include <sys/ioctl.h>

#include <linux/hpage_map.h>

#include "runs.h"

#define PIECE	256	/* runs that are read at once */

_Static_assert(sizeof(struct hpmap_run) == sizeof(struct hpage_map_run), "read in place");

/* How many of at most @room runs from @first on were written; or -errno. */
static long long runs_write(int fd, uint64_t first, struct hpmap_run *runs, unsigned int room)
{
	struct hpage_map_runs r = {
		.size = sizeof(r), .runs = (uintptr_t)runs, .first = first, .nr = room,
	};

	return ioctl(fd, HPAGE_MAP_RUNS, &r) ? -errno : (long long)r.nr;
}

/* Is there a run behind @nr others from @first on? 1, 0 or -errno. */
static int runs_more(int fd, uint64_t first, uint64_t nr)
{
	struct hpmap_run run;

	return runs_write(fd, first + nr, &run, 1);
}

/* How many are there from @first on, up to UINT_MAX? Or -errno. */
static long long runs_count(int fd, uint64_t first)
{
	uint64_t there = 0, most = 1, middle;
	int more;

	while ((more = runs_more(fd, first, most - 1)) > 0) {
		there = most;
		if (there > UINT_MAX)
			return UINT_MAX;
		most *= 2;
	}
	while (more >= 0 && most - there > 1) {
		middle = there + (most - there) / 2;
		more = runs_more(fd, first, middle - 1);
		if (more > 0)
			there = middle;
		else
			most = middle;
	}
	return more < 0 ? more : (long long)there;
}

/* The runs from @first on: as many as there is room for in @runs, and how many there are. -errno */
int runs_read(int fd, uint64_t first, struct hpmap_run *runs, unsigned int *nr)
{
	long long there = runs_write(fd, first, runs, *nr), more = 0;

	if (there >= 0 && there == *nr)
		more = runs_count(fd, first + there);
	if (there < 0 || more < 0)
		return there < 0 ? there : more;
	*nr = there + more < UINT_MAX ? there + more : UINT_MAX;
	return 0;
}

/* Go to the run that has @offset. 0, or -errno: -EINVAL when it is behind the last. */
int runs_address(int fd, uint64_t offset, uint64_t *address, uint64_t *size)
{
	struct hpmap_run runs[PIECE];
	uint64_t first = 0;
	long long nr, i;

	do {
		nr = runs_write(fd, first, runs, PIECE);
		for (i = 0; i < nr; i++) {
			if (offset < runs[i].size) {
				*address = runs[i].address + offset;
				if (size)
					*size = runs[i].size - offset;
				return 0;
			}
			offset -= runs[i].size;
		}
		first += PIECE;
	} while (nr == PIECE);
	return nr < 0 ? nr : -EINVAL;
}
