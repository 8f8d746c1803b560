// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "lent.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY	65534

/* --- buffers ------------------------------------------------------------ */

/* A descriptor or -errno; text has room for why. */
static int try_lend(size_t len, size_t page_size, unsigned int flags, char *text)
{
	struct hpage_map_alloc a = {
		.size = sizeof(a),
		.flags = flags,
		.length = len,
		.page_size = page_size,
		.text = (uintptr_t)text,
		.text_size = HPAGE_MAP_TEXT_SIZE,
	};
	int door = dev_open(HPAGE_MAP_O_DOOR);
	int ret = ioctl(door, HPAGE_MAP_ALLOC, &a) ? -errno : a.fd;

	close(door);
	return ret;
}

int lend(size_t len, size_t page_size, unsigned int flags)
{
	char text[HPAGE_MAP_TEXT_SIZE] = "";
	int ret = try_lend(len, page_size, flags, text);

	if (ret < 0) {
		printf("# no buffer of %zu bytes: %s\n", len, text);
		errno = -ret;
	}
	CHECK_GE(ret, 0);
	return ret;
}

int lend_run(size_t nr_pages, unsigned int flags)
{
	char text[HPAGE_MAP_TEXT_SIZE] = "";
	int ret;

	flags |= HPAGE_MAP_CONTIGUOUS | HPAGE_MAP_EXACT;
	for (size_t pages = 2 * nr_pages; pages <= 1024; pages *= 2) {
		if (pool_of(pmd_size, "nr") < pages)
			set_pool(pmd_size, "nr", pages);
		ret = try_lend(nr_pages * pmd_size, pmd_size, flags, text);
		if (ret >= 0)
			return ret;
		tidy_memory();
	}
	printf("# no run of %zu pages: %s\n", nr_pages, text);
	CHECK(!"a run");
	return -1;
}

struct hpage_map_info facts_of(int fd)
{
	struct hpage_map_info info = { .size = sizeof(info) };

	CHECK_EQ(ioctl(fd, HPAGE_MAP_INFO, &info), 0);
	return info;
}

size_t get_runs(int fd, struct hpage_map_run *runs, size_t room)
{
	struct hpage_map_runs r = {
		.size = sizeof(r),
		.runs = (uintptr_t)runs,
		.nr = room,
	};

	CHECK_EQ(ioctl(fd, HPAGE_MAP_RUNS, &r), 0);
	return r.nr;
}

/* Of a pool that has no others, every second page of those that it gives first. */
int lend_scattered(size_t nr_pages, unsigned int flags)
{
	int *one = calloc(2 * nr_pages, sizeof(*one)), fd;

	for (size_t i = 0; i < 2 * nr_pages; i++)
		one[i] = lend(pmd_size, pmd_size, HPAGE_MAP_EXACT | flags);
	CHECK_EQ(set_pool(pmd_size, "nr", 2 * nr_pages), 0);
	for (size_t i = 0; i < 2 * nr_pages; i += 2)
		close(one[i]);
	fd = lend(nr_pages * pmd_size, pmd_size, HPAGE_MAP_EXACT | flags);
	for (size_t i = 1; i < 2 * nr_pages; i += 2)
		close(one[i]);
	free(one);
	return fd;
}

unsigned int count_buffers(void)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	int door = dev_open(HPAGE_MAP_O_DOOR);
	unsigned int n = 0;

	while (!ioctl(door, HPAGE_MAP_LIST, &info)) {
		info.id++;
		n++;
	}
	CHECK_EQ(errno, ENOENT);
	close(door);
	return n;
}

struct hpage_map_info first_buffer(void)
{
	struct hpage_map_info info = {};
	int door = dev_open(HPAGE_MAP_O_DOOR);

	CHECK(next_buffer(door, &info));
	close(door);
	return info;
}

int try_export_part(int fd, unsigned int flags, uint64_t offset, uint64_t length)
{
	struct hpage_map_export e = {
		.size = sizeof(e),
		.flags = flags,
		.fd = -1,
		.offset = offset,
		.length = length,
	};

	return ioctl(fd, HPAGE_MAP_EXPORT, &e) ? -errno : e.fd;
}

int try_export(int fd)
{
	return try_export_part(fd, 0, 0, 0);
}

int export_of(int fd)
{
	return export_part(fd, 0, 0, 0);
}

int export_part(int fd, unsigned int flags, uint64_t offset, uint64_t length)
{
	int ret = try_export_part(fd, flags, offset, length);

	errno = -ret;
	CHECK_GE(ret, 0);
	return ret;
}

