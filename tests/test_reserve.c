// SPDX-License-Identifier: GPL-2.0-only
/* The reserve: pages kept ready, lent as windows of one file that must not see each other. */
#define _GNU_SOURCE
#include "asker.h"
#include "buffers.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CLASS_DIR	"/sys/class/hpage_map_reserve/"
#define POOL		24
#define READY		8
#define FROM_RESERVE	HPAGE_MAP_RESERVE

static const int rungs[] = { HPAGE_MAP_BACKING_HUGETLB, HPAGE_MAP_BACKING_THP };

/* --- its files ------------------------------------------------------------------ */

static void reserve_path(char *path, size_t size, int rung, int node, const char *file)
{
	snprintf(path, size, CLASS_DIR "%s-%zukB-node%d/%s",
		 rung == HPAGE_MAP_BACKING_HUGETLB ? "hugetlb" : "thp", pmd_size / 1024, node,
		 file);
}

static int keep_on(int rung, int node, uint64_t pages)
{
	char path[128], text[32];

	reserve_path(path, sizeof(path), rung, node, "pages");
	snprintf(text, sizeof(text), "%llu", (unsigned long long)pages);
	return write_text(path, text);
}

static uint64_t ready_on(int rung, int node)
{
	char path[128];

	reserve_path(path, sizeof(path), rung, node, "ready");
	return read_u64(path);
}

static void keep(int rung, uint64_t pages)
{
	CHECK_EQ(keep_on(rung, 0, pages), 0);
	CHECK_COMES(ready_on(rung, 0) == pages);
}

static uint64_t ready(int rung)
{
	return ready_on(rung, 0);
}

static void read_why(int rung, char *text, size_t size)
{
	char path[128];

	reserve_path(path, sizeof(path), rung, 0, "why");
	read_text(path, text, size);
}

/* --- what is done with it ---------------------------------------------------------- */

static uint64_t pool_free(void)
{
	return pool_of(pmd_size, "free");
}

/* All on node 0, where the reserve of these tests is. */
static void load_with_pool(const char *params, uint64_t pages)
{
	CHECK_EQ(load(params), 0);
	set_node_pool(0, pages);
}

static void unload_all(uint64_t pages)
{
	CHECK_EQ(unload(), 0);
	CHECK_EQ(pool_free(), pages);
	CHECK_EQ(pool_of(pmd_size, "nr"), pages);
	CHECK_EQ(pool_of(pmd_size, "resv"), 0);
	CHECK_EQ(pool_of(pmd_size, "surplus"), 0);
}

/* From the reserve of a rung; with a pool, hugetlb's is asked first. */
static struct hpage_map_alloc take(int rung, size_t nr)
{
	struct hpage_map_alloc a = wish_of(rung, nr, FROM_RESERVE);

	CHECK_ALLOC(&a, 0);
	CHECK_EQ((int)a.got_backing, rung);
	CHECK(a.got_attributes & HPAGE_MAP_ATTR_RESERVE);
	CHECK_EQ(a.got_length, nr * pmd_size);
	CHECK_EQ(a.got_page_size, pmd_size);
	return a;
}

/* --- filling ------------------------------------------------------------------------ */

static void it_fills_and_refills_and_shrinks(void)
{
	load_with_pool("", POOL);
	for (size_t i = 0; i < 2; i++) {
		int rung = rungs[i];
		unsigned int hugetlb = rung == HPAGE_MAP_BACKING_HUGETLB;
		struct hpage_map_alloc a, b;

		CHECK_EQ(ready(rung), 0);
		keep(rung, READY);
		CHECK_EQ(pool_free(), POOL - READY * hugetlb);

		a = take(rung, 3);
		CHECK_COMES(ready(rung) == READY);
		CHECK_EQ(pool_free(), POOL - (READY + 3) * hugetlb);
		b = take(rung, READY);
		CHECK_COMES(ready(rung) == READY);
		/* The worker gives back, so that no munmap() waits for it. */
		close(a.fd);
		CHECK_COMES(pool_free() == POOL - 2 * READY * hugetlb);
		close(b.fd);
		CHECK_COMES(pool_free() == POOL - READY * hugetlb);

		keep(rung, 2);
		CHECK_COMES(pool_free() == POOL - 2 * hugetlb);
		keep(rung, 0);
		CHECK_COMES(pool_free() == POOL);
	}
	unload_all(POOL);
}

