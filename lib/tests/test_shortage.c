// SPDX-License-Identifier: LGPL-2.1-or-later
/* What runs out, is forbidden, or comes in between: an errno, a reason, and nothing left behind. */
#define _GNU_SOURCE
#include "fixture.h"

#include <linux/filter.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#ifndef MFD_HUGE_SHIFT
#define MFD_HUGETLB	4U
#endif

static int memfd(size_t length, unsigned int flags, struct hpmap_buffer **b)
{
	return hpmap_alloc(HPMAP_OPTIONS(.size = length, .flags = HPMAP_NO_MODULE | flags), b);
}

static bool without_memfd(void)
{
	struct hpmap_buffer *b = NULL;

	return forbid(SYS_memfd_create, EPERM) &&
	       refused(memfd(4 * MIB, 0, &b), -ENOTSUP, "memfd_create(2) is forbidden") && !b;
}

/* As on a kernel that was built without it. */
static bool without_hugetlb(void)
{
	struct hpmap_buffer *b = NULL;

	if (!forbid_if(SYS_memfd_create, 1, BPF_JSET, MFD_HUGETLB, ENOSYS) ||
	    memfd(4 * MIB, HPMAP_ALLOW_BASE, &b))
		return false;
	return info_of(b).backing != HPMAP_BACKING_HUGETLB;
}

static bool without_move_pages(void)
{
	uint64_t pages[] = { 11, 12, 13 };
	struct hpmap_buffer *b = NULL;
	unsigned int nr = 3;

	return forbid(SYS_move_pages, EPERM) && !memfd(2 * MIB, HPMAP_ALLOW_BASE, &b) &&
	       refused(hpmap_nodes(b, pages, &nr), -EPERM, "move_pages(2)") && nr == 3 &&
	       pages[0] == 11 && pages[1] == 12 && pages[2] == 13 &&
	       info_of(b).node == HPMAP_NODE_UNKNOWN;
}

/* Linux before 5.14 does not know MADV_POPULATE_READ and what came later. */
static bool before_populate(void)
{
	return forbid_if(SYS_madvise, 2, BPF_JGE, 22, EINVAL) &&
	       madvise(NULL, 0, 23) && errno == EINVAL;
}

/* All of it is there, in the file and in a mapping that asks for that. */
static bool is_filled(size_t length, size_t page_size)
{
	unsigned char in_core[4096] = {};
	struct hpmap_buffer *b = NULL;
	void *address;
	struct stat st;

	if (hpmap_alloc(HPMAP_OPTIONS(.size = length, .page_size = page_size,
				      .flags = HPMAP_NO_MODULE | HPMAP_ALLOW_BASE), &b))
		return false;
	if (fstat(hpmap_fd(b), &st) || (size_t)st.st_blocks * 512 != length)
		return false;
	if (hpmap_map(b, HPMAP_POPULATE, &address) || mincore(address, length, in_core))
		return false;
	hpmap_close(b);
	return strspn((char *)in_core, "\1") == length / getpagesize();
}

static bool filled_by_hand(void)
{
	return before_populate() && is_filled(8 * MIB, 0) && is_filled(2 * MIB + 4096, 4096);
}

/* Linux before 6.3 does not know MFD_NOEXEC_SEAL. */
static bool without_noexec(void)
{
	return forbid_if(SYS_memfd_create, 1, BPF_JSET, 8, EINVAL) &&
	       is_filled(2 * MIB + 4096, 4096);
}

static bool short_by_hand(void)
{
	struct hpmap_buffer *b = NULL;

	return before_populate() &&
	       refused(memfd(1ULL << 40, HPMAP_ALLOW_BASE, &b), -ENOMEM, " available ") && !b;
}

static void older_kernels_do(void **state)
{
	(void)state;
	assert_true(in_child(filled_by_hand));
	assert_true(in_child(short_by_hand));
	assert_true(in_child(without_noexec));
}

static void a_sandbox_is_reported(void **state)
{
	(void)state;
	assert_true(in_child(without_memfd));
	assert_true(in_child(without_hugetlb));
	assert_true(in_child(without_move_pages));
}

static bool with_small_files(void)
{
	struct rlimit limit = { MIB, MIB };
	struct hpmap_buffer *b = NULL;

	return !setrlimit(RLIMIT_FSIZE, &limit) &&
	       refused(memfd(4 * MIB, 0, &b), -EDQUOT, "ulimit -f") && !b;
}

