// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the machine says of its huge pages, nodes and devices. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define POOLS	"/sys/kernel/mm/hugepages"
#define NODES	"/sys/devices/system/node"

/* Read a small file, without the newline at its end. Returns the length or -errno. */
ssize_t read_file(const char *path, char *text, size_t size)
{
	int fd = open_file(path, O_RDONLY);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	do {
		got = read(fd, text + n, size - 1 - n);
		if (got > 0)
			n += got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	got = got < 0 ? -errno : 0;
	close(fd);
	if (got < 0)
		return got;
	if (n && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	return n;
}

int read_u64(const char *path, uint64_t *value)
{
	char text[32], *end;
	ssize_t n = read_file(path, text, sizeof(text));

	if (n < 0)
		return n;
	*value = strtoull(text, &end, 10);
	return end == text ? -EINVAL : 0;
}

uint64_t base_page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* What one entry of a page middle directory maps. */
uint64_t pmd_size(void)
{
	static const char name[] = "\nHugepagesize:";
	char text[4096], *line;
	uint64_t size = 0;

	if (!read_u64("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", &size) && size)
		return size;
	/* Without transparent huge pages, the usual size of the pool is that. */
	line = read_file("/proc/meminfo", text, sizeof(text)) < 0 ? NULL : strstr(text, name);
	size = line ? strtoull(line + strlen(name), NULL, 10) << 10 : 0;
	return size ? size : 2 << 20;
}

bool node_has_memory(int node)
{
	char path[64];

	if (node < 0)
		return false;
	snprintf(path, sizeof(path), NODES "/node%d/meminfo", node);
	return !access(path, F_OK) || (node == 0 && access(NODES, F_OK));
}

/* The highest node that there can be: the last number of a list as "0" or "0-1". */
int highest_node(void)
{
	char text[8192];
	size_t at;

	if (read_file(NODES "/possible", text, sizeof(text)) <= 0)
		return 0;
	at = strlen(text);
	while (at && isdigit(text[at - 1]))
		at--;
	return atoi(text + at) < MAX_NODES ? atoi(text + at) : MAX_NODES - 1;
}

/* The one node that has memory; -1 if there are several. */
int only_node(void)
{
	int node, last = highest_node(), only = -1;

	for (node = 0; node <= last; node++) {
		if (!node_has_memory(node))
			continue;
		if (only >= 0)
			return -1;
		only = node;
	}
	return only;
}

/* The node of a PCI or platform device; -1 if the machine does not say. */
int device_node(const char *name, int *node)
{
	static const char *const buses[] = { "pci", "platform" };
	char path[320], text[16];
	size_t i;

	for (i = 0; *name && *name != '.' && !strchr(name, '/') && i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%.200s", buses[i], name);
		if (access(path, F_OK))
			continue;
		strcat(path, "/numa_node");
		*node = read_file(path, text, sizeof(text)) < 0 ? -1 : atoi(text);
		return 0;
	}
	return -ENODEV;
}

/* The rule of the module. */
bool name_valid(const char *name)
{
	const char *c;

	for (c = name; *c; c++)
		if (!(isascii(*c) && isalnum(*c)) && !(c > name && strchr("._-", *c)))
			return false;
	return c > name && c - name < HPMAP_NAME_SIZE;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

PUBLIC int hpmap_page_sizes(uint64_t *sizes, unsigned int *nr)
{
	uint64_t all[32];
	unsigned long long kb;
	unsigned int n = 0, i;
	struct dirent *entry;
	DIR *dir;

	if (*nr && !sizes)
		return fail(-EFAULT, "hpmap_page_sizes: the array is NULL");
	do {
		dir = opendir(POOLS);
	} while (!dir && errno == EINTR);
	if (!dir && errno != ENOENT)
		return fail(-errno, POOLS ": %s", strerror(errno));
	while (dir && n < 32 && (entry = readdir(dir)))
		if (sscanf(entry->d_name, "hugepages-%llukB", &kb) == 1)
			all[n++] = kb << 10;
	if (dir)
		closedir(dir);
	qsort(all, n, sizeof(*all), compare);
	for (i = 0; i < n && i < *nr; i++)
		sizes[i] = all[i];
	*nr = n;
	return 0;
}

static int figure(const char *dir, const char *name, uint64_t *value)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return read_u64(path, value);
}

static void pool_dir(char *dir, size_t room, uint64_t page_size, int node)
{
	unsigned long long kb = page_size >> 10;

	if (node < 0)
		snprintf(dir, room, POOLS "/hugepages-%llukB", kb);
	else
		snprintf(dir, room, NODES "/node%d/hugepages/hugepages-%llukB", node, kb);
}

/* The figures of a pool, or -errno without a word; -ENOENT if there is none. */
int read_pool(uint64_t page_size, int node, struct hpmap_pool *p)
{
	char dir[128];
	int ret;

	if (page_size % 1024)
		return -ENOENT;
	pool_dir(dir, sizeof(dir), page_size, node);
	*p = (struct hpmap_pool){ .size = sizeof(*p) };
	ret = figure(dir, "nr_hugepages", &p->total);
	if (!ret)
		ret = figure(dir, "free_hugepages", &p->free);
	if (!ret)
		ret = figure(dir, "surplus_hugepages", &p->surplus);
	if (ret)
		return ret;
	/* These a node does not have. */
	figure(dir, "resv_hugepages", &p->promised);
	figure(dir, "nr_overcommit_hugepages", &p->overcommit);
	return 0;
}

PUBLIC int hpmap_pool(uint64_t page_size, int node, struct hpmap_pool *pool)
{
	struct hpmap_pool p;
	char dir[128];
	int ret = struct_check(pool, sizeof(p), sizeof(p));

	if (ret)
		return ret;
	if (node < -1)
		return fail(-EINVAL, "%d is no node (try: -1 for the whole machine)", node);
	ret = read_pool(page_size, node, &p);
	pool_dir(dir, sizeof(dir), page_size, node);
	if (ret == -ENOENT && page_size % 1024)
		return fail(ret, "there are no pages of %llu bytes (try: ls " POOLS ")",
			    (unsigned long long)page_size);
	if (ret == -ENOENT)
		return fail(ret, "there is no %s (try: ls %s)", dir, node < 0 ? POOLS : NODES);
	if (ret)
		return fail(ret, "%s: %s", dir, strerror(-ret));
	struct_out(pool, &p, sizeof(p));
	return 0;
}

PUBLIC int hpmap_reserve(enum hpmap_backing backing, uint64_t page_size, int node,
			 struct hpmap_reserve *reserve)
{
	struct hpmap_reserve r = {};
	char dir[128];
	int ret = struct_check(reserve, sizeof(r), sizeof(r));

	if (ret)
		return ret;
	if (backing != HPMAP_BACKING_HUGETLB && backing != HPMAP_BACKING_THP)
		return fail(-EINVAL, "a reserve is of hugetlb or thp pages");
	if (access("/sys/class", F_OK))
		return fail(-ENOTSUP, "reserves cannot be seen without /sys (try: sudo mount -t "
			    "sysfs sysfs /sys)");
	if (access("/sys/class/hpage_map_reserve", F_OK))
		return fail(-ENOTSUP, "a reserve needs the module hpage_map, which is not loaded "
			    "(try: modprobe hpage_map)");
	snprintf(dir, sizeof(dir), "/sys/class/hpage_map_reserve/%s-%llukB-node%d",
		 backing == HPMAP_BACKING_THP ? "thp" : "hugetlb",
		 (unsigned long long)page_size >> 10, node);
	ret = page_size % 1024 ? -ENOENT : figure(dir, "pages", &r.asked);
	if (!ret)
		ret = figure(dir, "ready", &r.ready);
	if (ret == -ENOENT && page_size % 1024)
		return fail(ret, "there are no pages of %llu bytes (try: ls " POOLS ")",
			    (unsigned long long)page_size);
	if (ret == -ENOENT)
		return fail(ret, "there is no %s (try: ls /sys/class/hpage_map_reserve)", dir);
	if (ret)
		return fail(ret, "%s: %s", dir, strerror(-ret));
	struct_out(reserve, &r, sizeof(r));
	return 0;
}
