// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl doctor: what could be had now, why not more, and what to type.
 *
 * Checks are a table; each adds findings. What they look for is there, or not, or
 * cannot be seen from here, and they say which. The module and its device are in
 * doctor_module.c, what the pools and the page allocator have in doctor_memory.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"

static void add(struct doctor *d, enum verdict verdict, const char *topic, const char *text,
		const char *type)
{
	static const char *const names[] = { "ok", "?", "note", "BAD" };
	struct json_object *o;

	d->worst = verdict > d->worst ? verdict : d->worst;
	if (!d->json) {
		printf("%-5s %-10s %s\n", names[verdict], topic, text);
		if (*type)
			printf("%16s type: %s\n", "", type);
		return;
	}
	o = json_object_new_object();
	json_text(o, "verdict", verdict == BAD ? "bad" : verdict == HIDDEN ? "unknown" :
		  names[verdict]);
	json_text(o, "topic", topic);
	json_text(o, "text", text);
	json_text(o, "type", type);
	json_object_array_add(d->findings, o);
}

/* Add a finding; @type is what to type, or "". */
void find(struct doctor *d, enum verdict verdict, const char *topic, const char *type,
	  const char *fmt, ...)
{
	char text[1200];
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
	if (d->contained)
		find(d, FINE, "container", "", "this is a container or another sandbox, from which "
		     "not all of the machine can be seen");
}

/* Is it the namespace that the machine started with? The kernel gives those fixed numbers. */
static enum answer first_namespace(const char *name, unsigned int number)
{
	char path[64], link[64] = "", first[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	if (readlink(path, link, sizeof(link) - 1) < 0)
		return UNSEEN;
	snprintf(first, sizeof(first), "%s:[%u]", name, number);
	return strcmp(link, first) ? NO : YES;
}

/*
 * Is this a container or another sandbox? Files as /.dockerenv are no sign: they stay in the
 * image when that becomes a machine's.
 */
static bool contained(void)
{
	return first_namespace("pid", 4026531836) == NO ||
		first_namespace("user", 4026531837) == NO ||
		first_namespace("cgroup", 4026531835) == NO ||
		first_namespace("ipc", 4026531839) == NO ||
		first_namespace("uts", 4026531838) == NO || getenv("container");
}

/* May the caller lock memory without a limit? The root of a user namespace may not. */
static enum answer may_lock(void)
{
	char text[4096], *line;
	bool has;

