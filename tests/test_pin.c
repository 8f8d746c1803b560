// SPDX-License-Identifier: GPL-2.0-only
/* Memory that the program got itself, as a buffer: what may be pinned, and for how long. */
#define _GNU_SOURCE
#include "lent.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROUNDS	40
#define LEN	(2 * pmd_size)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)

static void begin(uint64_t pages)
{
	CHECK(want_pool(pages));
	CHECK_EQ(load(""), 0);
}

static void end(void)
{
	CHECK_EQ(count_buffers(), 0);
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(unload(), 0);
}

/* --- kinds of memory ------------------------------------------------------- */

/* Both see what the other writes: there is one copy of it. */
static void check_coherent(int fd, char *p, size_t len, uint64_t seed)
{
	char *own = malloc(len);

	fill(p, len, seed);
	check_file_holds(fd, p, len, 0);
	fill(own, len, seed + 1);
	CHECK_EQ(pwrite(fd, own, len, 0), (ssize_t)len);
	CHECK(filled(p, len, seed + 1));
	free(own);
}

/* The buffer of memory at p, and what it must be like; the memory is unmapped on the way. */
static void check_pinned(char *p, size_t len, uint64_t seed)
{
	struct hpage_map_info info;
	int fd;

	fill(p, len, seed);
	fd = pin(p, len);
	check_file_holds(fd, p, len, 0);
	check_coherent(fd, p, len, seed + 1);
	info = facts_of(fd);
	CHECK_EQ(info.backing, HPAGE_MAP_BACKING_USER);
	CHECK_EQ(info.length, len);
	CHECK_EQ(info.asked, len);
	CHECK_EQ(info.page_size, base_page);
	CHECK_EQ(info.nr_pages, len / base_page);
	CHECK_EQ(info.descriptors, 1);
	CHECK_EQ(info.mappings, 0);
	CHECK_EQ(info.creator, getpid());
	CHECK_EQ(info.uid, getuid());
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_ERR(mmap(NULL, len, RW, MAP_SHARED, fd, 0), ENODEV);

	fill(p, len, seed + 3);
	CHECK_EQ(munmap(p, len), 0);
	p = malloc(len);
	CHECK_EQ(pread(fd, p, len, 0), (ssize_t)len);
	CHECK(filled(p, len, seed + 3));
	free(p);
	close(fd);
}

static void huge_anonymous_memory_is_pinned(void)
{
	begin(2);
	check_pinned(map(-1, LEN, RW, ANON | MAP_HUGETLB, 0), LEN, 1);
	check_pinned(map(-1, LEN, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, 0), LEN, 1);
	CHECK_EQ(pool_of(pmd_size, "free"), 2);
	end();
}

static char *thp(size_t len)
{
	char *p = map_at(reserve(len), -1, len, RW, ANON, 0);

	CHECK_EQ(madvise(p, len, MADV_HUGEPAGE), 0);
	memset(p, 1, len);
	CHECK_EQ(smaps(p, "AnonHugePages"), (long)(len / 1024));
	return p;
}

static void transparent_huge_pages_are_pinned(void)
{
	begin(0);
	check_pinned(thp(LEN), LEN, 1);
	end();
}

static void plain_memory_is_pinned(void)
{
	begin(0);
	check_pinned(map(-1, 300 * base_page, RW, ANON, 0), 300 * base_page, 1);
	check_pinned(map(-1, base_page, RW, ANON, 0), base_page, 1);
	end();
}

static void a_memfd_is_pinned(void)
{
	int fd = memfd_create("pin", MFD_CLOEXEC), huge;

	begin(2);
	CHECK_EQ(ftruncate(fd, LEN), 0);
	check_pinned(map(fd, LEN, RW, MAP_SHARED, 0), LEN, 1);
	check_pinned(map(fd, LEN, RW, MAP_PRIVATE, 0), LEN, 1);
	huge = memfd_create("pin", MFD_CLOEXEC | MFD_HUGETLB);
	CHECK_EQ(ftruncate(huge, LEN), 0);
	check_pinned(map(huge, LEN, RW, MAP_SHARED, 0), LEN, 1);
	close(huge);
	end();
}

