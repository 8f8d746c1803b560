// SPDX-License-Identifier: MIT
/*
 * Map the default buffer for a device that writes to it, and print where the
 * device finds it:
 *
 *	dma 0000:00:03.0		a PCI device that has a driver
 *
 * Needs root: CAP_SYS_RAWIO. A real driver in user space uses a named buffer,
 * which outlives the program; see "Drivers in user space" in hpage_map(7).
 */
#include <err.h>
#include <fcntl.h>
#include <linux/hpage_map.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct hpage_map_dma_map d = { .size = sizeof(d), .flags = HPAGE_MAP_DMA_FROM_DEVICE };
	struct hpage_map_run run;
	struct hpage_map_runs runs = {
		.size = sizeof(runs),
		.runs = (uintptr_t)&run,
		.nr = 1,
	};
	struct hpage_map_dma_sync sync = {
		.size = sizeof(sync),
		.flags = HPAGE_MAP_SYNC_FOR_CPU,
		.length = 4096,
	};
	int fd;

	if (argc != 2 || strlen(argv[1]) >= sizeof(d.device))
		errx(2, "usage: dma DEVICE");
	strcpy(d.device, argv[1]);
	fd = open("/dev/hpage_map", O_RDWR);
	if (fd < 0)
		err(1, "open /dev/hpage_map");
	if (ioctl(fd, HPAGE_MAP_DMA_MAP, &d))
		err(1, "map for %s", argv[1]);
	if (ioctl(d.fd, HPAGE_MAP_RUNS, &runs))
		err(1, "runs");
	printf("first of %llu runs for %s: %#llx, %llu bytes\n", d.nr_runs, argv[1], run.address,
	       run.length);

	/* Here the program gives this address to the device, and the device writes. */

	if (ioctl(d.fd, HPAGE_MAP_DMA_SYNC, &sync))
		err(1, "sync");

	/* Here the program reads the data. It stops the device before it closes the mapping. */

	close(d.fd);
	return 0;
}