static void it_fills_on_its_node(void)
{
	struct hpage_map_alloc a;

	CHECK_EQ(load(""), 0);
	set_node_pool(0, POOL);
	set_node_pool(1, POOL);
	for (size_t i = 0; i < 2; i++) {
		int rung = rungs[i];

		for (int node = 0; node < 2; node++) {
			CHECK_EQ(keep_on(rung, node, 4), 0);
			CHECK_COMES(ready_on(rung, node) == 4);
		}
		for (int node = 0; node < 2; node++) {
			a = wish_on(wish_of(rung, 3, FROM_RESERVE),
				       HPAGE_MAP_POLICY_STRICT, node);
			CHECK_ALLOC(&a, 0);
			CHECK(a.got_attributes & HPAGE_MAP_ATTR_RESERVE);
			check_nodes(&a, node ? 0 : 3, node ? 3 : 0);
			close(a.fd);
			CHECK_COMES(ready_on(rung, node) == 4);
		}
		for (int node = 0; node < 2; node++)
			CHECK_EQ(keep_on(rung, node, 0), 0);
		CHECK_COMES(ready_on(rung, 0) == 0 && ready_on(rung, 1) == 0);
		CHECK_COMES(pool_free() == 2 * POOL);
	}
	unload_all(2 * POOL);
}

static void a_short_pool_is_told_and_helped(void)
{
	char why[HPAGE_MAP_TEXT_SIZE];

	load_with_pool("", 4);
	CHECK_EQ(keep_on(HPAGE_MAP_BACKING_HUGETLB, 0, READY), 0);
	CHECK_COMES(ready(HPAGE_MAP_BACKING_HUGETLB) == 4);
	CHECK_COMES((read_why(HPAGE_MAP_BACKING_HUGETLB, why, sizeof(why)), *why));
	CHECK(strstr(why, "the pool has no page of 2 MiB for the reserve"));
	CHECK(strstr(why, "nr_hugepages"));

	/* Whoever writes the number again does not want to wait. */
	set_node_pool(0, POOL);
	keep(HPAGE_MAP_BACKING_HUGETLB, READY);
	CHECK_COMES((read_why(HPAGE_MAP_BACKING_HUGETLB, why, sizeof(why)), !*why));
	unload_all(POOL);
}

static void it_tries_again_by_itself(void)
{
	load_with_pool("", 4);
	CHECK_EQ(keep_on(HPAGE_MAP_BACKING_HUGETLB, 0, READY), 0);
	CHECK_COMES(ready(HPAGE_MAP_BACKING_HUGETLB) == 4);
	set_node_pool(0, POOL);
	CHECK_COMES(ready(HPAGE_MAP_BACKING_HUGETLB) == READY);
	unload_all(POOL);
}

static void numbers_that_make_no_sense_are_refused(void)
{
	char path[128];

	load_with_pool("", 4);
	reserve_path(path, sizeof(path), HPAGE_MAP_BACKING_HUGETLB, 0, "pages");
	CHECK_EQ(write_text(path, "many"), -EINVAL);
	CHECK_EQ(write_text(path, "-1"), -EINVAL);
	CHECK_EQ(write_text(path, "100000000"), -ENOMEM);
	CHECK_EQ(read_u64(path), 0);
	CHECK_EQ(ready(HPAGE_MAP_BACKING_HUGETLB), 0);
	unload_all(4);
}

/* The administrator may want the pool's pages back first. */
static void the_pool_may_go_before_the_reserve(void)
{
	load_with_pool("", READY);
	keep(HPAGE_MAP_BACKING_HUGETLB, READY);
	CHECK_EQ(set_pool(pmd_size, "nr", 0), 0);
	CHECK_EQ(pool_of(pmd_size, "surplus"), READY);
	keep(HPAGE_MAP_BACKING_HUGETLB, 0);
	CHECK_COMES(pool_of(pmd_size, "nr") == 0);
	unload_all(0);
}