static void system_v_memory_is_pinned(void)
{
	int id = shmget(IPC_PRIVATE, LEN, 0600);
	char *p = shmat(id, NULL, 0), *own = malloc(LEN);
	int fd;

	CHECK_GE(id, 0);
	CHECK_NE(p, (void *)-1);
	CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
	begin(0);
	fd = pin(p, LEN);
	check_coherent(fd, p, LEN, 1);
	CHECK_EQ(shmdt(p), 0);
	CHECK_EQ(pread(fd, own, LEN, 0), (ssize_t)LEN);
	CHECK(filled(own, LEN, 2));
	close(fd);
	end();
}

static void a_file_of_tmpfs_is_pinned(void)
{
	int fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	begin(0);
	CHECK_GE(fd, 0);
	CHECK_EQ(ftruncate(fd, LEN), 0);
	check_pinned(map(fd, LEN, RW, MAP_SHARED, 0), LEN, 1);
	end();
}

/* As a buffer of a buffer, which then has one more life. */
static void check_of_a_buffer(int first)
{
	size_t len = facts_of(first).length;
	char *p = map(first, len, RW, MAP_SHARED, 0);
	int second = pin(p, len);

	check_coherent(second, p, len, 5);
	check_file_holds(first, p, len, 0);
	CHECK_EQ(facts_of(second).nr_runs, facts_of(first).nr_runs);
	CHECK_EQ(facts_of(second).address, facts_of(first).address);
	CHECK_EQ(munmap(p, len), 0);
	close(first);
	/* Its pages are still out, in the hands of the second. */
	CHECK_EQ(count_buffers(), 2);
	p = malloc(len);
	CHECK_EQ(pread(second, p, len, 0), (ssize_t)len);
	CHECK(filled(p, len, 6));
	free(p);
	close(second);
	CHECK_COMES(count_buffers() == 0);
}

static void a_mapping_of_a_buffer_is_pinned(void)
{
	begin(4);
	check_of_a_buffer(lend(LEN, pmd_size, HPAGE_MAP_EXACT));
	CHECK_EQ(pool_of(pmd_size, "free"), 4);
	CHECK_EQ(set_pool(pmd_size, "nr", 0), 0);
	check_of_a_buffer(lend(LEN, pmd_size, HPAGE_MAP_EXACT));	/* THP */
	check_of_a_buffer(lend(LEN, base_page, HPAGE_MAP_ALLOW_BASE));
	end();
}

/* What a device writes is the program's own copy, and nobody else's. */
static void a_private_mapping_of_a_buffer_is_pinned(void)
{
	int first, second;
	char *shared, *own;

	begin(4);
	first = lend(LEN, pmd_size, HPAGE_MAP_EXACT);
	shared = map(first, LEN, RW, MAP_SHARED, 0);
	fill(shared, LEN, 7);
	own = map(first, LEN, RW, MAP_PRIVATE, 0);
	second = pin(own, LEN);
	check_coherent(second, own, LEN, 8);
	CHECK(filled(shared, LEN, 7));
	munmap(own, LEN);
	munmap(shared, LEN);
	close(first);
	close(second);
	CHECK_EQ(pool_of(pmd_size, "free"), 4);
	end();
}

static void a_private_file_of_hugetlbfs_is_pinned(void)
{
	int huge = memfd_create("pin", MFD_CLOEXEC | MFD_HUGETLB), fd;
	char *shared, *own;

	begin(4);
	CHECK_EQ(ftruncate(huge, LEN), 0);
	shared = map(huge, LEN, RW, MAP_SHARED, 0);
	fill(shared, LEN, 9);
	own = map(huge, LEN, RW, MAP_PRIVATE, 0);
	CHECK(filled(own, LEN, 9));
	fd = pin(own, LEN);
	check_coherent(fd, own, LEN, 10);
	CHECK(filled(shared, LEN, 9));
	close(fd);
	munmap(own, LEN);
	munmap(shared, LEN);
	close(huge);
	end();
}

