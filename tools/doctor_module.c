// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl doctor: the module, and the way to it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../include/uapi/linux/hpage_map.h"
#include "doctor.h"

#define DEVICE	"/dev/hpage_map"
#define GIVE	"docker or podman run --device " DEVICE ", bwrap --dev-bind " DEVICE " " DEVICE
#define MOK	"mokutil --import /var/lib/dkms/mok.pub, then restart and enrol the key"

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

/* Has the running kernel a module of this name, on disk or perhaps built in? */
static enum answer module_on_disk(const char *name, bool built_in)
{
	static const char *const lists[] = { "modules.dep", "modules.builtin" };
	char path[512], file[64], *line = NULL;
	size_t room = 0, nr = built_in ? 2 : 1, seen = 0, i;
	bool there = false;
	struct utsname u;
	FILE *list;

	uname(&u);
	snprintf(file, sizeof(file), "/%s.ko", name);
	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "/lib/modules/%s/%s", u.release, lists[i]);
		list = fopen(path, "re");
		seen += !!list;
		while (list && getline(&line, &room, list) >= 0) {
			line[strcspn(line, ":\n")] = '\0';
			there |= !!strstr(line, file);
		}
		if (list)
			fclose(list);
	}
	free(line);
	return there ? YES : seen == nr ? NO : UNSEEN;
}

/* Is there a module that modprobe would load? In @version which, or nothing if it is not told. */
static enum answer installed(char *version, size_t size)
{
	enum answer there = module_on_disk("hpage_map", false);
	FILE *modinfo;

	*version = '\0';
	if (there == UNSEEN)
		return there;
	/* Where ordinary users do not look for programs. */
	modinfo = popen("PATH=$PATH:/usr/sbin:/sbin modinfo -F version hpage_map 2>/dev/null",
			"re");
	if (modinfo && fgets(version, size, modinfo))
		there = YES;
	version[strcspn(version, "\n")] = '\0';
	if (modinfo)
		pclose(modinfo);
	return there;
}

/* Can modules be loaded into this kernel? */
static enum answer takes_modules(void)
{
	if (!access("/proc/modules", F_OK))
		return YES;
	return access("/proc/version", F_OK) ? UNSEEN : NO;
}

static void not_loaded(struct doctor *d)
{
	char version[64], disabled[8] = "";
	enum answer there = installed(version, sizeof(version));

	file_read(disabled, sizeof(disabled), "/proc/sys/kernel/modules_disabled");
	if (takes_modules() == NO)
		find(d, NOTE, "module", "", "this kernel loads no modules; memfd is used instead");
	else if (d->contained)
		find(d, NOTE, "module", "modprobe hpage_map, on the machine outside; then " GIVE,
		     "hpage_map is not loaded; memfd is used instead");
	else if (*disabled == '1')
		find(d, NOTE, "module", "",
		     "hpage_map is not loaded, and kernel.modules_disabled forbids it until the "
		     "next start; memfd is used instead");
	else if (there == YES)
		find(d, NOTE, "module", "modprobe hpage_map",
		     "hpage_map%s%s is installed and not loaded; memfd is used instead",
		     *version ? " " : "", version);
	else if (there == NO)
		find(d, NOTE, "module", "make && make install && modprobe hpage_map, as root",
		     "hpage_map is not installed for this kernel; memfd is used instead");
	else
		find(d, HIDDEN, "module", "modprobe hpage_map, as root", "hpage_map is not loaded, "
		     "and memfd is used instead; whether it is installed cannot be seen from here, "
		     "without the kernel's directory in /lib/modules");
}

static void versions(struct doctor *d)
{
	char loaded[64], on_disk[64];
	enum answer there = installed(on_disk, sizeof(on_disk));

	if (file_read(loaded, sizeof(loaded), "/sys/module/hpage_map/version") <= 0) {
		find(d, HIDDEN, "module", "", "hpage_map is loaded; which version cannot be seen "
		     "from here, without /sys/module");
		return;
	}
	/* What is installed in a container is not for the machine. */
	if (!d->contained && there == YES && *on_disk && strcmp(loaded, on_disk))
		find(d, NOTE, "module", "modprobe -r hpage_map && modprobe hpage_map, when "
		     "\"hpagectl who\" shows nobody",
		     "hpage_map %s is loaded, but %s is installed", loaded, on_disk);
	else
		find(d, FINE, "module", "", "hpage_map %s is loaded", loaded);
	if (strcmp(loaded, hpmap_version()))
		find(d, NOTE, "library", "", "libhpage_map %s with module %s: they work together, "
		     "but what is new in either is missing", hpmap_version(), loaded);
	else
		find(d, FINE, "library", "", "libhpage_map %s, the version of the module",
		     hpmap_version());
}

void doctor_module(struct doctor *d)
{
	if (d->loaded == YES)
		versions(d);
	else if (d->loaded == NO)
		not_loaded(d);
	else
		find(d, HIDDEN, "module",
		     d->contained ? GIVE : "mount -t sysfs sysfs /sys, as root",
		     "whether hpage_map is loaded cannot be seen from here, without /sys/module "
		     "and /proc/modules; memfd is used instead");
}

/* Does lockdown keep unsigned modules out? */
static enum answer locked_down(void)
{
	char text[256];

	if (file_read(text, sizeof(text), "/sys/kernel/security/lockdown") > 0)
		return strstr(text, "[none]") ? NO : YES;
	if (file_read(text, sizeof(text), "/sys/kernel/security/lsm") > 0)
		return strstr(text, "lockdown") ? UNSEEN : NO;
	return UNSEEN;
}

/* Only signed modules? A kernel that knows no signatures has no such parameter. */
static enum answer enforced(void)
{
	char text[8];

