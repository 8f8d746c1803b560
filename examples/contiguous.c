// SPDX-License-Identifier: MIT
/*
 * Create a named buffer in one physical run, print where it is, and destroy it:
 *
 *	contiguous			4 MiB
 *	contiguous 0000:00:03.0		the same, near this PCI device
 *
 * Needs root: CAP_SYS_ADMIN for the name, CAP_SYS_RAWIO for the addresses.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/hpage_map.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NAME	"example"

static int create(int door, const char *near_device)
{
	static char text[HPAGE_MAP_TEXT_SIZE];
	struct hpage_map_alloc a = {
		.size = sizeof(a),
		.flags = HPAGE_MAP_CONTIGUOUS,
		.length = 4 << 20,
		.name = NAME,
		.mode = 0660,
		.text = (uintptr_t)text,
		.text_size = sizeof(text),
	};

	if (strlen(near_device) >= sizeof(a.near_device))
		errx(2, "%s is too long for the name of a device", near_device);
	strcpy(a.near_device, near_device);
	if (ioctl(door, HPAGE_MAP_CREATE, &a))
		err(1, "create %s: %s", NAME, text);
	printf("/dev/hpage/%s has %llu bytes\n", NAME, a.got_length);
	return a.fd;
}

/* Any number of runs, in portions of what the array holds. */
static void print_runs(int fd)
{
	struct hpage_map_run run[16];
	struct hpage_map_runs runs = { .size = sizeof(runs), .runs = (uintptr_t)run };

	do {
		runs.first += runs.nr;
		runs.nr = sizeof(run) / sizeof(*run);
		if (ioctl(fd, HPAGE_MAP_RUNS, &runs))
			err(1, "runs");
		for (unsigned int i = 0; i < runs.nr; i++)
			printf("run at %#llx, %llu bytes\n", run[i].address, run[i].length);
	} while (runs.nr);
}

static void destroy(int door)
{
	struct hpage_map_destroy d = { .size = sizeof(d), .name = NAME };

	if (ioctl(door, HPAGE_MAP_DESTROY, &d))
		err(1, "destroy %s", NAME);
}

int main(int argc, char **argv)
{
	int door = open("/dev/hpage_map", HPAGE_MAP_O_DOOR), fd;

	if (door < 0)
		err(1, "open /dev/hpage_map");
	fd = create(door, argc > 1 ? argv[1] : "");
	print_runs(fd);
	/* The descriptor still holds the buffer; close() frees its pages. */
	destroy(door);
	close(fd);
	return 0;
}
