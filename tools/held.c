// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds a buffer, as the kernel counts it: programs, and what is no program.
 *
 * libhpage_map tells descriptors and mappings alone, so the door is asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../include/uapi/linux/hpage_map.h"
#include "hpagectl.h"

/* Behind the devices; a module that does not know it says 0 there. */
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

static void add(char *text, size_t size, uint32_t nr, const char *one, const char *many)
{
	size_t length = strlen(text);

	if (nr && length < size)
		snprintf(text + length, size - length, "%s%u %s", length ? ", " : "", nr,
			 nr == 1 ? one : many);
}

/* "1 descriptor, 2 mappings, 1 dma-buf"; empty if there are none. */
const char *held_show(const struct held *h, char text[HELD_ROOM])
{
	*text = '\0';
	add(text, HELD_ROOM, h->descriptors, "descriptor", "descriptors");
	add(text, HELD_ROOM, h->mappings, "mapping", "mappings");
	add(text, HELD_ROOM, h->exports, "dma-buf", "dma-bufs");
	add(text, HELD_ROOM, h->drivers, "driver", "drivers");
	add(text, HELD_ROOM, h->devices, "mapping for a device", "mappings for devices");
	add(text, HELD_ROOM, h->lingering, "page that is still referenced",
	    "pages that are still referenced");
	return text;
}

void held_json(struct json_object *to, const struct held *h)
{
	json_number(to, "descriptors", h->descriptors);
	json_number(to, "mappings", h->mappings);
	json_number(to, "exports", h->exports);
	json_number(to, "drivers", h->drivers);
	json_number(to, "devices", h->devices);
	json_number(to, "lingering", h->lingering);
}
