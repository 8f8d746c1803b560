// SPDX-License-Identifier: GPL-2.0-only
/* Pages by their addresses: one run of many, below 4 GiB, or a refusal that says why. */
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define RUN	64
#define POOL	200	/* or more, until there is a run of that length */
#define STEP	(pmd_size / base_page)
#define CONTIG	HPAGE_MAP_CONTIGUOUS

/* --- a pool in disorder ------------------------------------------------------ */

static struct hoard all;
static size_t *by_address;	/* pages of the hoard */

static int compare(const void *a, const void *b)
{
	uint64_t x = all.pfn[*(const size_t *)a], y = all.pfn[*(const size_t *)b];

	return x < y ? -1 : x > y;
}

static size_t longest_run(const bool *is_free)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < all.nr; i++) {
		bool goes_on = i && all.pfn[by_address[i]] == all.pfn[by_address[i - 1]] + STEP;

		if (!is_free[i])
			run = 0;
		else
			run = goes_on ? run + 1 : 1;
		if (run > longest)
			longest = run;
	}
	return longest;
}

/* Where a run of nr pages begins, in the order of addresses. */
static size_t start_of_run(size_t nr)
{
	size_t run = 0;

	for (size_t i = 0; i < all.nr; i++) {
		run = i && all.pfn[by_address[i]] == all.pfn[by_address[i - 1]] + STEP ?
			run + 1 : 1;
		if (run == nr)
			return i + 1 - nr;
	}
	CHECK(!"the pool has such a run");
	return 0;
}

/* All pages of the last node's pool are ours, written by us. */
static void take_pool_of(size_t nr)
{
	int node = nr_nodes() - 1;

	tidy_memory();
	set_node_pool(node, nr);
	hoard(&all, nr, node);
	fill(all.p, nr * pmd_size, 7);
	by_address = calloc(nr, sizeof(*by_address));
	for (size_t i = 0; i < nr; i++)
		by_address[i] = i;
	qsort(by_address, nr, sizeof(*by_address), compare);
}

static void take_pool(void)
{
	bool is_free[3 * POOL];

	memset(is_free, true, sizeof(is_free));
	for (size_t nr = POOL; nr <= 3 * POOL; nr += POOL) {
		take_pool_of(nr);
		if (longest_run(is_free) > RUN)
			return;
		hoard_free(&all);
		free(by_address);
		set_node_pool(nr_nodes() - 1, 0);
	}
	CHECK(!"memory has a run of that length");
}

/* Give back the pages from first to last, counted by address: every other, the rest mixed. */
static void drop_in_disorder(size_t first, size_t nr)
{
	size_t half = nr / 2, *order = calloc(nr, sizeof(*order));
	unsigned int seed = 1;

	for (size_t i = 0; i < nr; i++)
		order[i] = first + (i < nr - half ? 2 * i : 2 * (i - (nr - half)) + 1);
	for (size_t i = nr - 1; i > nr / 2; i--) {
		size_t other = nr / 2 + rand_r(&seed) % (i - nr / 2 + 1), page = order[i];

		order[i] = order[other];
		order[other] = page;
	}
	for (size_t i = 0; i < nr; i++)
		hoard_drop(&all, by_address[order[i]]);
	free(order);
}

static void pool_is_back(void)
{
	hoard_free(&all);
	CHECK_EQ(pool_of(pmd_size, "nr"), all.nr);
	CHECK_EQ(pool_of(pmd_size, "free"), all.nr);
	CHECK_EQ(pool_of(pmd_size, "resv"), 0);
	CHECK_EQ(pool_of(pmd_size, "surplus"), 0);
	CHECK_EQ(unload(), 0);
}

static struct hpage_map_alloc run_request(size_t nr)
{
	return wish_of(HPAGE_MAP_BACKING_HUGETLB, nr, CONTIG);
}

