// SPDX-License-Identifier: GPL-2.0-only
/* A driver in user space: vfio-pci gives it the edu device, and maps our buffer for it. */
#define _GNU_SOURCE
#include "pci.h"

#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES	8
#define SIZE	(PAGES * pmd_size)
#define IOVA	(1UL << 32)
#define TRACING	"/sys/kernel/tracing/"

struct vfio {
	int container, group, device;
	volatile void *regs;
};

static int group_of(const char *device)
{
	char path[128], link[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", device);
	n = readlink(path, link, sizeof(link) - 1);
	CHECK_GT(n, 0);
	link[n] = '\0';
	return atoi(strrchr(link, '/') + 1);
}

static void enable_dma(int device)
{
	struct vfio_region_info config = {
		.argsz = sizeof(config),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	uint16_t command;

	CHECK_EQ(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config), 0);
	CHECK_EQ(pread(device, &command, 2, config.offset + PCI_COMMAND), 2);
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	CHECK_EQ(pwrite(device, &command, 2, config.offset + PCI_COMMAND), 2);
}

static struct vfio vfio_open(void)
{
	struct vfio_region_info bar = { .argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX };
	struct vfio v = { .container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC) };
	char path[64];

	CHECK_GE(v.container, 0);
	CHECK_EQ(ioctl(v.container, VFIO_GET_API_VERSION), VFIO_API_VERSION);
	snprintf(path, sizeof(path), "/dev/vfio/%d", group_of(WIDE));
	v.group = open(path, O_RDWR | O_CLOEXEC);
	CHECK_GE(v.group, 0);
	CHECK_EQ(ioctl(v.group, VFIO_GROUP_SET_CONTAINER, &v.container), 0);
	CHECK_EQ(ioctl(v.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), 0);
	v.device = ioctl(v.group, VFIO_GROUP_GET_DEVICE_FD, WIDE);
	CHECK_GE(v.device, 0);
	CHECK_EQ(ioctl(v.device, VFIO_DEVICE_GET_REGION_INFO, &bar), 0);
	v.regs = map(v.device, base_page, RW, MAP_SHARED, bar.offset);
	enable_dma(v.device);
	return v;
}

static void vfio_close(struct vfio *v)
{
	munmap((void *)v->regs, base_page);
	close(v->device);
	close(v->group);
	close(v->container);
}

static void vfio_map(const struct vfio *v, const void *p, size_t len)
{
	struct vfio_iommu_type1_dma_map m = {
		.argsz = sizeof(m),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)p,
		.iova = IOVA,
		.size = len,
	};

	CHECK_EQ(ioctl(v->container, VFIO_IOMMU_MAP_DMA, &m), 0);
}

static void vfio_unmap(const struct vfio *v, size_t len)
{
	struct vfio_iommu_type1_dma_unmap u = { .argsz = sizeof(u), .iova = IOVA, .size = len };

	CHECK_EQ(ioctl(v->container, VFIO_IOMMU_UNMAP_DMA, &u), 0);
	CHECK_EQ(u.size, len);
}

static void begin(uint64_t pages)
{
	CHECK(has_iommu());
	CHECK_EQ(run_command("modprobe vfio-pci && modprobe vfio_iommu_type1"), 0);
	if (!has_driver(WIDE, "vfio-pci")) {
		if (!has_driver(WIDE, NULL))
			CHECK_EQ(unbind(WIDE), 0);
		CHECK_EQ(bind_to(WIDE, "vfio-pci"), 0);
	}
	CHECK(want_pool(pages));
	CHECK_EQ(load(""), 0);
}

static void end(void)
{
	CHECK_EQ(unbind(WIDE), 0);
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(unload(), 0);
}

/* From one end of the buffer to the other by way of the device. */
static void check_device_reaches(const struct vfio *v, char *p, size_t len)
{
	size_t from = pmd_size - EDU_BYTES / 2, to = len - EDU_BYTES;

	fill(p + from, EDU_BYTES, 1);
	memset(p + to, 0, EDU_BYTES);
	edu_dma(v->regs, IOVA + from, EDU_BYTES / 2, false);
	edu_dma(v->regs, IOVA + to, EDU_BYTES / 2, true);
	edu_dma(v->regs, IOVA + from + EDU_BYTES / 2, EDU_BYTES / 2, false);
	edu_dma(v->regs, IOVA + to + EDU_BYTES / 2, EDU_BYTES / 2, true);
	CHECK(filled(p + to, EDU_BYTES, 1));
}

static void check_buffer(int fd)
{
	size_t len = facts_of(fd).length;
	struct vfio v = vfio_open();
	char *p = map(fd, len, RW, MAP_SHARED, 0);

	vfio_map(&v, p, len);
	check_device_reaches(&v, p, len);
	vfio_unmap(&v, len);
	munmap(p, len);
	vfio_close(&v);
	close(fd);
}

static void a_device_reaches_a_buffer(void)
{
	begin(2 * PAGES);
	check_buffer(lend_scattered(PAGES, 0));
	CHECK_EQ(pool_of(pmd_size, "free"), 2 * PAGES);
	check_buffer(lend_run(PAGES, 0));
	CHECK_EQ(set_pool(pmd_size, "nr", 0), 0);
	check_buffer(lend(SIZE, pmd_size, HPAGE_MAP_EXACT));	/* THP */
	end();
}

/* --- how the IOMMU is told ----------------------------------------------------------- */

