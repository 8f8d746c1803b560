// SPDX-License-Identifier: GPL-2.0-only
/* Sizes are read and written as people mean them; nonsense and overflow are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/text.h"
#include "../parse.h"

static void sizes_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} sizes[] = {
		{ "0", 0 },
		{ "4096", 4096 },
		{ "4096B", 4096 },
		{ "64K", 64 << 10 },
		{ "64k", 64 << 10 },
		{ "2M", 2 << 20 },
		{ "2MB", 2 << 20 },
		{ "2MiB", 2 << 20 },
		{ "2 MiB", 2 << 20 },
		{ "1.5G", 3UL << 29 },
		{ "0.5G", 1UL << 29 },
		{ "0.1K", 102 },
		{ "2.25T", 9UL << 38 },
		{ "15E", 15UL << 60 },
		{ "15.5E", 31UL << 59 },
		{ "18446744073709551615", UINT64_MAX },
	};
	uint64_t bytes;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		if (size_read(sizes[i].text, &bytes))
			fail_msg("%s is refused", sizes[i].text);
		assert_int_equal(bytes, sizes[i].bytes);
	}
}

static void nonsense_is_refused(void **state)
{
	static const char *const texts[] = {
		"", " 1", "M", "-1", "+1", "1Q", "1MM", "1Mi", "1.M", ".5M", "1.5", "1.5B",
		"1e3", "0x10", "16E", "18446744073709551616", "1 ", "1  M", "1M ", "1M2", "1,5G",
		"17179869184G", "15.99999E5",
	};
	uint64_t bytes = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (!size_read(texts[i], &bytes))
			fail_msg("\"%s\" is read as %llu", texts[i], (unsigned long long)bytes);
	assert_int_equal(bytes, 7);
}

static void sizes_are_written(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1 KiB" },
		{ 1536, "1.5 KiB" },
		{ 4097, "4097 B" },
		{ 2 << 20, "2 MiB" },
		{ (1 << 20) - 1, "1023.9 KiB" },
		{ 3UL << 29, "1.5 GiB" },
		{ 5UL << 28, "1280 MiB" },
		{ UINT64_MAX, "15.9 EiB" },
	};
	char text[SIZE_ROOM];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		assert_string_equal(size_text(sizes[i].bytes, text), sizes[i].text);
}

/* What is advised can be typed. */
static void words_are_read_again(void **state)
{
	static const uint64_t sizes[] = {
		0, 1, 1000, 1024, 65536, 2 << 20, 3 << 20, 1 << 30, 16UL << 30, UINT64_MAX,
	};
	char text[SIZE_ROOM];
	uint64_t bytes;
	size_t i;

	(void)state;
	assert_string_equal(size_word(2 << 20, text), "2M");
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		assert_int_equal(size_read(size_word(sizes[i], text), &bytes), 0);
		assert_int_equal(bytes, sizes[i]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_read),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(sizes_are_written),
		cmocka_unit_test(words_are_read_again),
	};

	return cmocka_run_group_tests_name("size", tests, NULL, NULL);
}
