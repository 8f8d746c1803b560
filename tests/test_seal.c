// SPDX-License-Identifier: GPL-2.0-only
/* Nobody, root included, gets at the lent file behind the driver's back. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif
#define SYS_FILE_SETATTR 469	/* of Linux 6.17, on every architecture here */

static char *p;
static char link_path[128];

static void map_and_name(void)
{
	p = map_all(dev_open(O_RDWR), RW, MAP_SHARED);
	fill(p, buf_size, 1);
	snprintf(link_path, sizeof(link_path), "/proc/self/map_files/%lx-%lx",
		 (unsigned long)p, (unsigned long)p + buf_size);
	CHECK_EQ(access(link_path, F_OK), 0);
}

static void check_nothing_lost(void)
{
	char *again = map_all(dev_open(O_RDONLY), PROT_READ, MAP_SHARED);

	CHECK(filled(p, buf_size, 1));
	CHECK(filled(again, buf_size, 1));
	CHECK_EQ(class_u64("size"), buf_size);
}

static void the_lent_file_opens_for_nobody(void)
{
	static const int modes[] = {
		O_RDONLY, O_RDWR, O_WRONLY, O_RDONLY | O_NOATIME, O_RDONLY | O_DIRECT,
		O_RDWR | O_APPEND, O_RDWR | O_TRUNC,
	};
	char again[64];
	int fd;

	map_and_name();
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		errno = 0;
		CHECK_EQ(open(link_path, modes[i]), -1);
		/* The flags S_IMMUTABLE and S_APPEND speak first where they apply. */
		CHECK(errno == ENXIO || errno == EPERM);
	}
	CHECK_ERR(open(link_path, O_RDONLY), ENXIO);
	fd = open(link_path, O_PATH);	/* names it, opens nothing */
	CHECK_GE(fd, 0);
	snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
	CHECK_ERR(open(again, O_RDONLY), ENXIO);
	CHECK_ERR(mmap(NULL, buf_page, PROT_READ, MAP_SHARED, fd, 0), EBADF);
	CHECK_ERR(ftruncate(fd, 0), EBADF);
	CHECK_ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, buf_page), EBADF);
	CHECK_ERR(ioctl(fd, FS_IOC_SETFLAGS, &(int){ 0 }), EBADF);
	check_nothing_lost();
}

static void the_lent_file_cannot_be_changed_by_name(void)
{
	struct timespec now[2] = { { 1, 0 }, { 1, 0 } };

	map_and_name();
	CHECK_ERR(truncate(link_path, 0), EPERM);
	CHECK_ERR(truncate(link_path, buf_size), EPERM);
	CHECK_ERR(truncate(link_path, buf_size + buf_page), EPERM);
	CHECK_ERR(chmod(link_path, 0777), EPERM);
	CHECK_ERR(chown(link_path, 1, 1), EPERM);
	CHECK_ERR(utimensat(AT_FDCWD, link_path, now, 0), EPERM);
	errno = 0;
	CHECK_EQ(setxattr(link_path, "user.x", "1", 1, 0), -1);
	CHECK(errno == EPERM || errno == EOPNOTSUPP);
	errno = 0;
	CHECK_EQ(setxattr(link_path, "trusted.x", "1", 1, 0), -1);
	CHECK(errno == EPERM || errno == EOPNOTSUPP);
	CHECK(linkat(AT_FDCWD, link_path, AT_FDCWD, "/tmp/hpage_map-link", AT_SYMLINK_FOLLOW));
	CHECK_EQ(swapon(link_path, 0), -1);
	check_nothing_lost();
}

static void the_device_has_no_size_to_change(void)
{
	int fd = dev_open(O_RDWR);

	map_and_name();
	CHECK_ERR(ftruncate(fd, 0), EINVAL);
	CHECK_ERR(fallocate(fd, 0, 0, buf_page), ENODEV);
	CHECK_ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, buf_page), ENODEV);
	CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EINVAL);
	CHECK_ERR(ioctl(fd, FS_IOC_SETFLAGS, &(int){ 0 }), ENOTTY);
	CHECK_ERR(ioctl(fd, FS_IOC_GETFLAGS, &(int){ 0 }), ENOTTY);
	CHECK_ERR(ioctl(fd, FIFREEZE, 0), EOPNOTSUPP);
	close(dev_open(O_RDWR | O_TRUNC));
	check_nothing_lost();
}

/* With hugetlbfs a private writable mapping past the end grows the file. */
static void private_mappings_do_not_grow_it(void)
{
	int fd = dev_open(O_RDWR);

	map_and_name();
	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_PRIVATE, fd, buf_size), EINVAL);
	CHECK_ERR(mmap(NULL, 2 * buf_page, RW, MAP_PRIVATE, fd, buf_size - buf_page), EINVAL);
	check_nothing_lost();
}

static void caches_and_compaction_take_nothing(void)
{
	uint64_t pfns[64], n = buf_size / buf_page;

	map_and_name();
	n = n < 64 ? n : 64;
	for (size_t i = 0; i < n; i++)
		pfns[i] = pfn_of(p + i * buf_page);
	CHECK_EQ(write_text("/proc/sys/vm/drop_caches", "3"), 0);
	CHECK_EQ(write_text("/proc/sys/vm/compact_memory", "1"), 0);
	check_nothing_lost();
	for (size_t i = 0; i < n; i++)
		CHECK_EQ(pfn_of(p + i * buf_page), pfns[i]);
}

/* Pinned pages keep their address: a device may be using it. */
static void soft_offline_is_refused(void)
{
	uint64_t pfn;

	map_and_name();
	pfn = pfn_of(p);
	CHECK_ERR(madvise(p, base_page, MADV_SOFT_OFFLINE), EBUSY);
	check_nothing_lost();
	CHECK_EQ(pfn_of(p), pfn);
}

/* From 6.17 on a path will do, without opening what is behind it. */
static void flags_cannot_be_cleared_by_path(void)
{
	struct {
		uint64_t xflags;
		uint32_t extsize, nextents, projid, cowextsize;
	} none = { 0 };

	map_and_name();
	CHECK_EQ(syscall(SYS_FILE_SETATTR, AT_FDCWD, link_path, &none, sizeof(none), 0), -1);
	CHECK(errno == EOPNOTSUPP || errno == ENOSYS);
	CHECK_ERR(truncate(link_path, 0), EPERM);
	check_nothing_lost();
}

/* Whoever reads /proc/PID/maps sees whose pages they are. */
static void a_mapping_is_named_for_the_module(void)
{
	char target[64] = "";

	map_and_name();
	CHECK_GT(readlink(link_path, target, sizeof(target) - 1), 0);
	CHECK_STREQ(target, "/hpage_map (deleted)");
}

static const struct test tests[] = {
	TEST(flags_cannot_be_cleared_by_path, ON_ANY | NEEDS_ROOT),
	TEST(a_mapping_is_named_for_the_module, ON_ANY | NEEDS_ROOT),
	TEST(the_lent_file_opens_for_nobody, ON_SMALL | NEEDS_ROOT),
	TEST(the_lent_file_cannot_be_changed_by_name, ON_SMALL | NEEDS_ROOT),
	TEST(the_device_has_no_size_to_change, ON_SMALL | NEEDS_ROOT),
	TEST(private_mappings_do_not_grow_it, ON_SMALL | NEEDS_ROOT),
	TEST(caches_and_compaction_take_nothing, ON_SMALL | NEEDS_ROOT),
	TEST(soft_offline_is_refused, ON_SMALL | NEEDS_ROOT),
};

int main(void)
{
	return RUN_TESTS(tests);
}
