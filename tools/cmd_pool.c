// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl pool: the kernel's pools of huge pages.
 *
 * The kernel sets a pool in one long write and may stop short of it. Here it is
 * raised in steps, so that somebody sees how far it is, and when it stops
 * memory is compacted and it is tried again.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hpagectl.h"

#define MM	"/sys/kernel/mm"
#define MAX_SIZES	32
#define STEPS	50
#define TRIES	3

static void show(uint64_t page_size, int node, struct json_object *array)
{
	char page[SIZE_ROOM], name[16], numbers[4][24], size[SIZE_ROOM];
	struct hpmap_pool p = { .size = sizeof(p) };
	struct json_object *o;

	if (hpmap_pool(page_size, node, &p))
		return;
	if (array) {
		o = json_object_new_object();
		json_number(o, "page_size", page_size);
		json_signed(o, "node", node);
		json_number(o, "total", p.total);
		json_number(o, "free", p.free);
		json_number(o, "promised", p.promised);
		json_number(o, "surplus", p.surplus);
		json_number(o, "overcommit", p.overcommit);
		json_object_array_add(array, o);
		return;
	}
	snprintf(numbers[0], sizeof(numbers[0]), "%" PRIu64, p.total);
	snprintf(numbers[1], sizeof(numbers[1]), "%" PRIu64, p.free);
	snprintf(numbers[2], sizeof(numbers[2]), "%" PRIu64, p.promised);
	snprintf(numbers[3], sizeof(numbers[3]), "%" PRIu64, p.surplus);
	table_row(7, size_show(page_size, page), node < 0 ? "all" : node_name(node, name),
		  numbers[0], numbers[1], node < 0 ? numbers[2] : "-", numbers[3],
		  size_show(p.total * page_size, size));
}

/* The page sizes that have pools, at least one. Complains, and returns an exit code. */
static int page_sizes(uint64_t sizes[MAX_SIZES], unsigned int *nr)
{
	int ret;

	*nr = MAX_SIZES;
	ret = hpmap_page_sizes(sizes, nr);
	if (ret)
		return failed(ret, NULL);
	if (*nr > MAX_SIZES)
		*nr = MAX_SIZES;
	if (*nr)
		return 0;
	if (access(MM, F_OK)) {
		complain("pools cannot be seen from here, since there is no " MM " (try: mount -t "
			 "sysfs sysfs /sys, as root)");
		return EXIT_FAILED;
	}
	complain("this kernel has no pools of huge pages");
	return EXIT_NOT_THERE;
}

/* Are there pools, and the one that is asked for? Complains, and returns an exit code. */
static int check(const struct args *a, uint64_t sizes[MAX_SIZES], unsigned int *nr)
{
	char all[MAX_SIZES * (SIZE_ROOM + 2)] = "", size[SIZE_ROOM];
	int ret = page_sizes(sizes, nr);
	unsigned int i;

	if (ret)
		return ret;
	if (given(a, OPT_NODE) && !node_there(a->node))
		return EXIT_NOT_THERE;
	for (i = 0; i < *nr; i++) {
		if (!given(a, OPT_PAGE_SIZE) || sizes[i] == a->page_size)
			return 0;
		strcat(strcat(all, i ? ", " : ""), size_show(sizes[i], size));
	}
	complain("there is no pool of %" PRIu64 " bytes a page; there are pools of %s",
		 a->page_size, all);
	return EXIT_NOT_THERE;
}

static int show_all(const struct args *a)
{
	struct json_object *o = NULL, *array = NULL;
	int nodes[MAX_NODES], nr_nodes = nodes_online(nodes), n, ret;
	uint64_t sizes[MAX_SIZES];
	unsigned int nr, i;

	ret = check(a, sizes, &nr);
	if (ret)
		return ret;
	if (given(a, OPT_JSON)) {
		o = json_object_new_object();
		array = json_object_new_array();
		json_object_object_add(o, "pools", array);
	} else {
		table_row(7, "PAGE", "NODE", "TOTAL", "FREE", "PROMISED", "SURPLUS", "SIZE");
	}
	for (i = 0; i < nr; i++) {
		if (given(a, OPT_PAGE_SIZE) && sizes[i] != a->page_size)
			continue;
		if (!given(a, OPT_NODE))
			show(sizes[i], -1, array);
		for (n = 0; n < nr_nodes; n++)
			if (given(a, OPT_NODE) ? nodes[n] == a->node : nr_nodes > 1)
				show(sizes[i], nodes[n], array);
	}
	if (given(a, OPT_JSON))
		return print_json(o);
	table_print();
	return EXIT_OK;
}

static int write_pool(uint64_t page_size, int node, uint64_t pages)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, pages);
	if (node < 0)
		return file_write(text, "/sys/kernel/mm/hugepages/hugepages-%" PRIu64
				  "kB/nr_hugepages", page_size >> 10);
	return file_write(text, "/sys/devices/system/node/node%d/hugepages/hugepages-%" PRIu64
			  "kB/nr_hugepages", node, page_size >> 10);
}

