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

/* A program goes through its array by that: it was no count of what the array has no room for. */
static void runs_of_before_count_what_was_written(void **state)
{
	struct hpmap_buffer *b;
	struct hpmap_run run;
	unsigned int nr = 1;
	void *memory;

	(void)state;
	if (!with_module) {
		b = alloc(MIB);
		assert_int_equal(hpmap_runs(b, 0, &run, &nr), -ENOTSUP);
		hpmap_close(b);
		return;
	}
	b = pinned_in_runs(&memory, MIB);
	assert_in_range(info_of(b).nr_runs, 2, 256);
	ok(hpmap_runs(b, 0, &run, &nr));
	assert_int_equal(nr, 1);
	ok(hpmap_runs(b, info_of(b).nr_runs, &run, &nr));
	assert_int_equal(nr, 0);
	hpmap_close(b);
	munmap(memory, MIB);
}

static const struct CMUnitTest tests[] = {
	TEST(names_of_before_still_work),
	TEST(pools_and_reserves_have_their_names_of_before),
	TEST(runs_of_before_count_what_was_written),
};

int test_old(void)
{
	return RUN("old", tests);
}
