// SPDX-License-Identifier: GPL-2.0-only
/* A buffer as a dma-buf: its mappings, whom it keeps alive, and how it is counted. */
#define _GNU_SOURCE
#include "lent.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define ROUNDS	30

/* As much of the buffer as is worth looking at: a gigantic page is long. */
static size_t some(void)
{
	return buf_size < 32UL << 20 ? buf_size : 32UL << 20;
}

/* An address that no huge page fits. */
static char *odd_place(size_t len)
{
	return reserve(len + 2 * base_page) + base_page;
}

/* Page frames, where hugetlb pages do not fit. */
static bool by_frames(void)
{
	return suite_where & ON_POOL;
}

static void an_aligned_mapping_has_huge_pages(void)
{
	int fd = dev_open(O_RDWR), dmabuf = export_of(fd);
	char *p = map_at(reserve(buf_size), dmabuf, buf_size, RW, MAP_SHARED, 0);
	char *direct = map_all(fd, RW, MAP_SHARED);

	fill(direct, some(), 1);
	CHECK(filled(p, some(), 1));
	fill(p + buf_size - base_page, base_page, 2);
	CHECK(filled(direct + buf_size - base_page, base_page, 2));
	for (size_t i = 0; i < buf_size; i += buf_page)
		p[i] = 1;
	if (suite_where & ON_POOL) {
		CHECK_EQ(smaps(p, "KernelPageSize"), (long)(buf_page / 1024));
		CHECK_EQ(smaps(p, "Shared_Hugetlb") + smaps(p, "Private_Hugetlb"),
			 (long)(buf_size / 1024));
	} else if (suite_where & ON_THP) {
		CHECK_EQ(smaps(p, "ShmemPmdMapped"), (long)(buf_size / 1024));
	}
}

/* What the kernel can pin in the buffer's own mapping it can pin in this one. */
static void o_direct_works_at_an_aligned_address(void)
{
	int dmabuf = export_of(dev_open(O_RDWR));
	int disk = open(getenv("HPM_DISK") ?: "", O_RDWR | O_DIRECT | O_CLOEXEC);
	char *p = map_at(reserve(buf_size), dmabuf, buf_size, RW, MAP_SHARED, 0);
	size_t len = buf_size / 2 < 1UL << 20 ? buf_size / 2 : 1UL << 20;

	CHECK_GE(disk, 0);
	fill(p, len, 3);
	memset(p + len, 0, len);
	CHECK_EQ(pwrite(disk, p, len, 0), (ssize_t)len);
	CHECK_EQ(pread(disk, p + len, len, 0), (ssize_t)len);
	CHECK(filled(p + len, len, 3));
}

/* Right, if not with huge pages; only the kernel cannot pin frames. */
static void an_unaligned_mapping_has_the_same_bytes(void)
{
	int fd = dev_open(O_RDWR), dmabuf = export_of(fd);
	int disk = open(getenv("HPM_DISK") ?: "", O_RDWR | O_DIRECT | O_CLOEXEC);
	char *p = map_at(odd_place(buf_size), dmabuf, buf_size, RW, MAP_SHARED, 0);
	char *direct = map_all(fd, RW, MAP_SHARED);

	fill(direct, some(), 4);
	CHECK(filled(p, some(), 4));
	fill(p, some(), 5);
	CHECK(filled(direct, some(), 5));
	direct[buf_size - 1] = 17;
	CHECK_EQ(p[buf_size - 1], 17);
	CHECK_EQ(smaps(p, "KernelPageSize"), (long)(base_page / 1024));
	CHECK_GE(disk, 0);
	if (by_frames())
		CHECK_ERR(pwrite(disk, p, base_page, 0), EFAULT);
	else
		CHECK_EQ(pwrite(disk, p, base_page, 0), (ssize_t)base_page);
	CHECK_EQ(facts_of(fd).mappings, by_frames() ? 1 : 2);
}

