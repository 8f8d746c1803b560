// SPDX-License-Identifier: MIT
/*
 * Read a file past the page cache into a buffer of huge pages, by io_uring with
 * the buffer registered once, and add up its bytes:
 *
 *	io_uring FILE
 *
 *	cc -o io_uring io_uring.c $(pkg-config --cflags --libs libhpage_map liburing)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <hpage_map.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>

#define LENGTH	(2UL << 20)

/* Of the next part of the file, at most the buffer; a number of bytes, 0 at the end. */
static size_t fill(struct io_uring *ring, void *address, unsigned long long offset)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	int ret;

	/* Descriptor 0 and buffer 0 of those that are registered. */
	io_uring_prep_read_fixed(sqe, 0, address, LENGTH, offset, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	ret = io_uring_submit_and_wait(ring, 1);
	if (ret < 0 || (ret = io_uring_wait_cqe(ring, &cqe)) < 0)
		errx(1, "io_uring: %s", strerror(-ret));
	ret = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	if (ret < 0)
		errx(1, "read: %s", strerror(-ret));
	return ret;
}

int main(int argc, char **argv)
{
	unsigned long long offset = 0, sum = 0;
	struct hpmap_buffer *buffer;
	struct io_uring ring;
	struct iovec iov;
	size_t got, i;
	int fd, ret;

	if (argc != 2)
		errx(2, "usage: io_uring FILE");
	fd = open(argv[1], O_RDONLY | O_DIRECT);
	if (fd < 0 && errno == EINVAL)
		errx(1, "%s: its file system has no O_DIRECT", argv[1]);
	if (fd < 0)
		err(1, "%s", argv[1]);
	iov.iov_len = LENGTH;
	if (hpmap_alloc(HPMAP_OPTIONS(.size = LENGTH, .flags = HPMAP_ALLOW_BASE), &buffer) ||
	    hpmap_map(buffer, HPMAP_POPULATE, &iov.iov_base))
		errx(1, "%s", hpmap_why(NULL));
	ret = io_uring_queue_init(1, &ring, 0);
	if (ret)
		errx(1, "io_uring: %s", strerror(-ret));
	ret = io_uring_register_buffers(&ring, &iov, 1);
	if (!ret)
		ret = io_uring_register_files(&ring, &fd, 1);
	if (ret)
		errx(1, "io_uring: registering: %s", strerror(-ret));

	while ((got = fill(&ring, iov.iov_base, offset))) {
		for (i = 0; i < got; i++)
			sum += ((unsigned char *)iov.iov_base)[i];
		offset += got;
		if (got < LENGTH)	/* the end, which O_DIRECT may not go on from */
			break;
	}
	printf("%llu bytes, their sum is %llu\n", offset, sum);
	io_uring_queue_exit(&ring);
	hpmap_close(buffer);
	return 0;
}
