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

/* Read a small file whole, without the newline at its end. Returns its length or -errno. */
ssize_t read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
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

/* A line "NAME: N kB" of /proc/meminfo, in bytes; 0 if there is none. */
static uint64_t meminfo(const char *name)
{
	char text[8192], *line;

	if (read_file("/proc/meminfo", text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, name);
	return line ? strtoull(line + strlen(name), NULL, 10) << 10 : 0;
}

/* What one entry of a page middle directory maps. */
uint64_t pmd_size(void)
{
	uint64_t size = 0;

	if (!read_u64("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", &size) && size)
		return size;
	/* Without transparent huge pages, the usual size of the pool is that. */
	size = meminfo("\nHugepagesize:");
	return size ? size : 2 << 20;
}

uint64_t memory_available(void)
{
	return meminfo("\nMemAvailable:");
}

bool node_has_memory(int node)
{
	char path[64];

	if (node < 0)
		return false;
	snprintf(path, sizeof(path), NODES "/node%d/meminfo", node);
	return !access(path, F_OK) || (node == 0 && access(NODES, F_OK));
}

/* The node of a PCI or platform device; -1 if the machine does not say. */
int device_node(const char *name, int *node)
{
	static const char *const buses[] = { "pci", "platform" };
	char path[320], text[16];
	size_t i;

	for (i = 0; *name && !strchr(name, '/') && i < 2; i++) {
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
	DIR *dir = opendir(POOLS);

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

/* The figures of a pool, or -ENOENT without a word. */
int read_pool(uint64_t page_size, int node, struct hpmap_pool *p)
{
	char dir[128];

	pool_dir(dir, sizeof(dir), page_size, node);
	*p = (struct hpmap_pool){ .size = sizeof(*p) };
	if (figure(dir, "nr_hugepages", &p->total) || figure(dir, "free_hugepages", &p->free) ||
	    figure(dir, "surplus_hugepages", &p->surplus))
		return -ENOENT;
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
	if (read_pool(page_size, node, &p)) {
		pool_dir(dir, sizeof(dir), page_size, node);
		return fail(-ENOENT, "there is no %s (try: ls " POOLS ")", dir);
	}
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
	if (access("/sys/class/hpage_map_reserve", F_OK))
		return fail(-ENOTSUP, "a reserve needs the module hpage_map, which is not loaded "
			    "(try: modprobe hpage_map)");
	snprintf(dir, sizeof(dir), "/sys/class/hpage_map_reserve/%s-%llukB-node%d",
		 backing == HPMAP_BACKING_THP ? "thp" : "hugetlb",
		 (unsigned long long)page_size >> 10, node);
	if (figure(dir, "pages", &r.asked) || figure(dir, "ready", &r.ready))
		return fail(-ENOENT, "there is no %s (try: ls /sys/class/hpage_map_reserve)", dir);
	struct_out(reserve, &r, sizeof(r));
	return 0;
}
