// SPDX-License-Identifier: LGPL-2.1-or-later
/* Parts of a buffer that the program maps itself: where, how, twice, and what is refused. */
#define _GNU_SOURCE
#include "fixture.h"

#include <linux/filter.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define TIB	(1UL << 40)

#ifndef MFD_HUGE_SHIFT
#define MFD_HUGETLB	4U
#endif

/* Addresses that nobody else is given, at a multiple of @align. */
static char *reserve(size_t length, size_t align)
{
	char *range = mmap(NULL, length + align, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), *at;

	assert_ptr_not_equal(range, MAP_FAILED);
	at = range + (-(uintptr_t)range & (align - 1));
	if (at > range)
		munmap(range, at - range);
	munmap(at + length, range + align - at);
	return at;
}

/* Are all addresses free? Any that were are free afterwards, too. */
static bool is_free(char *range, size_t length)
{
	char *got = mmap(range, length, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (got == MAP_FAILED)
		return false;
	munmap(got, length);
	return true;
}

/* Is no address free, and none to be read? */
static bool is_reserved(char *range, size_t length)
{
	size_t page = sysconf(_SC_PAGESIZE), at;

	for (at = 0; at < length; at += length / 4)
		if (is_free(range + at, page) || access(range + at, F_OK) != -1 || errno != EFAULT)
			return false;
	return true;
}

/* Is it in the page tables? */
static bool is_present(const char *address)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &entry, sizeof(entry), (uintptr_t)address /
			       sysconf(_SC_PAGESIZE) * sizeof(entry)), sizeof(entry));
	close(fd);
	return entry >> 63;
}

/* A memfd as a peer may send it. */
static struct hpmap_buffer *buffer_of(uint64_t length, unsigned int flags, int seals)
{
	int fd = memfd_create("window", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
	struct hpmap_buffer *b = NULL;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, length), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | seals), 0);
	ok(hpmap_from_fd(fd, &b));
	close(fd);
	return b;
}

static void a_window_shows_its_part(void **state)
{
	struct hpmap_buffer *b = alloc(8 * MIB);
	size_t page = hpmap_page_size(b);
	char *all, *first, *last, *again;

	(void)state;
	ok(hpmap_map(b, 0, (void **)&all));
	ok(hpmap_map_at(b, NULL, 0, page, 0, (void **)&first));
	ok(hpmap_map_at(b, NULL, 8 * MIB - 2 * page, 2 * page, 0, (void **)&last));
	ok(hpmap_map_at(b, NULL, 8 * MIB - page, page, 0, (void **)&again));
	assert_ptr_equal(hpmap_addr(b), all);
	assert_int_equal((uintptr_t)first % page | (uintptr_t)last % page, 0);
	strcpy(first, "first");
	strcpy(last + page, "last");
	assert_string_equal(all, "first");
	assert_string_equal(all + 8 * MIB - page, "last");
	assert_string_equal(again, "last");

	/* They are the program's, and hold the memory. */
	hpmap_close(b);
	assert_string_equal(first, "first");
	assert_string_equal(again, "last");
	munmap(first, page);
	munmap(last, 2 * page);
	munmap(again, page);
}

/* So that the huge pages that there are in a file of base pages are mapped as such. */
static void a_window_is_where_huge_pages_fit(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct hpmap_buffer *b = buffer_of(4 * MIB + page, 0, 0);
	char *p;

	(void)state;
	assert_int_equal(hpmap_page_size(b), page);
	ok(hpmap_map_at(b, NULL, page, 4 * MIB, 0, (void **)&p));
	assert_int_equal(((uintptr_t)p - page) % (2 * MIB), 0);
	munmap(p, 4 * MIB);
	hpmap_close(b);
}

/* What is written over the end is at the beginning. */
static void a_buffer_twice_is_a_ring(void **state)
{
	struct hpmap_buffer *b = alloc(4 * MIB);
	size_t length = hpmap_size(b);
	char *ring = reserve(2 * length, hpmap_page_size(b));
	void *at = NULL;

	(void)state;
	ok(hpmap_map_at(b, ring, 0, length, HPMAP_REPLACE | HPMAP_POPULATE, &at));
	assert_ptr_equal(at, ring);
	ok(hpmap_map_at(b, ring + length, 0, length, HPMAP_REPLACE, NULL));
	strcpy(ring + length - 3, "hello");
	assert_string_equal(ring, "lo");
	strcpy(ring, "LO");
	assert_string_equal(ring + length - 3, "helLO");
	hpmap_close(b);
	munmap(ring, 2 * length);
}

