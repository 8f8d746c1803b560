// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl doctor: what could be had now, why not more, and what to type.
 *
 * Checks are a table; each adds findings. What the pools and the page allocator
 * have is in doctor_memory.c.
 */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"

#define MOK	"mokutil --import /var/lib/dkms/mok.pub, then restart and enrol the key"

static void add(struct doctor *d, enum verdict verdict, const char *topic, const char *text,
		const char *type)
{
	static const char *const names[] = { "ok", "note", "BAD" };
	struct json_object *o;

	d->worst = verdict > d->worst ? verdict : d->worst;
	if (!d->json) {
		printf("%-5s %-10s %s\n", names[verdict], topic, text);
		if (*type)
			printf("%16s type: %s\n", "", type);
		return;
	}
	o = json_object_new_object();
	json_text(o, "verdict", verdict == BAD ? "bad" : names[verdict]);
	json_text(o, "topic", topic);
	json_text(o, "text", text);
	json_text(o, "type", type);
	json_object_array_add(d->findings, o);
}

/* Add a finding; @type is what to type, or "". */
void find(struct doctor *d, enum verdict verdict, const char *topic, const char *type,
	  const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	add(d, verdict, topic, text, type);
}

static void kernel(struct doctor *d)
{
	struct utsname u;

	uname(&u);
	find(d, FINE, "kernel", "", "Linux %s on %s", u.release, u.machine);
}

/* The version of the module that modprobe would load; false if there is none. */
static bool installed(char *version, size_t size)
{
	FILE *modinfo = popen("modinfo -F version hpage_map 2>/dev/null", "re");
	bool there;

	*version = '\0';
	there = modinfo && fgets(version, size, modinfo);
	version[strcspn(version, "\n")] = '\0';
	if (modinfo)
		pclose(modinfo);
	return there;
}

static void module(struct doctor *d)
{
	char loaded[64], on_disk[64];
	bool there = installed(on_disk, sizeof(on_disk));

	if (!module_loaded() && there)
		find(d, NOTE, "module", "modprobe hpage_map",
		     "hpage_map %s is installed and not loaded; memfd is used instead", on_disk);
	else if (!module_loaded())
		find(d, NOTE, "module", "make && make install && modprobe hpage_map, as root",
		     "hpage_map is not installed for this kernel; memfd is used instead");
	if (!module_loaded())
		return;

	file_read(loaded, sizeof(loaded), "/sys/module/hpage_map/version");
	if (there && strcmp(loaded, on_disk))
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

/* Only where it keeps somebody from loading. */
static void signing(struct doctor *d)
{
	char lockdown[64] = "", enforce[8] = "";

	file_read(lockdown, sizeof(lockdown), "/sys/kernel/security/lockdown");
	file_read(enforce, sizeof(enforce), "/sys/module/module/parameters/sig_enforce");
	if (module_loaded() || (*enforce != 'Y' &&
				(!*lockdown || strstr(lockdown, "[none]"))))
		find(d, FINE, "signing", "", module_loaded() ? "the module has been let in" :
		     "modules need no signature here");
	else
		find(d, NOTE, "signing", MOK, "this kernel loads signed modules only (%s)",
		     *enforce == 'Y' ? "sig_enforce" : "lockdown");
}

static void device(struct doctor *d)
{
	const struct passwd *user;
	const struct group *group;
	char type[128] = "";
	struct stat st;

	if (!module_loaded())
		return;
	if (stat("/dev/hpage_map", &st)) {
		find(d, BAD, "device", "modprobe -r hpage_map && modprobe hpage_map",
		     "/dev/hpage_map is not there, although the module is loaded");
		return;
	}
	user = getpwuid(st.st_uid);
	group = getgrgid(st.st_gid);
	if (!access("/dev/hpage_map", R_OK | W_OK)) {
		find(d, FINE, "device", "", "/dev/hpage_map is open to you");
		return;
	}
	user = user ? getpwuid(getuid()) : NULL;
	if (st.st_mode & 0060 && group && user)
		snprintf(type, sizeof(type), "usermod -aG %s %s, as root, and log in again",
			 group->gr_name, user->pw_name);
	else
		strcpy(type, "modprobe hpage_map mode=0660, with a udev rule for the group; "
		       "see hpagectl-doctor(1)");
	find(d, BAD, "device", type, "/dev/hpage_map has the permissions %04o and the group %s, "
	     "which are not yours", st.st_mode & 0777, group ? group->gr_name : "?");
}

static bool has_capability(int number)
{
	char text[4096], *line;

	file_read(text, sizeof(text), "/proc/self/status");
	line = strstr(text, "CapEff:");
	return line && strtoull(line + strlen("CapEff:"), NULL, 16) >> number & 1;
}

static void memlock(struct doctor *d)
{
	char size[SIZE_ROOM];
	struct rlimit limit;

	if (has_capability(14)) {
		find(d, FINE, "memlock", "", "no limit for you (CAP_IPC_LOCK)");
		return;
	}
	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur == RLIM_INFINITY)
		find(d, FINE, "memlock", "", "unlimited");
	else
		find(d, NOTE, "memlock", "ulimit -l unlimited; for good, a file in "
		     "/etc/security/limits.d with \"@GROUP - memlock unlimited\"",
		     "at most %s of thp and base pages for you; hugetlb pages are not counted",
		     size_show(limit.rlim_cur, size));
}