static void unloading_returns_every_page(void)
{
	load_with_pool("", POOL);
	keep(HPAGE_MAP_BACKING_HUGETLB, READY);
	keep(HPAGE_MAP_BACKING_THP, READY);
	unload_all(POOL);
	/* Also those that are on their way. */
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(load(""), 0);
		CHECK_EQ(keep_on(HPAGE_MAP_BACKING_HUGETLB, 0, 2 * POOL), 0);
		CHECK_EQ(keep_on(HPAGE_MAP_BACKING_THP, 0, POOL), 0);
		CHECK_COMES(ready(HPAGE_MAP_BACKING_HUGETLB) > (unsigned int)i);
		unload_all(POOL);
	}
}

/* --- what comes out of it -------------------------------------------------------------- */

static void too_little_is_told_and_made_anew(void)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 3, FROM_RESERVE);

	load_with_pool("", POOL);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	CHECK(!(a.got_attributes & HPAGE_MAP_ATTR_RESERVE));
	CHECK_SAYS("reserve: 3 pages of 2 MiB from hugetlb needed, 0 ready");
	CHECK_SAYS("/sys/class/hpage_map_reserve/*/pages");
	close(a.fd);

	keep(HPAGE_MAP_BACKING_HUGETLB, 2);
	CHECK_ALLOC(&a, 0);
	CHECK(!(a.got_attributes & HPAGE_MAP_ATTR_RESERVE));
	CHECK_SAYS("needed, 2 ready");
	CHECK_EQ(ready(HPAGE_MAP_BACKING_HUGETLB), 2);
	close(a.fd);

	/* Of another rung rather than made anew. */
	keep(HPAGE_MAP_BACKING_THP, 4);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_THP);
	CHECK(a.got_attributes & HPAGE_MAP_ATTR_RESERVE);
	close(a.fd);
	unload_all(POOL);
}

static void what_it_cannot_promise_is_told(void)
{
	struct hpage_map_alloc a;

	load_with_pool("", POOL);
	keep(HPAGE_MAP_BACKING_HUGETLB, READY);
	a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 1, FROM_RESERVE | HPAGE_MAP_CONTIGUOUS);
	CHECK_ALLOC(&a, 0);
	CHECK(!(a.got_attributes & HPAGE_MAP_ATTR_RESERVE));
	CHECK_SAYS("reserve: its pages are not chosen by address");
	close(a.fd);
	a = wish_of(HPAGE_MAP_BACKING_BASE, 1, FROM_RESERVE);
	CHECK_ALLOC(&a, 0);
	CHECK(!(a.got_attributes & HPAGE_MAP_ATTR_RESERVE));
	close(a.fd);
	unload_all(POOL);
}

/* The node's whole memory interleaved is not what one reserve has. */
static void interleaved_pages_do_not_come_from_one_node(void)
{
	struct hpage_map_alloc a;

	CHECK_EQ(load(""), 0);
	set_node_pool(0, POOL);
	set_node_pool(1, POOL);
	keep(HPAGE_MAP_BACKING_HUGETLB, READY);
	a = wish_on(wish_of(HPAGE_MAP_BACKING_HUGETLB, 4, FROM_RESERVE),
		       HPAGE_MAP_POLICY_INTERLEAVE, -1);
	CHECK_ALLOC(&a, 0);
	check_nodes(&a, 2, 2);
	CHECK_SAYS("reserve: ");
	close(a.fd);
	unload_all(2 * POOL);
}

static void ask_bound_to_node_1(bool has_own)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 4, FROM_RESERVE);

	CHECK_ALLOC(&a, 0);
	check_nodes(&a, 0, 4);
	CHECK(!!(a.got_attributes & HPAGE_MAP_ATTR_RESERVE) == has_own);
	close(a.fd);
	a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 2, HPAGE_MAP_CONTIGUOUS);
	CHECK_ALLOC(&a, 0);
	check_nodes(&a, 0, 2);
	close(a.fd);
}

/* ask_bound_to_node_1() by a task that has no policy, but a cpuset. */
static void ask_in_a_cpuset(void)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 4, FROM_RESERVE);
	struct asker asker = asker_begin("map");
	struct asked got;

	CHECK_EQ(write_text(GROUP "cpuset.mems", "1"), 0);
	got = asker_gets(&asker, &a, 0, 4);
	CHECK_EQ(got.mapped[1], 4);
	CHECK_EQ(got.got.got_node, 1);
	CHECK(got.got.got_attributes & HPAGE_MAP_ATTR_RESERVE);
	a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 2, HPAGE_MAP_CONTIGUOUS);
	got = asker_gets(&asker, &a, 0, 2);
	CHECK_EQ(got.mapped[1], 2);
	CHECK_EQ(got.got.got_node, 1);
	asker_end(&asker);
}