/* It is one run, wholly, and nobody's bytes are in it. */
static void check_one_run(const struct hpage_map_alloc *a)
{
	char *p;

	CHECK_EQ(a->got_runs, 1);
	CHECK(a->got_attributes & HPAGE_MAP_ATTR_CONTIGUOUS);
	check_addresses(a);
	p = map_answer(a);
	CHECK(zeroed(p, a->got_length));
	munmap(p, a->got_length);
}

/* --- runs -------------------------------------------------------------------- */

static void a_run_is_found_in_a_disordered_pool(void)
{
	struct hpage_map_alloc plain, a = run_request(RUN);
	struct hpage_map_run run;

	CHECK_EQ(load(""), 0);
	take_pool();
	drop_in_disorder(0, all.nr);

	plain = wish_of(HPAGE_MAP_BACKING_HUGETLB, RUN, 0);
	CHECK_ALLOC(&plain, 0);
	CHECK_GT(plain.got_runs, RUN / 4);	/* disordered indeed */
	check_addresses(&plain);
	close(plain.fd);

	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	CHECK(!*answer);
	CHECK_EQ(pool_of(pmd_size, "free"), all.nr - RUN);
	check_one_run(&a);
	CHECK_EQ(runs_of(a.fd, &run, 1), 1);
	CHECK_EQ(run.length, RUN * pmd_size);
	printf("# %llu MiB at 0x%llx; without the flag %llu runs\n",
	       (unsigned long long)run.length >> 20, (unsigned long long)run.address,
	       (unsigned long long)plain.got_runs);
	close(a.fd);
	pool_is_back();
}

/* Others hold all pages but one run and every third: it must be that run. */
static void a_run_is_found_between_pages_of_others(void)
{
	struct hpage_map_alloc a = run_request(RUN);
	struct hpage_map_run run;
	size_t start;

	CHECK_EQ(load(""), 0);
	take_pool();
	start = start_of_run(RUN);
	drop_in_disorder(start, RUN);
	for (size_t i = 0; i < all.nr; i += 3)
		if (i + 1 < start || i > start + RUN)
			hoard_drop(&all, by_address[i]);

	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	check_one_run(&a);
	CHECK_EQ(runs_of(a.fd, &run, 1), 1);
	CHECK_EQ(run.address, all.pfn[by_address[start]] * base_page);
	close(a.fd);
	pool_is_back();
}

/* Long runs are for those who need them. */
static void a_short_run_is_taken_before_a_long_one(void)
{
	struct hpage_map_alloc a = run_request(4);
	struct hpage_map_run run;
	size_t start;

	CHECK_EQ(load(""), 0);
	take_pool();
	start = start_of_run(RUN);
	drop_in_disorder(start, 32);
	drop_in_disorder(start + 40, 5);

	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	check_one_run(&a);
	CHECK_EQ(runs_of(a.fd, &run, 1), 1);
	CHECK_GE(run.address, all.pfn[by_address[start + 40]] * base_page);
	CHECK_LE(run.address, all.pfn[by_address[start + 41]] * base_page);
	close(a.fd);
	pool_is_back();
}

static void the_refusal_names_the_longest_run(void)
{
	struct hpage_map_alloc a = run_request(RUN);
	bool is_free[3 * POOL];
	size_t nr_free = 0;
	char want[128];

	CHECK_EQ(load(""), 0);
	take_pool();
	for (size_t i = 0; i < all.nr; i++) {
		is_free[i] = i % 29 != 11;
		if (is_free[i])
			hoard_drop(&all, by_address[i]);
		nr_free += is_free[i];
	}
	/* 128 MiB of the page allocator are no run either, or else they are one. */
	if (!try_alloc(&a)) {
		CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_THP);
		check_one_run(&a);
		close(a.fd);
	}
	snprintf(want, sizeof(want),
		 "%u pages of %s in a row needed, at most %zu are", RUN, size_text(pmd_size),
		 longest_run(is_free));
	CHECK_SAYS(want);
	CHECK_SAYS("demote");
	CHECK_EQ(pool_of(pmd_size, "free"), nr_free);

	a = run_request(longest_run(is_free));
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	check_one_run(&a);
	close(a.fd);
	pool_is_back();
}

