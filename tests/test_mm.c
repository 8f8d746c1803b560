// SPDX-License-Identifier: GPL-2.0-only
/* What programs do to mappings after mmap, and what is refused then. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

#define RW	(PROT_READ | PROT_WRITE)

static char *filled_map(size_t len)
{
	char *p = map(dev_open(O_RDWR), len, RW, MAP_SHARED, 0);

	fill(p, len, 1);
	return p;
}

static void mremap_of_pool_pages_does_not_grow(void)
{
	char *p = filled_map(buf_page);

	CHECK_ERR(mremap(p, buf_page, 2 * buf_page, MREMAP_MAYMOVE), EINVAL);
	CHECK_ERR(mremap(p, buf_page, 2 * buf_page, 0), EINVAL);
	CHECK_ERR(mremap(p, 0, buf_page, MREMAP_MAYMOVE), EINVAL);
	CHECK(filled(p, buf_page, 1));
	CHECK_COUNT("mappings", 1);
}

static void child_reads(void *p)
{
	(void)*(volatile char *)p;
}

/* As of a memfd: what follows in the buffer, and nothing behind its end. */
static void mremap_grows_to_the_end(void)
{
	int fd = dev_open(O_RDWR);
	char *all = map_all(fd, RW, MAP_SHARED), *p = map(fd, buf_page, RW, MAP_SHARED, 0), *q;

	fill(all, buf_size, 2);
	p = mremap(p, buf_page, buf_size + base_page, MREMAP_MAYMOVE);
	CHECK_NE(p, MAP_FAILED);
	CHECK(filled(p, buf_size, 2));
	CHECK_KILLED(spawn(child_reads, p + buf_size), SIGBUS);
	q = mremap(p, 0, buf_page, MREMAP_MAYMOVE);
	CHECK_NE(q, MAP_FAILED);
	CHECK_EQ(memcmp(q, all, buf_page), 0);
	CHECK_COUNT("mappings", 3);
}

/* RDMA libraries do that for each piece of memory they register. */
static void pieces_become_one_mapping_again(void)
{
	size_t piece = 4 * base_page, len = buf_size < 4 * pmd_size ? buf_size : 4 * pmd_size;
	char *p = filled_map(len);

	for (size_t at = 0; at < len; at += piece) {
		CHECK_EQ(madvise(p + at, piece, MADV_DONTFORK), 0);
		CHECK_EQ(madvise(p + at, piece, MADV_DOFORK), 0);
	}
	CHECK_COUNT("mappings", 1);
	CHECK_EQ(mprotect(p + piece, piece, PROT_READ), 0);
	CHECK_COUNT("mappings", 3);
	CHECK_EQ(mprotect(p + piece, piece, RW), 0);
	CHECK_COUNT("mappings", 1);
	CHECK(filled(p, len, 1));
}

/* Is a flag of /proc/PID/smaps set for the mapping at @p? */
static bool has_flag(const char *p, const char *flag)
{
	char line[512], want[8];
	bool in = false, has = false;
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start, end;

	CHECK(f);
	snprintf(want, sizeof(want), " %s ", flag);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			in = start <= (uintptr_t)p && (uintptr_t)p < end;
		else if (in && !strncmp(line, "VmFlags:", 8))
			has = strstr(line, want);
	}
	fclose(f);
	return has;
}

static void core_files_have_it_on_request(void)
{
	char *p = filled_map(buf_page);

	CHECK(has_flag(p, "dd"));
	CHECK_EQ(madvise(p, buf_page, MADV_DODUMP), 0);
	CHECK(!has_flag(p, "dd"));
	CHECK_EQ(madvise(p, buf_page, MADV_DONTDUMP), 0);
	CHECK(has_flag(p, "dd"));
}

static void mremap_shrinks_by_whole_pages(void)
{
	char *p = filled_map(3 * buf_page);

	CHECK_EQ(mremap(p, 3 * buf_page, buf_page, 0), p);
	CHECK(filled(p, buf_page, 1));
	CHECK_COUNT("mappings", 1);
	CHECK_ERR(msync(p + buf_page, buf_page, MS_ASYNC), ENOMEM);	/* unmapped */
}

