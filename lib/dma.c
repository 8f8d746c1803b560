// SPDX-License-Identifier: LGPL-2.1-or-later
/* Device mappings: the addresses under which a device reaches a buffer of the module. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/hpage_map.h>

#include "cancel.h"
#include "door.h"
#include "fd.h"
#include "internal.h"
#include "loaded.h"
#include "public.h"
#include "runs.h"
#include "signals.h"

_Static_assert(HPMAP_DMA_TO_DEVICE == (int)HPAGE_MAP_DMA_TO_DEVICE, "passed on as they are");
_Static_assert(HPMAP_DMA_FROM_DEVICE == (int)HPAGE_MAP_DMA_FROM_DEVICE, "so are these");
_Static_assert(HPMAP_SYNC_FOR_CPU == (int)HPAGE_MAP_SYNC_FOR_CPU, "and these");
_Static_assert(HPMAP_SYNC_FOR_DEVICE == (int)HPAGE_MAP_SYNC_FOR_DEVICE, "and these");

/**
 * struct hpmap_dma - see hpage_map.h
 * @fd: the descriptor, which never changes
 */
struct hpmap_dma {
	int fd;
};

static int dma_map_failed(int err, const char *device)
{
	switch (err) {
	case EPERM:
		return fail(-EPERM, "bus addresses need CAP_SYS_RAWIO");
	case EBADF:
		return fail(-EACCES, "the buffer was opened for reading"
			    TRY "hpmap_open() without HPMAP_READ_ONLY");
	case ENODEV:
		return fail(-ENODEV, "there is no device %s that has a driver"
			    TRY "ls -l /sys/bus/pci/devices/*/driver", device);
	case EBUSY:
		return fail(-EBUSY, "the driver of %s manages the addresses itself, as vfio-pci "
			    "does; or the kernel copies for a device, and the buffer has another "
			    "device mapping"
			    TRY "VFIO_IOMMU_MAP_DMA on the mapping of the buffer"
			    TRY "hpagectl who, and end the other mapping", device);
	case EINTR:
		return fail(-EINTR, "a signal came first" TRY "a handler with SA_RESTART");
	case EIO:
		return fail(-EIO, "%s does not reach the pages; or the kernel copies for it, and "
			    "has no room for a copy of the whole buffer"
			    TRY ".near_device, or HPMAP_BELOW_4G"
			    TRY "a smaller buffer, or swiotlb=SLABS on the kernel's command line",
			    device);
	default:
		return fail(-err, "HPAGE_MAP_DMA_MAP: %s: %s", device, strerror(err));
	}
}

static int dma_without_module(void)
{
	return fail(-ENOTSUP, "only the module hpage_map gives addresses to a device%s",
		    module_loaded() == NO ? TRY "sudo modprobe hpage_map" : "");
}

/* Hand @fd out as a device mapping, or close it. */
static int dma_finish(int fd, struct hpmap_dma **dma)
{
	struct hpmap_dma *d = malloc(sizeof(*d));

	if (!d) {
		close(fd);
		return fail(-ENOMEM, "no memory for a struct hpmap_dma");
	}
	d->fd = fd;
	*dma = d;
	return 0;
}

PUBLIC int hpmap_dma_map(const struct hpmap_buffer *b, const char *device, unsigned int flags,
			 struct hpmap_dma **dma)
{
	UNCANCELLED;
	struct hpage_map_dma_map d = { .size = sizeof(d), .flags = flags };
	sigset_t before;
	int ret;

	if (!flags || flags & ~(HPMAP_DMA_TO_DEVICE | HPMAP_DMA_FROM_DEVICE))
		return fail(-EINVAL, "hpmap_dma_map: unknown bits in flags, %#x, or none", flags);
	if (b->backend != HPMAP_BACKEND_MODULE)
		return dma_without_module();
	if (!device || strlen(device) >= sizeof(d.device))
		return dma_map_failed(ENODEV, device ? device : "NULL");
	strcpy(d.device, device);
	signals_hold(&before);
	ret = ioctl(b->fd, HPAGE_MAP_DMA_MAP, &d) ? errno : 0;
	signals_release(&before);
	if (ret)
		return dma_map_failed(ret, device);
	return dma_finish(fd_above_standard(d.fd), dma);
}

static int dma_mapping_failed(int err)
{
	if (err == ENODEV)
		return fail(-ENODEV, "the mapping has ended with the driver of its device");
	if (err == EPERM)
		return fail(-EPERM, "bus addresses need CAP_SYS_RAWIO");
	if (err == EINVAL)
		return fail(-EINVAL, "not within the buffer, or no bytes, or unknown flags");
	return fail(-err, "the device mapping: %s", strerror(err));
}

static int dma_no_mapping(void)
{
	if (module_loaded() != YES && access(DEVICE, F_OK))
		return dma_without_module();
	return fail(-EINVAL, "the descriptor is no device mapping"
		    TRY "one of hpmap_dma_fd()");
}

/*
 * Is it a device mapping? 0 or -errno. HPAGE_MAP_RUNS is for buffers as well; that it needs a
 * capability does not matter here.
 */
static int dma_ask(int fd)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	struct hpage_map_runs none = { .size = sizeof(none) };

	if (!fd_may_be_asked(fd) || !ioctl(fd, HPAGE_MAP_INFO, &info))
		return -EBADF;
	return ioctl(fd, HPAGE_MAP_RUNS, &none) && errno != EPERM ? -errno : 0;
}

PUBLIC int hpmap_dma_from_fd(int fd, struct hpmap_dma **dma)
{
	UNCANCELLED;
	int own = dma_ask(fd);

	if (own)
		return own == -ENODEV ? dma_mapping_failed(ENODEV) : dma_no_mapping();
	own = fd_duplicate(fd);
	if (own < 0)
		return fail(own, "descriptor %d: %s", fd, strerror(-own));
	return dma_finish(own, dma);
}

PUBLIC void hpmap_dma_unmap(struct hpmap_dma *dma)
{
	UNCANCELLED;
	int err = errno;

	if (!dma)
		return;
	close(dma->fd);
	free(dma);
	errno = err;
}

PUBLIC int hpmap_dma_fd(const struct hpmap_dma *dma)
{
	return dma->fd;
}

PUBLIC int hpmap_dma_get_runs(const struct hpmap_dma *dma, uint64_t first, struct hpmap_run *runs,
			      unsigned int *nr)
{
	int ret = runs_read(dma->fd, first, runs, nr);

	return ret ? dma_mapping_failed(-ret) : 0;
}

PUBLIC int hpmap_dma_address(const struct hpmap_dma *dma, uint64_t offset, uint64_t *address,
			     uint64_t *size)
{
	int ret = runs_address(dma->fd, offset, address, size);

	return ret ? dma_mapping_failed(-ret) : 0;
}

PUBLIC int hpmap_dma_sync(const struct hpmap_dma *dma, unsigned int flags, uint64_t offset,
			  uint64_t size)
{
	struct hpage_map_dma_sync s = {
		.size = sizeof(s), .flags = flags, .offset = offset, .length = size,
	};

	return ioctl(dma->fd, HPAGE_MAP_DMA_SYNC, &s) ? dma_mapping_failed(errno) : 0;
}