static void a_run_lies_on_the_node_that_was_asked_for(void)
{
	struct hpage_map_alloc a;

	CHECK_EQ(load(""), 0);
	tidy_memory();
	set_node_pool(0, 64);
	set_node_pool(1, 64);
	for (int node = 0; node < 2; node++) {
		a = wish_on(run_request(4), HPAGE_MAP_POLICY_STRICT, node);
		CHECK_ALLOC(&a, 0);
		CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
		CHECK_EQ(a.got_node, node);
		check_one_run(&a);
		check_nodes(&a, node ? 0 : 4, node ? 4 : 0);
		close(a.fd);
	}
	CHECK_EQ(node_pool(0, "free"), 64);
	CHECK_EQ(node_pool(1, "free"), 64);
	CHECK_EQ(unload(), 0);
}

/* Kernels that cannot make runs of the page allocator's memory say so. */
static bool runs_are_made(void)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_THP, 1, 0);
	bool made;

	CHECK_ALLOC(&a, 0);
	made = ask(a.fd).features & HPAGE_MAP_FEATURE_CLAIM;
	close(a.fd);
	return made;
}

/*
 * One page is a run on every rung; more are made one of huge pages; else they are one by luck, or a
 * reason is told.
 */
static void runs_of_the_page_allocator_are_verified(void)
{
	static const int rungs[] = { HPAGE_MAP_BACKING_THP, HPAGE_MAP_BACKING_BASE };
	bool made;

	CHECK_EQ(load(""), 0);
	made = runs_are_made();
	for (size_t i = 0; i < 2; i++) {
		for (size_t nr = 1; nr <= 8; nr++) {
			struct hpage_map_alloc a = wish_of(rungs[i], nr, CONTIG);
			int ret = try_alloc(&a);

			CHECK(!ret || (ret == -ENOMEM && nr > 1));
			CHECK(!ret || rungs[i] == HPAGE_MAP_BACKING_BASE || !made);
			if (ret) {
				CHECK_SAYS("pages in a row needed, got ");
				continue;
			}
			check_one_run(&a);
			close(a.fd);
		}
	}
	CHECK_EQ(unload(), 0);
}

/* --- below 4 GiB --------------------------------------------------------------- */

static void check_low(struct hpage_map_alloc *a, int backing)
{
	CHECK_ALLOC(a, 0);
	CHECK_EQ((int)a->got_backing, backing);
	CHECK(a->got_attributes & HPAGE_MAP_ATTR_BELOW_4G);
	check_addresses(a);
	check_nodes(a, a->got_length / a->got_page_size, 0);
	close(a->fd);
}

/* Memory of node 0 is below 4 GiB here, that of node 1 above. */
static void low_pages_are_chosen_from_the_pool(void)
{
	struct hpage_map_alloc a;

	CHECK_EQ(load(""), 0);
	/* Of few pages, no four may be neighbours. */
	set_node_pool(0, 128);
	set_node_pool(1, 64);
	a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 4, HPAGE_MAP_BELOW_4G | CONTIG);
	check_low(&a, HPAGE_MAP_BACKING_HUGETLB);
	CHECK_EQ(a.got_runs, 1);
	set_node_pool(0, 16);
	a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 16, HPAGE_MAP_BELOW_4G);
	check_low(&a, HPAGE_MAP_BACKING_HUGETLB);

	/* The pool has not 17; the page allocator has. */
	a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 17, HPAGE_MAP_BELOW_4G);
	check_low(&a, HPAGE_MAP_BACKING_THP);
	CHECK_SAYS("fewer than 17 pages of 2 MiB are free below 0x100000000");
	CHECK_EQ(node_pool(0, "free"), 16);
	CHECK_EQ(node_pool(1, "free"), 64);
	CHECK_EQ(unload(), 0);
}