/* Wherever the CPU is that the task runs on. */
static void a_task_s_own_policy_and_cpuset_count_here_too(void)
{
	unsigned long node_1 = 2;

	CHECK_EQ(load(""), 0);
	set_node_pool(0, POOL);
	set_node_pool(1, 4 * POOL);
	keep(HPAGE_MAP_BACKING_HUGETLB, READY);
	CHECK_EQ(syscall(SYS_set_mempolicy, MPOL_BIND, &node_1, 64), 0);
	ask_bound_to_node_1(false);
	CHECK_EQ(keep_on(HPAGE_MAP_BACKING_HUGETLB, 1, READY), 0);
	CHECK_COMES(ready_on(HPAGE_MAP_BACKING_HUGETLB, 1) == READY);
	ask_bound_to_node_1(true);
	CHECK_EQ(syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0), 0);
	CHECK_COMES(ready_on(HPAGE_MAP_BACKING_HUGETLB, 1) == READY);
	ask_in_a_cpuset();
	unload_all(5 * POOL);
}

static void hop(void *arg)
{
	cpu_set_t cpu;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; ; i++) {
		CPU_ZERO(&cpu);
		CPU_SET(i % 2, &cpu);
		CHECK_EQ(sched_setaffinity(*(pid_t *)arg, sizeof(cpu), &cpu), 0);
	}
}

/* The node to begin with depends on the CPU, which may change on the way. */
static void no_node_is_missed_by_who_changes_cpus(void)
{
	pid_t self = getpid(), hopper;

	CHECK_EQ(load(""), 0);
	set_node_pool(0, POOL);
	keep(HPAGE_MAP_BACKING_HUGETLB, READY);
	hopper = spawn(hop, &self);
	for (int i = 0; i < 200; i++) {
		struct hpage_map_alloc a = take(HPAGE_MAP_BACKING_HUGETLB, 1);

		close(a.fd);
		CHECK_COMES(ready(HPAGE_MAP_BACKING_HUGETLB) > 1);
	}
	CHECK_EQ(kill(hopper, SIGKILL), 0);
	CHECK_KILLED(hopper, SIGKILL);
	unload_all(POOL);
}

/* Whoever had a page before, and whatever was written into it. */
static void its_pages_are_zeroed_whoever_had_them_before(void)
{
	struct hoard h;
	char *p;

	load_with_pool("", POOL);
	hoard(&h, POOL, 0);
	fill(h.p, POOL * pmd_size, 5);
	hoard_free(&h);
	for (size_t i = 0; i < 2; i++) {
		int rung = rungs[i];

		keep(rung, READY);
		for (int j = 0; j < 6; j++) {
			struct hpage_map_alloc a = take(rung, READY);

			p = map_answer(&a);
			CHECK(zeroed(p, READY * pmd_size));
			fill(p, READY * pmd_size, 6);
			CHECK_EQ(munmap(p, READY * pmd_size), 0);
			close(a.fd);
			CHECK_COMES(ready(rung) == READY);
		}
		keep(rung, 0);
	}
	unload_all(POOL);
}

static void take_often(void *arg)
{
	unsigned int seed = *(unsigned int *)arg;

	for (int i = 0; i < 25; i++) {
		size_t nr = 1 + rand_r(&seed) % 3;
		struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_HUGETLB, nr, FROM_RESERVE);
		char *p;

		CHECK_ALLOC(&a, 0);
		p = map_answer(&a);
		CHECK(zeroed(p, a.got_length));
		fill(p, a.got_length, seed);
		CHECK_EQ(pwrite(a.fd, &seed, sizeof(seed), base_page), sizeof(seed));
		*(unsigned int *)(p + base_page) = seed;
		sched_yield();
		CHECK_EQ(*(unsigned int *)(p + base_page), seed);
		CHECK(filled(p, base_page, seed));
		CHECK_EQ(munmap(p, a.got_length), 0);
		close(a.fd);
	}
}

