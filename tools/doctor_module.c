// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl doctor: the module. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../lib/hpage_map.h"
#include "doctor_device.h"
#include "doctor_module.h"
#include "file.h"

/* On the machine itself, if this is a container. */
#define MOK	"sudo mokutil --import /var/lib/dkms/mok.pub    # then restart and enrol the key"

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

/* Is there a module that modprobe would load? In @version which; empty if that is not known. */
static enum answer module_installed(char *version, size_t size)
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
static enum answer kernel_takes_modules(void)
{
	if (!access("/proc/modules", F_OK))
		return YES;
	return access("/proc/version", F_OK) ? UNSEEN : NO;
}

static void module_not_loaded(struct doctor *d)
{
	char version[64], disabled[8] = "";
	enum answer there = module_installed(version, sizeof(version));

	file_read(disabled, sizeof(disabled), "/proc/sys/kernel/modules_disabled");
	if (kernel_takes_modules() == NO)
		doctor_finding_add(d, NOTE, "module", "",
				   "this kernel loads no modules; memfd is used instead");
	else if (d->contained)
		doctor_finding_add(d, NOTE, "module", "sudo modprobe hpage_map    # on the machine "
				   "outside\n" DEVICE_GIVE,
				   "hpage_map is not loaded; memfd is used instead");
	else if (*disabled == '1')
		doctor_finding_add(d, NOTE, "module", "",
				   "hpage_map is not loaded, and kernel.modules_disabled forbids "
				   "it until the next start; memfd is used instead");
	else if (there == YES)
		doctor_finding_add(d, NOTE, "module", "sudo modprobe hpage_map",
				   "hpage_map%s%s is installed and not loaded; memfd is used "
				   "instead", *version ? " " : "", version);
	else if (there == NO)
		doctor_finding_add(d, NOTE, "module",
				   "make && sudo make install && sudo modprobe hpage_map",
				   "hpage_map is not installed for this kernel; memfd is used "
				   "instead");
	else
		doctor_finding_add(d, HIDDEN, "module", "sudo modprobe hpage_map",
				   "hpage_map is not loaded, and memfd is used instead; whether it "
				   "is installed cannot be seen from here, without the kernel's "
				   "directory in /lib/modules");
}

static void module_versions(struct doctor *d)
{
	char loaded[64], on_disk[64];
	enum answer there = module_installed(on_disk, sizeof(on_disk));

	if (file_read(loaded, sizeof(loaded), "/sys/module/hpage_map/version") <= 0) {
		doctor_finding_add(d, HIDDEN, "module", "", "hpage_map is loaded; which version "
				   "cannot be seen from here, without /sys/module");
		return;
	}
	/* What is installed in a container is not for the machine. */
	if (!d->contained && there == YES && *on_disk && strcmp(loaded, on_disk))
		doctor_finding_add(d, NOTE, "module",
				   "sudo modprobe -r hpage_map && sudo modprobe hpage_map",
				   "hpage_map %s is loaded, but %s is installed", loaded, on_disk);
	else
		doctor_finding_add(d, FINE, "module", "", "hpage_map %s is loaded", loaded);
	if (strcmp(loaded, hpmap_version()))
		doctor_finding_add(d, NOTE, "library", "", "libhpage_map %s with module %s: they "
				   "work together, but what is new in either is missing",
				   hpmap_version(), loaded);
	else
		doctor_finding_add(d, FINE, "library", "",
				   "libhpage_map %s, the version of the module", hpmap_version());
}

void doctor_module(struct doctor *d)
{
	if (d->loaded == YES)
		module_versions(d);
	else if (d->loaded == NO)
		module_not_loaded(d);
	else
		doctor_finding_add(d, HIDDEN, "module",
				   d->contained ? DEVICE_GIVE : "sudo mount -t sysfs sysfs /sys",
				   "whether hpage_map is loaded cannot be seen from here, without "
				   "/sys/module and /proc/modules; memfd is used instead");
}

/* Does lockdown keep unsigned modules out? */
static enum answer lockdown_is_on(void)
{
	char text[256];

	if (file_read(text, sizeof(text), "/sys/kernel/security/lockdown") > 0)
		return strstr(text, "[none]") ? NO : YES;
	if (file_read(text, sizeof(text), "/sys/kernel/security/lsm") > 0)
		return strstr(text, "lockdown") ? UNSEEN : NO;
	return UNSEEN;
}

/* Only signed modules? A kernel that knows no signatures has no such parameter. */
static enum answer signatures_enforced(void)
{
	char text[8];

	if (file_read(text, sizeof(text), "/sys/module/module/parameters/sig_enforce") > 0)
		return *text == 'Y' ? YES : NO;
	return access("/sys/module", F_OK) ? UNSEEN : NO;
}

/* Only where it keeps somebody from loading. */
void doctor_signing(struct doctor *d)
{
	enum answer lockdown = lockdown_is_on(), enforce = signatures_enforced();

	if (d->loaded == YES)
		doctor_finding_add(d, FINE, "signing", "", "the module has been let in");
	else if (kernel_takes_modules() == NO)
		return;
	else if (lockdown == YES || enforce == YES)
		doctor_finding_add(d, NOTE, "signing", MOK, "this kernel loads signed modules only "
				   "(%s)", enforce == YES ? "sig_enforce" : "lockdown");
	else if (lockdown == NO && enforce == NO)
		doctor_finding_add(d, FINE, "signing", "", "modules need no signature here");
	else
		doctor_finding_add(d, HIDDEN, "signing", "", "whether modules need a signature "
				   "cannot be seen from here, without %s", enforce == UNSEEN ?
				   "/sys/module" : "/sys/kernel/security/lockdown");
}