static void check_part(int fd, int dmabuf, char *at, off_t off, size_t len)
{
	char *p = map_at(at, dmabuf, len, RW, MAP_SHARED, off);

	check_file_holds(fd, p, len, off);
	fill(p, len, off + 7);
	check_file_holds(fd, p, len, off);
	CHECK_EQ(munmap(p, len), 0);
}

/* Base pages from anywhere to anywhere, across the edges of pages and runs. */
static void every_part_can_be_mapped(void)
{
	const struct {
		off_t off;
		size_t len;
	} parts[] = {
		{ 0, base_page },
		{ base_page, base_page },
		{ 3 * base_page, 5 * base_page },
		{ buf_size - base_page, base_page },
		{ buf_size / 2 - base_page, 2 * base_page },
		{ buf_page - base_page, buf_size > buf_page ? 2 * base_page : base_page },
		{ buf_size > buf_page ? buf_page : 0, buf_page },
	};
	int fd = dev_open(O_RDWR), dmabuf = export_of(fd);
	char *p = map_all(fd, RW, MAP_SHARED);

	fill(p, some(), 6);
	CHECK_EQ(munmap(p, buf_size), 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (parts[i].len > 64UL << 20)
			continue;
		check_part(fd, dmabuf, reserve(parts[i].len), parts[i].off, parts[i].len);
		check_part(fd, dmabuf, odd_place(parts[i].len), parts[i].off, parts[i].len);
	}
}

static void a_private_mapping_has_copies_of_its_own(void)
{
	int fd = dev_open(O_RDWR), dmabuf = export_of(fd);
	char *shared = map(fd, buf_page, RW, MAP_SHARED, 0);
	char *own = map_at(reserve(buf_page), dmabuf, buf_page, RW, MAP_PRIVATE, 0);

	fill(shared, base_page, 8);
	CHECK(filled(own, base_page, 8));
	fill(own, base_page, 9);
	CHECK(filled(shared, base_page, 8) && filled(own, base_page, 9));
}

/* A copy of a page frame would be a base page amid huge ones: nobody expects that. */
static void page_frames_have_no_private_mapping(void)
{
	int dmabuf = export_of(dev_open(O_RDWR));
	char *at = odd_place(buf_page);

	CHECK_ERR(mmap(at, buf_page, RW, MAP_PRIVATE | MAP_FIXED, dmabuf, 0), EINVAL);
	CHECK_ERR(mmap(at, buf_page, PROT_READ, MAP_PRIVATE | MAP_FIXED, dmabuf, 0), EINVAL);
}

static void nothing_behind_the_end_is_mapped(void)
{
	int dmabuf = export_of(dev_open(O_RDWR));
	char *at = reserve(buf_size + buf_page), *odd = odd_place(buf_size + buf_page);
	const struct {
		off_t off;
		size_t len;
	} parts[] = {
		{ 0, buf_size + base_page },
		{ base_page, buf_size },
		{ buf_size, base_page },
		{ buf_size + buf_page, buf_page },
		{ 1LL << 62, base_page },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		CHECK_ERR(mmap(at, parts[i].len, RW, MAP_SHARED | MAP_FIXED, dmabuf,
			       parts[i].off), EINVAL);
		CHECK_ERR(mmap(odd, parts[i].len, RW, MAP_SHARED | MAP_FIXED, dmabuf,
			       parts[i].off), EINVAL);
	}
	CHECK_EQ(lseek(dmabuf, 0, SEEK_END), (off_t)buf_size);
}

static bool module_is_kept(void)
{
	return suite_user[0] == 'r' ? unload() == -EWOULDBLOCK : refcnt() > 0;
}

