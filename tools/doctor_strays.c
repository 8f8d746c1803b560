// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl doctor: ordinary files among the nodes of named buffers.
 *
 * devtmpfs takes them, so "qemu -mem-path /dev/hpage" works, but with small pages
 * and without a word. Most programs remove such a file at once and keep it mapped.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/text.h"
#include "doctor_strays.h"
#include "names.h"

#define NODES	"/dev/hpage"
#define INSTEAD	"hpagectl create NAME --size SIZE    # and give the program " NODES "/NAME"

static unsigned int files_count(void)
{
	const struct dirent *entry;
	DIR *dir = opendir(NODES);
	unsigned int nr = 0;
	struct stat st;

	while (dir && (entry = readdir(dir)))
		nr += !fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		      S_ISREG(st.st_mode);
	if (dir)
		closedir(dir);
	return nr;
}

/* Bytes that a process has mapped of them. A mapping of a buffer has another path. */
static uint64_t bytes_mapped(pid_t pid)
{
	char text[512], path[32];
	unsigned long start, end;
	uint64_t bytes = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && fgets(text, sizeof(text), maps))
		if (strstr(text, " " NODES "/") && sscanf(text, "%lx-%lx", &start, &end) == 2)
			bytes += end - start;
	if (maps)
		fclose(maps);
	return bytes;
}

static void processes_look(struct doctor *d)
{
	const struct dirent *entry;
	DIR *dir = opendir("/proc");
	char comm[COMM_ROOM];
	uint64_t bytes;
	pid_t pid;

	while (dir && (entry = readdir(dir))) {
		pid = atoi(entry->d_name);
		bytes = pid > 0 ? bytes_mapped(pid) : 0;
		if (bytes && process_name(pid, comm))
			doctor_finding_add(d, NOTE, "device", INSTEAD, "process %d (%s) has mapped "
					   "%s of an ordinary file in " NODES ", which is no "
					   "buffer and has small pages", pid, comm,
					   SIZE_TEXT(bytes));
	}
	if (dir)
		closedir(dir);
}

void doctor_strays(struct doctor *d)
{
	unsigned int nr = files_count();

	if (nr)
		doctor_finding_add(d, NOTE, "device", "find " NODES " -type f\n" INSTEAD,
				   "%u ordinary file%s in " NODES ", %s", nr,
				   nr == 1 ? " is" : "s are",
				   nr == 1 ? "which is no buffer and has small pages" :
				   "which are no buffers and have small pages");
	processes_look(d);
}
