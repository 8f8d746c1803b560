// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl doctor: devices, and the way to them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../include/uapi/linux/hpage_map.h"
#include "../lib/node.h"
#include "doctor_device.h"

#define UDMABUF	"/dev/udmabuf"

/* A descriptor of the door, or -errno; -ENOTTY when that is no device of the module. */
static int door_open(void)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	int fd = open(DEVICE, HPAGE_MAP_O_DOOR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!ioctl(fd, HPAGE_MAP_INFO, &info))
		return fd;
	close(fd);
	return -ENOTTY;
}

/* Who has the door open needs no other sign. */
enum answer doctor_loaded(void)
{
	int fd = door_open();

	if (fd < 0)
		return module_loaded();
	close(fd);
	return YES;
}

/* Never what is of no use in a container. */
static const char *device_again(const struct doctor *d, char again[REMEDY_ROOM])
{
	return !d->contained && *node_again(DEVICE, again) ? again : DEVICE_GIVE;
}

static void device_missing(struct doctor *d)
{
	char again[REMEDY_ROOM];

	if (d->loaded == UNSEEN)
		doctor_finding_add(d, HIDDEN, "device", d->contained ? DEVICE_GIVE : "",
				   "there is no " DEVICE " here; the machine outside may have it");
	else if (d->loaded == YES && d->contained)
		doctor_finding_add(d, BAD, "device", DEVICE_GIVE, DEVICE " is not there, although "
				   "the module is loaded: this container has not been given it");
	else if (d->loaded == YES)
		doctor_finding_add(d, BAD, "device", device_again(d, again),
				   DEVICE " is not there, although the module is loaded");
}

static void device_closed(struct doctor *d)
{
	const struct group *group;
	char type[REMEDY_ROOM];
	struct statvfs fs;
	struct stat st;

	if (!access(DEVICE, R_OK | W_OK) && !statvfs(DEVICE, &fs) && fs.f_flag & ST_NODEV) {
		doctor_finding_add(d, BAD, "device", DEVICE_GIVE,
				   DEVICE " lies in a file system that is mounted with nodev");
		return;
	}
	if (stat(DEVICE, &st)) {
		doctor_finding_add(d, HIDDEN, "device", "", DEVICE ": %s", strerror(errno));
		return;
	}
	group = getgrgid(st.st_gid);
	if (d->contained)
		snprintf(type, sizeof(type), "podman run --group-add keep-groups\n"
			 "docker run --group-add %u", st.st_gid);
	else if (!*node_join(DEVICE, type))
		strcpy(type, "man hpagectl-doctor    # how to open it to a group");
	doctor_finding_add(d, BAD, "device", type, DEVICE " has the permissions %04o and the group "
			   "%s, which are not yours", st.st_mode & 0777,
			   group ? group->gr_name : "?");
}

void doctor_device(struct doctor *d)
{
	char again[REMEDY_ROOM];
	int fd = door_open();

	switch (fd) {
	case -ENOENT:
	case -ENOTDIR:
		device_missing(d);
		break;
	case -EACCES:
		device_closed(d);
		break;
	case -EPERM:
		doctor_finding_add(d, BAD, "device", DEVICE_GIVE "\nsudo systemctl set-property "
				   "UNIT 'DeviceAllow=" DEVICE " rw'",
				   DEVICE " is forbidden to this control group or sandbox, "
				   "whatever its permissions are");
		break;
	case -ENOTTY:
		doctor_finding_add(d, BAD, "device", device_again(d, again),
				   DEVICE " is not the device of the module");
		break;
	case -ENXIO:
	case -ENODEV:
		doctor_finding_add(d, d->loaded == YES ? BAD : NOTE, "device",
				   device_again(d, again),
				   DEVICE " is left over from another start of the module");
		break;
	default:
		if (fd < 0)
			doctor_finding_add(d, BAD, "device", "", DEVICE ": %s", strerror(-fd));
		else
			doctor_finding_add(d, FINE, "device", "", DEVICE " is open to you");
	}
	if (fd >= 0)
		close(fd);
}

/* For the export of memfd, which the module does without. */
void doctor_dmabuf(struct doctor *d)
{
	static const char without[] = "so buffers of memfd cannot be exported";
	/* No module, but built in or not; lists of modules do not have it. */
	bool none = access("/sys/class/misc/udmabuf", F_OK) && !access("/sys/class/misc", F_OK);
	char join[REMEDY_ROOM];

	if (!access(UDMABUF, R_OK | W_OK))
		doctor_finding_add(d, FINE, "dma-buf", "", UDMABUF " exports buffers of memfd");
	else if (errno != ENOENT && errno != ENOTDIR)
		doctor_finding_add(d, NOTE, "dma-buf", node_join(UDMABUF, join),
				   UDMABUF " is not open to you, %s", without);
	else if (d->contained)
		doctor_finding_add(d, NOTE, "dma-buf", "docker run --device=" UDMABUF,
				   "there is no " UDMABUF " here, %s", without);
	else if (none)
		doctor_finding_add(d, NOTE, "dma-buf", "", "this kernel has no udmabuf, %s",
				   without);
	else
		doctor_finding_add(d, NOTE, "dma-buf", "", "there is no " UDMABUF ", %s", without);
}
