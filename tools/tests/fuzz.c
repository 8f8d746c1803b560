// SPDX-License-Identifier: GPL-2.0-only
/* Whatever is typed or stands in a file, the parsers neither crash nor read beyond it. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../hpagectl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the place of say.c: thousands of complaints a second help nobody. */
void complain(const char *fmt, ...)
{
	(void)fmt;
}

static int set(void *data, const char *key, const char *value)
{
	(void)data;
	return strlen(key) + strlen(value) > 100 ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), shown[SIZE_ROOM], path[32];
	int fd = memfd_create("ini", MFD_CLOEXEC);
	uint64_t bytes;

	if (!size_read(text, &bytes))
		size_show(bytes, shown);
	number_read(text, &bytes);
	if (fd >= 0 && write(fd, data, size) == (ssize_t)size) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ini_read(path, "Buffer", set, NULL);
	}
	close(fd);
	free(text);
	return 0;
}