	file_read(text, sizeof(text), "/proc/self/status");
	line = strstr(text, "CapEff:");
	if (!line)
		return geteuid() ? NO : UNSEEN;
	has = strtoull(line + strlen("CapEff:"), NULL, 16) >> 14 & 1;
	return has && first_namespace("user", 4026531837) != NO ? YES : NO;
}

static void memlock(struct doctor *d)
{
	enum answer exempt = may_lock();
	char size[SIZE_ROOM];
	struct rlimit limit;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (d->loaded != YES)
		find(d, FINE, "memlock", "", "buffers of memfd do not count");
	else if (exempt == YES)
		find(d, FINE, "memlock", "", "no limit for you (CAP_IPC_LOCK)");
	else if (limit.rlim_cur == RLIM_INFINITY)
		find(d, FINE, "memlock", "", "unlimited");
	else
		find(d, exempt == NO ? NOTE : HIDDEN, "memlock",
		     d->contained ? "docker or podman run --ulimit memlock=-1" :
		     "ulimit -l unlimited; for good, a file in "
		     "/etc/security/limits.d with \"@GROUP - memlock unlimited\"",
		     "at most %s of thp and base pages of the module for you%s; hugetlb pages and "
		     "memfd are not counted", size_show(limit.rlim_cur, size), exempt == NO ? "" :
		     ", if you have not CAP_IPC_LOCK, which cannot be seen from here");
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

/**
 * struct limited - what was found
 * @any: a limit was told
 * @hidden: something could not be looked at
 */
struct limited {
	bool any;
	bool hidden;
};

static void tell_limits(struct doctor *d, const struct limits *l, const char *path,
			struct limited *found)
{
	char value[32], size[SIZE_ROOM];
	const char *const *file;
	uint64_t bytes;
	int ret;

	for (file = l->files; *file; file++) {
		ret = file_read(value, sizeof(value), "%s%s/%s", l->root, path, *file);
		found->hidden |= ret < 0 && ret != -ENOENT;
		if (ret <= 0 || number_read(value, &bytes) || bytes >> 62)
			continue;
		found->any = true;
		find(d, NOTE, "cgroup", "", "%s of %s is %s", *file, *path ? path : "/",
		     size_show(bytes, size));
	}
}

/* All levels of a hierarchy: a limit of any up to the root holds. */
static void tell_hierarchy(struct doctor *d, const struct limits *l, const char *line,
			   struct limited *found)
{
	char path[512], dir[600], type[16], *slash;
	struct stat st;

	snprintf(path, sizeof(path), "%.400s", strchr(line, '/'));
	path[strcspn(path, "\n")] = '\0';
	if (!path[1])
		*path = '\0';
	/* Only what is no root of the machine has a type. */
	found->hidden |= file_read(type, sizeof(type), "%s/cgroup.type", l->root) > 0 ||
			 !strncmp(path, "/..", 3);
	do {
		snprintf(dir, sizeof(dir), "%s%s", l->root, path);
		found->hidden |= stat(dir, &st);
		tell_limits(d, l, path, found);
		slash = strrchr(path, '/');
		if (slash)
			*slash = '\0';
	} while (slash);
}

static void cgroup(struct doctor *d)
{
	struct limited found = {};
	bool known = false;
	char text[4096], *at;
	size_t i;

	file_read(text, sizeof(text), "/proc/self/cgroup");
	for (i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		at = strstr(text, limits[i].mark);
		/* The second version has none beside the first. */
		if (!at || (!i && strstr(text, ":memory:/")))
			continue;
		known = true;
		tell_hierarchy(d, &limits[i], at, &found);
	}
	found.hidden |= !known || first_namespace("cgroup", 4026531835) == NO;
	if (found.hidden)
		find(d, HIDDEN, "cgroup", "",
		     "%s; there may be limits that cannot be seen from here", found.any ?
		     "that is not all" : "no limit on memory or huge pages in sight");
	else if (!found.any)
		find(d, FINE, "cgroup", "", "no limit on memory or huge pages");
}

static void holders(struct doctor *d)
{
	struct hpmap_info info = { .size = sizeof(info) };
	char size[SIZE_ROOM];
	uint64_t held = 0;
	uint32_t id, nr = 0;
	int ret;

	if (d->loaded != YES)
		return;
	for (id = 0; !(ret = hpmap_next(id, &info)); id = info.id + 1) {
		held += info.length;
		nr++;
	}
	if (ret != -ENOENT)
		find(d, HIDDEN, "buffers", "",
		     "which buffers there are cannot be seen from here: %s", hpmap_why(NULL));
	else
		find(d, FINE, "buffers", nr ? "hpagectl list, and hpagectl who" : "",
		     "the module has %u of them%s, %s", nr, geteuid() ? " that you may see" : "",
		     size_show(held, size));
}

static void (*const checks[])(struct doctor *d) = {
	kernel, doctor_module, doctor_signing, doctor_device, memlock, cgroup, doctor_thp,
	doctor_dmabuf, holders,
};

static int doctor(const struct args *a)
{
	struct doctor d = {
		.json = given(a, OPT_JSON), .contained = contained(), .loaded = doctor_loaded(),
	};
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
	.more = "Changes nothing. A ? cannot be seen from here; the exit code is 1 if something\n"
		"is BAD.\n",
	.options = BIT(OPT_JSON),
	.run = doctor,
};