static void mremap_moves(void)
{
	char *to = reserve(2 * buf_page);
	char *p = filled_map(2 * buf_page);

	CHECK_EQ(mremap(p, 2 * buf_page, 2 * buf_page, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
	CHECK(filled(to, 2 * buf_page, 1));
	fill(to, 2 * buf_page, 2);
	CHECK(filled(map(dev_open(O_RDONLY), 2 * buf_page, PROT_READ, MAP_SHARED, 0),
		     2 * buf_page, 2));
	CHECK_COUNT("mappings", 2);
}

static void write_to(void *p)
{
	*(volatile char *)p = 1;
}

static void mprotect_works_by_whole_pages(void)
{
	char *p = filled_map(3 * buf_page);

	CHECK_EQ(mprotect(p + buf_page, buf_page, PROT_READ), 0);
	CHECK_COUNT("mappings", 3);
	CHECK_KILLED(spawn(write_to, p + buf_page), SIGSEGV);
	CHECK_EXITS(spawn(write_to, p + 2 * buf_page));
	CHECK_EQ(mprotect(p + buf_page, buf_page, RW), 0);
	CHECK_EXITS(spawn(write_to, p + buf_page));
	if (suite_where & ON_POOL)
		CHECK_ERR(mprotect(p, base_page, PROT_READ), EINVAL);
}

static void munmap_works_by_whole_pages(void)
{
	char *p = filled_map(3 * buf_page);

	CHECK_EQ(munmap(p + buf_page, buf_page), 0);
	CHECK_COUNT("mappings", 2);
	CHECK_KILLED(spawn(write_to, p + buf_page), SIGSEGV);
	p[0] = p[0];
	CHECK(filled(p, buf_page, 1));
	CHECK_EQ(munmap(p, buf_page), 0);
	CHECK_COUNT("mappings", 1);
	CHECK_EXITS(spawn(write_to, p + 2 * buf_page));
	CHECK_EQ(munmap(p, 3 * buf_page), 0);
	CHECK_COUNT("mappings", 0);
}

static void hugetlb_refuses_to_unmap_a_part(void)
{
	char *p = filled_map(2 * buf_page);

	CHECK_ERR(munmap(p, base_page), EINVAL);
	CHECK_ERR(munmap(p + base_page, buf_page), EINVAL);
	CHECK_ERR(munmap(p + buf_page + buf_page / 2, buf_page / 2), EINVAL);
	CHECK_COUNT("mappings", 1);
	CHECK(filled(p, 2 * buf_page, 1));
}

/* The huge mapping splits; the page does not, and nothing is lost. */
static void thp_unmaps_a_part(void)
{
	char *p = filled_map(2 * buf_page);
	char *again;

	CHECK_EQ(munmap(p + base_page, base_page), 0);
	CHECK_COUNT("mappings", 2);
	CHECK(filled(p, base_page, 1));
	again = map(dev_open(O_RDONLY), 2 * buf_page, PROT_READ, MAP_SHARED | MAP_POPULATE, 0);
	CHECK(filled(again, 2 * buf_page, 1));
	CHECK_EQ(smaps(again, "ShmemPmdMapped"), (long)(2 * buf_page / 1024));
}

static void dontneed_keeps_contents(void)
{
	char *p = filled_map(buf_size);

	CHECK_EQ(madvise(p, buf_size, MADV_DONTNEED), 0);
	CHECK(filled(p, buf_size, 1));
}

/* The file system's own answer to an immutable file. */
static void madv_remove_is_refused(void)
{
	char *p = filled_map(2 * buf_page);

	CHECK_ERR(madvise(p, buf_page, MADV_REMOVE), EPERM);
	CHECK_ERR(madvise(p, 2 * buf_page, MADV_REMOVE), EPERM);
	CHECK(filled(p, 2 * buf_page, 1));
	p = map(dev_open(O_RDONLY), buf_page, PROT_READ, MAP_SHARED, 0);
	CHECK_ERR(madvise(p, buf_page, MADV_REMOVE), EACCES);
}

/* Advice may be taken or refused; contents and counts stay. */
static void advice_loses_nothing(void)
{
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_FREE,
		MADV_COLD, MADV_PAGEOUT, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_HUGEPAGE,
		MADV_DONTDUMP, MADV_DODUMP, MADV_MERGEABLE, MADV_UNMERGEABLE,
		MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
		25 /* MADV_COLLAPSE */,
	};
	char *p = filled_map(2 * buf_page);

	for (size_t i = 0; i < sizeof(advice) / sizeof(*advice); i++) {
		madvise(p, 2 * buf_page, advice[i]);
		madvise(p, buf_page / 2, advice[i]);
		CHECK(filled(p, 2 * buf_page, 1));
	}
	CHECK_EQ(munmap(p, 2 * buf_page), 0);
	CHECK_COUNT("mappings", 0);
}

static void pageout_leaves_huge_mappings(void)
{
	char *p = filled_map(buf_size);

	CHECK_EQ(madvise(p, buf_size, MADV_PAGEOUT), 0);
	CHECK(filled(p, buf_size, 1));
	CHECK_EQ(smaps(p, "ShmemPmdMapped"), (long)(buf_size / 1024));
}

static void remap_file_pages_is_refused(void)
{
	char *p = filled_map(3 * buf_page);

	CHECK_ERR(syscall(SYS_remap_file_pages, p, buf_page, 0, buf_page / base_page, 0), EACCES);
	CHECK(filled(p, 3 * buf_page, 1));
	CHECK_COUNT("mappings", 1);
}

static void child_sees_sharing(void *p)
{
	CHECK_COUNT("mappings", 2);
	CHECK(filled(p, buf_page, 1));
	fill(p, buf_page, 2);
}

static void fork_shares_and_counts(void)
{
	char *p = filled_map(buf_page);

	CHECK_EXITS(spawn(child_sees_sharing, p));
	CHECK(filled(p, buf_page, 2));
	CHECK_COUNT("mappings", 1);
}

static void child_has_nothing(void *p)
{
	CHECK_COUNT("mappings", 1);
	*(volatile char *)p = 1;
}

static void dontfork_keeps_it_from_children(void)
{
	char *p = filled_map(buf_page);

	CHECK_EQ(madvise(p, buf_page, MADV_DONTFORK), 0);
	CHECK_KILLED(spawn(child_has_nothing, p), SIGSEGV);
	CHECK_COUNT("mappings", 1);
}

#define KHUGEPAGED	"/sys/kernel/mm/transparent_hugepage/khugepaged/"
#define SCANS		20	/* of all processes: enough that some meet a mapping that ends */

/* It holds the file of a mapping that it looks at, also when the mapping is no more. */
static void khugepaged_lets_go(void)
{
	uint64_t scans = read_u64(KHUGEPAGED "full_scans");
	char before[64];

	read_text(KHUGEPAGED "scan_sleep_millisecs", before, sizeof(before));
	CHECK_EQ(write_text(KHUGEPAGED "scan_sleep_millisecs", "0"), 0);
	while (read_u64(KHUGEPAGED "full_scans") < scans + SCANS) {
		int fd = alloc_mine(2);
		char *p = map(fd, 2 * buf_page, RW, MAP_SHARED, 0);

		p[0] = 1;
		close(fd);
		munmap(p, 2 * buf_page);
	}
	CHECK_EQ(write_text(KHUGEPAGED "scan_sleep_millisecs", before), 0);
	munmap(filled_map(buf_page), buf_page);
	CHECK_COUNT("mappings", 0);
}

static int uffd_register(char *p, size_t len)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)p, .len = len },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	CHECK_GE(fd, 0);
	CHECK_EQ(ioctl(fd, UFFDIO_API, &api), 0);
	return ioctl(fd, UFFDIO_REGISTER, &reg);
}