/* Whoever made it has gone, and nothing of ours is open but the dma-buf. */
static void a_dma_buf_alone_keeps_the_pages(void)
{
	size_t len = suite_where & ON_BASE ? 1UL << 20 : 2 * buf_page;
	int fd = lend(len, buf_page, HPAGE_MAP_ALLOW_BASE), dmabuf;
	unsigned int before = count_buffers();
	char *p = map(fd, len, RW, MAP_SHARED, 0);

	fill(p, len, 10);
	dmabuf = export_of(fd);
	close(fd);
	CHECK_EQ(munmap(p, len), 0);
	CHECK(module_is_kept());
	CHECK_EQ(count_buffers(), before);

	p = map_at(odd_place(len), dmabuf, len, RW, MAP_SHARED, 0);
	close(dmabuf);
	CHECK(filled(p, len, 10));
	CHECK(module_is_kept());
	CHECK_EQ(munmap(p, len / 2), 0);
	CHECK(module_is_kept());
	CHECK_EQ(count_buffers(), before);
	CHECK_EQ(munmap(p + len / 2, len / 2), 0);
	CHECK_EQ(count_buffers(), before - 1);
	CHECK_EQ(refcnt(), 0);
}

/* Valid directions alone; what they do is seen where a device is not coherent. */
static void access_of_the_cpu_begins_and_ends(void)
{
	int fd = dev_open(O_RDWR), dmabuf = export_of(fd);
	char *p = map_at(odd_place(base_page), dmabuf, base_page, RW, MAP_SHARED, 0);
	struct dma_buf_sync s;

	for (__u64 dir = DMA_BUF_SYNC_READ; dir <= DMA_BUF_SYNC_RW; dir++) {
		s.flags = dir | DMA_BUF_SYNC_START;
		CHECK_EQ(ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &s), 0);
		fill(p, base_page, 11 + dir);
		s.flags = dir | DMA_BUF_SYNC_END;
		CHECK_EQ(ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &s), 0);
		check_file_holds(fd, p, base_page, 0);
	}
	s.flags = DMA_BUF_SYNC_START;
	CHECK_ERR(ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &s), EINVAL);
	s.flags = 1 << 7;
	CHECK_ERR(ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &s), EINVAL);
}

static void a_dma_buf_is_close_on_exec(void)
{
	CHECK_EQ(fcntl(export_of(dev_open(O_RDWR)), F_GETFD), FD_CLOEXEC);
}

/* A dma-buf can be read and written: whoever may not do both with the buffer gets none. */
static void only_readers_and_writers_export(void)
{
	int fd = dev_open(O_RDWR), dmabuf = export_of(fd);

	CHECK_EQ(try_export(dev_open(O_RDONLY)), -EBADF);
	CHECK_EQ(try_export(dev_open(HPAGE_MAP_O_DOOR)), -EBADF);
	CHECK_EQ(try_export(dmabuf), -ENOTTY);
	CHECK_EQ(try_export_part(fd, HPAGE_MAP_EXPORT_READ_ONLY << 1, 0, 0), -EINVAL);
	CHECK_EQ(try_export(dev_open(O_WRONLY)), -EBADF);
	CHECK_EQ(try_export_part(dev_open(O_WRONLY), HPAGE_MAP_EXPORT_READ_ONLY, 0, 0), -EBADF);
}

/* A program of before there were parts exports all. */
static void a_short_struct_exports_all(void)
{
	struct hpage_map_export e = { .size = offsetof(struct hpage_map_export, offset) };

	CHECK_EQ(ioctl(dev_open(O_RDWR), HPAGE_MAP_EXPORT, &e), 0);
	CHECK_EQ(lseek(e.fd, 0, SEEK_END), (off_t)buf_size);
}

static size_t whole_pages(size_t len)
{
	return (len + base_page - 1) / base_page * base_page;
}