static void no_two_takers_get_the_same_page(void)
{
	unsigned int seeds[4] = { 1, 2, 3, 4 };
	pid_t pids[4];

	load_with_pool("", POOL);
	keep(HPAGE_MAP_BACKING_HUGETLB, READY);
	for (int i = 0; i < 4; i++)
		pids[i] = spawn(take_often, &seeds[i]);
	for (int i = 0; i < 4; i++)
		CHECK_EXITS(pids[i]);
	/* The worker gives pages back as well, and may do so after it has filled. */
	CHECK_COMES(ready(HPAGE_MAP_BACKING_HUGETLB) == READY && pool_free() == POOL - READY);
	unload_all(POOL);
}

/* The worker gives pages back and takes others while some are chosen, among them maybe those. */
static void a_run_is_chosen_while_it_refills(void)
{
	struct hpage_map_alloc a;

	load_with_pool("", 2 * POOL);
	keep(HPAGE_MAP_BACKING_HUGETLB, READY);
	for (int i = 0; i < 160; i++) {
		close(take(HPAGE_MAP_BACKING_HUGETLB, 1 + i % READY).fd);
		usleep(i % 4 * 100);
		a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 2, HPAGE_MAP_CONTIGUOUS);
		CHECK_ALLOC(&a, 0);
		CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
		CHECK_EQ(a.got_runs, 1);
		close(a.fd);
		CHECK_COMES(ready(HPAGE_MAP_BACKING_HUGETLB) == READY);
	}
	unload_all(2 * POOL);
}

/* --- windows of one file ------------------------------------------------------------------ */

/* A stands before b in the same file, and c behind it. */
struct windows {
	struct hpage_map_alloc a, b, c;
	char *pa, *pb, *pc;
};

static void open_windows(struct windows *w, int rung)
{
	load_with_pool("", rung == HPAGE_MAP_BACKING_HUGETLB ? POOL : 0);
	keep(rung, READY);
	w->a = take(rung, 2);
	w->b = take(rung, 3);
	w->c = take(rung, 2);
	w->pa = map_answer(&w->a);
	w->pb = map_answer(&w->b);
	w->pc = map_answer(&w->c);
	fill(w->pa, w->a.got_length, 1);
	fill(w->pb, w->b.got_length, 2);
	fill(w->pc, w->c.got_length, 3);
}

static void check_windows(const struct windows *w)
{
	CHECK(filled(w->pa, w->a.got_length, 1));
	CHECK(filled(w->pb, w->b.got_length, 2));
	CHECK(filled(w->pc, w->c.got_length, 3));
}

static void close_windows(struct windows *w)
{
	check_windows(w);
	munmap(w->pa, w->a.got_length);
	munmap(w->pb, w->b.got_length);
	munmap(w->pc, w->c.got_length);
	close(w->a.fd);
	close(w->b.fd);
	close(w->c.fd);
	unload_all(w->b.got_backing == HPAGE_MAP_BACKING_HUGETLB ? POOL : 0);
}

static void no_offset_leads_out(const struct windows *w)
{
	size_t len = w->b.got_length, page = pmd_size;
	char buf[64];

	CHECK_ERR(mmap(NULL, page, RW, MAP_SHARED, w->b.fd, len), EINVAL);
	CHECK_ERR(mmap(NULL, len + page, RW, MAP_SHARED, w->b.fd, 0), EINVAL);
	CHECK_ERR(mmap(NULL, 2 * page, RW, MAP_SHARED, w->b.fd, len - page), EINVAL);
	CHECK_EQ(mmap(NULL, page, RW, MAP_SHARED, w->b.fd, -(off_t)page), MAP_FAILED);
	CHECK_EQ(mmap(NULL, page, RW, MAP_PRIVATE, w->b.fd, (off_t)1 << 62), MAP_FAILED);
	CHECK_EQ(pread(w->b.fd, buf, sizeof(buf), len), 0);
	CHECK_ERR(pread(w->b.fd, buf, sizeof(buf), -64), EINVAL);
	CHECK_ERR(pwrite(w->b.fd, "", 1, len), ENOSPC);
	CHECK_EQ(lseek(w->b.fd, 0, SEEK_END), (off_t)len);
}