/* Before Linux 7 mm/ knows what is of tmpfs by the address of its operations. */
static void userfaultfd_registers_what_mm_knows(void)
{
	char *p = map(dev_open(O_RDWR), buf_page, RW, MAP_SHARED, 0);
	struct utsname kernel;

	CHECK_EQ(uname(&kernel), 0);
	if (suite_where & ON_POOL || atoi(kernel.release) >= 7)
		CHECK_EQ(uffd_register(p, buf_page), 0);
	else
		CHECK_ERR(uffd_register(p, buf_page), EINVAL);
	memset(p, 1, base_page);	/* nothing is missing: no fault to wait for */
}

static void mlock_and_friends_work(void)
{
	unsigned char vec[2] = { 0, 0 };
	char *p = filled_map(buf_page);

	CHECK_EQ(mlock(p, buf_page), 0);
	CHECK_EQ(msync(p, buf_page, MS_SYNC), 0);
	CHECK_EQ(mincore(p, 2 * base_page > buf_page ? base_page : 2 * base_page, vec), 0);
	CHECK(vec[0] & 1);
	CHECK_EQ(munlock(p, buf_page), 0);
	CHECK(filled(p, buf_page, 1));
}

static int pipes[2][2];
static char *shared_addr;

static void peer(void *arg)
{
	char *p = mmap(shared_addr, 2 * buf_page, RW, MAP_SHARED | MAP_FIXED, dev_open(O_RDWR), 0);

	(void)arg;
	CHECK_EQ(p, shared_addr);
	step_done(pipes[0][1]);
	step_wait(pipes[1][0]);
	CHECK(filled(p + buf_page - base_page, 2 * base_page, 5));
}