	if (file_read(text, sizeof(text), "/sys/module/module/parameters/sig_enforce") > 0)
		return *text == 'Y' ? YES : NO;
	return access("/sys/module", F_OK) ? UNSEEN : NO;
}

/* Only where it keeps somebody from loading. */
void doctor_signing(struct doctor *d)
{
	enum answer lockdown = locked_down(), enforce = enforced();

	if (d->loaded == YES)
		find(d, FINE, "signing", "", "the module has been let in");
	else if (takes_modules() == NO)
		return;
	else if (lockdown == YES || enforce == YES)
		find(d, NOTE, "signing", d->contained ? MOK ", on the machine outside" : MOK,
		     "this kernel loads signed modules only (%s)",
		     enforce == YES ? "sig_enforce" : "lockdown");
	else if (lockdown == NO && enforce == NO)
		find(d, FINE, "signing", "", "modules need no signature here");
	else
		find(d, HIDDEN, "signing", "", "whether modules need a signature cannot be seen "
		     "from here, without %s", enforce == UNSEEN ? "/sys/module" :
		     "/sys/kernel/security/lockdown");
}

static void device_missing(struct doctor *d)
{
	char number[32], type[256] = GIVE;
	char *colon;

	if (d->loaded == NO)
		return;
	if (d->loaded == UNSEEN) {
		find(d, HIDDEN, "device", d->contained ? GIVE : "",
		     "there is no " DEVICE " here; the machine outside may have it");
		return;
	}
	file_read(number, sizeof(number), "/sys/class/hpage_map/hpage_map/dev");
	colon = strchr(number, ':');
	if (!d->contained && colon) {
		*colon = '\0';
		snprintf(type, sizeof(type), "mknod -m 600 " DEVICE " c %s %s, as root; or, for a "
			 "container, " GIVE, number, colon + 1);
	}
	find(d, BAD, "device", type, DEVICE " is not there, although the module is loaded%s",
	     d->contained ? ": this container has not been given it" : "");
}

/* To open @path takes the group that it has, if the group may. Returns whether that helps. */
static bool join_group(const char *path, char *type, size_t size)
{
	const struct passwd *user;
	const struct group *group;
	struct stat st;

	if (stat(path, &st) || (st.st_mode & 0060) != 0060)
		return false;
	user = getpwuid(getuid());
	group = getgrgid(st.st_gid);
	if (!group || !user)
		return false;
	snprintf(type, size, "usermod -aG %s %s, as root, and log in again", group->gr_name,
		 user->pw_name);
	return true;
}

static void device_closed(struct doctor *d)
{
	const struct group *group;
	char type[256];
	struct statvfs fs;
	struct stat st;

	if (!access(DEVICE, R_OK | W_OK) && !statvfs(DEVICE, &fs) && fs.f_flag & ST_NODEV) {
		find(d, BAD, "device", GIVE, DEVICE " lies in a file system that is mounted with "
		     "nodev");
		return;
	}
	if (stat(DEVICE, &st)) {
		find(d, HIDDEN, "device", "", DEVICE ": %s", strerror(errno));
		return;
	}
	group = getgrgid(st.st_gid);
	if (d->contained)
		strcpy(type, "podman run --group-add keep-groups, or docker run --group-add with "
		       "the number of its group outside");
	else if (!join_group(DEVICE, type, sizeof(type)))
		strcpy(type, "modprobe hpage_map mode=0660, with a udev rule for the group; "
		       "see hpagectl-doctor(1)");
	find(d, BAD, "device", type, DEVICE " has the permissions %04o and the group %s, "
	     "which are not yours", st.st_mode & 0777, group ? group->gr_name : "?");
}

void doctor_device(struct doctor *d)
{
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
		find(d, BAD, "device", GIVE "; DeviceAllow=" DEVICE " rw for a service",
		     DEVICE " is forbidden to this control group or sandbox, whatever its "
		     "permissions say");
		break;
	case -ENOTTY:
		find(d, BAD, "device", "rm " DEVICE ", then modprobe hpage_map, as root",
		     DEVICE " is not the device of the module");
		break;
	case -ENXIO:
	case -ENODEV:
		find(d, d->loaded == YES ? BAD : NOTE, "device", "rm " DEVICE ", as root",
		     DEVICE " is left over from another start of the module");
		break;
	default:
		if (fd < 0)
			find(d, BAD, "device", "", DEVICE ": %s", strerror(-fd));
		else
			find(d, FINE, "device", "", DEVICE " is open to you");
	}
	if (fd >= 0)
		close(fd);
}

/* For the export of memfd, which the module does without. */
void doctor_dmabuf(struct doctor *d)
{
	static const char device[] = "/dev/udmabuf";
	static const char without[] = "so buffers of memfd cannot be exported";
	/* No module, but built in or not; lists of modules do not have it. */
	bool none = access("/sys/class/misc/udmabuf", F_OK) && !access("/sys/class/misc", F_OK);
	char type[128] = "";

	if (!access(device, R_OK | W_OK)) {
		find(d, FINE, "dma-buf", "", "%s exports buffers of memfd", device);
	} else if (errno != ENOENT && errno != ENOTDIR) {
		join_group(device, type, sizeof(type));
		find(d, NOTE, "dma-buf", type, "%s is not open to you, %s", device, without);
	} else if (d->contained) {
		find(d, NOTE, "dma-buf", "docker or podman run --device /dev/udmabuf",
		     "there is no %s here, %s", device, without);
	} else if (none) {
		find(d, NOTE, "dma-buf", "", "this kernel has no udmabuf, %s", without);
	} else {
		find(d, NOTE, "dma-buf", "", "there is no %s, %s", device, without);
	}
}