static void low_pages_of_the_page_allocator(void)
{
	unsigned long high_node = 2;
	struct hpage_map_alloc a;

	CHECK_EQ(load(""), 0);
	/* A task whose memory is elsewhere gets them, too. */
	CHECK_EQ(syscall(SYS_set_mempolicy, MPOL_PREFERRED, &high_node, 64), 0);
	a = wish_of(HPAGE_MAP_BACKING_THP, 8, HPAGE_MAP_BELOW_4G);
	check_low(&a, HPAGE_MAP_BACKING_THP);
	a = wish_of(HPAGE_MAP_BACKING_BASE, 700, HPAGE_MAP_BELOW_4G);
	check_low(&a, HPAGE_MAP_BACKING_BASE);
	CHECK_EQ(syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0), 0);
	CHECK_EQ(unload(), 0);
}

/* What contradicts the place of the memory is refused, on every rung. */
static void low_pages_of_a_high_node_are_refused(void)
{
	struct hpage_map_alloc a;

	CHECK_EQ(load(""), 0);
	set_node_pool(0, 8);
	set_node_pool(1, 8);
	for (int b = HPAGE_MAP_BACKING_HUGETLB; b <= HPAGE_MAP_BACKING_BASE; b++) {
		a = wish_on(wish_of(b, 4, HPAGE_MAP_BELOW_4G), HPAGE_MAP_POLICY_STRICT, 1);
		CHECK_ALLOC(&a, -ENOMEM);
		CHECK(*answer);
	}
	CHECK_EQ(node_pool(0, "free"), 8);
	CHECK_EQ(node_pool(1, "free"), 8);
	CHECK_EQ(unload(), 0);
}

/* --- others at the same time ------------------------------------------------------ */

#define TRIES	20

static int started[2];

static void take_and_give(void *arg)
{
	unsigned int seed = *(unsigned int *)arg;
	struct hoard h;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (bool first = true; ; first = false) {
		int fd = memfd_create("taker", MFD_CLOEXEC | MFD_HUGETLB |
				      __builtin_ctzl(pmd_size) << 26);

		CHECK_GE(fd, 0);
		h.nr = 1 + rand_r(&seed) % 12;
		CHECK_EQ(ftruncate(fd, h.nr * pmd_size), 0);
		fallocate(fd, 0, 0, h.nr * pmd_size);	/* or what there is */
		close(fd);
		if (first)
			step_done(started[1]);
	}
}

static void a_run_is_got_or_refused_while_others_take_pages(void)
{
	unsigned int seed = 1, got = 0, refused = 0;
	pid_t taker;
	int ret;

	CHECK_EQ(load(""), 0);
	take_pool_of(32);
	drop_in_disorder(0, all.nr);
	CHECK_EQ(pipe(started), 0);
	taker = spawn(take_and_give, &seed);
	step_wait(started[0]);

	for (int i = 0; i < TRIES; i++) {
		struct hpage_map_alloc a = run_request(2 + i % 4);

		ret = try_alloc(&a);
		CHECK(ret == 0 || ret == -ENOMEM);
		if (ret) {
			CHECK(*answer);
			refused++;
			continue;
		}
		check_one_run(&a);
		got += a.got_backing == HPAGE_MAP_BACKING_HUGETLB;
		close(a.fd);
	}
	printf("# %u of %d from the pool, %u refused\n", got, TRIES, refused);
	CHECK_EQ(kill(taker, SIGKILL), 0);
	CHECK_KILLED(taker, SIGKILL);
	pool_is_back();
}

static void choose_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < 5; i++) {
		struct hpage_map_alloc a = run_request(4);

		CHECK_ALLOC(&a, 0);
		CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
		CHECK_EQ(a.got_runs, 1);
		close(a.fd);
	}
}

