// SPDX-License-Identifier: MIT
/*
 * Export the default buffer as a dma-buf, and map that with huge pages.
 *
 * A dma-buf cannot choose the address of its mapping. With pages of a hugetlb
 * pool only a multiple of the page size is mapped with huge pages, so the
 * program reserves address space and chooses the address itself.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/hpage_map.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static char *map_aligned(int dmabuf, size_t length, size_t page_size)
{
	char *space = mmap(NULL, length + page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);

	if (space == MAP_FAILED)
		err(1, "reserve address space");
	space += -(uintptr_t)space & (page_size - 1);
	space = mmap(space, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, dmabuf, 0);
	if (space == MAP_FAILED)
		err(1, "mmap the dma-buf");
	return space;
}

static void cpu_access(int dmabuf, __u64 step)
{
	struct dma_buf_sync sync = { .flags = step | DMA_BUF_SYNC_RW };

	if (ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync))
		err(1, "DMA_BUF_IOCTL_SYNC");
}

int main(void)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	struct hpage_map_export e = { .size = sizeof(e) };
	int fd = open("/dev/hpage_map", O_RDWR);
	char *buffer;

	if (fd < 0)
		err(1, "open /dev/hpage_map");
	if (ioctl(fd, HPAGE_MAP_INFO, &info) || ioctl(fd, HPAGE_MAP_EXPORT, &e))
		err(1, "export");
	buffer = map_aligned(e.fd, info.length, info.page_size);

	/* Between these two the processor may access the memory. */
	cpu_access(e.fd, DMA_BUF_SYNC_START);
	buffer[0] = 1;
	cpu_access(e.fd, DMA_BUF_SYNC_END);
	printf("a dma-buf of %llu bytes is mapped at a multiple of %llu\n", info.length,
	       info.page_size);
	return 0;
}