char *map_at(void *addr, int fd, size_t len, int prot, int flags, off_t off)
{
	char *p = mmap(addr, len, prot, flags | MAP_FIXED, fd, off);

	CHECK_EQ(p, addr);
	return p;
}

int importer_open(void)
{
	int fd = open("/dev/hpm_importer", O_RDWR | O_CLOEXEC);

	CHECK_GE(fd, 0);
	return fd;
}

struct importer_attach attach(int importer, int dmabuf)
{
	struct importer_attach a = { .fd = dmabuf };

	CHECK_EQ(ioctl(importer, IMPORTER_ATTACH, &a), 0);
	return a;
}

int import(int dmabuf)
{
	int importer = importer_open();

	CHECK_EQ(attach(importer, dmabuf).bytes, (uint64_t)lseek(dmabuf, 0, SEEK_END));
	return importer;
}

int try_pin(const void *addr, size_t len, char *text)
{
	struct hpage_map_pin p = {
		.size = sizeof(p),
		.address = (uintptr_t)addr,
		.length = len,
		.text = (uintptr_t)text,
		.text_size = text ? HPAGE_MAP_TEXT_SIZE : 0,
	};
	int door = dev_open(HPAGE_MAP_O_DOOR);
	int ret = ioctl(door, HPAGE_MAP_PIN, &p) ? -errno : p.fd;

	close(door);
	return ret;
}

int pin(const void *addr, size_t len)
{
	char text[HPAGE_MAP_TEXT_SIZE] = "";
	int ret = try_pin(addr, len, text);

	if (ret < 0)
		printf("# not pinned: %s\n", text);
	errno = -ret;
	CHECK_GE(ret, 0);
	return ret;
}

int try_dma_map(int fd, const char *device, unsigned int flags)
{
	struct hpage_map_dma_map d = { .size = sizeof(d), .flags = flags };

	strncpy(d.device, device, sizeof(d.device) - 1);
	return ioctl(fd, HPAGE_MAP_DMA_MAP, &d) ? -errno : d.fd;
}

int try_dma_sync(int fd, unsigned int flags, uint64_t offset, uint64_t length)
{
	struct hpage_map_dma_sync s = {
		.size = sizeof(s),
		.flags = flags,
		.offset = offset,
		.length = length,
	};

	return ioctl(fd, HPAGE_MAP_DMA_SYNC, &s) ? -errno : 0;
}

bool want_pool(uint64_t pages)
{
	for (int try = 0; try < 4; try++) {
		if (!set_pool(pmd_size, "nr", pages) && pool_of(pmd_size, "free") == pages)
			return true;
		write_text("/proc/sys/vm/compact_memory", "1");
	}
	printf("# the pool has %llu pages\n", (unsigned long long)pool_of(pmd_size, "free"));
	return false;
}

/* --- contents ------------------------------------------------------------ */

void check_file_holds(int fd, const void *p, size_t len, off_t off)
{
	char *own = malloc(len);

	CHECK(own);
	CHECK_EQ(pread(fd, own, len, off), (ssize_t)len);
	CHECK_EQ(memcmp(own, p, len), 0);
	free(own);
}

uint64_t sum_of(const void *p, size_t len)
{
	const uint64_t *w = p;
	uint64_t sum = 0;

	for (size_t i = 0; i < len / 8; i++)
		sum = (sum << 1 | sum >> 63) + w[i];
	return sum;
}

/* --- users ---------------------------------------------------------------- */

void become_nobody(size_t memlock)
{
	const struct rlimit r = { memlock, memlock };

	CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &r), 0);
	CHECK_EQ(setgroups(0, NULL), 0);
	CHECK_EQ(setresgid(NOBODY, NOBODY, NOBODY), 0);
	CHECK_EQ(setresuid(NOBODY, NOBODY, NOBODY), 0);
	prctl(PR_SET_DUMPABLE, 1);
}

/* --- modules and the log ---------------------------------------------------- */

int run_command(const char *command)
{
	int status;

	fflush(stdout);
	status = system(command);
	CHECK_NE(status, -1);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int insert(const char *name, const char *params)
{
	char path[512];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s.ko", getenv("HPM_MODULES"), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK_GE(fd, 0);
	if (syscall(SYS_finit_module, fd, params, 0))
		err = -errno;
	close(fd);
	return err;
}

int take_out(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

bool logged(const char *text)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char record[8192];
	bool found = false;
	ssize_t n;

	CHECK_GE(fd, 0);
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		if (n <= 0)
			continue;
		record[n] = '\0';
		if (strstr(record, "hpage_map test: "))
			found = false;	/* what is before was another test */
		else if (strstr(record, text))
			found = true;
	}
	close(fd);
	return found;
}