static void what_is_mapped_stays_unless_it_is_to_be_replaced(void **state)
{
	struct hpmap_buffer *b = alloc(4 * MIB);
	size_t page = hpmap_page_size(b);
	char *range = reserve(2 * page, page);
	void *at = NULL;

	(void)state;
	assert_true(refused(hpmap_map_at(b, range, 0, page, 0, &at), -EEXIST, "HPMAP_REPLACE"));
	assert_null(at);
	assert_true(is_reserved(range, 2 * page));
	munmap(range, page);
	/* Half of it is free. */
	assert_true(refused(hpmap_map_at(b, range, 0, 2 * page, 0, &at), -EEXIST, "is mapped"));
	ok(hpmap_map_at(b, range, 0, page, 0, &at));
	assert_ptr_equal(at, range);
	strcpy(range, "here");
	ok(hpmap_map_at(b, range + page, 0, page, HPMAP_REPLACE, NULL));
	assert_string_equal(range + page, "here");
	munmap(range, 2 * page);
	hpmap_close(b);
}

static void a_window_is_read_only_private_or_populated(void **state)
{
	struct hpmap_buffer *b = alloc(4 * MIB);
	size_t page = hpmap_page_size(b), at;
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char *reader, *mine, *all;

	(void)state;
	ok(hpmap_map_at(b, NULL, page, page, HPMAP_READ_ONLY, (void **)&reader));
	assert_false(is_present(reader));
	assert_int_equal(read(zero, reader, 1), -1);
	assert_int_equal(errno, EFAULT);
	ok(hpmap_map_at(b, NULL, page, page, HPMAP_PRIVATE, (void **)&mine));
	strcpy(mine, "mine");
	assert_string_equal(reader, "");
	ok(hpmap_map_at(b, NULL, 0, 2 * page, HPMAP_POPULATE, (void **)&all));
	for (at = 0; at < 2 * page; at += sysconf(_SC_PAGESIZE))
		if (!is_present(all + at))
			fail_msg("%zu of %zu is not there", at, 2 * page);
	strcpy(all + page, "all");
	assert_string_equal(reader, "all");
	assert_string_equal(mine, "mine");
	close(zero);
	munmap(reader, page);
	munmap(mine, page);
	munmap(all, 2 * page);
	hpmap_close(b);
}

/* Has the mapping at this address a flag, as "dc", of /proc/PID/smaps? */
static bool has_flag(const void *address, const char *flag)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	unsigned long begin, end, at = (uintptr_t)address;
	bool within = false, has = false;
	char line[512];

	assert_non_null(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			within = at >= begin && at < end;
		else if (within && !strncmp(line, "VmFlags:", 8))
			has = strstr(line, flag);
	}
	fclose(smaps);
	return has;
}

static void a_window_is_in_no_child_and_no_core_file(void **state)
{
	struct hpmap_buffer *b = alloc(4 * MIB);
	size_t page = hpmap_page_size(b);
	void *at, *whole;

	(void)state;
	ok(hpmap_map_at(b, NULL, page, page, HPMAP_DONTFORK | HPMAP_DONTDUMP | HPMAP_POPULATE,
			&at));
	assert_true(has_flag(at, " dc"));
	assert_true(has_flag(at, " dd"));
	ok(hpmap_map(b, HPMAP_DONTDUMP, &whole));
	assert_false(has_flag(whole, " dc"));
	assert_true(has_flag(whole, " dd"));
	ok(hpmap_unmap(b));
	ok(hpmap_map(b, HPMAP_DONTFORK, &whole));
	assert_true(has_flag(whole, " dc"));
	munmap(at, page);
	hpmap_close(b);
}

static void a_child_has_the_windows(void **state)
{
	struct hpmap_buffer *b = alloc(4 * MIB);
	size_t page = hpmap_page_size(b);
	int status;
	pid_t child;
	char *p;

	(void)state;
	ok(hpmap_map_at(b, NULL, page, page, 0, (void **)&p));
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		hpmap_close(b);
		strcpy(p, "from the child");
		_exit(munmap(p, page));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_string_equal(p, "from the child");
	munmap(p, page);
	hpmap_close(b);
}

static struct hpmap_buffer *parents;
static char *parents_address;

