// SPDX-License-Identifier: GPL-2.0-only
/* Memory as a program meets it: pages that are there when they are first touched. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "file.h"
#include "report.h"
#include "touch.h"

static uint64_t fault_count(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/* Write a byte to every 4 KiB; returns the page faults that this took. */
uint64_t touch(void *memory, uint64_t length)
{
	uint64_t before = fault_count(), at;

	for (at = 0; at < length; at += 4096)
		((volatile char *)memory)[at] = 2;
	return fault_count() - before;
}

/* Bytes that programs could have without others being ended for it. YES, or UNSEEN. */
enum answer memory_available(uint64_t *bytes)
{
	static const char name[] = "MemAvailable:";
	char text[8192], *line;

	file_read(text, sizeof(text), "/proc/meminfo");
	line = strstr(text, name);
	if (!line)
		return UNSEEN;
	*bytes = strtoull(line + strlen(name), NULL, 10) << 10;
	return YES;
}

/* Memory of the base page size, for munmap(). Complains if there is no room, and returns NULL. */
void *ordinary_memory(uint64_t length)
{
	void *memory = MAP_FAILED;
	uint64_t available;

	if (memory_available(&available) == UNSEEN || length <= available)
		memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	if (memory == MAP_FAILED) {
		complain("%s of ordinary memory are not available" TRY "a smaller --size",
			 SIZE_TEXT(length));
		return NULL;
	}
	madvise(memory, length, MADV_NOHUGEPAGE);
	return memory;
}