/* A part, mapped where huge pages may fit and where none do, ends where it ends. */
static void check_exported_part(int fd, size_t off, size_t asked)
{
	int dmabuf = export_part(fd, 0, off, asked);
	size_t len = asked ? whole_pages(asked) : buf_size - off;
	size_t look = len < some() ? len : some();

	CHECK_EQ(lseek(dmabuf, 0, SEEK_END), (off_t)len);
	for (int odd = 0; odd < 2; odd++) {
		char *at = odd ? odd_place(look + base_page) : reserve(look + base_page);
		char *p = map_at(at, dmabuf, look, RW, MAP_SHARED, 0);

		check_file_holds(fd, p, look, off);
		fill(p, look, off + odd + 7);
		check_file_holds(fd, p, look, off);
		CHECK_ERR(mmap(at, len + base_page, RW, MAP_SHARED | MAP_FIXED, dmabuf, 0), EINVAL);
		CHECK_ERR(mmap(at, base_page, RW, MAP_SHARED | MAP_FIXED, dmabuf, len), EINVAL);
		/* What follows is not for who has the part. */
		if (len < buf_size)
			CHECK_ERR(mremap(p, look, look + buf_page, MREMAP_MAYMOVE), EFAULT);
		CHECK_EQ(munmap(p, look), 0);
	}
	close(dmabuf);
}

/* 4147200 bytes are a frame of 1920 x 1080 in 16 bits, which is no whole number of pages. */
static void parts_are_exported(void)
{
	const struct {
		size_t off, len;
	} parts[] = {
		{ 0, base_page },
		{ 0, buf_page },
		{ base_page, 1 },
		{ 3 * base_page, 0 },
		{ buf_size / 2, 0 },
		{ buf_size / 2 - base_page, 2 * base_page },
		{ 0, 4147200 },
		{ 5 * base_page, 4147200 },
		{ buf_size - base_page, 0 },
	};
	int fd = dev_open(O_RDWR);
	char *p = map_all(fd, RW, MAP_SHARED);

	fill(p, some(), 15);
	CHECK_EQ(munmap(p, buf_size), 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (parts[i].off + parts[i].len <= buf_size)
			check_exported_part(fd, parts[i].off, parts[i].len);
	CHECK_EQ(facts_of(fd).exports, 0);
}

static void no_part_is_exported_that_is_not_there(void)
{
	const struct {
		uint64_t off, len;
	} parts[] = {
		{ 1, base_page },
		{ base_page / 2, 0 },
		{ buf_size, 0 },
		{ buf_size, base_page },
		{ buf_size + base_page, 0 },
		{ 0, buf_size + 1 },
		{ base_page, buf_size },
		{ buf_size - base_page, base_page + 1 },
		{ base_page, -(uint64_t)base_page },
		{ -(uint64_t)base_page, 2 * base_page },
		{ 0, -1ULL },
	};
	int fd = dev_open(O_RDWR);

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		CHECK_EQ(try_export_part(fd, 0, parts[i].off, parts[i].len), -EINVAL);
	CHECK_EQ(facts_of(fd).exports, 0);
}

/* Who may only read the buffer can pass that on, and no more. */
static void nobody_writes_through_a_read_only_dma_buf(void)
{
	int fd = dev_open(O_RDWR);
	int dmabuf = export_part(dev_open(O_RDONLY), HPAGE_MAP_EXPORT_READ_ONLY, 0, 0);
	char *direct = map(fd, buf_page, RW, MAP_SHARED, 0), link[32];

	fill(direct, base_page, 16);
	for (int odd = 0; odd < 2; odd++) {
		char *at = odd ? odd_place(buf_page) : reserve(buf_page);
		char *p = map_at(at, dmabuf, buf_page, PROT_READ, MAP_SHARED, 0);

		CHECK(filled(p, base_page, 16));
		CHECK_ERR(mprotect(p, buf_page, RW), EACCES);
		CHECK_ERR(mmap(at, buf_page, RW, MAP_SHARED | MAP_FIXED, dmabuf, 0), EACCES);
	}
	CHECK_EQ(fcntl(dmabuf, F_GETFL) & O_ACCMODE, O_RDONLY);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", dmabuf);
	CHECK_EQ(open(link, O_RDWR | O_CLOEXEC), -1);
}

static void exports_are_counted(void)
{
	int fd = dev_open(O_RDWR), one, two;

	CHECK_EQ(facts_of(fd).exports, 0);
	one = export_of(fd);
	CHECK_EQ(facts_of(fd).exports, 1);
	two = export_of(fd);
	CHECK_EQ(facts_of(fd).exports, 2);
	close(one);
	CHECK_EQ(facts_of(fd).exports, 1);
	one = dup(two);		/* the same dma-buf */
	close(two);
	CHECK_EQ(facts_of(fd).exports, 1);
	close(one);
	CHECK_EQ(facts_of(fd).exports, 0);
}

/* What cannot be handed out is not left behind. */
static void no_descriptor_left_is_emfile(void)
{
	int fd = dev_open(O_RDWR);
	const struct rlimit r = { 3, 3 };

	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &r), 0);
	CHECK_EQ(try_export(fd), -EMFILE);
	CHECK_EQ(facts_of(fd).exports, 0);
}

