// SPDX-License-Identifier: MIT
/*
 * A buffer of libhpage_map, from the module where it is loaded and from memfd
 * where it is not, and what was got:
 *
 *	cc -o library library.c $(pkg-config --cflags --libs libhpage_map)
 */
#include <err.h>
#include <hpage_map.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	static const char *const backings[] = { "none", "hugetlb", "thp", "base", "user" };
	struct hpmap_info info = { .struct_size = sizeof(info) };
	struct hpmap_buffer *buffer;
	void *address;

	if (hpmap_alloc(HPMAP_OPTIONS(.size = 4 << 20, .flags = HPMAP_ALLOW_BASE), &buffer) ||
	    hpmap_map(buffer, HPMAP_POPULATE, &address) || hpmap_info(buffer, &info))
		errx(1, "%s", hpmap_why(NULL));
	memset(address, 0xa5, hpmap_size(buffer));

	printf("%zu bytes from %s, %s, in pages of %llu kB\n", hpmap_size(buffer),
	       info.backend == HPMAP_BACKEND_MODULE ? "the module" : "memfd",
	       backings[info.backing], (unsigned long long)info.page_size / 1024);
	if (*hpmap_why(buffer))
		printf("nothing better: %s\n", hpmap_why(buffer));
	hpmap_close(buffer);
	return 0;
}
