// SPDX-License-Identifier: GPL-2.0-only
/* On which node pages lie: as asked for, or refused, or told. Needs two nodes. */
#define _GNU_SOURCE
#include "asker.h"
#include "buffers.h"

#include <fcntl.h>
#include <limits.h>
#include <glob.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR		8
#define EACH_RUNG(b)	(b) = HPAGE_MAP_BACKING_HUGETLB; (b) <= HPAGE_MAP_BACKING_BASE; (b)++
#define PCI_DEVICES	"/sys/bus/pci/devices/"

static void load_with_pools(uint64_t on_0, uint64_t on_1)
{
	CHECK_EQ(nr_nodes(), 2);
	CHECK_EQ(load(""), 0);
	set_node_pool(0, on_0);
	set_node_pool(1, on_1);
}

static void done(void)
{
	CHECK_EQ(unload(), 0);
}

static struct hpage_map_alloc strict(int backing, size_t nr, int node)
{
	return wish_on(wish_of(backing, nr, 0), HPAGE_MAP_POLICY_STRICT, node);
}

static struct hpage_map_alloc preferred(int backing, size_t nr, int node)
{
	return wish_on(wish_of(backing, nr, 0), HPAGE_MAP_POLICY_PREFERRED, node);
}

static struct hpage_map_alloc interleaved(int backing, size_t nr)
{
	return wish_on(wish_of(backing, nr, 0), HPAGE_MAP_POLICY_INTERLEAVE, -1);
}

/* Made on one rung, without a word. */
static void make(struct hpage_map_alloc *a, int backing)
{
	CHECK_ALLOC(a, 0);
	CHECK_EQ((int)a->got_backing, backing);
	CHECK(!*answer);
}

/* A pool of 0 leaves the THP rung to serve pages of a PMD. */
static void pools_for(int backing)
{
	uint64_t nr = backing == HPAGE_MAP_BACKING_HUGETLB ? 2 * NR : 0;

	set_node_pool(0, nr);
	set_node_pool(1, nr);
}

/* THP told why hugetlb did not serve: that is not about nodes. */
static void make_quietly(struct hpage_map_alloc *a, int backing)
{
	if (backing != HPAGE_MAP_BACKING_THP) {
		make(a, backing);
		return;
	}
	CHECK_ALLOC(a, 0);
	CHECK_EQ((int)a->got_backing, backing);
	CHECK(!strstr(answer, "thp:"));
}

static void strict_pages_are_all_on_the_node(void)
{
	int b, node;

	load_with_pools(0, 0);
	for (EACH_RUNG(b)) {
		pools_for(b);
		for (node = 0; node < 2; node++) {
			struct hpage_map_alloc a = strict(b, NR, node);

			make_quietly(&a, b);
			check_nodes(&a, node ? 0 : NR, node ? NR : 0);
			close(a.fd);
		}
	}
	done();
}

static void preferred_pages_are_on_the_node_if_it_has_them(void)
{
	int b, node;

	load_with_pools(0, 0);
	for (EACH_RUNG(b)) {
		pools_for(b);
		for (node = 0; node < 2; node++) {
			struct hpage_map_alloc a = preferred(b, NR, node);

			make_quietly(&a, b);
			check_nodes(&a, node ? 0 : NR, node ? NR : 0);
			close(a.fd);
		}
	}
	done();
}

static void preferring_a_short_node_tells_how_many_went_elsewhere(void)
{
	struct hpage_map_alloc a = preferred(HPAGE_MAP_BACKING_HUGETLB, NR, 1);

	load_with_pools(NR, 3);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_HUGETLB);
	check_nodes(&a, NR - 3, 3);
	CHECK_SAYS("3 of 8 pages are on node 1");
	close(a.fd);
	CHECK_EQ(node_pool(0, "free"), NR);
	CHECK_EQ(node_pool(1, "free"), 3);
	done();
}

/* The pool's figures of the node that was asked for, not of the whole machine. */
static void a_strict_pool_that_is_short_is_told_with_its_figures(void)
{
	struct hpage_map_alloc a = strict(HPAGE_MAP_BACKING_HUGETLB, NR, 1);

	load_with_pools(2 * NR, 3);
	CHECK_ALLOC(&a, 0);	/* by the next rung, on the same node */
	CHECK_EQ(a.got_backing, HPAGE_MAP_BACKING_THP);
	check_nodes(&a, 0, NR);
	CHECK_SAYS("hugetlb: 8 pages of 2 MiB needed, 3 of 3 free on node 1");
	CHECK_SAYS("/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages");
	CHECK_EQ(node_pool(0, "free"), 2 * NR);
	CHECK_EQ(node_pool(1, "free"), 3);
	close(a.fd);
	done();
}