static void no_growth_leads_out(const struct windows *w)
{
	size_t len = w->b.got_length, page = pmd_size;
	char *more = reserve(len + page);

	CHECK_EQ(mremap(w->pb, len, len + page, MREMAP_MAYMOVE), MAP_FAILED);
	CHECK_EQ(mremap(w->pb, len, len + page, 0), MAP_FAILED);
	CHECK_EQ(mremap(w->pb, len, len + page, MREMAP_MAYMOVE | MREMAP_FIXED, more), MAP_FAILED);
	CHECK_EQ(mremap(w->pb, 0, len + page, MREMAP_MAYMOVE), MAP_FAILED);
	CHECK_EQ(mremap(w->pb + len - page, page, 2 * page, MREMAP_MAYMOVE), MAP_FAILED);
	for (size_t pgoff = 0; pgoff <= 8 * page / base_page; pgoff += page / base_page)
		CHECK_EQ(syscall(SYS_remap_file_pages, w->pb, page, 0, pgoff, 0), -1);
}

static void no_hole_is_made(const struct windows *w)
{
	size_t len = w->b.got_length;
	char path[96];

	CHECK_ERR(madvise(w->pb, len, MADV_REMOVE), EPERM);
	CHECK_EQ(madvise(w->pb, len, MADV_DONTNEED), 0);
	CHECK_NE(fallocate(w->b.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, len), 0);
	CHECK_NE(ftruncate(w->b.fd, 0), 0);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)w->pb,
		 (unsigned long)w->pb + len);
	CHECK_EQ(access(path, F_OK), 0);
	CHECK_LT(open(path, O_RDONLY | O_CLOEXEC), 0);
	CHECK_LT(open(path, O_RDWR | O_CLOEXEC), 0);
	CHECK_NE(truncate(path, 0), 0);
}

static void see_nothing_else(int rung)
{
	struct windows w;

	open_windows(&w, rung);
	no_offset_leads_out(&w);
	check_windows(&w);
	no_growth_leads_out(&w);
	check_windows(&w);
	no_hole_is_made(&w);
	close_windows(&w);
}

static void windows_do_not_see_each_other(void)
{
	see_nothing_else(HPAGE_MAP_BACKING_HUGETLB);
}

static void windows_of_thp_do_not_see_each_other(void)
{
	see_nothing_else(HPAGE_MAP_BACKING_THP);
}

/* Side by side in the file and in memory, they are still two mappings, of two buffers. */
static void stay_apart(int rung)
{
	struct windows w;
	size_t la, lb;
	char *at;

	open_windows(&w, rung);
	la = w.a.got_length;
	lb = w.b.got_length;
	at = reserve(la + lb);
	CHECK_EQ(mmap(at, la, RW, MAP_SHARED | MAP_FIXED, w.a.fd, 0), at);
	CHECK_EQ(mmap(at + la, lb, PROT_READ, MAP_SHARED | MAP_FIXED, w.b.fd, 0), at + la);
	CHECK_EQ(mprotect(at + la, pmd_size, RW), 0);
	CHECK_EQ(mprotect(at, la + lb, PROT_READ), 0);
	CHECK_EQ(mprotect(at, la + lb, RW), 0);

	/* When b goes, it goes although a stays. */
	munmap(w.pb, lb);
	close(w.b.fd);
	CHECK(filled(at + la, lb, 2));
	CHECK_EQ(munmap(at + la, lb), 0);
	CHECK(filled(at, la, 1));
	CHECK_EQ(munmap(at, la), 0);
	if (rung == HPAGE_MAP_BACKING_HUGETLB)
		CHECK_COMES(pool_free() == POOL - READY - 4);
	CHECK_COMES(ready(rung) == READY);
	w.b = take(rung, 3);
	w.pb = map_answer(&w.b);
	CHECK(zeroed(w.pb, lb));
	fill(w.pb, lb, 2);
	close_windows(&w);
}

static void neighbouring_windows_stay_apart(void)
{
	stay_apart(HPAGE_MAP_BACKING_HUGETLB);
}

static void neighbouring_windows_of_thp_stay_apart(void)
{
	stay_apart(HPAGE_MAP_BACKING_THP);
}

static void child_writes(void *arg)
{
	struct windows *w = arg;

	check_windows(w);
	fill(w->pb, w->b.got_length, 9);
}

