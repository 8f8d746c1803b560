// SPDX-License-Identifier: LGPL-2.1-or-later
/* A program in C++, which ends with 0: lib/tests/header builds it for several standards. */
#include <cstring>

#include <hpage_map.h>

static const uint64_t page = 4096;

/* Fields are set one by one before C++20. */
static int alloc_by_field(hpmap_buffer **buffer)
{
	hpmap_options options = {};

	options.struct_size = sizeof(options);
	options.flags = HPMAP_ALLOW_BASE;
	options.size = 3 * page;
	options.name = "cxx";
	return hpmap_alloc(&options, buffer);
}

static int alloc_in_place(hpmap_buffer **buffer)
{
#if __cplusplus >= 202002L
	return hpmap_alloc(HPMAP_OPTIONS(.flags = HPMAP_ALLOW_BASE, .size = 3 * page,
					 .name = "cxx"), buffer);
#else
	return alloc_by_field(buffer);
#endif
}

static bool is_as_asked(int ret, hpmap_buffer *buffer)
{
	/* There is a function of that name, too. */
	struct hpmap_info info = {};
	bool good;

	info.struct_size = sizeof(info);
	if (ret || hpmap_info(buffer, &info))
		return false;
	good = info.asked == 3 * page && info.size == hpmap_size(buffer) &&
	       !std::strcmp(info.name, "cxx");
	hpmap_close(buffer);
	return good;
}

int main()
{
	hpmap_buffer *buffer = nullptr;
	int ret = alloc_by_field(&buffer);

	if (!is_as_asked(ret, buffer))
		return 1;
	ret = alloc_in_place(&buffer);
	return is_as_asked(ret, buffer) ? 0 : 2;
}