/* What the remedy says must be the remedy. */
static void the_remedy_for_a_short_node_helps(void)
{
	struct hpage_map_alloc a = strict(HPAGE_MAP_BACKING_HUGETLB, NR, 1);
	char *command, *end;

	load_with_pools(2, 3);
	CHECK_ALLOC(&a, 0);
	close(a.fd);
	command = strstr(answer, "echo ");
	CHECK(command && (end = strchr(command, ')')));
	*end = '\0';
	CHECK_EQ(system(command), 0);
	a = strict(HPAGE_MAP_BACKING_HUGETLB, NR, 1);
	make(&a, HPAGE_MAP_BACKING_HUGETLB);
	check_nodes(&a, 0, NR);
	close(a.fd);
	done();
}

/*
 * Leave little memory on a node, none of it in caches that reclaim could make room
 * of, and four pages of its pool; nothing is touched for it.
 */
static void *fill_node(int node)
{
	size_t len;
	void *p;

	tidy_memory();
	ask_node_pool(node, node_memory(node, "MemFree:") / pmd_size - 32);
	len = (pool_of(pmd_size, "free") - 4) * pmd_size;
	p = mmap(NULL, len, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	CHECK_NE(p, MAP_FAILED);
	return p;
}

/* A node without the memory is a refusal, although the other one has it. */
static void a_full_node_refuses_strict_requests(void)
{
	struct hpage_map_alloc a = strict(HPAGE_MAP_BACKING_HUGETLB, 256, 1);
	uint64_t nr;

	load_with_pools(0, 0);
	fill_node(1);
	nr = node_pool(1, "free");
	CHECK_GT(node_memory(0, "MemFree:") / pmd_size, 256);
	CHECK_LT(node_memory(1, "MemFree:") / pmd_size, 128);
	CHECK_ALLOC(&a, -ENOMEM);
	CHECK_SAYS("hugetlb: 256 pages of 2 MiB needed, 4 of ");
	CHECK(strstr(answer, "thp: ") || strstr(answer, "no page after "));
	CHECK_EQ(node_pool(1, "free"), nr);
	a = preferred(HPAGE_MAP_BACKING_THP, 256, 1);
	CHECK_ALLOC(&a, 0);
	CHECK_EQ(pages_on(a.fd, 0) + pages_on(a.fd, 1), 256);
	CHECK_GE(pages_on(a.fd, 0), 128);
	CHECK_SAYS(" of 256 pages are on node 1");
	close(a.fd);
	done();
}

static void interleaved_pages_alternate(void)
{
	int b;

	load_with_pools(0, 0);
	for (EACH_RUNG(b)) {
		struct hpage_map_alloc a = interleaved(b, NR);

		pools_for(b);
		make_quietly(&a, b);
		check_nodes(&a, NR / 2, NR / 2);
		close(a.fd);
	}
	done();
}

/* The name of a PCI device that is near @node, -1 for one that is near none. */
static void find_device(int node, char *name, size_t size)
{
	char path[256];
	glob_t g;
	size_t i;

	CHECK_EQ(glob(PCI_DEVICES "*", 0, NULL, &g), 0);
	for (i = 0; i < g.gl_pathc; i++) {
		snprintf(path, sizeof(path), "%s/numa_node", g.gl_pathv[i]);
		if ((int)read_u64(path) == node)
			break;
	}
	CHECK_LT(i, g.gl_pathc);
	snprintf(name, size, "%s", g.gl_pathv[i] + strlen(PCI_DEVICES));
	globfree(&g);
}

static void pages_are_near_a_device(void)
{
	char name[HPAGE_MAP_DEVICE_SIZE];
	uint32_t policy;
	int b;

	load_with_pools(0, 0);
	find_device(1, name, sizeof(name));
	for (EACH_RUNG(b)) {
		pools_for(b);
		for (policy = HPAGE_MAP_POLICY_DEFAULT; policy <= HPAGE_MAP_POLICY_STRICT;
		     policy++) {
			struct hpage_map_alloc a = wish_of(b, NR, 0);

			a.policy = policy;
			strcpy(a.near_device, name);
			make_quietly(&a, b);
			check_nodes(&a, 0, NR);
			close(a.fd);
		}
	}
	done();
}

/* Without a policy, near is a wish; with a strict one it is a demand. */
static void a_short_node_of_a_device_is_told_or_refused(void)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_HUGETLB, NR, 0);

	load_with_pools(NR, 3);
	find_device(1, a.near_device, sizeof(a.near_device));
	CHECK_ALLOC(&a, 0);
	check_nodes(&a, NR - 3, 3);
	CHECK_SAYS("3 of 8 pages are on node 1");
	close(a.fd);

	a.policy = HPAGE_MAP_POLICY_STRICT;
	a.page_size = 1UL << 30;	/* of which there is one at most */
	a.length = 2 * a.page_size;
	a.flags = HPAGE_MAP_EXACT;
	CHECK_ALLOC(&a, -ENOMEM);
	CHECK_SAYS("hugetlb: 2 pages of 1 GiB needed, ");
	CHECK_SAYS(" free on node 1");
	done();
}

