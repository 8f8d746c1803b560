// SPDX-License-Identifier: LGPL-2.1-or-later
/* Asking for a buffer: what is had, and what is refused. */
#define _GNU_SOURCE
#include "fixture.h"

#include <sys/resource.h>
#include <sys/syscall.h>

/* The same figures whoever asks for base pages, and what they are called. */
static void base_pages_are_had_when_allowed(void **state)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	struct hpmap_buffer *b;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 3 * page, .page_size = page, .name = "small"), &b));
	assert_int_equal(hpmap_page_size(b), page);
	assert_int_equal(hpmap_size(b), 3 * page);
	assert_int_equal(info_of(b).backing, HPMAP_BACKING_BASE);
	assert_string_equal(info_of(b).name, "small");
	hpmap_close(b);
}

/* Structs of programs and libraries of different age. */
static void sizes_of_structs_are_checked(void **state)
{
	struct {
		struct hpmap_options o;
		uint64_t later;
	} longer = { .o = { .struct_size = sizeof(longer), .size = MIB } };
	struct {
		struct hpmap_info i;
		uint64_t later;
	} info = { .i = { .struct_size = sizeof(info) } };
	struct hpmap_options shorter = { .struct_size = sizeof(shorter) - 4, .size = MIB };
	struct hpmap_buffer *b = NULL;

	(void)state;
	assert_int_equal(hpmap_alloc(&shorter, &b), -EINVAL);
	assert_int_equal(hpmap_alloc(NULL, &b), -EINVAL);
	longer.later = 1;
	assert_int_equal(hpmap_alloc(&longer.o, &b), -E2BIG);
	assert_null(b);
	longer.later = 0;
	ok(hpmap_alloc(&longer.o, &b));
	ok(hpmap_info(b, &info.i));
	assert_int_equal(info.i.struct_size, sizeof(info));
	info.later = 7;
	assert_int_equal(hpmap_info(b, &info.i), -E2BIG);
	info.i.struct_size = 8;
	assert_int_equal(hpmap_info(b, &info.i), -EINVAL);
	/* One that was never set: nothing behind the struct is looked at. */
	info.i.struct_size = 0xffffffff;
	assert_int_equal(hpmap_info(b, &info.i), -E2BIG);
	hpmap_close(b);
}

/* That field was called size once; who still sets that is told, and is not given so few bytes. */
static void a_struct_without_its_size_is_refused_with_a_hint(void **state)
{
	struct hpmap_options options = { .size = sizeof(options) };
	struct hpmap_info info = { .size = sizeof(info) };
	struct hpmap_reserve reserve = {};
	struct hpmap_buffer *b = NULL;
	struct hpmap_pool pool = {};

	(void)state;
	assert_true(refused(hpmap_alloc(&options, &b), -EINVAL,
			    ".struct_size = sizeof(struct hpmap_options), and not .size; or "
			    "HPMAP_OPTIONS()"));
	assert_null(b);
	options.struct_size = 64 << 20;
	assert_true(refused(hpmap_alloc(&options, &b), -E2BIG,
			    "try: .struct_size = sizeof(struct hpmap_options)"));
	b = alloc(2 * MIB);
	assert_true(refused(hpmap_info(b, &info), -EINVAL,
			    "try: .struct_size = sizeof(struct hpmap_info), and not .size"));
	hpmap_close(b);
	assert_true(refused(hpmap_next(0, &info), -EINVAL, "sizeof(struct hpmap_info)"));
	assert_true(refused(hpmap_get_pool(2 * MIB, -1, &pool), -EINVAL,
			    "sizeof(struct hpmap_pool)"));
	assert_true(refused(hpmap_get_reserve(HPMAP_BACKING_THP, 2 * MIB, 0, &reserve), -EINVAL,
			    "sizeof(struct hpmap_reserve)"));
}

/* A size is bytes of memory: as large as none was when the field of that name told the sizeof. */
static void a_size_is_bytes_of_memory(void **state)
{
	struct hpmap_buffer *b;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 64 << 20), &b));
	assert_int_equal(info_of(b).size, 64 << 20);
	hpmap_close(b);
}

