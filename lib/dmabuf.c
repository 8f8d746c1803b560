// SPDX-License-Identifier: LGPL-2.1-or-later
/* A dma-buf of the buffer, for devices and programs that import those. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/udmabuf.h>

#include "internal.h"

#define UDMABUF		"/dev/udmabuf"
#define LIMIT		"/sys/module/udmabuf/parameters/size_limit_mb"

static int open_udmabuf(void)
{
	int fd = open_file(UDMABUF, O_RDWR);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
		return fail(-ENOTSUP, "there is no " UDMABUF " (try: modprobe udmabuf, on a kernel "
			    "with CONFIG_UDMABUF)");
	if (errno == EACCES || errno == EPERM)
		return fail(-EACCES, UDMABUF " may not be opened by this user (try: the group of "
			    "ls -l " UDMABUF ", often kvm)");
	return fail(-errno, UDMABUF ": %s", strerror(errno));
}

static int create_failed(const struct hpmap_buffer *b, int err)
{
	unsigned long long mib;
	uint64_t limit;

	if (err != EINVAL)
		return fail(-err, UDMABUF ": %s", strerror(err));
	mib = round_up_to(b->length, 1 << 20) >> 20;
	if (!read_u64(LIMIT, &limit) && mib > limit)
		return fail(-EINVAL, "the buffer has %llu MiB and udmabuf takes %llu (try: echo "
			    "%llu | sudo tee " LIMIT ")", mib, (unsigned long long)limit, mib);
	return fail(-EINVAL, "udmabuf does not take this memory (try: a buffer of "
		    "hpmap_alloc(), whose size is sealed; Linux before 5.15 takes no hugetlb "
		    "pages)");
}

PUBLIC int hpmap_export_dmabuf(const struct hpmap_buffer *b, int *fd)
{
	struct udmabuf_create create = {
		.memfd = b->fd,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = b->length,
	};
	int device, got, err;

	if (b->backend == HPMAP_BACKEND_MODULE)
		return module_export(b->fd, fd);
	if ((fcntl(b->fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return fail(-EACCES, "a dma-buf can be written, and the buffer was opened for "
			    "reading (try: a descriptor that was opened with O_RDWR)");
	device = open_udmabuf();
	if (device < 0)
		return device;
	got = ioctl(device, UDMABUF_CREATE, &create);
	err = errno;
	close(device);
	if (got < 0)
		return create_failed(b, err);
	*fd = above_standard(got);
	return 0;
}