static void a_device_without_a_node_is_told(void)
{
	struct hpage_map_alloc a = wish_of(HPAGE_MAP_BACKING_HUGETLB, NR, 0);
	char want[128];

	load_with_pools(NR, NR);
	find_device(-1, a.near_device, sizeof(a.near_device));
	CHECK_ALLOC(&a, 0);
	snprintf(want, sizeof(want), "the machine does not say which node %s is near",
		 a.near_device);
	CHECK_SAYS(want);
	close(a.fd);
	/* What is out of range stays so, whatever the machine knows. */
	a.policy = HPAGE_MAP_POLICY_INTERLEAVE + 1;
	CHECK_ALLOC(&a, -EINVAL);
	a.policy = HPAGE_MAP_POLICY_DEFAULT;

	strcpy(a.near_device, "0000:77:07.7");
	CHECK_ALLOC(&a, -ENODEV);
	CHECK_SAYS("0000:77:07.7");
	done();
}

static void nodes_that_are_not_there_are_refused(void)
{
	static const int nodes[] = { 2, 63, 1 << 20, -1, -2, 0x7fffffff };
	struct hpage_map_alloc a;

	load_with_pools(NR, NR);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++) {
		a = strict(HPAGE_MAP_BACKING_HUGETLB, 1, nodes[i]);
		CHECK_ALLOC(&a, -EINVAL);
		CHECK_SAYS("there is no node");
		a = preferred(HPAGE_MAP_BACKING_HUGETLB, 1, nodes[i]);
		CHECK_ALLOC(&a, -EINVAL);
	}
	/* A node that no policy uses would be a misunderstanding. */
	a = wish_of(HPAGE_MAP_BACKING_HUGETLB, 1, 0);
	a.node = 1;
	CHECK_ALLOC(&a, -EINVAL);
	a.policy = HPAGE_MAP_POLICY_INTERLEAVE;
	CHECK_ALLOC(&a, -EINVAL);
	a.policy = HPAGE_MAP_POLICY_INTERLEAVE + 1;
	CHECK_ALLOC(&a, -EINVAL);
	done();
}

struct own_policy {
	int mode;
	unsigned long nodes;
};

static void set_own(struct own_policy p)
{
	CHECK_EQ(syscall(SYS_set_mempolicy, p.mode, &p.nodes, 8 * sizeof(p.nodes)), 0);
}

static bool is_own(struct own_policy p)
{
	unsigned long nodes[16] = {};
	int mode;

	CHECK_EQ(syscall(SYS_get_mempolicy, &mode, nodes, 8 * sizeof(nodes), NULL, 0), 0);
	return mode == p.mode && nodes[0] == p.nodes;
}

/* It is exchanged for ours while pages are allocated. */
static void the_policy_of_the_task_stays_its_own(void)
{
	static const struct own_policy own[] = {
		{ MPOL_DEFAULT, 0 }, { MPOL_BIND, 1 }, { MPOL_PREFERRED, 2 },
		{ MPOL_INTERLEAVE, 3 }, { MPOL_BIND | MPOL_F_STATIC_NODES, 3 },
	};
	struct hpage_map_alloc a;
	int b;

	load_with_pools(0, 0);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		for (EACH_RUNG(b)) {
			pools_for(b);
			set_own(own[i]);
			a = strict(b, NR, 1);
			CHECK_ALLOC(&a, 0);
			CHECK(is_own(own[i]));
			close(a.fd);
			a = preferred(b, NR, 0);
			CHECK_ALLOC(&a, 0);
			CHECK(is_own(own[i]));
			close(a.fd);
			a = interleaved(b, NR);
			CHECK_ALLOC(&a, 0);
			CHECK(is_own(own[i]));
			close(a.fd);
		}
		a = strict(HPAGE_MAP_BACKING_HUGETLB, 1 << 16, 1);	/* fails */
		CHECK_ALLOC(&a, -ENOMEM);
		CHECK(is_own(own[i]));
	}
	set_own(own[0]);
	done();
}