/* What makes no sense is refused the same with the module and without, and leaves nothing. */
static void nonsense_is_refused(void **state)
{
	static const struct hpmap_options refused[] = {
		{ .size = 0 },
		{ .size = MIB, .flags = 1U << 31 },
		{ .size = MIB, .flags = HPMAP_EXACT | HPMAP_ALLOW_BASE },
		{ .size = MIB, .flags = HPMAP_NO_MODULE | HPMAP_CONTIGUOUS },
		{ .size = MIB, .page_size = 3 * MIB },
		{ .size = MIB, .page_size = 512 },
		{ .size = MIB, .policy = 4 },
		{ .size = MIB, .node = 1 },
		{ .size = MIB, .node = 999, .policy = HPMAP_POLICY_STRICT },
		{ .size = MIB, .node = -2, .policy = HPMAP_POLICY_PREFERRED },
		{ .size = MIB, .name = "a/b" },
		{ .size = MIB, .name = ".." },
		{ .size = MIB, .name = "" },
		{ .size = MIB, .mode = 0600 },
		{ .size = MIB, .reserved = 1 },
		{ .size = MIB, .page_size = 8 * MIB, .flags = HPMAP_EXACT },
	};
	struct hpmap_buffer *b = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct hpmap_options o = refused[i];

		o.struct_size = sizeof(o);
		if (hpmap_alloc(&o, &b) != -EINVAL)
			fail_msg("number %zu is not refused: %s", i, hpmap_why(NULL));
		assert_null(b);
		assert_true(*hpmap_why(NULL));
	}
}

static void a_device_that_is_not_there_is_enodev(void **state)
{
	static const char *const odd[] = { "../x", "..", ".", "" };
	struct hpmap_buffer *b = NULL;
	size_t i;

	(void)state;
	assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.size = MIB, .near_device = "0000:ff:1f.7"),
				     &b), -ENODEV);
	assert_non_null(strstr(hpmap_why(NULL), "ls /sys/bus/pci/devices"));
	for (i = 0; i < 4; i++)
		assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.size = MIB, .near_device = odd[i]),
					     &b), -ENODEV);
}

/* Failing at the call and not at first touch. */
static void more_than_the_machine_has_is_enomem(void **state)
{
	struct hpmap_buffer *b = NULL;

	(void)state;
	assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.size = 1UL << 46, .flags = HPMAP_ALLOW_BASE),
				     &b), -ENOMEM);
	assert_non_null(strstr(hpmap_why(NULL), "\ntry: "));
	assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.size = UINT64_MAX), &b), -ENOMEM);
	assert_null(b);
}

static void without_a_descriptor_left_it_is_emfile(void **state)
{
	struct rlimit old, none = { 0, 0 };
	struct hpmap_buffer *b = NULL;
	int ret;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	ret = hpmap_alloc(HPMAP_OPTIONS(.size = MIB, .flags = HPMAP_ALLOW_BASE), &b);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(ret, -EMFILE);
	assert_null(b);
}

/* The node is kept to, and the thread's own policy is as before. */
static void a_node_can_be_asked_for(void **state)
{
	uint32_t policy;
	struct hpmap_buffer *b;
	int before_mode = -1, mode = -2;

	(void)state;
	syscall(SYS_get_mempolicy, &before_mode, NULL, 0, NULL, 0);
	for (policy = HPMAP_POLICY_PREFERRED; policy <= HPMAP_POLICY_INTERLEAVE; policy++) {
		ok(hpmap_alloc(HPMAP_OPTIONS(.size = 4 * MIB, .policy = policy,
					     .flags = HPMAP_NO_MODULE), &b));
		if (policy == HPMAP_POLICY_STRICT)
			assert_int_equal(info_of(b).node, 0);
		hpmap_close(b);
	}
	syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0);
	if (before_mode >= 0)
		assert_int_equal(mode, before_mode);
}