/* Another process's pages are pinned for this, also across a page boundary. */
static void process_vm_reaches_the_mapping(void)
{
	char *own = mmap(NULL, 2 * base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec local = { own, 2 * base_page }, remote;
	pid_t pid;

	CHECK(!pipe(pipes[0]) && !pipe(pipes[1]));
	shared_addr = reserve(2 * buf_page);
	remote = (struct iovec){ shared_addr + buf_page - base_page, 2 * base_page };
	fill(own, 2 * base_page, 5);
	pid = spawn(peer, NULL);
	step_wait(pipes[0][0]);
	CHECK_EQ(process_vm_writev(pid, &local, 1, &remote, 1, 0), (ssize_t)(2 * base_page));
	memset(own, 0, 2 * base_page);
	CHECK_EQ(process_vm_readv(pid, &local, 1, &remote, 1, 0), (ssize_t)(2 * base_page));
	CHECK(filled(own, 2 * base_page, 5));
	step_done(pipes[1][1]);
	CHECK_EXITS(pid);
}

static void vmsplice_takes_the_pages(void)
{
	char *p = filled_map(buf_page), got[4096];
	struct iovec v = { p, sizeof(got) };
	int fds[2];

	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(vmsplice(fds[1], &v, 1, 0), (ssize_t)sizeof(got));
	CHECK_EQ(read(fds[0], got, sizeof(got)), (ssize_t)sizeof(got));
	CHECK_EQ(memcmp(p, got, sizeof(got)), 0);
}

static const struct test tests[] = {
	TEST(mremap_of_pool_pages_does_not_grow, ON_POOL),
	TEST(mremap_grows_to_the_end, ON_SHMEM),
	TEST(pieces_become_one_mapping_again, ON_SHMEM),
	TEST(core_files_have_it_on_request, ON_ANY),
	TEST(mremap_shrinks_by_whole_pages, ON_SMALL),
	TEST(mremap_moves, ON_SMALL),
	TEST(mprotect_works_by_whole_pages, ON_SMALL),
	TEST(munmap_works_by_whole_pages, ON_SMALL),
	TEST(hugetlb_refuses_to_unmap_a_part, ON_HUGETLB),
	TEST(thp_unmaps_a_part, ON_THP),
	TEST(dontneed_keeps_contents, ON_SMALL),
	TEST(madv_remove_is_refused, ON_SMALL),
	TEST(advice_loses_nothing, ON_SMALL),
	TEST(pageout_leaves_huge_mappings, ON_THP),
	TEST(remap_file_pages_is_refused, ON_SMALL),
	TEST(fork_shares_and_counts, ON_SMALL),
	TEST(dontfork_keeps_it_from_children, ON_SMALL),
	TEST(khugepaged_lets_go, ON_THP | NEEDS_ROOT),
	TEST(userfaultfd_registers_what_mm_knows, ON_ANY),
	TEST(mlock_and_friends_work, ON_SMALL),
	TEST(process_vm_reaches_the_mapping, ON_SMALL),
	TEST(vmsplice_takes_the_pages, ON_SMALL),
};

int main(void)
{
	return RUN_TESTS(tests);
}
