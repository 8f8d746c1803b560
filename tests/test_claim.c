// SPDX-License-Identifier: GPL-2.0-only
/* Runs made of memory in disorder: what can be moved is, what cannot is left alone. */
#define _GNU_SOURCE
#include "buffers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define MIB	(1UL << 20)
#define CONTIG	HPAGE_MAP_CONTIGUOUS
#define NODE	1		/* where memory is in disorder; it has 2 GiB */
#define SPARE	(192 * MIB)	/* of it, which stay free at first */
#define ALL	(2048 * MIB)	/* of it, or what there is */
#define SOME	(768 * MIB)
#define MOST	(1152 * MIB)	/* leaves room for 512 MiB that are nowhere together */
#define MIN_FREE	"/proc/sys/vm/min_free_kbytes"	/* that the zones keep together */
#define SECONDS	600		/* of a test, on a slow machine */

/* --- memory in disorder ------------------------------------------------------ */

/* Memory of strangers: the pages that are kept say by themselves which they are. */
struct strangers {
	int node;
	int fd;			/* of a file, or -1: anonymous */
	size_t nr;		/* pages */
	char *p;
	size_t ballast_len;	/* bytes, in huge pages, which cost most to move */
	char *ballast;
};

static bool is_kept(const struct strangers *s, size_t page)
{
	unsigned int seed = page + s->nr;

	return !(rand_r(&seed) >> 8 & 3);
}

static void bind_to(int node)
{
	unsigned long mask = 1UL << node;

	CHECK_EQ(syscall(SYS_set_mempolicy, node < 0 ? MPOL_DEFAULT : MPOL_BIND,
			 node < 0 ? NULL : &mask, node < 0 ? 0 : 64), 0);
}

static char *map_memory(size_t len, int fd, int advice)
{
	char *p = mmap(NULL, len, RW, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	CHECK_NE((void *)p, MAP_FAILED);
	CHECK_EQ(madvise(p, len, advice), 0);
	return p;
}

/*
 * Take the memory of a node, so much of it in base pages, of which three in four are given back, at
 * random.
 */
static void strangers_come(struct strangers *s, int node, int fd, size_t len)
{
	size_t left;

	may_take(SECONDS);
	tidy_memory();
	left = node_memory(node, "MemFree:") - SPARE;
	len = len < left ? len : left;
	*s = (struct strangers){
		.node = node, .fd = fd, .nr = len / base_page,
		.ballast_len = (left - len) / pmd_size * pmd_size,
	};
	bind_to(node);
	if (s->ballast_len) {
		s->ballast = map_memory(s->ballast_len, -1, MADV_HUGEPAGE);
		for (size_t i = 0; i < s->ballast_len; i += base_page)
			s->ballast[i] = 1;
	}
	if (fd >= 0)
		CHECK_EQ(ftruncate(fd, s->nr * base_page), 0);
	s->p = map_memory(s->nr * base_page, fd, MADV_NOHUGEPAGE);
	CHECK_EQ(madvise(s->p, s->nr * base_page, MADV_POPULATE_WRITE), 0);
	for (size_t i = 0; i < s->nr; i++)
		*(size_t *)(s->p + i * base_page) = i;
	bind_to(-1);
	/* Neighbours at once, since a call for each page would take most of the time. */
	for (size_t i = 0, n; i < s->nr; i += n + 1) {
		for (n = 0; i + n < s->nr && !is_kept(s, i + n); n++)
			;
		if (n)
			CHECK_EQ(madvise(s->p + i * base_page, n * base_page,
					 fd < 0 ? MADV_DONTNEED : MADV_REMOVE), 0);
	}
}

/* Whoever was moved has noticed nothing. */
static void strangers_go(struct strangers *s)
{
	for (size_t i = 0; i < s->nr; i++)
		if (is_kept(s, i))
			CHECK_EQ(*(size_t *)(s->p + i * base_page), i);
	munmap(s->p, s->nr * base_page);
	if (s->ballast_len)
		munmap(s->ballast, s->ballast_len);
	if (s->fd >= 0)
		close(s->fd);
}

/* --- what is asked for --------------------------------------------------------- */

static struct hpage_map_alloc run_request(size_t mib)
{
	return wish_on(wish_of(HPAGE_MAP_BACKING_THP, mib * MIB / pmd_size, CONTIG),
		       HPAGE_MAP_POLICY_STRICT, NODE);
}

/* It is one run, huge, zeroed, and where it should be. */
static void check_run(const struct hpage_map_alloc *a)
{
	char *p = map_answer(a);

	CHECK_EQ(a->got_backing, HPAGE_MAP_BACKING_THP);
	CHECK_EQ(a->got_runs, 1);
	CHECK(a->got_attributes & HPAGE_MAP_ATTR_CONTIGUOUS);
	CHECK_EQ(smaps(p, "ShmemPmdMapped"), (long)(a->got_length / 1024));
	CHECK(zeroed(p, a->got_length));
	munmap(p, a->got_length);
	check_addresses(a);
}

static void runs_are_had(const size_t *mib, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct hpage_map_alloc a = run_request(mib[i]);
		struct hpage_map_run run;

		LABEL("%zu MiB", mib[i]);
		CHECK_ALLOC(&a, 0);
		check_run(&a);
		CHECK_EQ(a.got_node, NODE);
		CHECK_EQ(runs_of(a.fd, &run, 1), 1);
		printf("# %zu MiB at %#llx\n", mib[i], (unsigned long long)run.address);
		close(a.fd);
	}
}

