// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * More nodes than a word has bits: with the module, as root, and on a machine that has them. A mask
 * that ends after the first word would forget the others, or have the kernel read what is behind.
 */
#define _GNU_SOURCE
#include "fixture.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>

#define ROOM	1024
#define PAGE	(2 * MIB)

/* On both sides of the edge, and the highest that the machine of lib/tests/run has. */
static const int nodes[] = { 0, 62, 63, 64, 65, 71 };

#define NR	(sizeof(nodes) / sizeof(*nodes))

/*
 * Of a node as small as these the library has no memory that it would promise: all that the kernel
 * keeps for itself may lie on one. So a memfd prefers its node, and gets it.
 */
static const struct source {
	uint32_t flags, policy;
} sources[] = {
	{ 0, HPMAP_POLICY_STRICT },
	{ HPMAP_NO_MODULE, HPMAP_POLICY_PREFERRED },
};

static void check_on_node(struct hpmap_buffer *b, int node)
{
	uint64_t pages[ROOM] = {};
	struct hpmap_info info = info_of(b);
	unsigned int nr = ROOM;

	assert_int_equal(info.node, node);
	ok(hpmap_nodes(b, pages, &nr));
	assert_int_equal(nr, node + 1);
	assert_int_equal(pages[node], info.nr_pages);
}

static void one_node_is_kept(void **state)
{
	struct hpmap_buffer *b;

	(void)state;
	for (size_t i = 0; i < 2 * NR; i++) {
		print_message("node %d, flags %#x\n", nodes[i / 2], sources[i % 2].flags);
		ok(hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB, .page_size = 4096,
					     .node = nodes[i / 2],
					     .policy = sources[i % 2].policy,
					     .flags = sources[i % 2].flags), &b));
		check_on_node(b, nodes[i / 2]);
		hpmap_close(b);
	}
}

static void all_nodes_take_turns(void **state)
{
	uint64_t pages[ROOM];
	struct hpmap_buffer *b;
	unsigned int nr, node;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		nr = ROOM;
		ok(hpmap_alloc(HPMAP_OPTIONS(.size = 72 * 2 * MIB, .page_size = 4096,
					     .policy = HPMAP_POLICY_INTERLEAVE,
					     .flags = sources[i].flags), &b));
		ok(hpmap_nodes(b, pages, &nr));
		assert_int_equal(nr, 72);
		for (node = 0; node < nr; node++)
			assert_in_range(pages[node], 384, 640);
		assert_int_equal(info_of(b).node, HPMAP_NODE_MIXED);
		hpmap_close(b);
	}
}

/* A policy of the caller's own, for a high node, is obeyed, and is there afterwards. */
static bool under_a_policy(void)
{
	unsigned long mine[ROOM / 64] = { [1] = 1UL << (70 - 64) }, now[ROOM / 64] = {};
	struct hpmap_buffer *b;
	int mode = -1;

	if (syscall(SYS_set_mempolicy, MPOL_PREFERRED, mine, ROOM))
		return false;
	for (size_t i = 0; i < 2; i++) {
		ok(hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB, .page_size = 4096,
					     .flags = sources[i].flags), &b));
		check_on_node(b, 70);
		hpmap_close(b);
		ok(hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB, .page_size = 4096, .node = 3,
					     .policy = sources[i].policy,
					     .flags = sources[i].flags), &b));
		check_on_node(b, 3);
		hpmap_close(b);
	}
	return !syscall(SYS_get_mempolicy, &mode, now, ROOM, NULL, 0) && mode == MPOL_PREFERRED &&
	       !memcmp(mine, now, sizeof(now));
}

static void the_caller_s_policy_stays(void **state)
{
	(void)state;
	assert_true(in_child(under_a_policy));
}

/* Pools and reserves of nodes are read by number. */
static void each_node_has_its_pool(void **state)
{
	struct hpmap_pool pool = { .struct_size = sizeof(pool) };
	struct hpmap_reserve reserve = { .struct_size = sizeof(reserve) };

	(void)state;
	for (size_t i = 0; i < NR; i++) {
		ok(hpmap_get_pool(PAGE, nodes[i], &pool));
		ok(hpmap_get_reserve(HPMAP_BACKING_THP, PAGE, nodes[i], &reserve));
	}
	assert_int_equal(hpmap_get_pool(PAGE, 72, &pool), -ENOENT);
	assert_int_equal(hpmap_get_reserve(HPMAP_BACKING_THP, PAGE, 72, &reserve), -ENOENT);
}

static void there_is_no_node_beyond(void **state)
{
	struct hpmap_buffer *b = NULL;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_true(refused(hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB, .node = 72,
							      .policy = HPMAP_POLICY_STRICT,
							      .flags = sources[i].flags), &b),
				    -EINVAL, "72"));
}

int test_nodes(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_node_is_kept),
		TEST(all_nodes_take_turns),
		TEST(the_caller_s_policy_stays),
		TEST(each_node_has_its_pool),
		TEST(there_is_no_node_beyond),
	};

	return RUN("nodes", tests);
}