/* Different kinds side by side are one buffer, as they are one range. */
static void a_range_may_be_of_many_kinds(void)
{
	char *p;
	int fd;

	begin(1);
	p = reserve(3 * pmd_size);
	map_at(p, -1, pmd_size, RW, ANON | MAP_HUGETLB, 0);
	map_at(p + pmd_size, -1, pmd_size, RW, ANON, 0);
	map_at(p + 2 * pmd_size, -1, pmd_size, RW, MAP_SHARED | MAP_ANONYMOUS, 0);
	check_pinned(p, 3 * pmd_size, 1);
	/* Nor need it begin where a huge page does. */
	p = map(-1, pmd_size, RW, ANON | MAP_HUGETLB, 0);
	fd = pin(p + 5 * base_page, base_page);
	check_coherent(fd, p + 5 * base_page, base_page, 1);
	munmap(p, pmd_size);
	close(fd);
	end();
}

/* --- where it is ------------------------------------------------------------- */

static void runs_of_huge_pages_are_found(void)
{
	struct hpage_map_run runs[8];
	size_t nr, bytes = 0;
	char *p;
	int fd;

	begin(4);
	p = map(-1, 4 * pmd_size, RW, ANON | MAP_HUGETLB, 0);
	fd = pin(p, 4 * pmd_size);
	nr = get_runs(fd, runs, 8);
	CHECK_EQ(nr, facts_of(fd).nr_runs);
	CHECK_LE(nr, 4);
	for (size_t i = 0; i < nr; i++) {
		for (size_t at = 0; at < runs[i].length; at += base_page)
			CHECK_EQ(pfn_of(p + bytes + at), (runs[i].address + at) / base_page);
		bytes += runs[i].length;
	}
	CHECK_EQ(bytes, 4 * pmd_size);
	CHECK_EQ(facts_of(fd).address, runs[0].address);
	munmap(p, 4 * pmd_size);
	close(fd);

	p = thp(pmd_size);
	fd = pin(p + base_page, pmd_size - base_page);
	CHECK_EQ(get_runs(fd, runs, 8), 1);
	CHECK_EQ(runs[0].address, pfn_of(p + base_page) * base_page);
	close(fd);
	end();
}

/* A program may have mapped the pages of a huge page one by one, in pairs, and backwards. */
static void pages_of_a_huge_page_in_any_order(void)
{
	static const int order[] = { 7, 6, 5, 0, 1, 9, 3, 4, 2 };
	const size_t nr = sizeof(order) / sizeof(*order);
	char *p, *to = reserve(pmd_size);
	struct hpage_map_run runs[16];
	size_t nr_runs, bytes = 0;
	int fd;

	begin(0);
	p = thp(pmd_size);
	for (size_t i = 0; i < nr; i++)
		CHECK_EQ(mremap(p + order[i] * base_page, base_page, base_page,
				MREMAP_MAYMOVE | MREMAP_FIXED, to + i * base_page),
			 to + i * base_page);
	fd = pin(to, nr * base_page);
	check_coherent(fd, to, nr * base_page, 1);
	nr_runs = get_runs(fd, runs, 16);
	CHECK_EQ(nr_runs, 7);
	for (size_t i = 0; i < nr_runs; i++) {
		for (size_t at = 0; at < runs[i].length; at += base_page)
			CHECK_EQ(pfn_of(to + bytes + at), (runs[i].address + at) / base_page);
		bytes += runs[i].length;
	}
	CHECK_EQ(bytes, nr * base_page);
	munmap(to, nr * base_page);
	munmap(p, pmd_size);
	close(fd);
	end();
}

/* --- what is refused ----------------------------------------------------------- */

static void check_refused(const void *addr, size_t len, int err, const char *why)
{
	char text[HPAGE_MAP_TEXT_SIZE] = "";
	int ret = try_pin(addr, len, text);

	/* Newer kernels do not pin memory of a file system at all, and say no more than EFAULT. */
	bool by_mm = ret == -EFAULT && err == EINVAL && strstr(text, "MAP_ANONYMOUS");

	if (by_mm)
		return;
	if (ret != -err || !strstr(text, why))
		printf("# %d: %s\n", ret, text);
	CHECK_EQ(ret, -err);
	CHECK(strstr(text, why));
	CHECK_EQ(count_buffers(), 0);
}

