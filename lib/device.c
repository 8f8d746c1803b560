// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What devices need of the module: memory of the program that stays where it is,
 * and the addresses under which a device reaches a buffer.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/hpage_map.h>

#include "internal.h"

_Static_assert(HPMAP_DMA_TO_DEVICE == (int)HPAGE_MAP_DMA_TO_DEVICE, "passed on as they are");
_Static_assert(HPMAP_DMA_FROM_DEVICE == (int)HPAGE_MAP_DMA_FROM_DEVICE, "so are these");
_Static_assert(HPMAP_SYNC_FOR_CPU == (int)HPAGE_MAP_SYNC_FOR_CPU, "and these");
_Static_assert(HPMAP_SYNC_FOR_DEVICE == (int)HPAGE_MAP_SYNC_FOR_DEVICE, "and these");

int module_export(int buffer, int *fd)
{
	struct hpage_map_export e = { .size = sizeof(e) };

	if (ioctl(buffer, HPAGE_MAP_EXPORT, &e)) {
		if (errno == EBADF)
			return fail(-EACCES, "a dma-buf can be written, and the buffer was opened "
				    "for reading (try: hpmap_open() without HPMAP_READ_ONLY)");
		return fail(-errno, "HPAGE_MAP_EXPORT: %s", strerror(errno));
	}
	*fd = above_standard(e.fd);
	return 0;
}

/* Pin memory into @b, which then has the descriptor. */
int module_pin(const void *address, uint64_t length, struct hpmap_buffer *b)
{
	char text[HPAGE_MAP_TEXT_SIZE] = "";
	struct hpage_map_pin p = {
		.size = sizeof(p),
		.address = (uintptr_t)address,
		.length = length,
		.text = (uintptr_t)text,
		.text_size = sizeof(text),
	};
	unsigned int said = b->why.reasons;
	int ret = door_ioctl(HPAGE_MAP_PIN, &p, &b->why);

	if (*text)
		why_add(&b->why, "module: %s", text);
	else if (ret && ret != -EINTR && b->why.reasons == said)
		why_add(&b->why, "module: %llu bytes at %p: %s", (unsigned long long)length,
			address, strerror(-ret));
	if (ret == -EINTR)
		why_interrupted(&b->why);
	if (!ret)
		b->fd = above_standard(p.fd);
	return ret;
}

static int map_failed(int err, const char *device)
{
	switch (err) {
	case EPERM:
		return fail(-EPERM, "bus addresses are told to CAP_SYS_RAWIO only (try: as root)");
	case EBADF:
		return fail(-EACCES, "the buffer was opened for reading (try: hpmap_open() without "
			    "HPMAP_READ_ONLY)");
	case ENODEV:
		return fail(-ENODEV, "there is no device %s that has a driver (try: ls -l "
			    "/sys/bus/pci/devices/*/driver)", device);
	case EBUSY:
		return fail(-EBUSY, "the driver of %s keeps the addresses itself, as vfio-pci does "
			    "(try: VFIO_IOMMU_MAP_DMA on the mapping of the buffer)", device);
	case EINTR:
		return fail(-EINTR, "a signal came first (try: again, or a handler with "
			    "SA_RESTART)");
	case EIO:
		return fail(-EIO, "%s does not reach the pages (try: .near_device, or "
			    "HPMAP_BELOW_4G)", device);
	default:
		return fail(-err, "HPAGE_MAP_DMA_MAP: %s: %s", device, strerror(err));
	}
}

PUBLIC int hpmap_dma_map(const struct hpmap_buffer *b, const char *device, unsigned int flags,
			 int *fd)
{
	struct hpage_map_dma_map d = { .size = sizeof(d), .flags = flags };
	sigset_t before;
	int ret;

	if (!flags || flags & ~(HPMAP_DMA_TO_DEVICE | HPMAP_DMA_FROM_DEVICE))
		return fail(-EINVAL, "hpmap_dma_map: unknown bits in flags, %#x, or none", flags);
	if (b->backend != HPMAP_BACKEND_MODULE)
		return fail(-ENOTSUP, "a device is given addresses by the module hpage_map alone "
			    "(try: modprobe hpage_map, and HPMAP_MODULE_ONLY)");
	if (!device || strlen(device) >= sizeof(d.device))
		return map_failed(ENODEV, device ? device : "NULL");
	strcpy(d.device, device);
	signals_hold(&before);
	ret = ioctl(b->fd, HPAGE_MAP_DMA_MAP, &d) ? errno : 0;
	signals_release(&before);
	if (ret)
		return map_failed(ret, device);
	*fd = above_standard(d.fd);
	return 0;
}

static int mapping_failed(int err)
{
	if (err == ENODEV)
		return fail(-ENODEV, "the mapping has ended with the driver of its device");
	if ((err == EBADF || err == ENOTTY) && !module_is_there())
		return fail(-ENOTSUP, "a device is given addresses by the module hpage_map, which "
			    "is not loaded (try: modprobe hpage_map)");
	if (err == EBADF || err == ENOTTY)
		return fail(-EINVAL, "the descriptor is none of hpmap_dma_map()");
	if (err == EPERM)
		return fail(-EPERM, "bus addresses are told to CAP_SYS_RAWIO only (try: as root)");
	if (err == EINVAL)
		return fail(-EINVAL, "not within the buffer, or no bytes, or unknown flags");
	return fail(-err, "the mapping: %s", strerror(err));
}

/* RUNS is for buffers as well, whose addresses are no device's. */
PUBLIC int hpmap_dma_runs(int fd, uint64_t first, struct hpmap_run *runs, unsigned int *nr)
{
	struct hpage_map_runs r = {
		.size = sizeof(r), .runs = (uintptr_t)runs, .first = first, .nr = *nr,
	};
	struct hpage_map_info info = { .size = sizeof(info) };

	if (!may_be_asked(fd) || !ioctl(fd, HPAGE_MAP_INFO, &info))
		return mapping_failed(EBADF);
	if (ioctl(fd, HPAGE_MAP_RUNS, &r))
		return mapping_failed(errno);
	*nr = r.nr;
	return 0;
}

PUBLIC int hpmap_dma_sync(int fd, unsigned int flags, uint64_t offset, uint64_t length)
{
	struct hpage_map_dma_sync s = {
		.size = sizeof(s), .flags = flags, .offset = offset, .length = length,
	};

	if (!may_be_asked(fd))
		return mapping_failed(EBADF);
	return ioctl(fd, HPAGE_MAP_DMA_SYNC, &s) ? mapping_failed(errno) : 0;
}