/**
 * struct limits - of cgroups
 * @mark: of the line in /proc/self/cgroup that names the caller's
 * @root: where they are
 * @files: that tell bytes
 */
static const struct limits {
	const char *mark;
	const char *root;
	const char *files[4];
} limits[] = {
	{ "0::/", "/sys/fs/cgroup", { "memory.max", "hugetlb.2MB.max", "hugetlb.1GB.max" } },
	/* Version 1 has a hierarchy for each. */
	{ ":memory:/", "/sys/fs/cgroup/memory", { "memory.limit_in_bytes" } },
	{ ":hugetlb:/", "/sys/fs/cgroup/hugetlb",
	  { "hugetlb.2MB.limit_in_bytes", "hugetlb.1GB.limit_in_bytes" } },
};

/* Returns whether there are any. */
static bool tell_limits(struct doctor *d, const struct limits *l, const char *path)
{
	char value[32], size[SIZE_ROOM];
	const char *const *file;
	bool any = false;
	uint64_t bytes;

	for (file = l->files; *file; file++) {
		if (file_read(value, sizeof(value), "%s%s/%s", l->root, path, *file) <= 0 ||
		    number_read(value, &bytes) || bytes >> 62)
			continue;
		any = true;
		find(d, NOTE, "cgroup", "", "%s of %s is %s", *file, *path ? path : "/",
		     size_show(bytes, size));
	}
	return any;
}

static void cgroup(struct doctor *d)
{
	char text[4096], path[512], *at, *slash;
	bool any = false;
	size_t i;

	file_read(text, sizeof(text), "/proc/self/cgroup");
	for (i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		at = strstr(text, limits[i].mark);
		if (!at)
			continue;
		snprintf(path, sizeof(path), "%.400s", strchr(at, '/'));
		path[strcspn(path, "\n")] = '\0';
		if (!path[1])
			*path = '\0';
		/* A limit of any level up to the root holds. */
		do {
			any |= tell_limits(d, &limits[i], path);
			slash = strrchr(path, '/');
			if (slash)
				*slash = '\0';
		} while (slash);
	}
	if (!any)
		find(d, FINE, "cgroup", "", "no limit on memory or huge pages");
}

static void dmabuf(struct doctor *d)
{
	if (access("/dev/udmabuf", F_OK))
		find(d, NOTE, "dma-buf", "modprobe udmabuf", "there is no /dev/udmabuf, so buffers "
		     "of memfd cannot be exported");
	else
		find(d, FINE, "dma-buf", "", "/dev/udmabuf exports buffers of memfd");
}

static void holders(struct doctor *d)
{
	struct hpmap_info info = { .size = sizeof(info) };
	char size[SIZE_ROOM];
	uint64_t held = 0;
	uint32_t id, nr = 0;

	if (!module_loaded())
		return;
	for (id = 0; !hpmap_next(id, &info); id = info.id + 1) {
		held += info.length;
		nr++;
	}
	find(d, FINE, "buffers", nr ? "hpagectl list, and hpagectl who" : "",
	     "the module has %u of them, %s", nr, size_show(held, size));
}

static void (*const checks[])(struct doctor *d) = {
	kernel, module, signing, device, memlock, cgroup, doctor_thp, dmabuf, holders,
};

static int doctor(const struct args *a)
{
	struct doctor d = { .json = given(a, OPT_JSON) };
	size_t i;

	if (d.json) {
		d.findings = json_object_new_array();
		d.memory = json_object_new_array();
	}
	for (i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		checks[i](&d);
	doctor_memory(&d);
	if (d.json) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "findings", d.findings);
		json_object_object_add(o, "memory", d.memory);
		print_json(o);
	}
	return d.worst == BAD ? EXIT_FAILED : EXIT_OK;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.synopsis = "[--json]",
	.summary = "tell what huge pages can be had now, and why not more",
	.more = "Changes nothing. The exit code is 1 if something is BAD.\n",
	.options = BIT(OPT_JSON),
	.run = doctor,
};