/* A file of a file system that writes back, on the disk that the runner gives. */
static int disk_file(void)
{
	static const char dir[] = "/run/hpm-pin";
	char command[128];
	int fd;

	snprintf(command, sizeof(command), "mkfs.ext4 -q -F %s", getenv("HPM_DISK") ?: "none");
	CHECK_EQ(run_command(command), 0);
	mkdir(dir, 0700);
	CHECK_EQ(mount(getenv("HPM_DISK"), dir, "ext4", 0, NULL), 0);
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	CHECK_EQ(umount2(dir, MNT_DETACH), 0);	/* it goes with the file */
	CHECK_GE(fd, 0);
	CHECK_EQ(ftruncate(fd, 16 * base_page), 0);
	return fd;
}

/* Some kernels would pin it, and lose what is written later. */
static void memory_of_a_file_system_is_refused(void)
{
	int fd = disk_file();
	char *p = map_at(reserve(pmd_size), -1, 48 * base_page, RW, ANON, 0);

	begin(0);
	map_at(p + 16 * base_page, fd, 16 * base_page, RW, MAP_SHARED, 0);
	check_refused(p + 16 * base_page, 16 * base_page, EINVAL, "a file system");
	memset(p, 1, 48 * base_page);
	check_refused(p + 16 * base_page, 16 * base_page, EINVAL, "a file system");
	/* Between others. */
	check_refused(p, 48 * base_page, EINVAL, "a file system");
	munmap(p, 48 * base_page);
	end();
}

/* Copies of such a file are memory like any other. */
static void a_private_mapping_of_a_file_is_pinned(void)
{
	int fd = disk_file();

	begin(0);
	check_pinned(map(fd, 16 * base_page, RW, MAP_PRIVATE, 0), 16 * base_page, 1);
	close(fd);
	end();
}

static void memory_that_cannot_be_written_is_efault(void)
{
	char *p = map(-1, 4 * base_page, RW, ANON, 0);
	int fd = memfd_create("pin", MFD_CLOEXEC);

	begin(0);
	memset(p, 1, 4 * base_page);
	CHECK_EQ(mprotect(p + 2 * base_page, base_page, PROT_READ), 0);
	check_refused(p, 4 * base_page, EFAULT, "cannot be pinned for writing");
	CHECK_EQ(mprotect(p + 2 * base_page, base_page, PROT_NONE), 0);
	check_refused(p, 4 * base_page, EFAULT, "cannot be pinned for writing");
	CHECK_EQ(munmap(p + 2 * base_page, base_page), 0);
	check_refused(p, 4 * base_page, EFAULT, "cannot be pinned for writing");
	check_refused(p + 2 * base_page, base_page, EFAULT, "cannot be pinned for writing");
	CHECK_EQ(ftruncate(fd, base_page), 0);
	/* Mapped, but behind the end of the file. */
	check_refused(map(fd, 2 * base_page, RW, MAP_SHARED, 0), 2 * base_page, EFAULT,
		      "cannot be pinned for writing");
	check_refused(map(fd, base_page, PROT_READ, MAP_SHARED, 0), base_page, EFAULT,
		      "cannot be pinned for writing");
	end();
}

static void memory_of_the_kernel_is_efault(void)
{
	begin(0);
	check_refused((void *)0xffff888000000000, base_page, EFAULT, "");
	check_refused((void *)(-16UL * base_page), 8 * base_page, EFAULT, "");
	end();
}

static void bounds_are_checked(void)
{
	char *p = map(-1, 4 * base_page, RW, ANON, 0);
	static const char multiple[] = "multiples of the base page size";

	begin(0);
	check_refused(p, 0, EINVAL, "a size of 0");
	check_refused(p + 8, base_page, EINVAL, multiple);
	check_refused(p, base_page + 8, EINVAL, multiple);
	check_refused(p, -base_page, EINVAL, "");
	check_refused((void *)-base_page, 2 * base_page, EINVAL, "");
	CHECK_EQ(try_pin(p, 1UL << 62, NULL), -ENOMEM);
	CHECK_EQ(try_pin(NULL, 1UL << 40, NULL), -ENOMEM);
	end();
}