static const size_t sizes[] = { 2, 16, 64, 256, 512 };

/* The case that chance never serves: no two huge pages are free side by side. */
static void runs_are_made_among_anonymous_pages(void)
{
	struct strangers s;

	CHECK_EQ(load(""), 0);
	strangers_come(&s, NODE, -1, ALL);
	runs_are_had(sizes, 5);
	strangers_go(&s);
	CHECK_EQ(unload(), 0);
}

static void runs_are_made_among_pages_of_files(void)
{
	struct strangers s;

	CHECK_EQ(load(""), 0);
	strangers_come(&s, NODE, memfd_create("strangers", MFD_CLOEXEC), SOME);
	runs_are_had(sizes, 4);
	strangers_go(&s);
	CHECK_EQ(unload(), 0);
}

#define NR_PIPES	64

/* What the kernel holds stays; a run is found beside it. */
static void runs_are_made_beside_memory_of_the_kernel(void)
{
	static const char bytes[MIB];
	int pipes[NR_PIPES][2];
	struct strangers s;

	CHECK_EQ(load(""), 0);
	strangers_come(&s, NODE, -1, SOME);
	bind_to(NODE);
	for (int i = 0; i < NR_PIPES; i++) {
		CHECK_EQ(pipe2(pipes[i], O_CLOEXEC), 0);
		CHECK_EQ(fcntl(pipes[i][1], F_SETPIPE_SZ, MIB), (int)MIB);
		CHECK_EQ(write(pipes[i][1], bytes, MIB), (ssize_t)MIB);
	}
	bind_to(-1);
	runs_are_had(sizes, 3);
	for (int i = 0; i < NR_PIPES; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	strangers_go(&s);
	CHECK_EQ(unload(), 0);
}

static void huge_pages_are_had_where_there_are_none(void)
{
	struct strangers s;

	CHECK_EQ(load(""), 0);
	strangers_come(&s, NODE, -1, MOST);
	for (size_t mib = 64; mib <= 512; mib *= 2) {
		struct hpage_map_alloc a = wish_on(wish_of(HPAGE_MAP_BACKING_THP,
							   mib * MIB / pmd_size, 0),
						   HPAGE_MAP_POLICY_STRICT, NODE);

		LABEL("%zu MiB", mib);
		CHECK_ALLOC(&a, 0);
		check_addresses(&a);
		printf("# %zu MiB in %llu runs\n", mib, (unsigned long long)a.got_runs);
		close(a.fd);
	}
	strangers_go(&s);
	CHECK_EQ(unload(), 0);
}

static void a_run_below_4_gib(void)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_THP, 64 * MIB / pmd_size,
					   CONTIG | HPAGE_MAP_BELOW_4G);
	struct strangers s;

	CHECK_EQ(load(""), 0);
	strangers_come(&s, 0, -1, SOME);
	CHECK_ALLOC(&a, 0);
	check_run(&a);
	CHECK(a.got_attributes & HPAGE_MAP_ATTR_BELOW_4G);
	CHECK_EQ(a.got_node, 0);
	close(a.fd);
	strangers_go(&s);
	CHECK_EQ(unload(), 0);
}