static void a_bad_answer_address_takes_the_export_back(void)
{
	struct hpage_map_export *e = mmap(NULL, base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS,
					  -1, 0);
	int fd = dev_open(O_RDWR), next;

	CHECK_NE(e, MAP_FAILED);
	e->size = sizeof(*e);
	CHECK_EQ(mprotect(e, base_page, PROT_READ), 0);
	CHECK_ERR(ioctl(fd, HPAGE_MAP_EXPORT, e), EFAULT);
	CHECK_EQ(facts_of(fd).exports, 0);
	next = dup(fd);
	CHECK_EQ(next, fd + 1);	/* no number is taken for ever */
}

/* A child writes through what it has inherited. */
static void child_writes(void *p)
{
	fill(p, base_page, 12);
}

static void a_forked_child_shares_the_mapping(void)
{
	int fd = dev_open(O_RDWR), dmabuf = export_of(fd);
	char *odd = map_at(odd_place(buf_page), dmabuf, buf_page, RW, MAP_SHARED, 0);
	char *even = map_at(reserve(buf_page), dmabuf, buf_page, RW, MAP_SHARED, 0);

	memset(odd, 0, base_page);
	CHECK_EXITS(spawn(child_writes, odd));
	CHECK(filled(even, base_page, 12));
	memset(odd, 0, base_page);
	CHECK_EXITS(spawn(child_writes, even));
	CHECK(filled(odd, base_page, 12));
}

