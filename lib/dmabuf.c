// SPDX-License-Identifier: LGPL-2.1-or-later
/* A dma-buf of the buffer, for devices and programs that import those. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/udmabuf.h>

#include "cancel.h"
#include "fd.h"
#include "files.h"
#include "loaded.h"
#include "module.h"
#include "node.h"
#include "public.h"
#include "text.h"

#define UDMABUF		"/dev/udmabuf"
#define MISC		"/sys/class/misc"
#define LIMIT		"/sys/module/udmabuf/parameters/size_limit_mb"

/* It is built into a kernel, or it is not in it: there is no module to load. */
static int udmabuf_missing(void)
{
	if (!access(MISC "/udmabuf", F_OK) || access(MISC, F_OK))
		return fail(-ENOTSUP, "there is no " UDMABUF " here"
			    TRY "docker run --device=" UDMABUF);
	return fail(-ENOTSUP, "this kernel has no udmabuf, without which memory of memfd cannot be "
		    "exported%s", module_loaded() == NO ? TRY "sudo modprobe hpage_map" : "");
}

static int udmabuf_open(void)
{
	char join[REMEDY_ROOM];
	int fd = file_open(UDMABUF, O_RDWR);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
		return udmabuf_missing();
	if (errno != EACCES && errno != EPERM)
		return fail(-errno, UDMABUF ": %s", strerror(errno));
	node_join(UDMABUF, join);
	return fail(-EACCES, UDMABUF " may not be opened by this user%s%s", *join ? TRY : "", join);
}

static int udmabuf_refused(const struct hpmap_buffer *b, int err)
{
	uint64_t limit, mib;

	if (err != EINVAL)
		return fail(-err, UDMABUF ": %s", strerror(err));
	mib = round_up_to(b->length, 1 << 20) >> 20;
	if (!file_number(LIMIT, &limit) && mib > limit)
		return fail(-EINVAL, "the buffer has %s and udmabuf takes %s"
			    TRY "echo %llu | sudo tee " LIMIT, SIZE_TEXT(b->length),
			    SIZE_TEXT(limit << 20), (unsigned long long)mib);
	return fail(-EINVAL, "udmabuf does not take this memory: its size has to be sealed, and "
		    "Linux before 5.15 takes no hugetlb pages" TRY "a buffer of hpmap_alloc()");
}

PUBLIC int hpmap_export_dmabuf(const struct hpmap_buffer *b, int *fd)
{
	UNCANCELLED;
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
			    "reading" TRY "a descriptor that was opened with O_RDWR");
	device = udmabuf_open();
	if (device < 0)
		return device;
	got = ioctl(device, UDMABUF_CREATE, &create);
	err = errno;
	close(device);
	if (got < 0)
		return udmabuf_refused(b, err);
	*fd = fd_above_standard(got);
	return 0;
}