/* A node whose memory is in its pool but for so much, which its zones keep. */
static void node_is_full(size_t mib)
{
	tidy_memory();
	ask_node_pool(NODE, (node_memory(NODE, "MemFree:") - mib * MIB) / pmd_size);
	CHECK_EQ(write_text(MIN_FREE, "1048576"), 0);
}

static void node_is_full_no_more(uint64_t kept)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)kept);
	CHECK_EQ(write_text(MIN_FREE, text), 0);
}

/* To others, so that requests get none of it. */
static void pool_is_promised(void)
{
	CHECK_NE(mmap(NULL, pool_of(pmd_size, "free") * pmd_size, RW,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0), MAP_FAILED);
}

/*
 * A node may look as if it had what is wanted, although its zones keep all of it. No try is spent
 * on it then: a run is made on the other one.
 */
static void a_node_that_keeps_its_memory_is_passed_over(void)
{
	struct hpage_map_alloc a = wish_on(wish_of(HPAGE_MAP_BACKING_THP, 8, CONTIG),
					   HPAGE_MAP_POLICY_PREFERRED, NODE);
	uint64_t kept = read_u64(MIN_FREE);

	CHECK_EQ(load(""), 0);
	node_is_full(400);
	pool_is_promised();
	CHECK_ALLOC(&a, 0);
	check_run(&a);
	CHECK_EQ(pages_on(a.fd, 0), 8);
	close(a.fd);
	node_is_full_no_more(kept);
	CHECK_EQ(unload(), 0);
}

#define RESERVE	"/sys/class/hpage_map_reserve/hugetlb-2048kB-node1/"

static bool reserve_says(const char *what)
{
	char text[HPAGE_MAP_TEXT_SIZE];

	read_text(RESERVE "why", text, sizeof(text));
	return strstr(text, what);
}

/*
 * What mm/ allocates for a file lies on any node then, or else the OOM killer would come. The pages
 * of a pool are there.
 */
static void a_full_node_kills_nobody(void)
{
	uint64_t kept = read_u64(MIN_FREE);
	struct hpage_map_alloc a;
	int fds[256];

	CHECK_EQ(load(""), 0);
	node_is_full(400);
	for (size_t i = 0; i < 256; i++) {
		a = wish_on(wish_of(HPAGE_MAP_BACKING_HUGETLB, 1, 0), HPAGE_MAP_POLICY_STRICT,
			    NODE);
		CHECK_ALLOC(&a, 0);
		CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
		CHECK_EQ(a.got_node, NODE);
		fds[i] = a.fd;
	}
	a = wish_on(wish_of(HPAGE_MAP_BACKING_HUGETLB, 4, CONTIG), HPAGE_MAP_POLICY_STRICT, NODE);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_node, NODE);
	close(a.fd);
	a = wish_on(wish_of(HPAGE_MAP_BACKING_BASE, 2048, 0), HPAGE_MAP_POLICY_STRICT, NODE);
	CHECK_ALLOC(&a, -ENOMEM);
	CHECK_SAYS(" of memory available on node 1");
	/* Nor is a page made ready there; it is said why. */
	CHECK_EQ(write_text(RESERVE "pages", "1"), 0);
	CHECK_COMES(reserve_says("reserve: node 1 has no memory available"));
	CHECK_EQ(read_u64(RESERVE "ready"), 0);
	CHECK_EQ(write_text(RESERVE "pages", "0"), 0);
	for (size_t i = 0; i < 256; i++)
		close(fds[i]);
	node_is_full_no_more(kept);
	CHECK_EQ(unload(), 0);
}

#define FLOOR		(ALL / 64)	/* as in room.c */

/*
 * Who may use any node gets none of what is left to others on the first one. Those who are bound to
 * it would meet the OOM killer.
 */
static void runs_leave_each_node_room(void)
{
	uint64_t kept = read_u64(MIN_FREE);
	struct hpage_map_alloc a;
	int fds[64];
	size_t nr;

	CHECK_EQ(load(""), 0);
	tidy_memory();
	CHECK_EQ(write_text(MIN_FREE, "65536"), 0);	/* KiB, half of it on this node */
	ask_node_pool(NODE, (node_memory(NODE, "MemFree:") - SPARE) / pmd_size);
	pool_is_promised();
	for (nr = 0; nr < 64; nr++) {
		a = wish_on(wish_of(HPAGE_MAP_BACKING_THP, 4, CONTIG),
			    HPAGE_MAP_POLICY_PREFERRED, NODE);
		CHECK_ALLOC(&a, 0);
		check_run(&a);
		fds[nr] = a.fd;
		if (!pages_on(a.fd, NODE))
			break;
	}
	printf("# %zu runs, %llu MiB free\n", nr,
	       (unsigned long long)(node_memory(NODE, "MemFree:") / MIB));
	CHECK_GE(nr, 4);
	CHECK_LT(nr, 64);
	CHECK_GE(node_memory(NODE, "MemFree:"), FLOOR + 32 * MIB);
	do
		close(fds[nr]);
	while (nr--);
	node_is_full_no_more(kept);
	CHECK_EQ(unload(), 0);
}

