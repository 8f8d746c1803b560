// SPDX-License-Identifier: MIT
/*
 * A private mapping starts with the contents of the buffer and copies a page
 * when it is first written. The buffer, and everybody else, keeps the original.
 *
 * Lengths of mappings are multiples of the buffer's page size; HPAGE_MAP_INFO
 * tells it.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/hpage_map.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	const char original[] = "what the buffer holds";
	char found[sizeof(original)] = "";
	int fd = open("/dev/hpage_map", O_RDWR);

	if (fd < 0)
		err(1, "open /dev/hpage_map");
	if (ioctl(fd, HPAGE_MAP_INFO, &info))
		err(1, "ask what the buffer is");
	if (pwrite(fd, original, sizeof(original), 0) != sizeof(original))
		err(1, "write the original");

	char *mine = mmap(NULL, info.page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (mine == MAP_FAILED)
		err(1, "mmap a private page (hugetlb needs a free one in the pool for the copy)");
	printf("private mapping before writing: %s\n", mine);

	strcpy(mine, "what only I can see");
	if (pread(fd, found, sizeof(found), 0) != sizeof(found))
		err(1, "read the buffer");
	printf("private mapping after writing:  %s\n", mine);
	printf("the buffer itself:              %s\n", found);
	return strcmp(found, original) != 0;
}