/*
 * Several who choose at once wait for each other. What they choose, the highest, is at the end of
 * the free list: so each has all of the pool in its hands for a moment.
 */
static void many_who_choose_do_not_disturb_each_other(void)
{
	pid_t pids[4];

	CHECK_EQ(load(""), 0);
	take_pool_of(64);
	for (size_t i = all.nr; i--; )
		hoard_drop(&all, by_address[i]);
	for (int i = 0; i < 4; i++)
		pids[i] = spawn(choose_often, NULL);
	for (int i = 0; i < 4; i++)
		CHECK_EXITS(pids[i]);
	pool_is_back();
}

#define CROWD	24		/* tasks of a user */
#define TURNS	8

static unsigned long *answered;	/* of the crowd's requests; shared with it */

static void ask_without_end(void *arg)
{
	(void)arg;
	become(NOBODY, 0);
	for (;;) {
		struct hpage_map_alloc a = run_request(2);

		if (!try_alloc(&a))
			close(a.fd);
		__atomic_add_fetch(answered, 1, __ATOMIC_SEQ_CST);
	}
}

static unsigned long answers(void)
{
	return __atomic_load_n(answered, __ATOMIC_SEQ_CST);
}

/* Whoever comes waits for one of them, not for all. */
static void a_crowd_of_one_user_keeps_nobody_out(void)
{
	unsigned long before, ahead = 0;
	pid_t pids[CROWD];

	CHECK_EQ(load("mode=0666"), 0);
	take_pool_of(64);
	for (size_t i = 0; i < all.nr; i++)
		hoard_drop(&all, by_address[i]);
	answered = mmap(NULL, base_page, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK_NE((void *)answered, MAP_FAILED);
	for (int i = 0; i < CROWD; i++)
		pids[i] = spawn(ask_without_end, NULL);
	CHECK_COMES(answers() > 2 * CROWD);
	for (int i = 0; i < TURNS; i++) {
		struct hpage_map_alloc a = run_request(2);

		before = answers();
		CHECK_ALLOC(&a, 0);
		ahead += answers() - before;
		CHECK_EQ(a.got_runs, 1);
		close(a.fd);
	}
	printf("# %lu answers to the crowd during %d requests of another user\n", ahead, TURNS);
	CHECK_LT(ahead, TURNS * CROWD / 2);
	for (int i = 0; i < CROWD; i++) {
		CHECK_EQ(kill(pids[i], SIGKILL), 0);
		CHECK_KILLED(pids[i], SIGKILL);
	}
	munmap(answered, base_page);
	pool_is_back();
}

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

static void a_signal_interrupts_choosing(void)
{
	const struct itimerval fast = { { 0, 2000 }, { 0, 2000 } }, off = {};
	struct sigaction action = { .sa_handler = tick };
	int ret = 0;

	CHECK_EQ(load(""), 0);
	take_pool();
	drop_in_disorder(0, all.nr);
	CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
	CHECK_EQ(setitimer(ITIMER_REAL, &fast, NULL), 0);
	for (int i = 0; i < 1000 && ret != -EINTR; i++) {
		struct hpage_map_alloc a = run_request(RUN);

		ret = try_alloc(&a);
		CHECK(ret == 0 || ret == -EINTR);
		if (!ret)
			close(a.fd);
	}
	CHECK_EQ(setitimer(ITIMER_REAL, &off, NULL), 0);
	CHECK_EQ(ret, -EINTR);
	CHECK(ticks);
	CHECK_EQ(pool_of(pmd_size, "free"), all.nr);
	pool_is_back();
}

/* --- limits ------------------------------------------------------------------------ */

static void ask_for_a_deep_pair(void *arg)
{
	struct hpage_map_alloc a = run_request(2);
	int ret;

	(void)arg;
	become(NOBODY, 0);
	ret = try_alloc(&a);
	CHECK_EQ(ret, -EDQUOT);	/* of the THP rung, which is next */
	CHECK_SAYS("to get 2 pages of 2 MiB, more than 88 MiB of others had to be moved");
	CHECK_EQ(pool_of(pmd_size, "free"), 92);
}

/* The node that is preferred would have to be searched too deep. */
static void ask_for_a_pair_elsewhere(void *arg)
{
	struct hpage_map_alloc a = wish_on(run_request(2), HPAGE_MAP_POLICY_PREFERRED, 1);

	(void)arg;
	become(NOBODY, 0);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	CHECK_EQ(a.got_runs, 1);
	CHECK_EQ(a.got_node, 0);
	close(a.fd);
}

/* The free pages of the first node's pool are two in a row. */
static void pair_is_free(struct hoard *h)
{
	set_node_pool(0, 64);
	hoard(h, 64, 0);
	for (size_t i = 0; i < 64; i++)
		for (size_t j = 0; j < 64; j++)
			if (h->pfn[j] == h->pfn[i] + STEP) {
				hoard_drop(h, i);
				hoard_drop(h, j);
				return;
			}
	CHECK(!"64 pages have such a pair");
}

/* An ordinary user may hold up half of what is free: 46 of 92. */
static void what_a_user_collects_is_capped(void)
{
	struct hpage_map_alloc a = run_request(2);
	struct hoard h;
	size_t start;

	CHECK_EQ(load("mode=0666"), 0);
	take_pool();
	/* The pair comes last in the free list, behind ninety single pages. */
	start = start_of_run(2);
	hoard_drop(&all, by_address[start]);
	hoard_drop(&all, by_address[start + 1]);
	for (size_t i = 0, dropped = 0; dropped < 90; i += 2) {
		CHECK_LT(i, all.nr);
		if (i + 1 >= start && i <= start + 2)
			continue;
		hoard_drop(&all, by_address[i]);
		dropped++;
	}
	CHECK_EXITS(spawn(ask_for_a_deep_pair, NULL));
	pair_is_free(&h);
	CHECK_EXITS(spawn(ask_for_a_pair_elsewhere, NULL));
	hoard_free(&h);
	set_node_pool(0, 0);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	check_one_run(&a);
	close(a.fd);
	pool_is_back();
}

/* They are among the free pages of the pool, but promised to a mapping. */
static void reserved_pages_are_not_chosen(void)
{
	struct hpage_map_alloc a = run_request(8);
	char *theirs;

	CHECK_EQ(load(""), 0);
	take_pool_of(64);
	drop_in_disorder(0, all.nr);
	theirs = mmap(NULL, 60 * pmd_size, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	CHECK_NE(theirs, MAP_FAILED);
	CHECK_EQ(pool_of(pmd_size, "resv"), 60);
	CHECK_ALLOC(&a, 0);
	CHECK_NE(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	CHECK_SAYS("8 pages of 2 MiB needed, 4 of 64 free");
	fill(theirs, 60 * pmd_size, 5);
	munmap(theirs, 60 * pmd_size);
	close(a.fd);
	pool_is_back();
}

/* A surplus page that is freed leaves the pool instead of going where it can be chosen. */
static void surplus_pages_are_a_reason_not_to_choose(void)
{
	struct hpage_map_alloc a = run_request(2);
	struct hoard h;
	int ret;

	CHECK_EQ(load(""), 0);
	set_node_pool(1, RUN);
	set_node_pool(0, 8);
	hoard(&h, 8, 0);
	CHECK(write_text("/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages",
			 "4") == 0);
	CHECK_EQ(pool_of(pmd_size, "surplus"), 4);
	CHECK_EQ(pool_of(pmd_size, "free"), RUN);

	ret = try_alloc(&a);
	CHECK(ret == 0 || ret == -ENOMEM);
	CHECK_SAYS("pages cannot be chosen while 4 of them are surplus");
	CHECK_SAYS("nr_hugepages");
	if (!ret) {
		CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_THP);
		close(a.fd);
	}
	/* The other node has none. */
	a = wish_on(run_request(2), HPAGE_MAP_POLICY_STRICT, 1);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	check_one_run(&a);
	close(a.fd);
	hoard_free(&h);
	CHECK_EQ(pool_of(pmd_size, "surplus"), 0);
	CHECK_EQ(pool_of(pmd_size, "nr"), RUN + 4);
	CHECK_EQ(unload(), 0);
}

static void ask_within_the_group(void *arg)
{
	struct hpage_map_alloc a = run_request(RUN);

	(void)arg;
	enter_group();
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	CHECK(!*answer);
	check_one_run(&a);
	CHECK_EQ(read_u64(GROUP "hugetlb.2MB.current"), RUN * pmd_size);
	close(a.fd);
	CHECK_EQ(read_u64(GROUP "hugetlb.2MB.current"), 0);
}

static void ask_beyond_the_group(void *arg)
{
	struct hpage_map_alloc a = run_request(RUN);
	int ret;

	(void)arg;
	enter_group();
	ret = try_alloc(&a);
	CHECK(ret == -ENOMEM || (!ret && a.got_backing == HPAGE_MAP_BACKING_THP));
	CHECK_SAYS("the pool has the pages, but a limit holds the caller");
	if (!ret)
		close(a.fd);
	CHECK_EQ(read_u64(GROUP "hugetlb.2MB.current"), 0);
}

/* More pages are touched than wanted; only the wanted ones are paid for. */
static void collecting_is_not_charged_to_the_caller(void)
{
	static const char * const limits[] = { "hugetlb.2MB.max", "hugetlb.2MB.rsvd.max" };
	char path[64], bytes[32];

	CHECK_EQ(load(""), 0);
	take_pool();
	drop_in_disorder(0, all.nr);
	make_group("+hugetlb");
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), GROUP "%s", limits[i]);
		snprintf(bytes, sizeof(bytes), "%zu", RUN * pmd_size);
		CHECK_EQ(write_text(path, bytes), 0);
		CHECK_EXITS(spawn(ask_within_the_group, NULL));
		snprintf(bytes, sizeof(bytes), "%zu", (RUN - 1) * pmd_size);
		CHECK_EQ(write_text(path, bytes), 0);
		CHECK_EXITS(spawn(ask_beyond_the_group, NULL));
		CHECK_EQ(write_text(path, "max"), 0);
	}
	remove_group();
	pool_is_back();
}

