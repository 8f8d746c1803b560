// SPDX-License-Identifier: LGPL-2.1-or-later
/* Structs that begin with their size, between programs and libraries of different age. */
#include <errno.h>
#include <string.h>

#include "public.h"
#include "structs.h"
#include "why.h"

/* As the kernel has it for its own: what is larger was never set. */
#define MAX_SIZE	4096

static uint32_t struct_size_of(const void *from)
{
	uint32_t size;

	memcpy(&size, from, sizeof(size));
	return size;
}

/*
 * May a struct have this size? The library knows @known bytes, its first version @first. @name is
 * for people.
 */
int struct_check(const char *name, const void *from, size_t known, size_t first)
{
	const unsigned char *bytes = from;
	uint32_t size, i;

	if (!from)
		return fail(-EINVAL, "the struct %s is NULL", name);
	size = struct_size_of(from);
	/* So was that field called that now counts bytes of memory. */
	if (size < first)
		return fail(-EINVAL, "the struct_size of a struct %s is %u, less than %zu"
			    TRY ".struct_size = sizeof(struct %s), and not .size%s", name, size,
			    first, name,
			    strcmp(name, "hpmap_options") ? "" : "; or HPMAP_OPTIONS()");
	if (size > MAX_SIZE)
		return fail(-E2BIG, "the struct_size of a struct %s is %u, which none can have"
			    TRY ".struct_size = sizeof(struct %s)", name, size, name);
	for (i = known; i < size; i++)
		if (bytes[i])
			return fail(-E2BIG, "the struct %s has a field that libhpage_map %s does "
				    "not know", name, hpmap_version());
	return 0;
}

/* Copy a struct in, extended by zeros. */
int struct_in(const char *name, void *to, size_t known, size_t first, const void *from)
{
	int ret = struct_check(name, from, known, first);
	uint32_t size;

	if (ret)
		return ret;
	size = struct_size_of(from);
	memset(to, 0, known);
	memcpy(to, from, size < known ? size : known);
	return 0;
}

/* Copy an answer out, as much as the caller knows, without the size. */
void struct_out(void *to, const void *from, size_t known)
{
	uint32_t size = struct_size_of(to);

	if (size > known)
		memset((char *)to + known, 0, size - known);
	memcpy((char *)to + sizeof(size), (const char *)from + sizeof(size),
	       (size < known ? size : known) - sizeof(size));
}