/* Something else of the child's, where the parent has the buffer. */
static char *childs_own(void)
{
	char *own = mmap(parents_address, hpmap_size(parents), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	return own == parents_address ? strcpy(own, "the child's own") : NULL;
}

static bool closed_in_the_child(void)
{
	char *own = childs_own();

	hpmap_close(parents);
	return own && !strcmp(own, "the child's own");
}

static bool mapped_in_the_child(void)
{
	const unsigned int flags[] = { HPMAP_DONTFORK, 0 };
	char *own = childs_own();
	void *address;
	size_t i;

	if (!own || hpmap_addr(parents))
		return false;
	for (i = 0; i < 2; i++) {
		if (!refused(hpmap_unmap(parents), -EINVAL, "not mapped") ||
		    hpmap_map(parents, flags[i], &address) || address == own ||
		    hpmap_addr(parents) != address || strcmp(address, "hello") ||
		    hpmap_unmap(parents))
			return false;
	}
	hpmap_close(parents);
	return !strcmp(own, "the child's own");
}

/* There it would be a mapping of somebody else. */
static void what_a_child_does_not_have_it_does_not_unmap(void **state)
{
	void *address;

	(void)state;
	parents = alloc(4 * MIB);
	ok(hpmap_map(parents, HPMAP_DONTFORK, &address));
	parents_address = strcpy(address, "hello");
	assert_true(in_child(closed_in_the_child));
	assert_true(in_child(mapped_in_the_child));
	assert_ptr_equal(hpmap_addr(parents), address);
	assert_string_equal(parents_address, "hello");
	ok(hpmap_unmap(parents));
	assert_null(hpmap_addr(parents));
	hpmap_close(parents);
}

static void a_window_that_cannot_be_is_refused(void **state)
{
	struct hpmap_buffer *b = alloc(4 * MIB);
	uint64_t page = hpmap_page_size(b), length = hpmap_size(b);
	const struct {
		void *place;
		uint64_t offset, length;
		unsigned int flags;
		int want;
		const char *words;
	} refuse[] = {
		{ NULL, 0, page, 1U << 9, -EINVAL, "hpmap_map_at: unknown bits in flags, 0x200" },
		{ NULL, 0, page, HPMAP_UNSEALED, -EINVAL, "unknown bits" },
		{ NULL, 512, page, 0, -EINVAL, "the offset 0x200 is no multiple of the page size" },
		{ NULL, 0, page + 512, 0, -EINVAL, "the size" },
		{ NULL, 0, 1, 0, -EINVAL, "hpmap_page_size()" },
		{ (char *)b, 0, page, 0, -EINVAL, "the address" },
		{ NULL, 0, 0, 0, -EINVAL, "a size of 0" },
		{ NULL, length, page, 0, -EINVAL, "hpmap_size()" },
		{ NULL, 0, length + page, 0, -EINVAL, "the buffer has" },
		{ NULL, length - page, 2 * page, 0, -EINVAL, "the buffer has" },
		{ NULL, -page, 2 * page, 0, -EINVAL, "the buffer has" },
		{ NULL, page, -page, 0, -EINVAL, "the buffer has" },
		{ NULL, 0, page, HPMAP_REPLACE, -EINVAL, "HPMAP_REPLACE, but no address" },
		/* Above all that there is */
		{ (void *)(1UL << 62), 0, page, 0, -ENOMEM, "" },
	};
	void *at = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refuse) / sizeof(*refuse); i++)
		if (!refused(hpmap_map_at(b, refuse[i].place, refuse[i].offset, refuse[i].length,
					  refuse[i].flags, &at), refuse[i].want, refuse[i].words))
			fail_msg("number %zu", i);
	assert_true(refused(hpmap_map_at(b, NULL, 0, page, 0, NULL), -EINVAL, "no pointer"));
	assert_true(refused(hpmap_map(b, HPMAP_REPLACE, NULL), -EINVAL, "unknown bits"));
	assert_null(at);
	hpmap_close(b);
}

/* The same for a buffer of a read-only descriptor, and of one that is sealed. */
static void what_may_not_be_written_is_mapped_to_be_read(void **state)
{
	struct hpmap_buffer *b[2] = { NULL, buffer_of(MIB, 0, F_SEAL_WRITE) };
	char path[64];
	void *at;
	int i, fd;

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", hpmap_fd(b[1]));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ok(hpmap_from_fd(fd, &b[0]));
	close(fd);
	for (i = 0; i < 2; i++) {
		assert_true(refused(hpmap_map_at(b[i], NULL, 0, MIB, 0, &at), -EACCES,
				    i ? "sealed against writing" : "open for reading only"));
		assert_non_null(strstr(hpmap_why(NULL), "HPMAP_READ_ONLY"));
		ok(hpmap_map_at(b[i], NULL, 0, MIB, HPMAP_READ_ONLY, &at));
		munmap(at, MIB);
		ok(hpmap_map_at(b[i], NULL, 0, MIB, HPMAP_PRIVATE, &at));
		munmap(at, MIB);
	}
	hpmap_close(b[0]);
	hpmap_close(b[1]);
}