static void read_and_write(const struct windows *w)
{
	size_t len = w->b.got_length, at = pmd_size - 100;
	char *own = malloc(len);

	CHECK(own);
	CHECK_EQ(pread(w->b.fd, own, len, 0), (ssize_t)len);
	CHECK_EQ(memcmp(own, w->pb, len), 0);
	memset(own, 0x55, 200);
	CHECK_EQ(pwrite(w->b.fd, own, 200, at), 200);
	CHECK_EQ(memcmp(w->pb + at, own, 200), 0);
	CHECK_EQ(pread(w->b.fd, own, len, len - 10), 10);
	fill(w->pb, len, 2);
	free(own);
}

static void direct_io(const struct windows *w)
{
	size_t len = w->b.got_length;
	int fd;

	CHECK(getenv("HPM_DISK"));
	fd = open(getenv("HPM_DISK"), O_RDWR | O_DIRECT | O_CLOEXEC);
	CHECK_GE(fd, 0);
	CHECK_EQ(pwrite(fd, w->pb, len, 0), (ssize_t)len);
	memset(w->pb, 0, len);
	CHECK_EQ(pread(fd, w->pb, len, 0), (ssize_t)len);
	CHECK(filled(w->pb, len, 2));
	close(fd);
}

static void copies(const struct windows *w)
{
	size_t len = w->b.got_length;
	char *own = map(w->b.fd, len, RW, MAP_PRIVATE, 0);
	char *last = map(w->b.fd, pmd_size, PROT_READ, MAP_SHARED, len - pmd_size);

	CHECK(filled(own, len, 2));
	fill(own, len, 8);
	CHECK(filled(own, len, 8) && filled(w->pb, len, 2));
	CHECK_EQ(madvise(own, len, MADV_DONTNEED), 0);
	CHECK(filled(own, len, 2));
	CHECK_EQ(memcmp(last, w->pb + len - pmd_size, pmd_size), 0);
	munmap(own, len);
	munmap(last, pmd_size);
}

static void work_like_others(int rung)
{
	struct windows w;

	open_windows(&w, rung);
	check_addresses(&w.b);
	read_and_write(&w);
	copies(&w);
	direct_io(&w);
	CHECK_EXITS(spawn(child_writes, &w));
	CHECK(filled(w.pb, w.b.got_length, 9));
	fill(w.pb, w.b.got_length, 2);
	close_windows(&w);
}

static void windows_work_like_other_buffers(void)
{
	work_like_others(HPAGE_MAP_BACKING_HUGETLB);
}

static void windows_of_thp_work_like_other_buffers(void)
{
	work_like_others(HPAGE_MAP_BACKING_THP);
}

/* Objects in a slab cache, those of caches merged with it included. */
static long objects(const char *cache)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/objects", cache);
	CHECK_EQ(access(path, R_OK), 0);
	return read_u64(path);
}

/* tmpfs would remember it for an offset that nobody comes back to, in all of them. */
static void a_policy_of_a_window_goes_with_it(void)
{
	unsigned long node_0 = 1;
	long before;

	load_with_pool("", 0);
	keep(HPAGE_MAP_BACKING_THP, READY);
	before = objects("shared_policy_node");
	for (int i = 0; i < 600; i++) {
		struct hpage_map_alloc a;
		char *p;

		CHECK_COMES(ready(HPAGE_MAP_BACKING_THP));
		a = take(HPAGE_MAP_BACKING_THP, 1);
		p = map_answer(&a);
		CHECK_EQ(syscall(SYS_mbind, p, pmd_size, MPOL_PREFERRED, &node_0, 64, 0), 0);
		munmap(p, pmd_size);
		close(a.fd);
	}
	CHECK_LT(objects("shared_policy_node"), before + 300);
	unload_all(0);
}

/* --- limits ---------------------------------------------------------------------------------- */

