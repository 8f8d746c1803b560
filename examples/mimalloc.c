// SPDX-License-Identifier: MIT
/*
 * Many small objects in one buffer: an arena of mimalloc 2, whose objects are all in huge pages
 * that can be pinned, passed on, or mapped for a device.
 *
 *	cc -o mimalloc mimalloc.c $(pkg-config --cflags --libs libhpage_map) -lmimalloc
 */
#include <err.h>
#include <hpage_map.h>
#include <mimalloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>

#define SIZE	(64UL << 20)	/* an arena is a multiple of 32 MiB, and so is its address */
#define OBJECTS	200000

struct object {
	struct object *next;
	unsigned long number;
};

int main(void)
{
	struct hpmap_buffer *buffer;
	struct object *list = NULL, *o;
	unsigned long nr, sum = 0;
	bool inside = true;
	mi_arena_id_t arena;
	mi_heap_t *heap;
	char *range, *at;

	range = mmap(NULL, 2 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (range == MAP_FAILED)
		err(1, "mmap");
	at = range + (-(uintptr_t)range & (SIZE - 1));
	if (hpmap_alloc(HPMAP_OPTIONS(.size = SIZE, .flags = HPMAP_ALLOW_BASE), &buffer) ||
	    hpmap_map_at(buffer, at, 0, SIZE, HPMAP_REPLACE | HPMAP_POPULATE, NULL))
		errx(1, "%s", hpmap_why(NULL));

	/* All there, never to be given back, zeroed, of any node, and for this heap alone. */
	if (!mi_manage_os_memory_ex(at, SIZE, true, true, true, -1, true, &arena))
		errx(1, "mimalloc does not take the buffer");
	heap = mi_heap_new_in_arena(arena);
	for (nr = 0; nr < OBJECTS && (o = mi_heap_malloc(heap, sizeof(*o))); nr++) {
		*o = (struct object){ list, nr };
		inside &= (char *)o >= at && (char *)(o + 1) <= at + SIZE;
		list = o;
	}
	for (o = list; o; o = o->next)
		sum += o->number;
	printf("%lu objects, %s, their sum is %lu\n", nr,
	       inside ? "all of them in the buffer" : "some of them elsewhere", sum);
	/* The buffer must outlive the heap, whose end is that of the program. */
	return 0;
}