/* As below vm.mmap_min_addr, or over what mseal(2) has sealed. */
static bool addresses_are_forbidden(void)
{
	struct hpmap_buffer *b = buffer_of(MIB, 0, 0);
	char *range = reserve(MIB, hpmap_page_size(b));

	return forbid_if(SYS_mmap, 3, BPF_JSET, MAP_FIXED, EPERM) &&
	       refused(hpmap_map_at(b, range, 0, MIB, HPMAP_REPLACE, NULL), -EPERM,
		       "mmap_min_addr") && is_reserved(range, MIB);
}

static void an_address_that_is_forbidden_is_reported(void **state)
{
	(void)state;
	assert_true(in_child(addresses_are_forbidden));
}

/* No window, but no other mapping comes there either. */
static void addresses_stay_reserved_where_a_window_fails(void **state)
{
	struct hpmap_buffer *b = buffer_of(TIB, MFD_HUGETLB, 0);
	char *range = reserve(TIB, hpmap_page_size(b));

	(void)state;
	assert_true(refused(hpmap_map_at(b, range, 0, TIB, HPMAP_REPLACE, NULL), -ENOMEM,
			    "the pool has too few to add them"));
	assert_true(is_reserved(range, TIB));
	assert_true(refused(hpmap_map_at(b, range, 0, TIB, HPMAP_REPLACE | HPMAP_PRIVATE, NULL),
			    -ENOMEM, "for the copies of a private mapping"));
	assert_true(is_reserved(range, TIB));
	munmap(range, TIB);
	hpmap_close(b);
}

/* The kernel maps, and finds no memory then. */
static bool pages_are_missing(void)
{
	struct hpmap_buffer *b = buffer_of(MIB, 0, 0);
	char *range = reserve(MIB, hpmap_page_size(b));
	void *at = NULL;

	if (!forbid_if(SYS_madvise, 1, BPF_JGE, 4096, ENOMEM) ||
	    !refused(hpmap_map_at(b, range, 0, MIB, HPMAP_REPLACE | HPMAP_POPULATE, NULL), -ENOMEM,
		     "the pages cannot be mapped") ||
	    !is_reserved(range, MIB))
		return false;
	munmap(range, MIB);
	return refused(hpmap_map_at(b, range, 0, MIB, HPMAP_POPULATE, &at), -ENOMEM,
		       "the pages cannot be mapped") && is_free(range, MIB) && !at;
}

static void without_its_pages_there_is_no_window(void **state)
{
	(void)state;
	assert_true(in_child(pages_are_missing));
}

/* Of a file with holes that is larger than the memory, a window is populated. */
static void a_window_of_a_file_that_is_too_large_is_populated(void **state)
{
	struct hpmap_buffer *b = buffer_of(TIB, 0, 0);
	void *at;

	(void)state;
	assert_true(refused(hpmap_map_at(b, NULL, 0, TIB / 2, HPMAP_POPULATE, &at), -ENOMEM,
			    "the file lacks 512 GiB of its pages"));
	ok(hpmap_map_at(b, NULL, TIB - MIB, MIB, HPMAP_POPULATE, &at));
	assert_true(is_present(at));
	munmap(at, MIB);
	hpmap_close(b);
}

static const struct CMUnitTest tests[] = {
	TEST(a_window_shows_its_part),
	TEST(a_window_is_where_huge_pages_fit),
	TEST(a_buffer_twice_is_a_ring),
	TEST(what_is_mapped_stays_unless_it_is_to_be_replaced),
	TEST(a_window_is_read_only_private_or_populated),
	TEST(a_window_is_in_no_child_and_no_core_file),
	TEST(a_child_has_the_windows),
	TEST(what_a_child_does_not_have_it_does_not_unmap),
	TEST(a_window_that_cannot_be_is_refused),
	TEST(what_may_not_be_written_is_mapped_to_be_read),
	TEST(an_address_that_is_forbidden_is_reported),
	TEST(addresses_stay_reserved_where_a_window_fails),
	TEST(without_its_pages_there_is_no_window),
	TEST(a_window_of_a_file_that_is_too_large_is_populated),
};

int test_window(void)
{
	return RUN("window", tests);
}
