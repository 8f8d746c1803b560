// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which processes hold buffers, from /proc.
 *
 * A descriptor has the id of its buffer in /proc/PID/fdinfo. A mapping is one of
 * a file /hpage_map in /proc/PID/maps, with a number that all mappings of a
 * buffer have in common. To learn that number a buffer is mapped here: those
 * that can be opened by name, and those of which some process has a descriptor,
 * which root can borrow.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../lib/hpage_map.h"
#include "buffer.h"
#include "file.h"
#include "holders.h"

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
 * struct mapping - a line of /proc/PID/maps
 * @start: first address
 * @length: bytes
 * @offset: bytes
 * @file: device and inode
 */
struct mapping {
	unsigned long start;
	uint64_t length;
	uint64_t offset;
	char file[48];
};

/* Is this a mapping of the module? */
static bool mapping_read(const char *text, struct mapping *m)
{
	unsigned long end;
	unsigned long long offset, inode;
	char device[16], name[32] = "";

	if (sscanf(text, "%lx-%lx %*4s %llx %15s %llu %31s", &m->start, &end, &offset, device,
		   &inode, name) != 6 || strcmp(name, "/hpage_map"))
		return false;
	m->length = end - m->start;
	m->offset = offset;
	snprintf(m->file, sizeof(m->file), "%s %llu", device, inode);
	return true;
}

/* Room for one more element. */
static void *array_grow(void *array, size_t nr, size_t size)
{
	/* It doubles. */
	if (nr & (nr - 1))
		return array;
	array = realloc(array, (nr ? 2 * nr : 1) * size);
	if (!array)
		abort();
	return array;
}

static bool identity_is_known(const struct scan *s, uint32_t id)
{
	size_t i;

	for (i = 0; i < s->nr_identities; i++)
		if (s->identities[i].id == id)
			return true;
	return false;
}

/* Map the buffer, and see how that looks. */
static void identity_learn(struct scan *s, struct hpmap_buffer *buffer, uint32_t id)
{
	FILE *maps;
	struct mapping m;
	char text[512];
	void *address;

	if (hpmap_map(buffer, HPMAP_READ_ONLY, &address))
		return;
	maps = fopen("/proc/self/maps", "re");
	while (maps && fgets(text, sizeof(text), maps)) {
		if (!mapping_read(text, &m) || m.start != (unsigned long)address)
			continue;
		s->identities = array_grow(s->identities, s->nr_identities, sizeof(*s->identities));
		s->identities[s->nr_identities] = (struct identity){
			.id = id, .from = m.offset, .to = m.offset + hpmap_size(buffer),
		};
		memcpy(s->identities[s->nr_identities++].file, m.file, sizeof(m.file));
		break;
	}
	if (maps)
		fclose(maps);
}

static void identities_learn_named(struct scan *s)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	struct hpmap_buffer *buffer;
	uint32_t id;

	for (id = 0; !hpmap_next(id, &info); id = info.id + 1) {
		if (!buffer_has_node(&info) || buffer_open(&info, &buffer))
			continue;
		identity_learn(s, buffer, info.id);
		hpmap_close(buffer);
	}
}

/* Borrow a descriptor of another process, which is for root. */
static void identity_borrow(struct scan *s, pid_t pid, int fd, uint32_t id)
{
	struct hpmap_buffer *buffer;
	int process, copy = -1;

	if (identity_is_known(s, id))
		return;
	process = syscall(SYS_pidfd_open, pid, 0);
	if (process >= 0)
		copy = syscall(SYS_pidfd_getfd, process, fd, 0);
	if (copy >= 0 && !hpmap_from_fd(copy, &buffer)) {
		identity_learn(s, buffer, id);
		hpmap_close(buffer);
	}
	if (copy >= 0)
		close(copy);
	if (process >= 0)
		close(process);
}

static struct holder *holder_get(struct scan *s, pid_t pid, uint32_t id)
{
	struct holder *h;
	size_t i;

	for (i = 0; i < s->nr_holders; i++)
		if (s->holders[i].pid == pid && s->holders[i].id == id)
			return &s->holders[i];
	s->holders = array_grow(s->holders, s->nr_holders, sizeof(*s->holders));
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
		holder_get(s, pid, id)->descriptors++;
		identity_borrow(s, pid, atoi(entry->d_name), id);
	}
	closedir(dir);
	return 0;
}

static void scan_mappings(struct scan *s, pid_t pid)
{
	char path[64], text[1024];
	struct holder *h;
	struct mapping m;
	uint32_t id;
	size_t i;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && fgets(text, sizeof(text), maps)) {
		if (!mapping_read(text, &m))
			continue;
		for (i = 0, id = 0; i < s->nr_identities && !id; i++)
			if (!strcmp(s->identities[i].file, m.file) &&
			    m.offset >= s->identities[i].from &&
			    m.offset < s->identities[i].to)
				id = s->identities[i].id;
		h = holder_get(s, pid, id);
		h->mappings++;
		h->mapped += m.length;
	}
	if (maps)
		fclose(maps);
}

/*
 * All processes, for their descriptors or their mappings. Returns how many were closed to us,
 * -1 without /proc.
 */
static int scan_processes(struct scan *s, bool descriptors)
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
 * Find all holders; free() the array. Descriptors come first, since they have
 * the ids. Returns how many processes could not be looked at,
 * or -1 without /proc.
 */
int holders_find(struct holder **holders, size_t *nr)
{
	struct scan s = {};
	int closed;

	identities_learn_named(&s);
	closed = scan_processes(&s, true);
	scan_processes(&s, false);
	free(s.identities);
	*holders = s.holders;
	*nr = s.nr_holders;
	return closed;
}