/* --- what is left alone ---------------------------------------------------------- */

#define MAY_COMPACT_LOCKED	"/proc/sys/vm/compact_unevictable_allowed"

/*
 * A page that is locked, in each block, stays where it is, and is named. The kernel's own
 * compaction might move it, and may not here.
 */
static void locked_memory_stays_where_it_is(void)
{
	struct hpage_map_alloc a = run_request(512);
	size_t nr = 0, *pages;
	struct strangers s;
	uint64_t *pfns;

	CHECK_EQ(write_text(MAY_COMPACT_LOCKED, "0"), 0);
	CHECK_EQ(load(""), 0);
	strangers_come(&s, NODE, -1, ALL);
	pages = calloc(s.nr, sizeof(*pages));
	pfns = calloc(s.nr, sizeof(*pfns));
	for (size_t i = 0; i < s.nr; i++)
		if (is_kept(&s, i) && i / 512 >= nr) {
			pages[nr] = i;
			CHECK_EQ(mlock(s.p + i * base_page, base_page), 0);
			pfns[nr++] = pfn_of(s.p + i * base_page);
		}
	CHECK_ALLOC(&a, -ENOMEM);
	CHECK_SAYS("256 pages of 2 MiB in a row needed, at most ");
	CHECK_SAYS(" pinned, ");
	CHECK(!strstr(answer, " 0 pinned, "));
	printf("# %zu locked: %s\n", nr, answer);
	a = run_request(2);
	if (!try_alloc(&a)) {
		check_run(&a);
		close(a.fd);
	}
	for (size_t i = 0; i < nr; i++)
		CHECK_EQ(pfn_of(s.p + pages[i] * base_page), pfns[i]);
	free(pages);
	free(pfns);
	strangers_go(&s);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(write_text(MAY_COMPACT_LOCKED, "1"), 0);
}

/*
 * Pages all over the node, of which the pool keeps one of each 128 MiB. Between two of them lies
 * less than twice that, and what could not be had or was spared. Return: how many there are.
 */
static size_t pool_pages_lie_about(struct hoard *h)
{
	bool kept[256] = {};	/* one of each */
	size_t nr = 0, part;

	tidy_memory();
	hoard(h, ask_node_pool(NODE, (node_memory(NODE, "MemFree:") - SPARE) / pmd_size), NODE);
	for (size_t i = 0; i < h->nr; i++) {
		part = h->pfn[i] * base_page / (128 * MIB);
		CHECK_LT(part, sizeof(kept));
		if (kept[part]) {
			hoard_drop(h, i);
			h->pfn[i] = 0;
		}
		nr += !kept[part];
		kept[part] = true;
	}
	set_node_pool(NODE, nr);
	return nr;
}

/* Pages of a pool are the administrator's. */
static void pages_of_a_pool_stay_where_they_are(void)
{
	struct hpage_map_alloc a = run_request(64);
	struct strangers s;
	const char *counted;
	struct hoard h;
	size_t nr;

	CHECK_EQ(load(""), 0);
	nr = pool_pages_lie_about(&h);
	CHECK_GE(nr, 4);
	strangers_come(&s, NODE, -1, ALL);
	CHECK_ALLOC(&a, 0);
	check_run(&a);
	close(a.fd);
	a = run_request(640);
	CHECK_ALLOC(&a, -ENOMEM);
	printf("# %zu in the pool, %llu MiB free: %s\n", nr,
	       (unsigned long long)(node_memory(NODE, "MemFree:") / MIB), answer);
	CHECK_SAYS(" by pools (");
	/* One that lies among unmovable pages is passed over for these. */
	counted = strstr(answer, " by pools (");
	while (counted[-1] != ' ')
		counted--;
	CHECK_GE(strtoul(counted, NULL, 10), 1);
	CHECK_LE(strtoul(counted, NULL, 10), nr);
	for (size_t i = 0; i < h.nr; i++)
		if (h.pfn[i])
			CHECK_EQ(pfn_of(h.p + i * pmd_size), h.pfn[i]);
	CHECK_EQ(node_pool(NODE, "nr"), nr);
	strangers_go(&s);
	hoard_free(&h);
	CHECK_EQ(unload(), 0);
}

