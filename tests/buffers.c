// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NODE_DIR	"/sys/devices/system/node/"

char answer[HPAGE_MAP_TEXT_SIZE];

/* --- asking ------------------------------------------------------------- */

struct hpage_map_alloc wish(uint64_t length, uint64_t page_size, uint32_t flags)
{
	return (struct hpage_map_alloc){
		.size = sizeof(struct hpage_map_alloc),
		.flags = flags,
		.length = length,
		.page_size = page_size,
		.text = (uintptr_t)answer,
		.text_size = sizeof(answer),
		.fd = -1,
	};
}

struct hpage_map_alloc wish_on(struct hpage_map_alloc a, uint32_t policy, int node)
{
	a.policy = policy;
	a.node = node;
	return a;
}

int try_alloc(struct hpage_map_alloc *a)
{
	int door = dev_open(HPAGE_MAP_O_DOOR);
	int ret = ioctl(door, HPAGE_MAP_ALLOC, a) ? -errno : 0;

	close(door);
	return ret;
}

void check_alloc(const char *file, int line, struct hpage_map_alloc *a, int want)
{
	int ret = try_alloc(a);

	if (ret == want)
		return;
	printf("# alloc gives %d (%s), not %d: %s\n", ret, strerror(-ret), want, answer);
	check_failed(file, line, "alloc", -ret);
}

void check_says(const char *file, int line, const char *what)
{
	char text[sizeof(answer) + 128];

	if (strstr(answer, what))
		return;
	snprintf(text, sizeof(text), "\"%s\" is in the answer \"%s\"", what, answer);
	check_failed(file, line, text, 0);
}

size_t page_of(enum hpage_map_backing backing)
{
	return backing == HPAGE_MAP_BACKING_BASE ? base_page : pmd_size;
}

struct hpage_map_alloc wish_of(enum hpage_map_backing backing, size_t nr_pages,
				  uint32_t flags)
{
	size_t page = page_of(backing);

	return wish(nr_pages * page, page, flags);
}

int alloc_on(enum hpage_map_backing backing, size_t nr_pages, uint32_t flags)
{
	struct hpage_map_alloc a = wish_of(backing, nr_pages, flags);

	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, backing);
	CHECK_EQ(a.got_length, nr_pages * page_of(backing));
	return a.fd;
}

char *map_answer(const struct hpage_map_alloc *a)
{
	return map(a->fd, a->got_length, RW, MAP_SHARED | MAP_POPULATE, 0);
}

/* --- nodes -------------------------------------------------------------- */

int nr_nodes(void)
{
	char path[64];
	int nr = 0;

	do {
		snprintf(path, sizeof(path), NODE_DIR "node%d", nr);
	} while (access(path, F_OK) == 0 && ++nr);
	return nr;
}

uint64_t pages_on(int fd, int node)
{
	uint64_t pages[64] = {};
	struct hpage_map_nodes nodes = {
		.size = sizeof(nodes),
		.pages = (uintptr_t)pages,
		.nr = sizeof(pages) / sizeof(*pages),
	};

	CHECK_EQ(ioctl(fd, HPAGE_MAP_NODES, &nodes), 0);
	return pages[node];
}

/* As mm/ says, which knows nothing of the driver. */
int node_of(const void *addr)
{
	int node = -1;

	CHECK_EQ(syscall(SYS_get_mempolicy, &node, NULL, 0, addr, MPOL_F_NODE | MPOL_F_ADDR), 0);
	return node;
}

void check_nodes(const struct hpage_map_alloc *a, uint64_t on_0, uint64_t on_1)
{
	uint64_t on[2] = {};
	char *p = map_answer(a);

	for (size_t pos = 0; pos < a->got_length; pos += a->got_page_size) {
		int node = node_of(p + pos);

		CHECK(node == 0 || node == 1);
		on[node]++;
	}
	munmap(p, a->got_length);
	if (on[0] != on_0 || on[1] != on_1)
		printf("# %llu pages on node 0 and %llu on node 1: %s\n",
		       (unsigned long long)on[0], (unsigned long long)on[1], answer);
	CHECK_EQ(on[0], on_0);
	CHECK_EQ(on[1], on_1);
	CHECK_EQ(pages_on(a->fd, 0), on_0);
	CHECK_EQ(pages_on(a->fd, 1), on_1);
	CHECK_EQ(a->got_node, !on_1 ? 0 : !on_0 ? 1 : HPAGE_MAP_NODE_MIXED);
}

static void node_path(char *path, size_t size, int node, const char *name)
{
	snprintf(path, size, NODE_DIR "node%d/hugepages/hugepages-%zukB/%s_hugepages", node,
		 pmd_size / 1024, name);
}

uint64_t node_pool(int node, const char *name)
{
	char path[128];

	node_path(path, sizeof(path), node, name);
	return read_u64(path);
}

uint64_t node_memory(int node, const char *name)
{
	char path[64], text[8192], *line;

	snprintf(path, sizeof(path), NODE_DIR "node%d/meminfo", node);
	read_text(path, text, sizeof(text));
	line = strstr(text, name);
	CHECK(line);
	return strtoull(line + strlen(name), NULL, 10) * 1024;
}

void tidy_memory(void)
{
	CHECK_EQ(write_text("/proc/sys/vm/drop_caches", "3"), 0);
	CHECK_EQ(write_text("/proc/sys/vm/compact_memory", "1"), 0);
}

