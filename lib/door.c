// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The door of the module: its device, opened for ioctls alone.
 *
 * It is opened for each call that needs it and closed again: that costs a few
 * microseconds, and nothing is left open that would keep the module from being
 * removed.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/hpage_map.h>

#include "door.h"
#include "files.h"
#include "loaded.h"
#include "node.h"
#include "public.h"
#include "sandbox.h"
#include "signals.h"

/* A container has devices of its own, and seldom these. */
static int door_node_missing(const char *path, struct why *why)
{
	char remedies[2 * REMEDY_ROOM];

	switch (module_loaded()) {
	case YES:
		why_add(why, "module: hpage_map is loaded, but %s %s%s",
			access(path, F_OK) ? "there is no" : "it has another device than", path,
			node_remedies(path, remedies));
		break;
	case NO:
		why_add(why, "module: hpage_map is not loaded" TRY "sudo modprobe hpage_map");
		break;
	default:
		why_add(why, "module: there is no %s, and whether hpage_map is loaded cannot be "
			"seen without /sys and /proc/modules"
			TRY "docker run --device=%s"
			TRY "sudo modprobe hpage_map", path, path);
	}
	return -ENOTSUP;
}

static int door_node_closed(int err, const char *path, struct why *why)
{
	char join[REMEDY_ROOM];

	if (err == EPERM)
		why_add(why, "module: %s may not be opened in this container or service"
			TRY "docker run --device=%s"
			TRY "sudo systemctl set-property UNIT 'DeviceAllow=%s rw'",
			path, path, path);
	else if (!access(path, R_OK | W_OK))
		why_add(why, "module: %s may not be opened here although its mode allows it: by a "
			"sandbox, or a mount with nodev" TRY "docker run --device=%s", path, path);
	else if (*node_join(path, join))
		why_add(why, "module: %s may not be opened by this user" TRY "%s", path, join);
	else
		why_add(why, "module: %s may not be opened by this user%s", path,
			strcmp(path, DEVICE) ? "" : TRY "hpagectl doctor");
	return -EACCES;
}

/* The errno of open() for a node of the module, as the library returns it. */
int door_node_failed(int err, const char *path, struct why *why)
{
	switch (err) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return door_node_missing(path, why);
	case EACCES:
	case EPERM:
		return door_node_closed(err, path, why);
	default:
		why_add(why, "module: %s: %s", path, strerror(err));
		return -err;
	}
}

static int door_without_ioctl(int door, struct why *why)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	char remedies[2 * REMEDY_ROOM];
	struct stat st;

	/* Every module answers this one. */
	if (ioctl(door, HPAGE_MAP_INFO, &info))
		why_add(why, "module: " DEVICE " is %s%s", !fstat(door, &st) && !S_ISCHR(st.st_mode)
			? "a file, and no device" : "that of another driver",
			node_remedies(DEVICE, remedies));
	else
		why_add(why, "module: the one that is loaded is too old for libhpage_map %s%s",
			hpmap_version(), in_sandbox() ? "" :
			TRY "sudo modprobe -r hpage_map && sudo modprobe hpage_map");
	return -ENOTSUP;
}

/* An ioctl of the door, which is opened for it. */
int door_ioctl(unsigned long request, void *arg, struct why *why)
{
	int door = file_open(DEVICE, HPAGE_MAP_O_DOOR), ret;
	sigset_t before;

	if (door < 0)
		return door_node_failed(errno, DEVICE, why);
	signals_hold(&before);
	ret = ioctl(door, request, arg) ? -errno : 0;
	signals_release(&before);
	if (ret == -ENOTTY)
		ret = door_without_ioctl(door, why);
	close(door);
	return ret;
}