/* Split, moved, made read-only: the rest stays what it was. */
static void an_unaligned_mapping_can_be_taken_apart(void)
{
	int fd = dev_open(O_RDWR), dmabuf = export_of(fd);
	size_t len = 16 * base_page;
	char *p = map_at(odd_place(len), dmabuf, len, RW, MAP_SHARED, 0), *to = odd_place(len);

	fill(p, len, 13);
	CHECK_EQ(munmap(p + 4 * base_page, base_page), 0);
	CHECK_EQ(mprotect(p + 8 * base_page, base_page, PROT_READ), 0);
	check_file_holds(fd, p, 4 * base_page, 0);
	check_file_holds(fd, p + 5 * base_page, 11 * base_page, 5 * base_page);
	CHECK_EQ(mremap(p, 2 * base_page, 2 * base_page, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
	check_file_holds(fd, to, 2 * base_page, 0);
	/* Page frames are all that there is of a mapping; tmpfs makes more of it. */
	p = mremap(to, 2 * base_page, len, MREMAP_MAYMOVE);
	CHECK_EQ(p == MAP_FAILED, !(suite_where & ON_SHMEM));
	if (p != MAP_FAILED)
		check_file_holds(fd, p, len, 0);
}

/* Page frames are nothing that can be pinned; debuggers look through the mapping. */
static void a_debugger_sees_an_unaligned_mapping(void)
{
	int fd = dev_open(O_RDWR), dmabuf = export_of(fd), mem = open("/proc/self/mem", O_RDWR);
	size_t len = 16 * base_page;
	char *p = map_at(odd_place(len), dmabuf, len, RW, MAP_SHARED, 0);
	char *edge = p + base_page - 32, text[64];

	CHECK_GE(mem, 0);
	fill(p, len, 14);
	CHECK_EQ(pread(mem, text, sizeof(text), (uintptr_t)edge), (ssize_t)sizeof(text));
	CHECK_EQ(memcmp(text, edge, sizeof(text)), 0);
	fill(text, sizeof(text), 15);
	CHECK_EQ(pwrite(mem, text, sizeof(text), (uintptr_t)edge), (ssize_t)sizeof(text));
	CHECK_EQ(memcmp(text, edge, sizeof(text)), 0);
}

static int started[2];

static void export_for_ever(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step_done(started[1]);
	for (;;) {
		int fd = dev_open(O_RDWR), dmabuf = export_of(fd);
		char *odd = map_at(odd_place(base_page), dmabuf, base_page, RW, MAP_SHARED, 0);
		char *even = map_at(reserve(buf_page), dmabuf, buf_page, RW, MAP_SHARED, 0);

		close(fd);
		odd[0]++;
		even[0]++;
		close(dmabuf);
		munmap(even, buf_page);
		munmap(odd, base_page);
	}
}

static void killed_holders_leave_nothing(void)
{
	int fd = dev_open(O_RDWR);

	CHECK_EQ(pipe2(started, O_CLOEXEC), 0);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = spawn(export_for_ever, NULL);

		step_wait(started[0]);
		for (int j = 0; j < i * 7 % 40; j++)	/* somewhere else each round */
			sched_yield();
		CHECK_EQ(kill(pid, SIGKILL), 0);
		CHECK_KILLED(pid, SIGKILL);
		CHECK_EQ(facts_of(fd).exports, 0);
		CHECK_EQ(facts_of(fd).mappings, 0);
		CHECK_EQ(facts_of(fd).descriptors, 1);
	}
}

int main(void)
{
	const struct test tests[] = {
		TEST(an_aligned_mapping_has_huge_pages, ON_ANY),
		TEST(o_direct_works_at_an_aligned_address, ON_SMALL),
		TEST(an_unaligned_mapping_has_the_same_bytes, ON_ANY),
		TEST(every_part_can_be_mapped, ON_ANY),
		TEST(a_private_mapping_has_copies_of_its_own, ON_SMALL),
		TEST(page_frames_have_no_private_mapping, ON_POOL),
		TEST(nothing_behind_the_end_is_mapped, ON_ANY),
		TEST(a_dma_buf_alone_keeps_the_pages, ON_SMALL),
		TEST(access_of_the_cpu_begins_and_ends, ON_ANY),
		TEST(a_dma_buf_is_close_on_exec, ON_ANY),
		TEST(only_readers_and_writers_export, ON_ANY),
		TEST(a_short_struct_exports_all, ON_ANY),
		TEST(parts_are_exported, ON_ANY),
		TEST(no_part_is_exported_that_is_not_there, ON_ANY),
		TEST(nobody_writes_through_a_read_only_dma_buf, ON_ANY),
		TEST(exports_are_counted, ON_ANY),
		TEST(no_descriptor_left_is_emfile, ON_ANY),
		TEST(a_bad_answer_address_takes_the_export_back, ON_ANY),
		TEST(a_forked_child_shares_the_mapping, ON_ANY),
		TEST(an_unaligned_mapping_can_be_taken_apart, ON_ANY),
	TEST(a_debugger_sees_an_unaligned_mapping, ON_ANY),
		TEST(killed_holders_leave_nothing, ON_SMALL),
	};

	return RUN_TESTS(tests);
}