static void without_a_policy_the_task_s_own_counts(void)
{
	int b, node;

	load_with_pools(0, 0);
	for (EACH_RUNG(b)) {
		pools_for(b);
		for (node = 0; node < 2; node++) {
			struct hpage_map_alloc a = wish_of(b, NR, 0);

			set_own((struct own_policy){ MPOL_BIND, 1UL << node });
			CHECK_ALLOC(&a, 0);
			CHECK_EQ((int)a.got_backing, b);
			check_nodes(&a, node ? 0 : NR, node ? NR : 0);
			close(a.fd);
		}
	}
	set_own((struct own_policy){ MPOL_DEFAULT, 0 });
	done();
}

static int reader_ready[2];

static void read_numa_maps(void *arg)
{
	char path[64], text[4096];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "/proc/%d/numa_maps", *(pid_t *)arg);
	for (unsigned long i = 0; ; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		CHECK_GE(fd, 0);
		while (read(fd, text, sizeof(text)) > 0)
			;
		close(fd);
		if (!i)
			step_done(reader_ready[1]);
	}
}

/* Readers hold the task's policy and sleep; it must not go meanwhile. */
static void reading_numa_maps_meanwhile_does_no_harm(void)
{
	const struct own_policy own = { MPOL_INTERLEAVE, 3 };
	pid_t self = getpid(), readers[2];

	load_with_pools(2 * NR, 2 * NR);
	set_own(own);
	CHECK_EQ(pipe(reader_ready), 0);
	for (int i = 0; i < 2; i++)
		readers[i] = spawn(read_numa_maps, &self);
	for (int i = 0; i < 2; i++)
		step_wait(reader_ready[0]);
	for (int i = 0; i < 40; i++) {
		struct hpage_map_alloc a = strict(HPAGE_MAP_BACKING_HUGETLB, NR, i % 2);

		make(&a, HPAGE_MAP_BACKING_HUGETLB);
		CHECK_EQ(pages_on(a.fd, i % 2), NR);
		close(a.fd);
		a = interleaved(HPAGE_MAP_BACKING_BASE, NR);
		CHECK_ALLOC(&a, 0);
		close(a.fd);
	}
	CHECK(is_own(own));
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(kill(readers[i], SIGKILL), 0);
		CHECK_KILLED(readers[i], SIGKILL);
	}
	done();
}

/* A cpuset is the administrator's word, against which no policy helps. */
static void a_cpuset_is_obeyed(void)
{
	struct asker asker;
	struct asked got;
	int b;

	load_with_pools(2 * NR, 2 * NR);
	asker = asker_begin("forecast");
	CHECK_EQ(write_text(GROUP "cpuset.mems", "0"), 0);
	for (EACH_RUNG(b)) {
		struct hpage_map_alloc a = strict(b, NR, 1);

		LABEL("backing %d", b);
		pools_for(b);
		asker_asks(&asker, &a);
		got = asker_answers(&asker);
		CHECK_EQ(got.err, ENOMEM);
		CHECK(*got.text);
		a = strict(b, NR, 0);
		got = asker_gets(&asker, &a, NR, 0);
		CHECK_GT(got.forecast[0], 0);
		CHECK_EQ(got.forecast[1], 0);
		a = interleaved(b, NR);
		asker_gets(&asker, &a, NR, 0);
		a = preferred(b, NR, 1);
		got = asker_gets(&asker, &a, NR, 0);
		CHECK(strstr(got.text, "0 of 8 pages are on node 1"));
	}
	asker_end(&asker);
	done();
}

/* With a policy of its own, which a cpuset changes, too. */
static struct asker asker_with_own_policy(const char *does)
{
	struct asker asker;

	set_own((struct own_policy){ MPOL_BIND | MPOL_F_STATIC_NODES, 3 });
	asker = asker_begin(does);
	set_own((struct own_policy){ MPOL_DEFAULT, 0 });
	return asker;
}