static struct hpage_map_forecast forecast(int node, uint32_t flags)
{
	struct hpage_map_forecast f = { .size = sizeof(f), .flags = flags, .node = node };
	int door = dev_open(HPAGE_MAP_O_DOOR);

	CHECK_EQ(ioctl(door, HPAGE_MAP_FORECAST, &f), 0);
	close(door);
	printf("# node %d, flags %#x: %llu MiB, %llu moved; held %llu by the kernel, %llu pinned, "
	       "%llu pooled\n", node, flags, (unsigned long long)f.length / MIB,
	       (unsigned long long)f.moved / MIB, (unsigned long long)f.kernel / MIB,
	       (unsigned long long)f.pinned / MIB, (unsigned long long)f.pooled / MIB);
	CHECK_EQ(f.length % pmd_size, 0);
	CHECK_LE(f.moved, f.length);
	return f;
}

/* Half of it, as what is forecast leaves nothing to others; and never twice as much. */
static void what_is_forecast_comes_true(void)
{
	struct hpage_map_forecast f;
	struct hpage_map_alloc a;
	struct strangers s;
	char *locked;

	CHECK_EQ(load(""), 0);
	strangers_come(&s, NODE, -1, SOME);
	f = forecast(NODE, 0);
	CHECK_GE(f.length, 64 * MIB);
	CHECK_GE(f.moved, base_page);
	CHECK_LE(forecast(NODE, HPAGE_MAP_BELOW_4G).length, f.length);
	CHECK_GE(forecast(0, 0).length, 64 * MIB);
	a = run_request(f.length / 2 / pmd_size * pmd_size / MIB);
	CHECK_ALLOC(&a, 0);
	check_run(&a);
	close(a.fd);
	a = run_request(2 * f.length / MIB);
	CHECK_ALLOC(&a, -ENOMEM);

	CHECK_EQ(f.pooled, 0);
	CHECK_EQ(ask_node_pool(NODE, 1), 1);
	bind_to(NODE);
	locked = map_memory(pmd_size, -1, MADV_NOHUGEPAGE);
	CHECK_EQ(mlock(locked, pmd_size), 0);
	bind_to(-1);
	f = forecast(NODE, 0);
	CHECK_EQ(f.pooled, pmd_size);
	CHECK_GE(f.pinned, pmd_size);
	munmap(locked, pmd_size);
	set_node_pool(NODE, 0);
	strangers_go(&s);
	CHECK_EQ(unload(), 0);
}

/* Pages of buffers cannot be moved, and mm/ keeps such pages together, also when they are gone. */
static void a_run_is_had_where_buffers_were(void)
{
	struct hpage_map_forecast before, after;
	struct hpage_map_alloc a;

	CHECK_EQ(load(""), 0);
	may_take(SECONDS);
	tidy_memory();
	before = forecast(NODE, 0);
	a = wish_on(wish_of(HPAGE_MAP_BACKING_THP,
			    (node_memory(NODE, "MemFree:") - 2 * SPARE) / pmd_size, 0),
		    HPAGE_MAP_POLICY_STRICT, NODE);
	CHECK_ALLOC(&a, 0);
	close(a.fd);
	after = forecast(NODE, 0);
	CHECK_LE(after.kernel, before.kernel + 64 * MIB);
	CHECK_GE(after.length, before.length / 8 * 7);
	CHECK_EQ(unload(), 0);
}

static void a_forecast_is_of_a_node_with_memory(void)
{
	struct hpage_map_forecast f = { .size = sizeof(f) };
	int door;

	CHECK_EQ(load(""), 0);
	door = dev_open(HPAGE_MAP_O_DOOR);
	for (f.node = -2; f.node <= 2; f.node++)
		CHECK_EQ(ioctl(door, HPAGE_MAP_FORECAST, &f) ? errno : 0,
			 f.node < 0 || f.node > NODE ? EINVAL : 0);
	f.node = 4096;
	CHECK_ERR(ioctl(door, HPAGE_MAP_FORECAST, &f), EINVAL);
	f.node = 0;
	f.flags = HPAGE_MAP_CONTIGUOUS;
	CHECK_ERR(ioctl(door, HPAGE_MAP_FORECAST, &f), EINVAL);
	close(door);
	CHECK_EQ(unload(), 0);
}

