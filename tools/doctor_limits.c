// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl doctor: limits of the process and of its control groups. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/sandbox.h"
#include "doctor_limits.h"
#include "file.h"
#include "parse.h"
#include "report.h"

#define LIMITS_D	"/etc/security/limits.d/hpage-map.conf"

/* May the caller lock memory without a limit? The root of a user namespace may not. */
static enum answer memlock_is_exempt(void)
{
	char text[4096], *line;
	bool has;

	file_read(text, sizeof(text), "/proc/self/status");
	line = strstr(text, "CapEff:");
	if (!line)
		return geteuid() ? NO : UNSEEN;
	has = strtoull(line + strlen("CapEff:"), NULL, 16) >> 14 & 1;
	return has && first_user_namespace() != NO ? YES : NO;
}

void doctor_memlock(struct doctor *d)
{
	enum answer exempt = memlock_is_exempt();
	struct rlimit limit;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (d->loaded != YES)
		doctor_finding_add(d, FINE, "memlock", "", "buffers of memfd do not count");
	else if (exempt == YES)
		doctor_finding_add(d, FINE, "memlock", "", "no limit for you (CAP_IPC_LOCK)");
	else if (limit.rlim_cur == RLIM_INFINITY)
		doctor_finding_add(d, FINE, "memlock", "", "unlimited");
	else
		doctor_finding_add(d, exempt == NO ? NOTE : HIDDEN, "memlock",
				   d->contained ? "docker run --ulimit memlock=-1" :
				   "echo \"$USER - memlock unlimited\" | sudo tee " LIMITS_D
				   "    # and log in again",
				   "at most %s of thp and base pages of the module for you%s; "
				   "hugetlb pages and memfd are not counted",
				   SIZE_TEXT(limit.rlim_cur), exempt == NO ? "" :
				   ", if you have not CAP_IPC_LOCK, which cannot be seen from "
				   "here");
}

/**
 * struct hierarchy - of control groups
 * @mark: of the line in /proc/self/cgroup that names the caller's
 * @root: where they are
 * @files: that have limits in bytes
 */
struct hierarchy {
	const char *mark;
	const char *root;
	const char *files[4];
};

static const struct hierarchy hierarchies[] = {
	{ "0::/", "/sys/fs/cgroup", { "memory.max", "hugetlb.2MB.max", "hugetlb.1GB.max" } },
	/* Version 1 has a hierarchy for each. */
	{ ":memory:/", "/sys/fs/cgroup/memory", { "memory.limit_in_bytes" } },
	{ ":hugetlb:/", "/sys/fs/cgroup/hugetlb",
	  { "hugetlb.2MB.limit_in_bytes", "hugetlb.1GB.limit_in_bytes" } },
};

/**
 * struct limited - what was found
 * @any: a limit was added to the findings
 * @hidden: something could not be looked at
 */
struct limited {
	bool any;
	bool hidden;
};

static void cgroup_limits(struct doctor *d, const struct hierarchy *h, const char *path,
			  struct limited *found)
{
	const char *const *file;
	uint64_t bytes;
	char value[32];
	int ret;

	for (file = h->files; *file; file++) {
		ret = file_read(value, sizeof(value), "%s%s/%s", h->root, path, *file);
		found->hidden |= ret < 0 && ret != -ENOENT;
		if (ret <= 0 || number_read(value, &bytes) || bytes >> 62)
			continue;
		found->any = true;
		doctor_finding_add(d, NOTE, "cgroup", "", "%s of %s is %s", *file,
				   *path ? path : "/", SIZE_TEXT(bytes));
	}
}

/* All levels of a hierarchy: a limit of any up to the root holds. */
static void cgroup_levels(struct doctor *d, const struct hierarchy *h, const char *line,
			  struct limited *found)
{
	char path[512], dir[600], type[16], *slash;
	struct stat st;

	snprintf(path, sizeof(path), "%.400s", strchr(line, '/'));
	path[strcspn(path, "\n")] = '\0';
	if (!path[1])
		*path = '\0';
	/* Only what is no root of the machine has a type. */
	found->hidden |= file_read(type, sizeof(type), "%s/cgroup.type", h->root) > 0 ||
			 !strncmp(path, "/..", 3);
	do {
		snprintf(dir, sizeof(dir), "%s%s", h->root, path);
		found->hidden |= stat(dir, &st);
		cgroup_limits(d, h, path, found);
		slash = strrchr(path, '/');
		if (slash)
			*slash = '\0';
	} while (slash);
}

void doctor_cgroup(struct doctor *d)
{
	struct limited found = {};
	bool known = false;
	char text[4096], *at;
	size_t i;

	file_read(text, sizeof(text), "/proc/self/cgroup");
	for (i = 0; i < sizeof(hierarchies) / sizeof(*hierarchies); i++) {
		at = strstr(text, hierarchies[i].mark);
		/* The second version has none beside the first. */
		if (!at || (!i && strstr(text, ":memory:/")))
			continue;
		known = true;
		cgroup_levels(d, &hierarchies[i], at, &found);
	}
	found.hidden |= !known || first_cgroup_namespace() == NO;
	if (found.hidden)
		doctor_finding_add(d, HIDDEN, "cgroup", "",
				   "%s; there may be limits that cannot be seen from here",
				   found.any ? "that is not all" :
				   "no limit on memory or huge pages in sight");
	else if (!found.any)
		doctor_finding_add(d, FINE, "cgroup", "", "no limit on memory or huge pages");
}
