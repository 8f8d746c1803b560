// SPDX-License-Identifier: MIT
/*
 * Open the device, map its buffer, write and read all of it, unmap, close.
 * The program knows nothing of huge pages; it merely gets them.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	int fd = open("/dev/hpage_map", O_RDWR);
	if (fd < 0)
		err(1, "open /dev/hpage_map");

	off_t length = lseek(fd, 0, SEEK_END);
	uint64_t *word = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (word == MAP_FAILED)
		err(1, "mmap %lld bytes", (long long)length);

	size_t count = length / sizeof(*word), wrong = 0;
	for (size_t i = 0; i < count; i++)
		word[i] = i;
	for (size_t i = 0; i < count; i++)
		wrong += word[i] != i;
	printf("wrote and read %lld bytes, %zu words wrong\n", (long long)length, wrong);

	munmap(word, length);
	close(fd);
	return wrong != 0;
}
