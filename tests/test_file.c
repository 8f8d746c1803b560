// SPDX-License-Identifier: GPL-2.0-only
/* What programs ask of a file before they map it, and what they do with one besides. */
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

/* A buffer of the test's own, without a node. */
static int mine(size_t nr_pages)
{
	struct hpage_map_alloc a = request(nr_pages * buf_page, buf_page, 0);

	CHECK_ALLOC(&a, 0);
	return a.fd;
}

/* Open what a descriptor stands for again, as programs do that want a path. */
static int open_again(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

static void its_length_is_its_size(void)
{
	size_t len = 2 * buf_page;
	int fd = mine(2);
	struct stat st;

	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	CHECK_EQ(st.st_size, (off_t)len);
	CHECK_EQ(st.st_blocks, (blkcnt_t)(len / 512));
	CHECK_EQ(st.st_blksize, (blksize_t)buf_page);
	CHECK_EQ(st.st_uid, geteuid());
	CHECK_EQ(st.st_gid, getegid());
}

static void a_node_has_its_size_when_open(void)
{
	struct stat st;

	CHECK_EQ(fstat(dev_open(O_RDONLY), &st), 0);
	CHECK(S_ISCHR(st.st_mode));
	CHECK_EQ(st.st_size, (off_t)buf_size);
}

/* A disk would keep a size that no device has. */
static void a_node_of_another_file_system_has_no_size(void)
{
	static const char dir[] = "/run/hpm-nodes", node[] = "/run/hpm-nodes/hpage_map";
	struct stat st;
	int fd;

	CHECK_EQ(fstat(dev_open(O_RDONLY), &st), 0);
	mkdir(dir, 0700);
	CHECK_EQ(mount("ramfs", dir, "ramfs", 0, NULL), 0);
	CHECK_EQ(mknod(node, S_IFCHR | 0600, st.st_rdev), 0);
	fd = open(node, O_RDWR | O_CLOEXEC);
	CHECK_EQ(umount2(dir, MNT_DETACH), 0);	/* it goes with the file */
	CHECK_GE(fd, 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 0);
	map_all(fd, RW, MAP_SHARED)[buf_size - 1] = 1;
}

static void each_has_an_inode_of_its_own(void)
{
	int a = mine(1), b = mine(1);
	struct stat sa, sb, again;

	CHECK_EQ(fstat(a, &sa), 0);
	CHECK_EQ(fstat(b, &sb), 0);
	CHECK_EQ(sa.st_dev, sb.st_dev);
	CHECK_NE(sa.st_ino, sb.st_ino);
	CHECK_EQ(fstat(open_again(a, O_RDONLY), &again), 0);
	CHECK_EQ(again.st_dev, sa.st_dev);
	CHECK_EQ(again.st_ino, sa.st_ino);
}

/* With an offset and rights of its own. */
static void it_can_be_opened_again(void)
{
	int fd = mine(1), ro = open_again(fd, O_RDONLY), rw = open_again(fd, O_RDWR);
	char text[8] = "";
	char *p;

	CHECK_GE(ro, 0);
	CHECK_GE(rw, 0);
	CHECK_COUNT("descriptors", 0);	/* of the buffer with the node */
	CHECK_EQ(write(rw, "before", 6), 6);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_EQ(read(ro, text, 6), 6);
	CHECK_STREQ(text, "before");
	CHECK_ERR(write(ro, "after", 5), EBADF);
	CHECK_ERR(open_again(fd, O_ACCMODE), EINVAL);
	CHECK_ERR(mmap(NULL, buf_page, RW, MAP_SHARED, ro, 0), EACCES);
	p = map(ro, buf_page, PROT_READ, MAP_SHARED, 0);
	CHECK_ERR(mprotect(p, buf_page, RW), EACCES);
	CHECK_EQ(memcmp(p, "before", 6), 0);

	/* The first one may go. */
	CHECK_EQ(close(fd), 0);
	CHECK_EQ(close(ro), 0);
	CHECK_EQ(pread(rw, text, 6, 0), 6);
	CHECK_EQ(memcmp(p, "before", 6), 0);
}

/* Whoever has nothing but the place of a buffer holds it as well. */
static void a_path_descriptor_holds_it(void)
{
	int fd = mine(1), path = open_again(fd, O_PATH), again;
	char text[8] = "";

	CHECK_GE(path, 0);
	CHECK_EQ(write(fd, "still", 5), 5);
	CHECK_EQ(close(fd), 0);
	again = open_again(path, O_RDONLY);
	CHECK_GE(again, 0);
	CHECK_EQ(read(again, text, 5), 5);
	CHECK_STREQ(text, "still");
}

static void others_cannot_open_it_again(void)
{
	int fd = mine(1);

	become(NOBODY, 1 << 20);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_ERR(open_again(fd, O_RDONLY), EACCES);
	CHECK_ERR(fchmod(fd, 0666), EPERM);
}

static void its_owner_changes_its_mode(void)
{
	int fd = mine(1);
	struct stat st;

	CHECK_EQ(fchmod(fd, 0640), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0640);
	CHECK_EQ(st.st_size, (off_t)buf_page);
}

static void its_size_never_changes(void)
{
	int fd = mine(1);
	struct stat st;

	CHECK_EQ(ftruncate(fd, buf_page), 0);
	CHECK_ERR(ftruncate(fd, buf_page - 1), EPERM);
	CHECK_ERR(ftruncate(fd, 2 * buf_page), EPERM);
	CHECK_ERR(open_again(fd, O_RDWR | O_TRUNC), EPERM);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, (off_t)buf_page);
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), (off_t)buf_page);
}