static void ask_beyond_the_group(void *arg)
{
	struct hpage_map_alloc a = run_request(64);

	(void)arg;
	enter_group();
	CHECK_ALLOC(&a, -ENOMEM);
	CHECK_SAYS("a larger memory.max");
	CHECK_LE(read_u64(GROUP "memory.current"), 32 * MIB);
}

static void ask_within_the_group(void *arg)
{
	struct hpage_map_alloc a = run_request(64);

	(void)arg;
	enter_group();
	CHECK_ALLOC(&a, 0);
	check_run(&a);
	CHECK_GE(read_u64(GROUP "memory.current"), 64 * MIB);
	close(a.fd);
}

/* The buffer is charged as any, and what is moved for it is not. */
static void a_control_group_s_limit_holds(void)
{
	struct strangers s;

	CHECK_EQ(load(""), 0);
	strangers_come(&s, NODE, -1, SOME);
	make_group("+memory");
	CHECK_EQ(write_text(GROUP "memory.max", "32M"), 0);
	CHECK_EXITS(spawn(ask_beyond_the_group, NULL));
	CHECK_EQ(write_text(GROUP "memory.max", "80M"), 0);
	CHECK_EXITS(spawn(ask_within_the_group, NULL));
	remove_group();
	strangers_go(&s);
	CHECK_EQ(unload(), 0);
}

/* --- others at the same time -------------------------------------------------------- */

static void ask_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < 4; i++) {
		struct hpage_map_alloc a = run_request(64);

		CHECK_ALLOC(&a, 0);
		check_run(&a);
		close(a.fd);
	}
}

static void two_who_ask_at_once_both_get_theirs(void)
{
	struct strangers s;
	pid_t pids[2];

	CHECK_EQ(load(""), 0);
	strangers_come(&s, NODE, -1, SOME);
	for (int i = 0; i < 2; i++)
		pids[i] = spawn(ask_often, NULL);
	for (int i = 0; i < 2; i++)
		CHECK_EXITS(pids[i]);
	strangers_go(&s);
	CHECK_EQ(unload(), 0);
}

static void ask_for_ever(void *arg)
{
	(void)arg;
	for (;;) {
		struct hpage_map_alloc a = run_request(256);

		if (!try_alloc(&a))
			close(a.fd);
	}
}

/* At whatever moment: all that was held is free again. */
static void who_is_killed_leaves_nothing_behind(void)
{
	struct strangers s;
	size_t before;

	CHECK_EQ(load(""), 0);
	strangers_come(&s, NODE, -1, SOME);
	before = node_memory(NODE, "MemFree:");
	for (int i = 0; i < 10; i++) {
		pid_t pid = spawn(ask_for_ever, NULL);

		usleep(30000 + 17000 * i);
		CHECK_EQ(kill(pid, SIGKILL), 0);
		CHECK_KILLED(pid, SIGKILL);
	}
	CHECK_COMES(node_memory(NODE, "MemFree:") + 64 * MIB > before);
	strangers_go(&s);
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(runs_are_made_among_anonymous_pages, ON_NONE),
	TEST(runs_are_made_among_pages_of_files, ON_NONE),
	TEST(runs_are_made_beside_memory_of_the_kernel, ON_NONE),
	TEST(huge_pages_are_had_where_there_are_none, ON_NONE),
	TEST(a_run_below_4_gib, ON_NONE),
	TEST(a_node_that_keeps_its_memory_is_passed_over, ON_NONE),
	TEST(a_full_node_kills_nobody, ON_NONE),
	TEST(runs_leave_each_node_room, ON_NONE),
	TEST(locked_memory_stays_where_it_is, ON_NONE),
	TEST(pages_of_a_pool_stay_where_they_are, ON_NONE),
	TEST(what_is_forecast_comes_true, ON_NONE),
	TEST(a_run_is_had_where_buffers_were, ON_NONE),
	TEST(a_forecast_is_of_a_node_with_memory, ON_NONE),
	TEST(a_control_group_s_limit_holds, ON_NONE),
	TEST(two_who_ask_at_once_both_get_theirs, ON_NONE),
	TEST(who_is_killed_leaves_nothing_behind, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
