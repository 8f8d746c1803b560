// SPDX-License-Identifier: MIT
/*
 * Make a buffer of huge pages that the program got itself.
 *
 * The memory counts against RLIMIT_MEMLOCK (ulimit -l), unless the caller has
 * CAP_IPC_LOCK.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/hpage_map.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

int main(void)
{
	static char text[HPAGE_MAP_TEXT_SIZE];
	struct hpage_map_info info = { .size = sizeof(info) };
	struct hpage_map_pin p = {
		.size = sizeof(p),
		.length = 8 << 20,
		.name = "mine",
		.text = (uintptr_t)text,
		.text_size = sizeof(text),
	};
	int door = open("/dev/hpage_map", HPAGE_MAP_O_DOOR);
	void *memory;

	if (door < 0)
		err(1, "open /dev/hpage_map");
	memory = mmap(NULL, p.length, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap huge pages (the pool needs four)");

	p.address = (uintptr_t)memory;
	if (ioctl(door, HPAGE_MAP_PIN, &p))
		err(1, "pin: %s", text);
	if (ioctl(p.fd, HPAGE_MAP_INFO, &info))
		err(1, "info");
	printf("buffer %u has %llu bytes, huge pages: %llu, physical runs: %llu\n", p.id,
	       info.length, info.nr_huge, info.nr_runs);
	return 0;
}