static void pools_are_reported(void **state)
{
	struct hpmap_pool pool = { .struct_size = sizeof(pool) };
	uint64_t sizes[32];
	unsigned int nr = 32, none = 0, i;

	(void)state;
	ok(hpmap_page_sizes(sizes, &nr));
	ok(hpmap_page_sizes(NULL, &none));
	assert_int_equal(none, nr);
	assert_int_equal(hpmap_page_sizes(NULL, &nr), nr ? -EFAULT : 0);
	for (i = 0; i < nr; i++) {
		assert_true(!i || sizes[i] > sizes[i - 1]);
		ok(hpmap_get_pool(sizes[i], -1, &pool));
		assert_true(pool.free <= pool.total);
	}
	assert_int_equal(hpmap_get_pool(12345, -1, &pool), -ENOENT);
	assert_int_equal(hpmap_get_pool(2 * MIB + 5, -1, &pool), -ENOENT);
	assert_int_equal(hpmap_get_pool(2 * MIB, -9, &pool), -EINVAL);
	assert_true(*hpmap_version() >= '0');
}

static void calls_that_need_the_module_report_that(void **state)
{
	struct hpmap_reserve reserve = { .struct_size = sizeof(reserve) };
	struct hpmap_info info = { .struct_size = sizeof(info) };
	struct hpmap_buffer *b = NULL, *made = NULL;
	struct hpmap_run run;
	unsigned int nr = 1;
	struct hpmap_dma *dma = NULL;
	uint32_t flag;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB, .flags = HPMAP_NO_MODULE), &b));
	assert_int_equal(hpmap_get_runs(b, 0, &run, &nr), -ENOTSUP);
	assert_int_equal(hpmap_physical_address(b, 0, &run.address, NULL), -ENOTSUP);
	if (!with_module) {
		assert_int_equal(hpmap_open("none", 0, &made), -ENOTSUP);
		assert_int_equal(hpmap_open(NULL, 0, &made), -ENOTSUP);
		assert_int_equal(hpmap_destroy("none"), -ENOTSUP);
		assert_int_equal(hpmap_next(0, &info), -ENOTSUP);
		assert_int_equal(hpmap_get_reserve(HPMAP_BACKING_THP, 2 * MIB, 0, &reserve),
				 -ENOTSUP);
		assert_int_equal(hpmap_set_reserve(HPMAP_BACKING_THP, 2 * MIB, 0, 1), -ENOTSUP);
		assert_int_equal(hpmap_create(HPMAP_OPTIONS(.size = MIB, .name = "n"), &made),
				 -ENOTSUP);
		for (flag = HPMAP_CONTIGUOUS; flag <= HPMAP_RESERVE; flag <<= 1)
			assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.size = MIB, .flags = flag),
						     &made), -ENOTSUP);
		assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.size = MIB,
							   .flags = HPMAP_MODULE_ONLY), &made),
				 -ENOTSUP);
		assert_non_null(strstr(hpmap_why(NULL), "modprobe hpage_map"));
		assert_int_equal(hpmap_pin(&made, MIB, &made), -ENOTSUP);
		assert_non_null(strstr(hpmap_why(NULL), "modprobe hpage_map"));
		assert_int_equal(hpmap_dma_map(b, "0000:00:00.0", HPMAP_DMA_TO_DEVICE, &dma),
				 -ENOTSUP);
		assert_int_equal(hpmap_dma_from_fd(hpmap_fd(b), &dma), -ENOTSUP);
		assert_int_equal(hpmap_dma_from_fd(-1, &dma), -ENOTSUP);
		assert_null(dma);
		assert_non_null(strstr(hpmap_why(NULL), "modprobe hpage_map"));
	}
	assert_null(made);
	hpmap_close(b);
}

static const struct CMUnitTest tests[] = {
	TEST(base_pages_are_had_when_allowed),
	TEST(sizes_of_structs_are_checked),
	TEST(a_struct_without_its_size_is_refused_with_a_hint),
	TEST(a_size_is_bytes_of_memory),
	TEST(nonsense_is_refused),
	TEST(a_device_that_is_not_there_is_enodev),
	TEST(more_than_the_machine_has_is_enomem),
	TEST(without_a_descriptor_left_it_is_emfile),
	TEST(a_node_can_be_asked_for),
	TEST(pools_are_reported),
	TEST(calls_that_need_the_module_report_that),
};

int test_options(void)
{
	return RUN("options", tests);
}