static void take_as_user(void *arg)
{
	struct hpage_map_alloc a, b;

	(void)arg;
	become(NOBODY, 0);
	a = take(HPAGE_MAP_BACKING_HUGETLB, 2);
	b = wish_of(HPAGE_MAP_BACKING_HUGETLB, 1, FROM_RESERVE);
	CHECK_ALLOC(&b, 0);
	CHECK_EQ(b.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	CHECK(!(b.got_attributes & HPAGE_MAP_ATTR_RESERVE));
	CHECK_SAYS("reserve: 2 MiB more than this user's 4 MiB exceed 4 MiB");
	CHECK_SAYS("/sys/module/hpage_map/parameters/user_reserve");
	close(a.fd);
	take(HPAGE_MAP_BACKING_HUGETLB, 2);
}

static void take_without_a_share(void *arg)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 1, FROM_RESERVE);

	(void)arg;
	become(NOBODY, 0);
	CHECK_ALLOC(&a, 0);
	CHECK(!(a.got_attributes & HPAGE_MAP_ATTR_RESERVE));
	CHECK_SAYS("exceed 0 KiB");
}

static void a_user_has_a_share_and_then_ordinary_pages(void)
{
	load_with_pool("mode=0666", POOL);
	keep(HPAGE_MAP_BACKING_HUGETLB, READY);
	CHECK_EXITS(spawn(take_without_a_share, NULL));
	CHECK_EQ(write_text(PARAMS "user_reserve", "4M"), 0);
	CHECK_EXITS(spawn(take_as_user, NULL));
	CHECK_EXITS(spawn(take_as_user, NULL));
	unload_all(POOL);
}

static void take_in_group(void *arg)
{
	int rung = *(int *)arg;
	char stat[8192];

	enter_group();
	for (int i = 0; i < 4; i++) {
		struct hpage_map_alloc a = take(rung, 4);
		char *p = map_answer(&a);

		fill(p, a.got_length, 1);
		CHECK_EQ(read_u64(GROUP "hugetlb.2MB.current"), 0);
		read_text(GROUP "memory.stat", stat, sizeof(stat));
		CHECK(strstr(stat, "\nshmem 0\n"));
		munmap(p, a.got_length);
		close(a.fd);
		CHECK_COMES(ready(rung) == READY);
	}
}

/* The limits would not let it have one page. */
static void no_control_group_is_charged(void)
{
	load_with_pool("", POOL);
	make_group("+memory +hugetlb");
	CHECK_EQ(write_text(GROUP "hugetlb.2MB.max", "0"), 0);
	CHECK_EQ(write_text(GROUP "memory.max", "6M"), 0);
	for (size_t i = 0; i < 2; i++) {
		keep(rungs[i], READY);
		CHECK_EXITS(spawn(take_in_group, (void *)&rungs[i]));
		keep(rungs[i], 0);
	}
	remove_group();
	unload_all(POOL);
}

static const struct test tests[] = {
	TEST(it_fills_and_refills_and_shrinks, ON_NONE),
	TEST(it_fills_on_its_node, ON_NONE),
	TEST(a_short_pool_is_told_and_helped, ON_NONE),
	TEST(it_tries_again_by_itself, ON_NONE),
	TEST(numbers_that_make_no_sense_are_refused, ON_NONE),
	TEST(the_pool_may_go_before_the_reserve, ON_NONE),
	TEST(unloading_returns_every_page, ON_NONE),
	TEST(too_little_is_told_and_made_anew, ON_NONE),
	TEST(what_it_cannot_promise_is_told, ON_NONE),
	TEST(interleaved_pages_do_not_come_from_one_node, ON_NONE),
	TEST(a_task_s_own_policy_and_cpuset_count_here_too, ON_NONE),
	TEST(no_node_is_missed_by_who_changes_cpus, ON_NONE),
	TEST(its_pages_are_zeroed_whoever_had_them_before, ON_NONE),
	TEST(no_two_takers_get_the_same_page, ON_NONE),
	TEST(a_run_is_chosen_while_it_refills, ON_NONE),
	TEST(windows_do_not_see_each_other, ON_NONE),
	TEST(windows_of_thp_do_not_see_each_other, ON_NONE),
	TEST(neighbouring_windows_stay_apart, ON_NONE),
	TEST(neighbouring_windows_of_thp_stay_apart, ON_NONE),
	TEST(windows_work_like_other_buffers, ON_NONE),
	TEST(windows_of_thp_work_like_other_buffers, ON_NONE),
	TEST(a_policy_of_a_window_goes_with_it, ON_NONE),
	TEST(a_user_has_a_share_and_then_ordinary_pages, ON_NONE),
	TEST(no_control_group_is_charged, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