#define CHANGES	36		/* every rung, node, change and moment together once */

/*
 * The task's policy is changed under its feet, and then it is ours that is. With
 * each change mm/ also moves the task's memory, which an emulated machine may need
 * seconds for, and whoever touches it waits. So a small program asks, and each
 * request meets one change, at once or later; there are no more of them than that.
 */
static void a_cpuset_may_change_meanwhile(void)
{
	static const char * const mems[] = { "0", "1", "0-1" };
	struct asker asker;
	struct asked reply;

	load_with_pools(2 * NR, 2 * NR);
	asker = asker_with_own_policy(NULL);
	for (int i = 0; i < CHANGES; i++) {
		struct hpage_map_alloc a = strict(1 + i / 3 % 3, NR, i / 9 % 2);

		LABEL("request %d", i);
		asker_asks(&asker, &a);
		usleep(i / 18 * 300);
		CHECK_EQ(write_text(GROUP "cpuset.mems", mems[i % 3]), 0);
		reply = asker_answers(&asker);
		if (reply.err) {
			CHECK_EQ(reply.err, ENOMEM);
			CHECK(*reply.text);
			continue;
		}
		CHECK_EQ(reply.pages[i / 9 % 2], NR);
	}
	asker_end(&asker);
	done();
}

/*
 * Pages that are pinned do not move. mm/ would allocate and zero a page for each and try ten times:
 * a task with a large buffer would wait for seconds whenever its cpuset changes.
 */
static void nobody_tries_to_move_what_is_mapped(void)
{
	unsigned long from = 1UL << 0, to = 1UL << 1;
	struct hpage_map_alloc a;
	uint64_t failed;
	int backing;
	char *p;

	for (EACH_RUNG(backing)) {
		LABEL("backing %d", backing);
		load_with_pools(backing == HPAGE_MAP_BACKING_HUGETLB ? 16 : 0,
				backing == HPAGE_MAP_BACKING_HUGETLB ? 16 : 0);
		a = strict(backing, (32UL << 20) / page_of(backing), 0);
		CHECK_ALLOC(&a, 0);
		p = map_answer(&a);
		for (uint64_t at = 0; at < a.got_length; at += 4096)
			p[at] = 1;
		failed = vmstat("\npgmigrate_fail ");
		CHECK_GE(syscall(SYS_migrate_pages, 0, 64, &from, &to), 0);
		syscall(SYS_mbind, p, a.got_length, MPOL_BIND, &to, 64, MPOL_MF_MOVE);
		/* 8,192 base pages, each twice, if it were; the test has some of its own. */
		CHECK_LT(vmstat("\npgmigrate_fail ") - failed, 2048);
		CHECK_EQ(node_of(p), 0);
		munmap(p, a.got_length);
		close(a.fd);
		done();
	}
}

#define MOVE_LENGTH	(32UL << 20)

/*
 * What move_pages(2) says about each 4 KiB of a mapping, when they are asked to go to @node; -1
 * only asks where they are.
 */
static void check_statuses(char *p, int node, int status)
{
	static void *pages[MOVE_LENGTH / 4096];
	static int nodes[MOVE_LENGTH / 4096], got[MOVE_LENGTH / 4096];
	size_t nr = MOVE_LENGTH / base_page;

	for (size_t i = 0; i < nr; i++) {
		pages[i] = p + i * base_page;
		nodes[i] = node;
		got[i] = 1000;
	}
	CHECK_EQ(syscall(SYS_move_pages, 0, nr, pages, node < 0 ? NULL : nodes, got, MPOL_MF_MOVE),
		 0);
	for (size_t i = 0; i < nr; i++) {
		LABEL("page %zu", i);
		CHECK_EQ(got[i], status);
	}
}

/* 32 MiB on node 0, mapped and touched. */
static char *map_to_be_moved(int backing)
{
	struct hpage_map_alloc a = strict(backing, MOVE_LENGTH / page_of(backing), 0);
	char *p;

	CHECK_ALLOC(&a, 0);
	p = map_answer(&a);
	close(a.fd);
	for (size_t at = 0; at < MOVE_LENGTH; at += base_page)
		p[at] = 1;
	return p;
}

static void load_to_move(int backing)
{
	uint64_t nr = backing == HPAGE_MAP_BACKING_HUGETLB ? MOVE_LENGTH / pmd_size : 0;

	load_with_pools(nr, nr);
}

