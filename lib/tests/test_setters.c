// SPDX-License-Identifier: LGPL-2.1-or-later
/* Pools and reserves are the machine's: with the module, as root, and with a pool. */
#define _GNU_SOURCE
#include "fixture.h"

static struct hpmap_pool pool_of(uint64_t page_size)
{
	struct hpmap_pool pool = { .struct_size = sizeof(pool) };

	ok(hpmap_get_pool(page_size, -1, &pool));
	return pool;
}

static void a_pool_is_set(void **state)
{
	uint64_t total = pool_of(2 * MIB).total, got = 0;
	struct hpmap_buffer *b;

	(void)state;
	ok(hpmap_set_pool(2 * MIB, -1, total - 8, &got));
	assert_int_equal(got, total - 8);
	ok(hpmap_set_pool(2 * MIB, -1, total, NULL));
	assert_int_equal(pool_of(2 * MIB).total, total);

	/* What is in use stays until it is free. */
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 4 * MIB, .flags = HPMAP_NO_MODULE), &b));
	ok(hpmap_set_pool(2 * MIB, -1, 0, &got));
	assert_int_equal(got, 2);
	assert_int_equal(pool_of(2 * MIB).surplus, 2);
	hpmap_close(b);
	assert_int_equal(pool_of(2 * MIB).total, 0);
	ok(hpmap_set_pool(2 * MIB, -1, total, NULL));

	ok(hpmap_set_overcommit(2 * MIB, 5));
	assert_int_equal(pool_of(2 * MIB).overcommit, 5);
	ok(hpmap_set_overcommit(2 * MIB, 0));
	assert_int_equal(pool_of(2 * MIB).overcommit, 0);
	got = 7;
	assert_int_equal(hpmap_set_pool(3 * MIB, -1, 1, &got), -ENOENT);
	assert_int_equal(hpmap_set_pool(2 * MIB, 77, 1, &got), -ENOENT);
	assert_int_equal(hpmap_set_pool(2 * MIB, -2, 1, &got), -EINVAL);
	assert_int_equal(hpmap_set_overcommit(3 * MIB, 1), -ENOENT);
	assert_int_equal(got, 7);
}

/* Gigantic pages, of which no machine of this size has many. */
static void a_pool_is_set_whole_or_as_it_was(void **state)
{
	uint64_t before = pool_of(1024 * MIB).total, got = 0;

	(void)state;
	assert_true(refused(hpmap_set_pool(1024 * MIB, -1, 100, NULL), -ENOMEM, " of 100 pages"));
	assert_int_equal(pool_of(1024 * MIB).total, before);
	ok(hpmap_set_pool(1024 * MIB, -1, 100, &got));
	assert_in_range(got, 0, 99);
	assert_int_equal(pool_of(1024 * MIB).total, got);
	ok(hpmap_set_pool(1024 * MIB, -1, before, NULL));
}

static void a_reserve_is_set(void **state)
{
	const enum hpmap_backing backings[] = { HPMAP_BACKING_HUGETLB, HPMAP_BACKING_THP };
	struct hpmap_reserve r = { .struct_size = sizeof(r) };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		print_message("backing %d\n", backings[i]);
		ok(hpmap_set_reserve(backings[i], 2 * MIB, 0, 2));
		/* In the background. */
		do {
			ok(hpmap_get_reserve(backings[i], 2 * MIB, 0, &r));
			assert_int_equal(r.asked, 2);
		} while (r.ready < 2);
		ok(hpmap_set_reserve(backings[i], 2 * MIB, 0, 0));
		do {
			ok(hpmap_get_reserve(backings[i], 2 * MIB, 0, &r));
			assert_int_equal(r.asked, 0);
		} while (r.ready);
	}
	assert_true(refused(hpmap_set_reserve(HPMAP_BACKING_THP, 2 * MIB, 0, 1UL << 40), -ENOMEM,
			    "less memory"));
	assert_int_equal(hpmap_set_reserve(HPMAP_BACKING_THP, 2 * MIB, 77, 1), -ENOENT);
	assert_int_equal(hpmap_set_reserve(HPMAP_BACKING_BASE, 4096, 0, 1), -EINVAL);
}

static int set_by_nobody(void)
{
	return !refused(hpmap_set_pool(2 * MIB, -1, 0, NULL), -EACCES, "sudo hpagectl pool") ||
	       !refused(hpmap_set_overcommit(2 * MIB, 1), -EACCES, "sudo hpagectl pool") ||
	       !refused(hpmap_set_reserve(HPMAP_BACKING_THP, 2 * MIB, 0, 1), -EACCES,
			"sudo hpagectl reserve");
}

static void nobody_sets_nothing(void **state)
{
	uint64_t total = pool_of(2 * MIB).total;

	(void)state;
	assert_int_equal(as_nobody(set_by_nobody), 0);
	assert_int_equal(pool_of(2 * MIB).total, total);
}

static void reserves_are_reported(void **state)
{
	struct hpmap_reserve r = { .struct_size = sizeof(r) };

	(void)state;
	ok(hpmap_get_reserve(HPMAP_BACKING_HUGETLB, 2 * MIB, 0, &r));
	assert_int_equal(r.asked, 0);
	assert_int_equal(hpmap_get_reserve(HPMAP_BACKING_HUGETLB, 2 * MIB, 999, &r), -ENOENT);
	assert_int_equal(hpmap_get_reserve(HPMAP_BACKING_BASE, 4096, 0, &r), -EINVAL);
}

static const struct CMUnitTest tests[] = {
	TEST(a_pool_is_set),
	TEST(a_pool_is_set_whole_or_as_it_was),
	TEST(reserves_are_reported),
	TEST(a_reserve_is_set),
	TEST(nobody_sets_nothing),
};

int test_setters(void)
{
	return RUN("setters", tests);
}
