// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who holds buffers, from /proc.
 *
 * A descriptor tells the id of its buffer in /proc/PID/fdinfo. A mapping shows
 * a file /hpage_map in /proc/PID/maps, with a number that is the same in all
 * mappings of one buffer. Which buffer that is, is found out by mapping it: here
 * those that can be opened by name, and those of which some process has a
 * descriptor, which root can borrow.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hpagectl.h"

/**
 * struct identity - how a buffer looks in /proc/PID/maps
 * @id: of the buffer
 * @file: device and inode
 * @from: first offset, not 0 in a file of the reserve
 * @to: offset behind the last
 */
struct identity {
	uint32_t id;
	char file[48];
	uint64_t from;
	uint64_t to;
};

/**
 * struct scan - what is known so far
 * @holders: each process and buffer once
 * @nr_holders: how many
 * @identities: of the buffers that could be mapped here
 * @nr_identities: how many
 */
struct scan {
	struct holder *holders;
	size_t nr_holders;
	struct identity *identities;
	size_t nr_identities;
};

/**
 * struct line - of /proc/PID/maps
 * @start: first address
 * @length: bytes
 * @offset: bytes
 * @file: device and inode
 */
struct line {
	unsigned long start;
	uint64_t length;
	uint64_t offset;
	char file[48];
};

/* Is this a mapping of the module? */
static bool line_read(const char *text, struct line *line)
{
	unsigned long end;
	unsigned long long offset, inode;
	char device[16], name[32] = "";

	if (sscanf(text, "%lx-%lx %*4s %llx %15s %llu %31s", &line->start, &end, &offset, device,
		   &inode, name) != 6 || strcmp(name, "/hpage_map"))
		return false;
	line->length = end - line->start;
	line->offset = offset;
	snprintf(line->file, sizeof(line->file), "%s %llu", device, inode);
	return true;
}

static void *more(void *array, size_t nr, size_t size)
{
	/* By powers of two. */
	if (nr & (nr - 1))
		return array;
	array = realloc(array, (nr ? 2 * nr : 1) * size);
	if (!array)
		abort();
	return array;
}

static struct identity *known(struct scan *s, uint32_t id)
{
	size_t i;

	for (i = 0; i < s->nr_identities; i++)
		if (s->identities[i].id == id)
			return &s->identities[i];
	return NULL;
}

/* Map the buffer, and see what that looks like. */
static void learn(struct scan *s, struct hpmap_buffer *buffer, uint32_t id)
{
	FILE *maps;
	struct line line;
	char text[512];
	void *address;

	if (hpmap_map(buffer, HPMAP_READ_ONLY, &address))
		return;
	maps = fopen("/proc/self/maps", "re");
	while (maps && fgets(text, sizeof(text), maps)) {
		if (!line_read(text, &line) || line.start != (unsigned long)address)
			continue;
		s->identities = more(s->identities, s->nr_identities, sizeof(*s->identities));
		s->identities[s->nr_identities] = (struct identity){
			.id = id, .from = line.offset, .to = line.offset + hpmap_length(buffer),
		};
		memcpy(s->identities[s->nr_identities++].file, line.file, sizeof(line.file));
		break;
	}
	if (maps)
		fclose(maps);
}

static void learn_named(struct scan *s)
{
	struct hpmap_info info = { .size = sizeof(info) };
	struct hpmap_buffer *buffer;
	uint32_t id;

	for (id = 0; !hpmap_next(id, &info); id = info.id + 1) {
		if (!(info.attributes & (HPMAP_ATTR_NAMED | HPMAP_ATTR_DEFAULT)))
			continue;
		if (hpmap_open(info.attributes & HPMAP_ATTR_NAMED ? info.name : NULL,
			       HPMAP_READ_ONLY, &buffer))
			continue;
		learn(s, buffer, info.id);
		hpmap_free(buffer);
	}
}

/* Borrow a descriptor of another process, which is for root. */
static void learn_of(struct scan *s, pid_t pid, int fd, uint32_t id)
{
	struct hpmap_buffer *buffer;
	int process, copy = -1;

	if (known(s, id))
		return;
	process = syscall(SYS_pidfd_open, pid, 0);
	if (process >= 0)
		copy = syscall(SYS_pidfd_getfd, process, fd, 0);
	if (copy >= 0 && !hpmap_from_fd(copy, &buffer)) {
		learn(s, buffer, id);
		hpmap_free(buffer);
	}
	if (copy >= 0)
		close(copy);
	if (process >= 0)
		close(process);
}

static struct holder *holder_of(struct scan *s, pid_t pid, uint32_t id)
{
	struct holder *h;
	size_t i;

	for (i = 0; i < s->nr_holders; i++)
		if (s->holders[i].pid == pid && s->holders[i].id == id)
			return &s->holders[i];
	s->holders = more(s->holders, s->nr_holders, sizeof(*s->holders));
	h = &s->holders[s->nr_holders++];
	*h = (struct holder){ .pid = pid, .id = id };
	process_name(pid, h->comm);
	return h;
}

/* Descriptors of one process. Returns -errno if they may not be looked at. */
static int scan_descriptors(struct scan *s, pid_t pid)
{
	char path[64], text[1024], *at;
	struct dirent *entry;
	uint32_t id;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)*entry->d_name) ||
		    file_read(text, sizeof(text), "%s/%.20s", path, entry->d_name) <= 0)
			continue;
		at = strstr(text, "hpage_map-id:");
		if (!at)
			continue;
		id = strtoul(at + strlen("hpage_map-id:"), NULL, 10);
		holder_of(s, pid, id)->descriptors++;
		learn_of(s, pid, atoi(entry->d_name), id);
	}
	closedir(dir);
	return 0;
}

static void scan_mappings(struct scan *s, pid_t pid)
{
	char path[64], text[1024];
	struct holder *h;
	struct line line;
	uint32_t id;
	size_t i;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && fgets(text, sizeof(text), maps)) {
		if (!line_read(text, &line))
			continue;
		for (i = 0, id = 0; i < s->nr_identities && !id; i++)
			if (!strcmp(s->identities[i].file, line.file) &&
			    line.offset >= s->identities[i].from &&
			    line.offset < s->identities[i].to)
				id = s->identities[i].id;
		h = holder_of(s, pid, id);
		h->mappings++;
		h->mapped += line.length;
	}
	if (maps)
		fclose(maps);
}

/*
 * All processes, for their descriptors or their mappings. Returns how many were closed to us,
 * -1 without /proc.
 */
static int scan_all(struct scan *s, bool descriptors)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int closed = 0;
	bool any = false;
	pid_t pid;

	while (dir && (entry = readdir(dir))) {
		pid = atoi(entry->d_name);
		any |= pid > 0;
		if (pid <= 0 || pid == getpid())
			continue;
		if (!descriptors)
			scan_mappings(s, pid);
		else if (scan_descriptors(s, pid) == -EACCES)
			closed++;
	}
	if (dir)
		closedir(dir);
	return any ? closed : -1;
}

/*
 * Find all holders; free() the array. Descriptors come first, since they tell
 * what the mappings are. Returns how many processes could not be looked at,
 * or -1 without /proc.
 */
int holders_find(struct holder **holders, size_t *nr)
{
	struct scan s = {};
	int closed;

	learn_named(&s);
	closed = scan_all(&s, true);
	scan_all(&s, false);
	free(s.identities);
	*holders = s.holders;
	*nr = s.nr_holders;
	return closed;
}