/* Device memory and page frames are nobody's memory to pin. */
static void page_frames_are_refused(void)
{
	int fd, dmabuf;
	char *p;

	begin(2);
	fd = lend(LEN, pmd_size, HPAGE_MAP_EXACT);
	dmabuf = export_of(fd);
	p = map_at(reserve(LEN + pmd_size) + base_page, dmabuf, LEN, RW, MAP_SHARED, 0);
	CHECK_EQ(try_pin(p, base_page, NULL), -EFAULT);
	munmap(p, LEN);
	close(dmabuf);
	close(fd);
	end();
}

static void only_the_door_pins(void)
{
	struct hpage_map_pin p = { .size = sizeof(p), .length = base_page };
	int fd;

	begin(4);
	p.address = (uintptr_t)map(-1, base_page, RW, ANON, 0);
	fd = lend(pmd_size, pmd_size, 0);
	CHECK_ERR(ioctl(fd, HPAGE_MAP_PIN, &p), EBADF);
	CHECK_ERR(ioctl(open(DEV, O_RDONLY | O_CLOEXEC), HPAGE_MAP_PIN, &p), EBADF);
	close_range(3, ~0U, 0);
	CHECK_EQ(unload(), 0);
}

/* --- limits --------------------------------------------------------------------- */

static void pin_as_nobody(void *p)
{
	int fd, again;

	become_nobody(8 * base_page);
	check_refused(p, 9 * base_page, EDQUOT, "RLIMIT_MEMLOCK");
	fd = pin(p, 5 * base_page);
	again = pin(p, 3 * base_page);	/* the same pages count again */
	CHECK_EQ(try_pin(p, base_page, NULL), -EDQUOT);
	close(fd);
	fd = pin(p, 5 * base_page);
	close(again);
	again = export_of(fd);
	close(fd);
	/* The dma-buf has it now. */
	CHECK_EQ(try_pin(p, 4 * base_page, NULL), -EDQUOT);
	close(again);
	close(pin(p, 8 * base_page));
	/* What fails is given back, too. */
	for (int i = 0; i < 20; i++)
		CHECK_EQ(try_pin(p + 12 * base_page, 8 * base_page, NULL), -EFAULT);
	close(pin(p, 8 * base_page));
}

static void rlimit_memlock_counts_what_is_pinned(void)
{
	char *p = map(-1, 16 * base_page, RW, ANON, 0);

	CHECK(want_pool(0));
	CHECK_EQ(load("mode=0666"), 0);
	CHECK_EXITS(spawn(pin_as_nobody, p));
	end();
}

/* For those who may lock memory as they like. */
static void cap_ipc_lock_has_no_limit(void)
{
	const struct rlimit none = {};
	char *p = map(-1, 16 * base_page, RW, ANON, 0);

	begin(0);
	CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	close(pin(p, 16 * base_page));
	drop_capability(CAP_IPC_LOCK);
	CHECK_EQ(try_pin(p, base_page, NULL), -EDQUOT);
	end();
}

/* --- fork, exit, kill -------------------------------------------------------------- */

static int to_child[2], to_parent[2];

/* It has what was there at fork(), and what it writes is its own. */
static void child_of_a_pinner(void *p)
{
	step_wait(to_child[0]);
	CHECK(filled(p, LEN, 1));
	fill(p, LEN, 3);
	step_done(to_parent[1]);
	step_wait(to_child[0]);
	CHECK(filled(p, LEN, 3));
}

static void check_fork(char *p)
{
	int fd;
	pid_t pid;

	CHECK_EQ(pipe(to_child), 0);
	CHECK_EQ(pipe(to_parent), 0);
	fill(p, LEN, 1);
	fd = pin(p, LEN);
	pid = spawn(child_of_a_pinner, p);
	check_coherent(fd, p, LEN, 10);
	step_done(to_child[1]);
	step_wait(to_parent[0]);
	CHECK(filled(p, LEN, 11));
	check_coherent(fd, p, LEN, 12);
	step_done(to_child[1]);
	CHECK_EXITS(pid);
	check_coherent(fd, p, LEN, 14);
	munmap(p, LEN);
	close(fd);
}