/* How often it was told to map, and the least that it was told at once. */
static void read_trace(unsigned int *calls, unsigned long *least)
{
	FILE *f = fopen(TRACING "trace", "re");
	unsigned long iova, paddr, size;
	char line[512], *at;

	*calls = 0;
	*least = ~0UL;
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, "iova=");
		if (!at || sscanf(at, "iova=%lx - %*x paddr=%lx size=%lu", &iova, &paddr,
				  &size) != 3)
			continue;
		(*calls)++;
		CHECK_EQ(iova % pmd_size, paddr % pmd_size);
		*least = size < *least ? size : *least;
	}
	fclose(f);
}

static void check_steps(int fd, unsigned int max_calls, unsigned long at_least)
{
	struct vfio v = vfio_open();
	char *p = map(fd, SIZE, RW, MAP_SHARED, 0);
	unsigned int calls;
	unsigned long least;

	close(open(TRACING "trace", O_WRONLY | O_TRUNC | O_CLOEXEC));
	CHECK_EQ(write_text(TRACING "events/iommu/map/enable", "1"), 0);
	vfio_map(&v, p, SIZE);
	CHECK_EQ(write_text(TRACING "events/iommu/map/enable", "0"), 0);
	read_trace(&calls, &least);
	printf("# %llu runs: the IOMMU is told %u times, at least %lu kB\n",
	       (unsigned long long)facts_of(fd).nr_runs, calls, least / 1024);
	CHECK_GE(calls, 1);
	CHECK_LE(calls, max_calls);
	CHECK_GE(least, at_least);
	munmap(p, SIZE);
	vfio_close(&v);
	close(fd);
}

/* In whole runs, aligned: so that it may use its own large pages. */
static void the_iommu_is_told_whole_runs(void)
{
	begin(4 * PAGES);
	check_steps(lend_scattered(PAGES, 0), PAGES, pmd_size);
	check_steps(lend_run(PAGES, 0), 1, SIZE);
	end();
}

/* --- whose pages they are --------------------------------------------------------------- */

static void pages_stay_as_long_as_the_device_may_write(void)
{
	struct vfio v;
	char *p;
	int fd;

	begin(PAGES);
	v = vfio_open();
	fd = lend(SIZE, pmd_size, HPAGE_MAP_EXACT);
	p = map(fd, SIZE, RW, MAP_SHARED, 0);
	vfio_map(&v, p, SIZE);
	munmap(p, SIZE);
	close(fd);
	CHECK_EQ(first_buffer().lingering, PAGES);	/* pinned by vfio */
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 0);
	edu_dma(v.regs, IOVA, EDU_BYTES, true);
	vfio_close(&v);
	CHECK_COMES(count_buffers() == 0);
	CHECK_EQ(pool_of(pmd_size, "free"), PAGES);
	end();
}

static void our_module_may_go_before_the_device(void)
{
	struct vfio v;
	char *p;
	int fd;

	begin(PAGES);
	v = vfio_open();
	fd = lend(SIZE, pmd_size, HPAGE_MAP_EXACT);
	p = map(fd, SIZE, RW, MAP_SHARED, 0);
	vfio_map(&v, p, SIZE);
	munmap(p, SIZE);
	close(fd);
	CHECK_EQ(unload(), 0);
	edu_dma(v.regs, IOVA + SIZE - EDU_BYTES, EDU_BYTES, true);
	vfio_close(&v);
	CHECK_EQ(pool_of(pmd_size, "free"), PAGES);
	CHECK_EQ(unbind(WIDE), 0);
}

/* Its addresses are vfio's: those of the DMA API would be wrong. */
static void a_device_of_vfio_is_ebusy(void)
{
	int fd;

	begin(2);
	fd = lend(pmd_size, pmd_size, 0);
	CHECK_EQ(try_dma_map(fd, WIDE, BOTH), -EBUSY);
	CHECK_EQ(facts_of(fd).devices, 0);
	close(fd);
	end();
}

/* And a device in use by us is handed over only when the driver goes, which ends the mapping. */
static void a_device_is_handed_over_to_vfio(void)
{
	struct vfio v;
	int fd, dma;
	char *p;

	begin(4);
	CHECK_EQ(unbind(WIDE), 0);
	CHECK_EQ(load_edu(WIDE, "dma_bits=64 pages=1"), 0);
	fd = lend(2 * pmd_size, pmd_size, HPAGE_MAP_EXACT);
	dma = try_dma_map(fd, WIDE, BOTH);
	CHECK_GE(dma, 0);
	CHECK_EQ(unbind(WIDE), 0);
	CHECK_EQ(bind_to(WIDE, "vfio-pci"), 0);
	CHECK_EQ(try_dma_sync(dma, HPAGE_MAP_SYNC_FOR_CPU, 0, 8), -ENODEV);
	v = vfio_open();
	p = map(fd, 2 * pmd_size, RW, MAP_SHARED, 0);
	vfio_map(&v, p, 2 * pmd_size);
	check_device_reaches(&v, p, 2 * pmd_size);
	vfio_close(&v);
	munmap(p, 2 * pmd_size);
	close(dma);
	close(fd);
	CHECK_EQ(take_out(EDU_DRIVER), 0);
	end();
}

int main(void)
{
	const struct test tests[] = {
		TEST(a_device_reaches_a_buffer, ON_NONE),
		TEST(the_iommu_is_told_whole_runs, ON_NONE),
		TEST(pages_stay_as_long_as_the_device_may_write, ON_NONE),
		TEST(our_module_may_go_before_the_device, ON_NONE),
		TEST(a_device_of_vfio_is_ebusy, ON_NONE),
		TEST(a_device_is_handed_over_to_vfio, ON_NONE),
	};

	return RUN_TESTS(tests);
}