uint64_t ask_node_pool(int node, uint64_t pages)
{
	char path[128], text[32];

	node_path(path, sizeof(path), node, "nr");
	snprintf(text, sizeof(text), "%llu", (unsigned long long)pages);
	CHECK_EQ(write_text(path, text), 0);
	return node_pool(node, "nr");
}

void set_node_pool(int node, uint64_t pages)
{
	for (int i = 0; i < 3 && ask_node_pool(node, pages) != pages; i++)
		tidy_memory();
	CHECK_EQ(node_pool(node, "nr"), pages);
}

/* --- addresses ---------------------------------------------------------- */

size_t runs_of(int fd, struct hpage_map_run *runs, size_t max)
{
	struct hpage_map_runs r = {
		.size = sizeof(r), .runs = (uintptr_t)runs, .nr = max,
	};

	CHECK_EQ(ioctl(fd, HPAGE_MAP_RUNS, &r), 0);
	return r.nr;
}

/* Where nr base pages from addr on are, as /proc/self/pagemap has it. */
static void read_pagemap(const void *addr, size_t nr, uint64_t *entries)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	CHECK_GE(fd, 0);
	CHECK_EQ(pread(fd, entries, nr * 8, (uintptr_t)addr / base_page * 8), (ssize_t)nr * 8);
	close(fd);
}

void check_addresses(const struct hpage_map_alloc *a)
{
	size_t nr = a->got_length / a->got_page_size, left = 0, r = 0;
	size_t nr_base = a->got_length / base_page;
	struct hpage_map_run *runs = calloc(nr, sizeof(*runs));
	uint64_t *entries = calloc(nr_base, sizeof(*entries)), at = 0;
	char *p = map_answer(a);

	CHECK(runs);
	CHECK(entries);
	CHECK_EQ(runs_of(a->fd, runs, nr), a->got_runs);
	read_pagemap(p, nr_base, entries);
	for (size_t i = 0; i < nr_base; i++) {
		if (!left) {
			at = runs[r].address;
			left = runs[r++].length;
		}
		CHECK(entries[i] >> 63);
		CHECK_EQ(entries[i] << 9 >> 9, at / base_page);
		at += base_page;
		left -= base_page;
		if (a->got_attributes & HPAGE_MAP_ATTR_BELOW_4G)
			CHECK_LE(at, 1ULL << 32);
	}
	CHECK(!left);
	CHECK_EQ(r, a->got_runs);
	munmap(p, a->got_length);
	free(entries);
	free(runs);
}

/* --- others who take pages ------------------------------------------------ */

static void prefer(int node)
{
	unsigned long mask = 1UL << node;

	CHECK_EQ(syscall(SYS_set_mempolicy, node < 0 ? MPOL_DEFAULT : MPOL_BIND,
			 node < 0 ? NULL : &mask, node < 0 ? 0 : 8 * sizeof(mask)), 0);
}

void hoard(struct hoard *h, size_t nr, int node)
{
	int shift = __builtin_ctzl(pmd_size);

	h->nr = nr;
	h->fd = memfd_create("hoard", MFD_CLOEXEC | MFD_HUGETLB | shift << 26);
	CHECK_GE(h->fd, 0);
	prefer(node);
	CHECK_EQ(ftruncate(h->fd, nr * pmd_size), 0);
	CHECK_EQ(fallocate(h->fd, 0, 0, nr * pmd_size), 0);
	prefer(-1);
	h->p = map(h->fd, nr * pmd_size, RW, MAP_SHARED | MAP_POPULATE, 0);
	h->pfn = calloc(nr, sizeof(*h->pfn));
	for (size_t i = 0; i < nr; i++)
		h->pfn[i] = pfn_of(h->p + i * pmd_size);
}

void hoard_drop(struct hoard *h, size_t page)
{
	CHECK_EQ(fallocate(h->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page * pmd_size,
			   pmd_size), 0);
}

void hoard_free(struct hoard *h)
{
	munmap(h->p, h->nr * pmd_size);
	close(h->fd);
	free(h->pfn);
}

/* --- who asks ------------------------------------------------------------- */

void become(uid_t uid, size_t memlock)
{
	struct rlimit limit = { memlock, memlock };

	CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	CHECK_EQ(setgroups(0, NULL), 0);
	CHECK_EQ(setresgid(uid, uid, uid), 0);
	CHECK_EQ(setresuid(uid, uid, uid), 0);
}

void drop_capability(int cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	CHECK_EQ(syscall(SYS_capget, &header, data), 0);
	data[cap / 32].effective &= ~(1U << cap % 32);
	CHECK_EQ(syscall(SYS_capset, &header, data), 0);
}

void make_group(const char *controllers)
{
	CHECK_EQ(write_text(GROUP_ROOT "cgroup.subtree_control", controllers), 0);
	rmdir(GROUP);	/* of a test that failed */
	CHECK_EQ(mkdir(GROUP, 0755), 0);
}

void enter_group(void)
{
	CHECK_EQ(write_text(GROUP "cgroup.procs", "0"), 0);
}

void leave_group(void)
{
	CHECK_EQ(write_text(GROUP_ROOT "cgroup.procs", "0"), 0);
}

void remove_group(void)
{
	CHECK_COMES(rmdir(GROUP) == 0 || errno == ENOENT);
}

uint64_t vmstat(const char *key)
{
	static char text[65536];
	char *line;

	read_text("/proc/vmstat", text, sizeof(text));
	line = strstr(text, key);
	CHECK(line);
	return strtoull(line + strlen(key), NULL, 10);
}
