// SPDX-License-Identifier: LGPL-2.1-or-later
/* Programs of before: what they call and set still means what it meant. */
#include "fixture.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static void names_of_before_still_work(void **state)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	struct hpmap_options options = { .struct_size = sizeof(options), .page_size = page };
	struct hpmap_buffer *b;
	struct hpmap_info info;

	(void)state;
	options.length = 3 * page;
	ok(hpmap_alloc(&options, &b));
	info = info_of(b);
	assert_int_equal(info.length, 3 * page);
	assert_int_equal(hpmap_length(b), 3 * page);
	hpmap_free(b);
	ok(hpmap_alloc(HPMAP_OPTIONS(.length = page, .page_size = page), &b));
	assert_int_equal(hpmap_length(b), page);
	hpmap_free(b);
}

static void pools_and_reserves_have_their_names_of_before(void **state)
{
	struct hpmap_reserve reserve = { .struct_size = sizeof(reserve) };
	struct hpmap_pool pool = { .struct_size = sizeof(pool) };

	(void)state;
	assert_int_equal(hpmap_pool(12345, -1, &pool), -ENOENT);
	assert_int_equal(hpmap_reserve(HPMAP_BACKING_BASE, 4096, 0, &reserve), -EINVAL);
}

static const struct CMUnitTest tests[] = {
	TEST(names_of_before_still_work),
	TEST(pools_and_reserves_have_their_names_of_before),
};

int test_old(void)
{
	return RUN("old", tests);
}
