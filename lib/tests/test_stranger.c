// SPDX-License-Identifier: LGPL-2.1-or-later
/* Descriptors of somebody else, who may want to stall, to kill, or to confuse who has them. */
#define _GNU_SOURCE
#include "fixture.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#define TIB	(1UL << 40)

/* A memfd as a peer may send it. */
static int file_of(uint64_t length, int seals)
{
	int fd = memfd_create("stranger", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, length), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

/* What another may shorten is taken only when that is asked for. */
static void an_unsealed_file_is_refused(void **state)
{
	int fd = file_of(2 * MIB, F_SEAL_GROW);
	struct hpmap_buffer *b = NULL;

	(void)state;
	assert_true(refused(hpmap_from_fd(fd, &b), -EINVAL, "F_SEAL_SHRINK"));
	assert_non_null(strstr(hpmap_why(NULL), "HPMAP_UNSEALED"));
	assert_int_equal(hpmap_from_fd_flags(fd, 0, &b), -EINVAL);
	assert_int_equal(hpmap_from_fd_flags(fd, HPMAP_READ_ONLY, &b), -EINVAL);
	assert_null(b);
	ok(hpmap_from_fd_flags(fd, HPMAP_UNSEALED, &b));
	ok(hpmap_map(b, 0, NULL));
	hpmap_close(b);

	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	ok(hpmap_from_fd(fd, &b));
	hpmap_close(b);
	close(fd);
}

/* It can never be sealed, and so needs trust. */
static void a_file_in_dev_shm_is_unsealed(void **state)
{
	char path[] = "/dev/shm/hpmap-test-XXXXXX";
	struct hpmap_buffer *b = NULL;
	struct stat st;
	int fd;

	(void)state;
	fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(ftruncate(fd, 2 * MIB), 0);
	assert_int_equal(hpmap_from_fd(fd, &b), -EINVAL);
	/* The root of a virtual machine is an overlay, and so may this be. */
	if (fcntl(fd, F_GET_SEALS) >= 0) {
		ok(hpmap_from_fd_flags(fd, HPMAP_UNSEALED, &b));
		hpmap_close(b);
	}
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_blocks, 0);
	close(fd);
}

static int empty;

/* Not one page of it is asked for. */
static bool a_tebibyte_is_looked_at(void)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	uint64_t pages[2] = { 1, 1 };
	struct hpmap_buffer *b;
	unsigned int nr = 2;

	if (!deadly(SYS_move_pages) || hpmap_from_fd(empty, &b) || hpmap_info(b, &info))
		return false;
	if (hpmap_nodes(b, pages, &nr))
		return false;
	hpmap_close(b);
	return info.size == TIB && info.backing == HPMAP_BACKING_BASE && !info.nr_huge &&
	       info.node == HPMAP_NODE_UNKNOWN && nr == 0 && pages[0] == 1 && pages[1] == 1;
}

static void what_is_empty_is_not_gone_through(void **state)
{
	struct stat st;

	(void)state;
	empty = file_of(TIB, F_SEAL_SHRINK);
	assert_true(in_child(a_tebibyte_is_looked_at));
	assert_int_equal(fstat(empty, &st), 0);
	assert_int_equal(st.st_blocks, 0);
	close(empty);
}

/* Only the pages that are there, without filling holes, and the peer's file offset stays. */
static void pages_among_holes_are_counted(void **state)
{
	const off_t offsets[] = { 4096, 5 * MIB, TIB / 2, TIB - 4096 };
	int fd = file_of(TIB, F_SEAL_SHRINK);
	uint64_t pages[64] = {}, sum = 0;
	unsigned int nr = 64, i;
	struct stat before_st, st;
	struct hpmap_buffer *b;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pwrite(fd, "x", 1, offsets[i]), 1);
	assert_int_equal(lseek(fd, 123, SEEK_SET), 123);
	assert_int_equal(fstat(fd, &before_st), 0);
	ok(hpmap_from_fd(fd, &b));
	ok(hpmap_nodes(b, pages, &nr));
	for (i = 0; i < 64; i++)
		sum += pages[i];
	/* As many as they are in huge pages, where tmpfs gives those. */
	assert_int_equal(sum * 4096, before_st.st_blocks * 512);
	assert_in_range(nr, 1, 64);
	assert_int_equal(info_of(b).node, HPMAP_NODE_UNKNOWN);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 123);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_blocks, before_st.st_blocks);
	assert_int_equal(hpmap_nodes(b, NULL, &nr), -EFAULT);
	hpmap_close(b);
	close(fd);
}

/* What it lacks is not filled beyond the memory that there is. */
static void more_than_there_is_is_not_populated(void **state)
{
	int fd = file_of(TIB, F_SEAL_SHRINK);
	struct hpmap_buffer *b;
	struct stat st;

	(void)state;
	ok(hpmap_from_fd(fd, &b));
	assert_true(refused(hpmap_map(b, HPMAP_POPULATE, NULL), -ENOMEM, "are available"));
	assert_true(refused(hpmap_map(b, HPMAP_POPULATE | HPMAP_READ_ONLY, NULL), -ENOMEM,
			    "HPMAP_POPULATE"));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_blocks, 0);
	hpmap_close(b);
	close(fd);
}