static uint64_t total(uint64_t page_size, int node)
{
	struct hpmap_pool p = { .size = sizeof(p) };

	return hpmap_pool(page_size, node, &p) ? 0 : p.total;
}

static uint64_t raise_pool(uint64_t page_size, int node, uint64_t from, uint64_t to)
{
	uint64_t step = (to - from) / STEPS + 1, want = from, got = from, last;
	int tries = 0;

	while (got < to && tries < TRIES) {
		want = to - got > step ? got + step : to;
		last = got;
		if (write_pool(page_size, node, want))
			break;
		got = total(page_size, node);
		progress("huge pages", got - from, to - from);
		if (got >= want)
			continue;
		/* Stuck. Move memory together, and see whether that helped. */
		file_write("1", "/proc/sys/vm/compact_memory");
		tries = got > last ? 0 : tries + 1;
	}
	progress_end();
	return got;
}

/* Short of memory the kernel would end programs to have it. Returns an exit code. */
static int may_raise(const struct args *a, uint64_t page_size, uint64_t more)
{
	char taken[SIZE_ROOM], left[SIZE_ROOM];
	uint64_t bytes, available;

	if (__builtin_mul_overflow(more, page_size, &bytes))
		bytes = UINT64_MAX;
	size_show(bytes, taken);
	if (memory_available(&available) == UNSEEN)
		return confirmed(a, "This takes %s of memory, of which cannot be seen from here "
				 "how much is available (/proc/meminfo).", taken) ?
			0 : EXIT_UNCONFIRMED;
	size_show(available, left);
	if (bytes > available) {
		complain("%s more are needed, and %s of memory are available (try: free -m, and "
			 "fewer pages)", taken, left);
		return EXIT_LESS;
	}
	return confirmed(a, "This takes %s of the %s of memory that are available. Programs that "
			 "do not use huge pages cannot have it then.", taken, left) ?
		0 : EXIT_UNCONFIRMED;
}

static int report(const struct args *a, uint64_t page_size, uint64_t before, uint64_t got)
{
	char page[SIZE_ROOM];

	printf("the pool of %s pages%s has %" PRIu64 ", before %" PRIu64 "\n",
	       size_show(page_size, page), given(a, OPT_NODE) ? " of that node" : "", got, before);
	if (got == a->set)
		return EXIT_OK;
	if (got > a->set)
		complain("%" PRIu64 " pages too many are in use, and leave the pool when they are "
			 "freed (try: hpagectl who)", got - a->set);
	else
		complain("got %" PRIu64 " of %" PRIu64 " pages: memory is short or fragmented "
			 "(try: again after other programs have ended, or at boot with "
			 "hugepagesz=%" PRIu64 "K hugepages=%" PRIu64 " on the kernel's command "
			 "line)", got, a->set, page_size >> 10, a->set);
	return EXIT_LESS;
}

static int set(const struct args *a)
{
	struct hpmap_pool p = { .size = sizeof(p) };
	uint64_t page_size = a->page_size, got, sizes[MAX_SIZES];
	unsigned int nr;
	int ret;

	if (given(a, OPT_JSON)) {
		complain("--set and --json exclude each other");
		return EXIT_USAGE;
	}
	if (!page_size) {
		complain("the pool of which pages? (try: hpagectl pool --page-size 2M --set %"
			 PRIu64 ")", a->set);
		return EXIT_USAGE;
	}
	ret = check(a, sizes, &nr);
	if (ret)
		return ret;
	ret = hpmap_pool(page_size, a->node, &p);
	if (ret)
		return failed(ret, NULL);
	if (a->set > p.total)
		ret = may_raise(a, page_size, a->set - p.total);
	if (ret)
		return ret;
	/* Whether it may be written at all, before something is said about pages. */
	ret = write_pool(page_size, a->node, a->set < p.total ? a->set : p.total);
	if (ret) {
		complain("the pool cannot be set: %s%s", strerror(-ret),
			 exit_code(ret) == EXIT_DENIED ? " (try: as root)" : "");
		return exit_code(ret);
	}
	got = a->set > p.total ? raise_pool(page_size, a->node, p.total, a->set) :
		total(page_size, a->node);
	return report(a, page_size, p.total, got);
}

static int pool(const struct args *a)
{
	return given(a, OPT_SET) ? set(a) : show_all(a);
}

const struct command cmd_pool = {
	.name = "pool",
	.synopsis = "[--page-size SIZE] [--node N] [--set PAGES] [OPTION]...",
	.summary = "show or set the kernel's pools of huge pages",
	.more = "PROMISED pages are free, and kept for mappings that have not touched them yet.\n"
		"SURPLUS pages leave the pool when they are freed.\n",
	.options = BIT(OPT_PAGE_SIZE) | BIT(OPT_NODE) | BIT(OPT_SET) | BIT(OPT_YES) |
		   BIT(OPT_JSON),
	.run = pool,
};