/* Sanitizers need addresses, and lock nothing. */
#ifndef __SANITIZE_ADDRESS__
static bool with_little_locked(void)
{
	struct rlimit limit = { 65536, 65536 };
	struct hpmap_buffer *b = NULL;

	if (!geteuid() && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
		return false;
	return !setrlimit(RLIMIT_MEMLOCK, &limit) && !mlockall(MCL_FUTURE) &&
	       refused(memfd(4 * MIB, 0, &b), -EDQUOT, "ulimit -l") && !b;
}

static bool with_few_addresses(void)
{
	struct rlimit limit = { 64 * MIB, 64 * MIB };
	struct hpmap_buffer *b = NULL, *same = NULL;
	bool huge;

	if (memfd(128 * MIB, HPMAP_ALLOW_BASE, &b))
		return false;
	huge = info_of(b).backing == HPMAP_BACKING_HUGETLB;
	if (setrlimit(RLIMIT_AS, &limit))
		return false;
	if (!refused(hpmap_map(b, 0, NULL), -ENOMEM, "ulimit -v"))
		return false;
	/* Better none than one with wrong facts. */
	if (!huge && !refused(hpmap_from_fd(hpmap_fd(b), &same), -ENOMEM, "cannot be seen"))
		return false;
	hpmap_close(b);
	b = NULL;
	return refused(memfd(128 * MIB, HPMAP_ALLOW_BASE, &b), -ENOMEM, "ulimit -v") && !b;
}
#endif

static void limits_of_the_process_are_reported(void **state)
{
	(void)state;
	assert_true(in_child(with_small_files));
#ifndef __SANITIZE_ADDRESS__
	assert_true(in_child(with_little_locked));
	assert_true(in_child(with_few_addresses));
#endif
}

/* A fact that cannot be looked at is an errno, not another fact. */
static bool without_descriptors(void)
{
	struct hpmap_pool pool = { .struct_size = sizeof(pool) };
	struct hpmap_info info = { .struct_size = sizeof(info) };
	struct hpmap_buffer *b, *same = NULL;
	struct rlimit none = { 0, 0 };
	uint64_t sizes[32];
	unsigned int nr = 32;
	bool huge;

	if (memfd(4 * MIB, HPMAP_ALLOW_BASE, &b))
		return false;
	huge = info_of(b).backing == HPMAP_BACKING_HUGETLB;
	if (setrlimit(RLIMIT_NOFILE, &none))
		return false;
	return hpmap_page_sizes(sizes, &nr) == -EMFILE && nr == 32 &&
	       hpmap_get_pool(2 * MIB, -1, &pool) == -EMFILE &&
	       hpmap_from_fd(hpmap_fd(b), &same) == -EMFILE && !same &&
	       hpmap_info(b, &info) == (huge ? 0 : -EMFILE);
}

static void facts_need_descriptors(void **state)
{
	(void)state;
	assert_true(in_child(without_descriptors));
}

/* What cannot be used in the end is refused in the beginning. */
static void odd_descriptors_are_refused(void **state)
{
	struct hpmap_buffer *b = alloc(2 * MIB), *same = NULL;
	char path[64];
	int fd, dmabuf = -1;

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", hpmap_fd(b));
	fd = open(path, O_PATH | O_CLOEXEC);
	assert_int_equal(hpmap_from_fd(fd, &same), -EINVAL);
	close(fd);
	hpmap_close(b);

	ok(memfd(2 * MIB, HPMAP_ALLOW_BASE, &b));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", hpmap_fd(b));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(hpmap_from_fd(fd, &same), -EINVAL);
	close(fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ok(hpmap_from_fd(fd, &same));
	close(fd);
	assert_int_equal(hpmap_export_dmabuf(same, &dmabuf), -EACCES);
	assert_int_equal(dmabuf, -1);
	hpmap_close(same);
	hpmap_close(b);
}

static void a_sealed_file_is_for_reading(void **state)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct hpmap_buffer *b = NULL;

	(void)state;
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK), 0);
	ok(hpmap_from_fd(fd, &b));
	assert_true(refused(hpmap_map(b, 0, NULL), -EACCES, "HPMAP_READ_ONLY"));
	ok(hpmap_map(b, HPMAP_READ_ONLY, NULL));
	hpmap_close(b);
	close(fd);
}

static void one_can_ask_how_many_nodes(void **state)
{
	struct hpmap_buffer *b = alloc(2 * MIB);
	unsigned int nr = 0;

	(void)state;
	ok(hpmap_nodes(b, NULL, &nr));
	assert_true(nr >= 1);
	hpmap_close(b);
}