static void a_child_does_not_share_private_memory(void)
{
	begin(8);
	check_fork(map(-1, LEN, RW, ANON, 0));
	check_fork(thp(LEN));
	check_fork(map(-1, LEN, RW, ANON | MAP_HUGETLB, 0));
	CHECK_EQ(pool_of(pmd_size, "free"), 8);
	end();
}

static void child_shares(void *p)
{
	fill(p, LEN, 21);
}

static void a_child_shares_shared_memory(void)
{
	char *p = map(-1, LEN, RW, MAP_SHARED | MAP_ANONYMOUS, 0), *own = malloc(LEN);
	int fd;

	begin(0);
	fd = pin(p, LEN);
	CHECK_EXITS(spawn(child_shares, p));
	CHECK_EQ(pread(fd, own, LEN, 0), (ssize_t)LEN);
	CHECK(filled(own, LEN, 21));
	close(fd);
	end();
}

/* Written by whoever gets the descriptor, after the pinner is gone. */
static void pin_and_exit(void *arg)
{
	char *p = map(-1, LEN, RW, ANON | MAP_HUGETLB, 0);
	int fd;

	(void)arg;
	fill(p, LEN, 22);
	fd = pin(p, LEN);
	CHECK_EQ(write(to_parent[1], &fd, sizeof(fd)), sizeof(fd));
	step_wait(to_child[0]);
}

static void a_buffer_outlives_the_pinner(void)
{
	char *own = malloc(LEN);
	int fd, number;
	pid_t pid;

	begin(4);
	CHECK_EQ(pipe(to_child), 0);
	CHECK_EQ(pipe(to_parent), 0);
	pid = spawn(pin_and_exit, NULL);
	CHECK_EQ(read(to_parent[0], &number, sizeof(number)), sizeof(number));
	fd = syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, pid, 0), number, 0);
	CHECK_GE(fd, 0);
	step_done(to_child[1]);
	CHECK_EXITS(pid);
	CHECK_EQ(pool_of(pmd_size, "free"), 2);
	CHECK(facts_of(fd).creator == 0 || facts_of(fd).creator == pid);
	CHECK_EQ(pread(fd, own, LEN, 0), (ssize_t)LEN);
	CHECK(filled(own, LEN, 22));
	close(fd);
	CHECK_EQ(pool_of(pmd_size, "free"), 4);
	end();
}

static void pin_for_ever(void *arg)
{
	size_t len = 64 * base_page;

	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step_done(to_parent[1]);
	for (;;) {
		char *huge = map(-1, LEN, RW, ANON | MAP_HUGETLB, 0);
		char *plain = map(-1, len, RW, ANON, 0);
		int one = pin(huge, LEN), two = pin(plain, len);
		int dmabuf = export_of(one);

		plain[0]++;
		munmap(plain, len);
		close(one);
		munmap(huge, LEN);
		close(two);
		close(dmabuf);
	}
}

static void killed_pinners_leave_nothing(void)
{
	begin(4);
	CHECK_EQ(pipe2(to_parent, O_CLOEXEC), 0);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = spawn(pin_for_ever, NULL);

		step_wait(to_parent[0]);
		for (int j = 0; j < i * 7 % 60; j++)	/* somewhere else each round */
			sched_yield();
		CHECK_EQ(kill(pid, SIGKILL), 0);
		CHECK_KILLED(pid, SIGKILL);
		CHECK_EQ(count_buffers(), 0);
		CHECK_EQ(pool_of(pmd_size, "free"), 4);
		CHECK_EQ(pool_of(pmd_size, "resv"), 0);
		CHECK_EQ(refcnt(), 0);
	}
	end();
}

static void pin_many(void *pages)
{
	size_t len = *(uint64_t *)pages * pmd_size;

	pin(map(-1, len, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, 0), len);
}

/* Run on this processor, before every ordinary task there; and so do children. */
static void go_first_on(int cpu)
{
	struct sched_param first = { .sched_priority = 1 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CHECK_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
	CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &first), 0);
}