static void ordinary_calls_are_understood(void)
{
	int fd = mine(1);
	struct statfs fs;

	CHECK_EQ(fstatfs(fd, &fs), 0);
	CHECK_EQ(fsync(fd), 0);
	CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0);
	CHECK_EQ(flock(fd, LOCK_EX), 0);
	CHECK_EQ(flock(open_again(fd, O_RDWR), LOCK_EX | LOCK_NB), -1);
}

/* What goes through a pipe or a socket arrives, from a buffer with a node and without. */
static void check_sends(int fd, size_t len)
{
	size_t sent = 0, got = 0;
	char *p = map(fd, len, RW, MAP_SHARED, 0), *in = malloc(len);
	off_t at = 0;
	int ends[2];
	ssize_t n;

	CHECK(in);
	fill(p, len, 21);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	while (got < len) {
		if (sent < len) {
			n = sendfile(ends[0], fd, &at, 64 * base_page < len - sent ?
				     64 * base_page : len - sent);
			CHECK_GT(n, 0);
			sent += n;
		}
		while (got < sent) {
			n = read(ends[1], in + got, sent - got);
			CHECK_GT(n, 0);
			got += n;
		}
	}
	CHECK_EQ(sendfile(ends[0], fd, &at, 1), 0);
	CHECK_EQ(memcmp(p, in, len), 0);
	CHECK_EQ(close(ends[0]), 0);
	CHECK_EQ(close(ends[1]), 0);
	free(in);
}

static void a_socket_is_sent_what_it_has(void)
{
	check_sends(mine(1), buf_page);
	check_sends(dev_open(O_RDWR), buf_size);
}

static void a_pipe_fills_it(void)
{
	int fd = mine(1), ends[2];
	char out[1000], in[1000];
	loff_t at = buf_page - 1500;

	fill(out, sizeof(out), 22);
	CHECK_EQ(pipe(ends), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(write(ends[1], out, sizeof(out)), (ssize_t)sizeof(out));
	CHECK_EQ(splice(ends[0], NULL, fd, &at, 1000, 0), 1000);
	CHECK_EQ(at, (loff_t)buf_page - 500);
	CHECK_EQ(pread(fd, in, 1000, buf_page - 1500), 1000);
	CHECK_EQ(memcmp(in, out, 1000), 0);
	/* As much as there is room for. */
	CHECK_EQ(splice(ends[0], NULL, fd, &at, 1000, 0), 500);
	CHECK_ERR(splice(ends[0], NULL, fd, &at, 500, 0), ENOSPC);
}

static void files_are_copied_into_it(void)
{
	int fd = mine(1), from = memfd_create("from", MFD_CLOEXEC);
	char *in = malloc(buf_page), *p = map(fd, buf_page, RW, MAP_SHARED, 0);
	off_t at = 0;

	CHECK(in);
	fill(in, buf_page, 23);
	CHECK_EQ(write(from, in, buf_page), (ssize_t)buf_page);
	for (size_t done = 0; done < buf_page;) {
		ssize_t n = sendfile(fd, from, &at, buf_page - done);

		CHECK_GT(n, 0);
		done += n;
	}
	CHECK_EQ(memcmp(p, in, buf_page), 0);
	free(in);
}

/* By the kernel alone, from one to the other, as they are in one file system. */
static void one_is_copied_to_another(void)
{
	int from = mine(1), to = mine(1), other = memfd_create("other", MFD_CLOEXEC);
	char *p = map(from, buf_page, RW, MAP_SHARED, 0), *q = map(to, buf_page, RW, MAP_SHARED, 0);

	fill(p, buf_page, 24);
	for (size_t done = 0; done < buf_page;) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, buf_page - done, 0);

		CHECK_GT(n, 0);
		done += n;
	}
	CHECK_EQ(memcmp(p, q, buf_page), 0);
	CHECK_EQ(lseek(from, 0, SEEK_SET), 0);
	CHECK_ERR(copy_file_range(from, NULL, other, NULL, 1, 0), EXDEV);
	CHECK_ERR(copy_file_range(dev_open(O_RDWR), NULL, to, NULL, 1, 0), EINVAL);
}

static void room_cannot_be_allocated(void)
{
	CHECK_ERR(fallocate(mine(1), 0, 0, buf_page), EOPNOTSUPP);
	CHECK_ERR(fallocate(dev_open(O_RDWR), 0, 0, buf_page), ENODEV);
}

static const struct test tests[] = {
	TEST(its_length_is_its_size, ON_SMALL),
	TEST(a_node_has_its_size_when_open, ON_ANY),
	TEST(a_node_of_another_file_system_has_no_size, ON_SMALL | NEEDS_ROOT),
	TEST(each_has_an_inode_of_its_own, ON_SMALL),
	TEST(it_can_be_opened_again, ON_SMALL),
	TEST(a_path_descriptor_holds_it, ON_SMALL),
	TEST(others_cannot_open_it_again, ON_SMALL | NEEDS_ROOT),
	TEST(its_owner_changes_its_mode, ON_SMALL),
	TEST(its_size_never_changes, ON_SMALL),
	TEST(ordinary_calls_are_understood, ON_SMALL),
	TEST(a_socket_is_sent_what_it_has, ON_SMALL),
	TEST(a_pipe_fills_it, ON_SMALL),
	TEST(files_are_copied_into_it, ON_SMALL),
	TEST(one_is_copied_to_another, ON_SMALL),
	TEST(room_cannot_be_allocated, ON_SMALL),
};

int main(void)
{
	return RUN_TESTS(tests);
}
