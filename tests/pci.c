// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "pci.h"

#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PCI	"/sys/bus/pci/"

bool has_iommu(void)
{
	glob_t g;
	bool found = glob("/sys/class/iommu/*", 0, NULL, &g) == 0;

	globfree(&g);
	return found;
}

static int tell(const char *device, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), PCI "devices/%s/%s", device, file);
	return write_text(path, text);
}

static int access_device(const char *device)
{
	char path[128];

	snprintf(path, sizeof(path), PCI "devices/%s", device);
	return access(path, F_OK);
}

bool has_driver(const char *device, const char *driver)
{
	char path[128], link[256];
	ssize_t n;

	snprintf(path, sizeof(path), PCI "devices/%s/driver", device);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return !driver;
	link[n] = '\0';
	return driver && strrchr(link, '/') && !strcmp(strrchr(link, '/') + 1, driver);
}

int load_for(const char *device, const char *module, const char *params)
{
	const char *other = strcmp(device, WIDE) ? WIDE : NARROW;

	CHECK_EQ(tell(device, "driver_override", "\n"), 0);
	CHECK_EQ(tell(other, "driver_override", "none"), 0);
	return insert(module, params);
}

int load_edu(const char *device, const char *params)
{
	return load_for(device, EDU_DRIVER, params);
}

int bind_to(const char *device, const char *driver)
{
	char path[128];

	CHECK_EQ(tell(device, "driver_override", driver), 0);
	snprintf(path, sizeof(path), PCI "drivers/%s/bind", driver);
	return write_text(path, device);
}

int unbind(const char *device)
{
	return tell(device, "driver/unbind", device);
}

void unplug(const char *device)
{
	CHECK_EQ(tell(device, "remove", "1"), 0);
	CHECK_EQ(access_device(device), -1);
}

void plug_in(const char *device)
{
	CHECK_EQ(write_text(PCI "rescan", "1"), 0);
	CHECK_EQ(access_device(device), 0);
}

int edu_open(void)
{
	int fd = open(EDU_NODE, O_RDWR | O_CLOEXEC);

	CHECK_GE(fd, 0);
	return fd;
}

/* As root may, if the kernel was told iomem=relaxed. */
volatile void *edu_registers(const char *device)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), PCI "devices/%s/resource0", device);
	fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK_GE(fd, 0);
	return map(fd, base_page, RW, MAP_SHARED, 0);
}

/* docs/specs/edu of QEMU; the engine clears its start bit when it is done. */
void edu_dma(volatile void *regs, uint64_t address, uint64_t bytes, bool to_memory)
{
	volatile uint64_t *source = regs + 0x80, *destination = regs + 0x88;
	volatile uint64_t *count = regs + 0x90, *command = regs + 0x98;
	const uint64_t window = 0x40000;

	*source = to_memory ? window : address;
	*destination = to_memory ? address : window;
	*count = bytes;
	*command = 1 | (to_memory ? 2 : 0);
	while (*command & 1)
		sched_yield();
}