/* Its server could let wait whoever asks. */
static bool only_looked_at_from_outside(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct hpmap_buffer *b = NULL;
	struct hpmap_dma *dma = NULL;
	int ret;

	if (fd < 0 || !deadly(SYS_ioctl) || !deadly(SYS_fstatfs) || !deadly(SYS_newfstatat) ||
	    !deadly(SYS_fstat))
		return false;
	if (hpmap_from_fd(fd, &b) != -EINVAL ||
	    hpmap_from_fd_flags(fd, HPMAP_UNSEALED, &b) != -EINVAL)
		return false;
	ret = hpmap_dma_from_fd(fd, &dma);
	return (ret == -EINVAL || ret == -ENOTSUP) && !dma && !b;
}

static void a_file_of_a_file_system_is_not_asked(void **state)
{
	(void)state;
	assert_true(in_child(only_looked_at_from_outside));
}

static bool nothing_is_open(void)
{
	struct hpmap_buffer *b, *same;

	close(0);
	close(1);
	close(2);
	if (hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB, .flags = HPMAP_ALLOW_BASE), &b) ||
	    hpmap_from_fd(hpmap_fd(b), &same))
		return false;
	return hpmap_fd(b) > 2 && hpmap_fd(same) > 2 &&
	       fcntl(hpmap_fd(b), F_GETFD) == FD_CLOEXEC &&
	       fcntl(hpmap_fd(same), F_GETFD) == FD_CLOEXEC;
}

/* Where a program has closed those, it would print into the buffer. */
static void a_buffer_is_no_standard_output(void **state)
{
	(void)state;
	assert_true(in_child(nothing_is_open));
}

/* As the rules for devices of a container or of a service do. */
static bool devices_are_forbidden(void)
{
	struct hpmap_buffer *b = NULL;

	return forbid(SYS_openat, EPERM) &&
	       refused(hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB, .flags = HPMAP_MODULE_ONLY),
				   &b), -EACCES, "--device=/dev/hpage_map") &&
	       refused(hpmap_open(NULL, 0, &b), -EACCES, "--device=/dev/hpage_map") &&
	       refused(hpmap_open("ring", 0, &b), -EACCES, "--device=/dev/hpage/ring") && !b;
}

static void rules_for_devices_are_reported(void **state)
{
	(void)state;
	assert_true(in_child(devices_are_forbidden));
}

static void freeing_leaves_errno(void **state)
{
	struct hpmap_buffer *b = alloc(2 * MIB);

	(void)state;
	errno = ENOTTY;
	hpmap_close(b);
	assert_int_equal(errno, ENOTTY);
}

/* How often the text has the words. */
static unsigned int times(const char *text, const char *words)
{
	unsigned int n = 0;

	while ((text = strstr(text, words))) {
		text += strlen(words);
		n++;
	}
	return n;
}

/* Each rung tries to set the policy. */
static bool without_policies(void)
{
	struct hpmap_buffer *b = NULL;

	return forbid(SYS_set_mempolicy, EPERM) &&
	       !hpmap_alloc(HPMAP_OPTIONS(.size = 256 * MIB, .policy = HPMAP_POLICY_PREFERRED,
					  .flags = HPMAP_NO_MODULE), &b) &&
	       times(hpmap_why(b), "the memory policy cannot be set") == 1 &&
	       times(hpmap_why(b), "set_mempolicy(2)") == 1;
}

static void a_reason_stands_once(void **state)
{
	struct hpmap_buffer *b = NULL;

	/* Two rungs meet the same. */
	(void)state;
	assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.size = 1UL << 46,
						   .flags = HPMAP_ALLOW_BASE | HPMAP_NO_MODULE),
				     &b), -ENOMEM);
	assert_int_equal(times(hpmap_why(NULL), " available "), 1);
	assert_int_equal(times(hpmap_why(NULL), "free -m"), 1);
	assert_int_equal(hpmap_alloc(HPMAP_OPTIONS(.size = UINT64_MAX,
						   .flags = HPMAP_NO_MODULE), &b), -ENOMEM);
	assert_int_equal(times(hpmap_why(NULL), "more than a file can have"), 1);
	assert_true(in_child(without_policies));
	assert_null(b);
}

/* A text that does not fit is marked. */
static void a_cut_reason_has_a_mark(void **state)
{
	struct hpmap_buffer *b = NULL;
	char name[8192];
	size_t length;

	(void)state;
	memset(name, '/', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(hpmap_open(name, 0, &b), -EINVAL);
	length = strlen(hpmap_why(NULL));
	assert_true(length > 4);
	assert_string_equal(hpmap_why(NULL) + length - 4, " ...");
}

static const struct CMUnitTest tests[] = {
	TEST(an_unsealed_file_is_refused),
	TEST(a_file_in_dev_shm_is_unsealed),
	TEST(what_is_empty_is_not_gone_through),
	TEST(pages_among_holes_are_counted),
	TEST(more_than_there_is_is_not_populated),
	TEST(a_file_of_a_file_system_is_not_asked),
	TEST(a_buffer_is_no_standard_output),
	TEST(rules_for_devices_are_reported),
	TEST(freeing_leaves_errno),
	TEST(a_reason_stands_once),
	TEST(a_cut_reason_has_a_mark),
};

int test_stranger(void)
{
	return RUN("stranger", tests);
}
