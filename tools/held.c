// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds a buffer, as the kernel counts it: programs, and what is no program.
 *
 * libhpage_map counts descriptors and mappings alone, so this opens the door.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../include/uapi/linux/hpage_map.h"
#include "../lib/text.h"
#include "held.h"

/* Behind the devices; a module that does not know it leaves 0 there. */
#define LINGERING	(offsetof(struct hpage_map_info, devices) + sizeof(uint32_t))

/* Ask for the holders of a buffer. Returns 0, or -errno when it is gone or the door closed. */
int held_read(uint32_t id, struct held *held)
{
	struct hpage_map_info info = { .size = sizeof(info), .id = id };
	int door = open("/dev/hpage_map", HPAGE_MAP_O_DOOR | O_CLOEXEC), ret;

	*held = (struct held){};
	if (door < 0)
		return -errno;
	ret = ioctl(door, HPAGE_MAP_LIST, &info) ? -errno : info.id == id ? 0 : -ENOENT;
	close(door);
	if (ret)
		return ret;
	held->descriptors = info.descriptors;
	held->mappings = info.mappings;
	held->exports = info.exports;
	held->drivers = info.drivers;
	held->devices = info.devices;
	memcpy(&held->lingering, (char *)&info + LINGERING, sizeof(held->lingering));
	return 0;
}

/* The same for a buffer that was found; one that is gone meanwhile has the holders of then. */
void held_of(const struct hpmap_info *info, struct held *held)
{
	if (!held_read(info->id, held))
		return;
	held->descriptors = info->descriptors;
	held->mappings = info->mappings;
}

/* Is it in use by anything but its name? Pages that linger have no holder any more. */
bool held_at_all(const struct held *h)
{
	return h->descriptors || h->mappings || h->exports || h->drivers || h->devices;
}

static void count_append(char text[HELD_ROOM], uint32_t nr, const char *what)
{
	size_t length = strlen(text);

	if (nr)
		snprintf(text + length, HELD_ROOM - length, "%s%u %s%s", length ? ", " : "", nr,
			 what, plural(nr));
}

/* "1 descriptor, 2 mappings, 1 dma-buf"; empty if there are none. */
const char *held_text(const struct held *h, char text[HELD_ROOM])
{
	*text = '\0';
	count_append(text, h->descriptors, "descriptor");
	count_append(text, h->mappings, "mapping");
	count_append(text, h->exports, "dma-buf");
	count_append(text, h->drivers, "driver");
	count_append(text, h->devices, "device mapping");
	count_append(text, h->lingering, "lingering page");
	return text;
}

/* Fill in the columns from @first on. */
void held_cells(struct rows *r, unsigned int first, const struct held *h)
{
	row_number(r, first + HELD_OPEN, h->descriptors);
	row_number(r, first + HELD_MAPPED, h->mappings);
	row_number(r, first + HELD_OTHER, (uint64_t)h->exports + h->drivers + h->devices);
	row_number(r, first + HELD_EXPORTS, h->exports);
	row_number(r, first + HELD_DRIVERS, h->drivers);
	row_number(r, first + HELD_DEVICES, h->devices);
	row_number(r, first + HELD_LINGERING, h->lingering);
}