/* No worker of the kernel runs on this processor. */
static void keep_busy(void *cpu)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	go_first_on(*(int *)cpu);
	step_done(to_parent[1]);
	for (;;)
		;
}

/* Whoever comes next finds the pool full, also if no worker of the kernel has run in between. */
static void huge_pages_are_free_when_the_pinner_has_ended(void)
{
	uint64_t pages = pmd_size > 16UL << 20 ? 2 : 16;
	pid_t busy[64];
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);

	CHECK_LE(cpus, 64);
	begin(pages);
	CHECK_EQ(pipe2(to_parent, O_CLOEXEC), 0);
	for (int cpu = 1; cpu < cpus; cpu++) {
		busy[cpu] = spawn(keep_busy, &cpu);
		step_wait(to_parent[0]);
	}
	go_first_on(0);
	CHECK_EXITS(spawn(pin_many, &pages));
	CHECK_EQ(pool_of(pmd_size, "free"), pages);
	for (int cpu = 1; cpu < cpus; cpu++) {
		CHECK_EQ(kill(busy[cpu], SIGKILL), 0);
		CHECK_KILLED(busy[cpu], SIGKILL);
	}
	end();
}

/* What the program cannot be told of is undone. */
static void a_bad_answer_address_takes_the_pin_back(void)
{
	struct hpage_map_pin *p = (void *)map(-1, base_page, RW, ANON, 0);

	begin(2);
	p->size = sizeof(*p);
	p->address = (uintptr_t)map(-1, LEN, RW, ANON | MAP_HUGETLB, 0);
	p->length = LEN;
	CHECK_EQ(mprotect(p, base_page, PROT_READ), 0);
	CHECK_ERR(ioctl(open(DEV, HPAGE_MAP_O_DOOR | O_CLOEXEC), HPAGE_MAP_PIN, p), EFAULT);
	CHECK_EQ(count_buffers(), 0);
	munmap((void *)(uintptr_t)p->address, LEN);
	CHECK_EQ(pool_of(pmd_size, "free"), 2);
	close_range(3, ~0U, 0);
	end();
}

int main(void)
{
	const struct test tests[] = {
		TEST(huge_anonymous_memory_is_pinned, ON_NONE),
		TEST(transparent_huge_pages_are_pinned, ON_NONE),
		TEST(plain_memory_is_pinned, ON_NONE),
		TEST(a_memfd_is_pinned, ON_NONE),
		TEST(system_v_memory_is_pinned, ON_NONE),
		TEST(a_file_of_tmpfs_is_pinned, ON_NONE),
		TEST(a_mapping_of_a_buffer_is_pinned, ON_NONE),
		TEST(a_private_mapping_of_a_buffer_is_pinned, ON_NONE),
		TEST(a_private_file_of_hugetlbfs_is_pinned, ON_NONE),
		TEST(a_range_may_be_of_many_kinds, ON_NONE),
		TEST(runs_of_huge_pages_are_found, ON_NONE),
		TEST(pages_of_a_huge_page_in_any_order, ON_NONE),
		TEST(memory_of_a_file_system_is_refused, ON_NONE),
		TEST(a_private_mapping_of_a_file_is_pinned, ON_NONE),
		TEST(memory_that_cannot_be_written_is_efault, ON_NONE),
		TEST(memory_of_the_kernel_is_efault, ON_NONE),
		TEST(bounds_are_checked, ON_NONE),
		TEST(page_frames_are_refused, ON_NONE),
		TEST(only_the_door_pins, ON_NONE),
		TEST(rlimit_memlock_counts_what_is_pinned, ON_NONE),
		TEST(cap_ipc_lock_has_no_limit, ON_NONE),
		TEST(a_child_does_not_share_private_memory, ON_NONE),
		TEST(a_child_shares_shared_memory, ON_NONE),
		TEST(a_buffer_outlives_the_pinner, ON_NONE),
		TEST(killed_pinners_leave_nothing, ON_NONE),
		TEST(huge_pages_are_free_when_the_pinner_has_ended, ON_NONE),
		TEST(a_bad_answer_address_takes_the_pin_back, ON_NONE),
	};

	return RUN_TESTS(tests);
}