static const struct test tests[] = {
	TEST(a_run_is_found_in_a_disordered_pool, ON_NONE),
	TEST(a_run_is_found_between_pages_of_others, ON_NONE),
	TEST(a_short_run_is_taken_before_a_long_one, ON_NONE),
	TEST(the_refusal_names_the_longest_run, ON_NONE),
	TEST(a_run_lies_on_the_node_that_was_asked_for, ON_NONE),
	TEST(runs_of_the_page_allocator_are_verified, ON_NONE),
	TEST(low_pages_are_chosen_from_the_pool, ON_NONE),
	TEST(low_pages_of_the_page_allocator, ON_NONE),
	TEST(low_pages_of_a_high_node_are_refused, ON_NONE),
	TEST(a_run_is_got_or_refused_while_others_take_pages, ON_NONE),
	TEST(many_who_choose_do_not_disturb_each_other, ON_NONE),
	TEST(a_crowd_of_one_user_keeps_nobody_out, ON_NONE),
	TEST(a_signal_interrupts_choosing, ON_NONE),
	TEST(what_a_user_collects_is_capped, ON_NONE),
	TEST(reserved_pages_are_not_chosen, ON_NONE),
	TEST(surplus_pages_are_a_reason_not_to_choose, ON_NONE),
	TEST(collecting_is_not_charged_to_the_caller, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