/* Of who made it, whoever holds it. */
static void the_maker_of_a_file_is_reported(void **state)
{
	int fd = memfd_create("of another", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct hpmap_buffer *b;
	struct stat st;

	(void)state;
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	if (!geteuid())
		assert_int_equal(fchown(fd, 65534, 65534), 0);
	assert_int_equal(fstat(fd, &st), 0);
	ok(hpmap_from_fd(fd, &b));
	assert_int_equal(info_of(b).uid, st.st_uid);
	hpmap_close(b);
	close(fd);
}

#define CGROUP	"/sys/fs/cgroup/hpmap-test"

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static bool in_a_small_cgroup(void)
{
	struct hpmap_buffer *b = NULL;

	put(CGROUP "/inner/cgroup.procs", "0");
	/* The module looks first, and has no better idea. */
	return refused(memfd(256 * MIB, HPMAP_ALLOW_BASE, &b), -ENOMEM, CGROUP "/memory.max") &&
	       refused(hpmap_alloc(HPMAP_OPTIONS(.size = 256 * MIB, .flags = HPMAP_ALLOW_BASE),
				   &b), -ENOMEM, CGROUP "/memory.max") &&
	       !b && !memfd(8 * MIB, HPMAP_ALLOW_BASE, &b);
}

/* The limit is that of a cgroup further up. */
static void a_cgroup_is_reported_and_kills_nobody(void **state)
{
	(void)state;
	assert_int_equal(mkdir(CGROUP, 0755), 0);
	put(CGROUP "/cgroup.subtree_control", "+memory");
	put(CGROUP "/memory.max", "67108864");
	assert_int_equal(mkdir(CGROUP "/inner", 0755), 0);
	assert_true(in_child(in_a_small_cgroup));
	assert_int_equal(rmdir(CGROUP "/inner"), 0);
	assert_int_equal(rmdir(CGROUP), 0);
}

static const uint64_t too_much_for_one = 3000 * MIB;

static bool bound_to_node_1(void)
{
	unsigned long node_1 = 1UL << 1;
	struct hpmap_buffer *b = NULL;

	return !syscall(SYS_set_mempolicy, 2 /* MPOL_BIND */, &node_1, 64) &&
	       refused(memfd(too_much_for_one, HPMAP_ALLOW_BASE, &b), -ENOMEM, "on the nodes") &&
	       !b;
}

/* As many pages as there are altogether, but not there. */
static void a_node_is_reported_and_kills_nobody(void **state)
{
	struct hpmap_buffer *b = NULL;

	(void)state;
	assert_true(refused(hpmap_alloc(HPMAP_OPTIONS(.size = too_much_for_one, .node = 1,
						      .policy = HPMAP_POLICY_STRICT,
						      .flags = HPMAP_ALLOW_BASE), &b),
			    -ENOMEM, "on the nodes"));
	assert_null(b);
	assert_true(in_child(bound_to_node_1));
}

static void pages_are_interleaved(void **state)
{
	uint64_t pages[2] = {};
	struct hpmap_buffer *b;
	unsigned int nr = 2;

	(void)state;
	/* More than the pool has. */
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 256 * MIB, .flags = HPMAP_NO_MODULE,
				     .policy = HPMAP_POLICY_INTERLEAVE), &b));
	assert_int_equal(info_of(b).backing, HPMAP_BACKING_THP);
	assert_int_equal(info_of(b).node, HPMAP_NODE_MIXED);
	ok(hpmap_nodes(b, pages, &nr));
	assert_int_equal(nr, 2);
	assert_int_equal(pages[0], 64);
	assert_int_equal(pages[1], 64);
	hpmap_close(b);
}

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

static void ticking(int flags, unsigned int microseconds)
{
	struct sigaction action = { .sa_handler = tick, .sa_flags = flags };
	struct itimerval timer = {
		.it_interval.tv_usec = microseconds, .it_value.tv_usec = microseconds,
	};

	ticks = 0;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* A handler that restarts system calls lets the buffer be made; another one ends the call. */
static void signals_are_as_for_system_calls(void **state)
{
	struct hpmap_buffer *b = NULL;
	int i, ret = 0;

	(void)state;
	ticking(SA_RESTART, 2000);
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 512 * MIB, .flags = HPMAP_MODULE_ONLY), &b));
	hpmap_close(b);
	assert_true(ticks > 0);

	ticking(0, 2000);
	for (i = 0; i < 1000 && !ret; i++) {
		ret = hpmap_alloc(HPMAP_OPTIONS(.size = 512 * MIB, .flags = HPMAP_MODULE_ONLY),
				  &b);
		if (!ret)
			hpmap_close(b);
	}
	ticking(SA_RESTART, 0);
	signal(SIGALRM, SIG_DFL);
	assert_true(refused(ret, -EINTR, "SA_RESTART"));
}

static const struct CMUnitTest anywhere[] = {
	TEST(older_kernels_do),
	TEST(a_sandbox_is_reported),
	TEST(limits_of_the_process_are_reported),
	TEST(facts_need_descriptors),
	TEST(odd_descriptors_are_refused),
	TEST(a_sealed_file_is_for_reading),
	TEST(one_can_ask_how_many_nodes),
	TEST(the_maker_of_a_file_is_reported),
};

/* The machine is ours, and has two nodes of 2 GiB. */
static const struct CMUnitTest in_machine[] = {
	TEST(a_cgroup_is_reported_and_kills_nobody),
	TEST(a_node_is_reported_and_kills_nobody),
	TEST(pages_are_interleaved),
	TEST(signals_are_as_for_system_calls),
};

int test_shortage(void)
{
	return RUN("shortage", anywhere) +
	       (with_module ? RUN("shortage in a machine", in_machine) : 0);
}