/* An error for each page, also for those that are there already; nothing goes anywhere. */
static void who_asks_for_pages_elsewhere_is_told(void)
{
	unsigned long to = 1UL << 1;
	uint64_t failed, moved;
	int backing;
	char *p;

	for (EACH_RUNG(backing)) {
		LABEL("backing %d", backing);
		load_to_move(backing);
		p = map_to_be_moved(backing);
		check_statuses(p, -1, 0);
		failed = vmstat("\npgmigrate_fail ");
		moved = vmstat("\npgmigrate_success ");
		check_statuses(p, 1, -EFAULT);
		check_statuses(p, 0, -EFAULT);
		CHECK_EQ(syscall(SYS_mbind, p, MOVE_LENGTH, MPOL_BIND, &to, 64, MPOL_MF_MOVE), 0);
		printf("# backing %d: %llu failed migrations, %llu others\n", backing,
		       (unsigned long long)(vmstat("\npgmigrate_fail ") - failed),
		       (unsigned long long)(vmstat("\npgmigrate_success ") - moved));
		CHECK_LT(vmstat("\npgmigrate_fail ") - failed, 2048);
		/* For this one Linux 6.1 tries to move base pages. */
		CHECK_EQ(syscall(SYS_mbind, p, MOVE_LENGTH, MPOL_BIND, &to, 64,
				 MPOL_MF_MOVE | MPOL_MF_STRICT), -1);
		CHECK_EQ(errno, EIO);
		check_statuses(p, -1, 0);
		munmap(p, MOVE_LENGTH);
		done();
	}
}

/*
 * The pages stay, and who changes the cpuset does not wait for attempts to move them. The helper
 * has them, which shares nothing else with anybody: mm/ moves pages of the C library, too.
 */
static void a_cpuset_changes_under_what_is_mapped(void)
{
	struct asker asker;
	struct asked reply;
	uint64_t failed, nr;
	int backing;

	for (EACH_RUNG(backing)) {
		struct hpage_map_alloc a;

		LABEL("backing %d", backing);
		nr = MOVE_LENGTH / page_of(backing);
		a = strict(backing, nr, 0);
		load_to_move(backing);
		asker = asker_with_own_policy("map");
		asker_asks(&asker, &a);
		failed = vmstat("\npgmigrate_fail ");
		CHECK_EQ(write_text(GROUP "cpuset.mems", "1"), 0);
		failed = vmstat("\npgmigrate_fail ") - failed;
		printf("# backing %d: %llu failed migrations\n", backing,
		       (unsigned long long)failed);
		reply = asker_answers(&asker);
		CHECK_EQ(reply.err, 0);
		CHECK_EQ(reply.pages[0], nr);
		CHECK_EQ(reply.mapped[0], nr);
		asker_end(&asker);
		/* 8,192 base pages, if they were tried; the task has some of its own. */
		CHECK_LT(failed, 2048);
		done();
	}
}

static const struct test tests[] = {
	TEST(strict_pages_are_all_on_the_node, ON_NONE),
	TEST(preferred_pages_are_on_the_node_if_it_has_them, ON_NONE),
	TEST(preferring_a_short_node_tells_how_many_went_elsewhere, ON_NONE),
	TEST(a_strict_pool_that_is_short_is_told_with_its_figures, ON_NONE),
	TEST(the_remedy_for_a_short_node_helps, ON_NONE),
	TEST(a_full_node_refuses_strict_requests, ON_NONE),
	TEST(interleaved_pages_alternate, ON_NONE),
	TEST(pages_are_near_a_device, ON_NONE),
	TEST(a_short_node_of_a_device_is_told_or_refused, ON_NONE),
	TEST(a_device_without_a_node_is_told, ON_NONE),
	TEST(nodes_that_are_not_there_are_refused, ON_NONE),
	TEST(the_policy_of_the_task_stays_its_own, ON_NONE),
	TEST(without_a_policy_the_task_s_own_counts, ON_NONE),
	TEST(reading_numa_maps_meanwhile_does_no_harm, ON_NONE),
	TEST(nobody_tries_to_move_what_is_mapped, ON_NONE),
	TEST(who_asks_for_pages_elsewhere_is_told, ON_NONE),
	TEST(a_cpuset_changes_under_what_is_mapped, ON_NONE),
	TEST(a_cpuset_is_obeyed, ON_NONE),
	TEST(a_cpuset_may_change_meanwhile, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
