// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl pool: the kernel's pools of huge pages.
 *
 * The kernel sets a pool in one long write and may stop short of it. Here it is
 * raised in steps, so that somebody sees how far it is, and when it stops
 * memory is compacted and it is tried again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd_pool.h"
#include "command.h"
#include "file.h"
#include "json.h"
#include "names.h"
#include "nodes.h"
#include "report.h"
#include "rows.h"
#include "save.h"
#include "touch.h"

#define MM		"/sys/kernel/mm"
#define MAX_SIZES	32
#define STEPS		50
#define TRIES		3
#define PATH_ROOM	128

enum {
	POOL_PAGE, POOL_NODE, POOL_TOTAL, POOL_FREE, POOL_PROMISED, POOL_SURPLUS, POOL_OVERCOMMIT,
	POOL_SIZE, NR_POOL
};

static const struct column pool_columns[NR_POOL] = {
	[POOL_PAGE] = { "PAGE", "page_size", COLUMN_RIGHT },
	[POOL_NODE] = { "NODE", "node", COLUMN_RIGHT },
	[POOL_TOTAL] = { "TOTAL", "total", COLUMN_RIGHT },
	[POOL_FREE] = { "FREE", "free", COLUMN_RIGHT },
	[POOL_PROMISED] = { "PROMISED", "promised", COLUMN_RIGHT },
	[POOL_SURPLUS] = { "SURPLUS", "surplus", COLUMN_RIGHT },
	[POOL_OVERCOMMIT] = { "OVERCOMMIT", "overcommit", COLUMN_RIGHT | COLUMN_MORE },
	[POOL_SIZE] = { "SIZE", NULL, COLUMN_RIGHT },
};

/* Add the row of a pool; @node is -1 for all of it. */
static void pool_row(struct rows *r, uint64_t page_size, int node)
{
	struct hpmap_pool p = { .struct_size = sizeof(p) };

	if (hpmap_get_pool(page_size, node, &p))
		return;
	rows_add(r);
	row_size(r, POOL_PAGE, page_size);
	row_signed(r, POOL_NODE, node);
	row_number(r, POOL_TOTAL, p.total);
	row_number(r, POOL_FREE, p.free);
	row_number(r, POOL_PROMISED, p.promised);
	row_number(r, POOL_SURPLUS, p.surplus);
	row_number(r, POOL_OVERCOMMIT, p.overcommit);
	row_size(r, POOL_SIZE, p.total * page_size);
	if (node < 0) {
		row_show(r, POOL_NODE, "all");
	} else {
		row_show(r, POOL_PROMISED, "-");
		row_show(r, POOL_OVERCOMMIT, "-");
	}
}

/* The page sizes that have pools, at least one. Complains, and returns an exit code. */
static int pool_sizes(uint64_t sizes[MAX_SIZES], unsigned int *nr)
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
		complain("pools cannot be seen from here, since there is no " MM
			 TRY "sudo mount -t sysfs sysfs /sys");
		return EXIT_FAILED;
	}
	complain("this kernel has no pools of huge pages");
	return EXIT_NOT_THERE;
}

/* Are there pools, and the one that is asked for? Complains, and returns an exit code. */
static int pool_check(const struct args *a, uint64_t sizes[MAX_SIZES], unsigned int *nr)
{
	char all[MAX_SIZES * (SIZE_ROOM + 2)] = "";
	int ret = pool_sizes(sizes, nr);
	unsigned int i;

	if (ret)
		return ret;
	if (given(a, OPT_NODE) && !node_is_there(a->o.node))
		return EXIT_NOT_THERE;
	for (i = 0; i < *nr; i++) {
		if (!given(a, OPT_PAGE_SIZE) || sizes[i] == a->o.page_size)
			return 0;
		strcat(strcat(all, i ? ", " : ""), SIZE_TEXT(sizes[i]));
	}
	complain("there is no pool of %s pages; there are those of %s", SIZE_TEXT(a->o.page_size),
		 all);
	return EXIT_NOT_THERE;
}

/* Begin rows, and add those that are meant. Complains, and returns an exit code. */
int pool_rows(struct rows *r, const struct args *a)
{
	int nodes[MAX_NODES], nr_nodes = nodes_online(nodes), n, ret;
	uint64_t sizes[MAX_SIZES];
	unsigned int nr, i;

	ret = rows_begin(r, pool_columns, NR_POOL, a);
	if (!ret)
		ret = pool_check(a, sizes, &nr);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++) {
		if (given(a, OPT_PAGE_SIZE) && sizes[i] != a->o.page_size)
			continue;
		if (!given(a, OPT_NODE))
			pool_row(r, sizes[i], -1);
		for (n = 0; n < nr_nodes; n++)
			if (given(a, OPT_NODE) ? nodes[n] == a->o.node : nr_nodes > 1)
				pool_row(r, sizes[i], nodes[n]);
	}
	return 0;
}

static int pool_show(const struct args *a)
{
	struct rows r;
	int ret = pool_rows(&r, a);

	if (ret)
		return ret;
	if (r.array)
		return json_print_member("pools", r.array);
	rows_print(&r);
	return EXIT_OK;
}

/* The file to which the library writes, as "nr_hugepages". */
static void pool_path(const struct args *a, const char *file, char path[PATH_ROOM])
{
	char dir[48] = MM;

	if (a->o.node >= 0)
		snprintf(dir, sizeof(dir), "/sys/devices/system/node/node%d", a->o.node);
	snprintf(path, PATH_ROOM, "%s/hugepages/hugepages-%" PRIu64 "kB/%s", dir,
		 a->o.page_size >> 10, file);
}

/* What the library would write, in the way of a shell. */
static int pool_print(const struct args *a, const char *file, uint64_t pages)
{
	char path[PATH_ROOM];

	pool_path(a, file, path);
	about_print(stdout);
	printf("echo %" PRIu64 " > %s\n", pages, path);
	return EXIT_OK;
}

/* Returns how many pages there are then. */
static uint64_t pool_raise(const struct args *a, uint64_t from, uint64_t to)
{
	uint64_t step = (to - from) / STEPS + 1, want = from, got = from, last;
	int tries = 0;

	while (got < to && tries < TRIES) {
		want = to - got > step ? got + step : to;
		last = got;
		if (hpmap_set_pool(a->o.page_size, a->o.node, want, &got))
			break;
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
static int pool_may_raise(const struct args *a, uint64_t more)
{
	bool yes = given(a, OPT_YES) || given(a, OPT_DRY_RUN), confirm;
	uint64_t bytes, available;

	if (__builtin_mul_overflow(more, a->o.page_size, &bytes))
		bytes = UINT64_MAX;
	if (memory_available(&available) == UNSEEN) {
		confirm = confirmed(yes, "This takes %s of memory, of which cannot be seen from "
				    "here how much is available (/proc/meminfo).",
				    SIZE_TEXT(bytes));
		return confirm ? 0 : EXIT_UNCONFIRMED;
	}
	if (bytes > available) {
		complain("%s more are needed, and %s of memory are available", SIZE_TEXT(bytes),
			 SIZE_TEXT(available));
		return EXIT_LESS;
	}
	confirm = confirmed(yes, "This takes %s of the %s of memory that are available. Programs "
			    "that do not use huge pages cannot have it then.", SIZE_TEXT(bytes),
			    SIZE_TEXT(available));
	return confirm ? 0 : EXIT_UNCONFIRMED;
}

/* Print what came of it. Returns an exit code. */
static int pool_report(const struct args *a, uint64_t before, uint64_t want, uint64_t got)
{
	uint64_t size = a->o.page_size;

	if (!given(a, OPT_JSON)) {
		about_print(stdout);
		printf("the pool of %s pages%s has %" PRIu64 ", before %" PRIu64 "\n",
		       SIZE_TEXT(size), given(a, OPT_NODE) ? " of that node" : "", got, before);
	}
	if (got == want)
		return EXIT_OK;
	if (got > want)
		complain("%" PRIu64 " page%s too many are in use, and leave the pool when they are "
			 "freed" TRY "hpagectl who", got - want, plural(got - want));
	else
		complain("got %" PRIu64 " of %" PRIu64 " page%s: memory is short or fragmented"
			 TRY "hugepagesz=%s hugepages=%" PRIu64 " on the kernel's command line",
			 got, want, plural(want), SIZE_WORD(size), want);
	return EXIT_LESS;
}

/* Complain that it cannot be set, and return an exit code. */
static int pool_closed(int ret)
{
	complain("the pool cannot be set: %s", strerror(-ret));
	if (exit_code(ret) == EXIT_DENIED && geteuid())
		try_again("sudo ", "");
	return exit_code(ret);
}

/* What is surplus was not set. */
static uint64_t pool_pages_set(const struct hpmap_pool *p)
{
	return p->total - p->surplus;
}

static int pool_set_total(const struct args *a, const struct hpmap_pool *p)
{
	uint64_t want, got;
	int ret = amount_pages(&a->set, a->o.page_size, pool_pages_set(p), &want);
	char path[PATH_ROOM];

	pool_path(a, "nr_hugepages", path);
	/* Nobody is asked about what is refused then. */
	if (!ret && !given(a, OPT_DRY_RUN) && access(path, W_OK))
		ret = pool_closed(-errno);
	if (!ret && want > p->total)
		ret = pool_may_raise(a, want - p->total);
	if (ret)
		return ret;
	if (given(a, OPT_DRY_RUN))
		return pool_print(a, "nr_hugepages", want);
	/* Whether it may be written at all, before something is printed about pages. */
	ret = hpmap_set_pool(a->o.page_size, a->o.node, want < p->total ? want : p->total, &got);
	if (ret)
		return pool_closed(ret);
	if (want > p->total)
		got = pool_raise(a, p->total, want);
	return pool_report(a, p->total, want, got);
}

static int pool_set_overcommit(const struct args *a, const struct hpmap_pool *p)
{
	uint64_t want;
	int ret = amount_pages(&a->overcommit, a->o.page_size, p->overcommit, &want);

	if (ret)
		return ret;
	if (given(a, OPT_DRY_RUN))
		return pool_print(a, "nr_overcommit_hugepages", want);
	ret = hpmap_set_overcommit(a->o.page_size, want);
	if (ret)
		return pool_closed(ret);
	if (given(a, OPT_JSON))
		return EXIT_OK;
	about_print(stdout);
	printf("the pool of %s pages may take %" PRIu64 " more on demand, before %" PRIu64 "\n",
	       SIZE_TEXT(a->o.page_size), want, p->overcommit);
	return EXIT_OK;
}

/* One file: of a node, or of all; of the second the pages only where there are no nodes to tell. */
static int pool_save_one(const struct args *a, uint64_t page_size, int node, bool pages)
{
	struct hpmap_pool p = { .struct_size = sizeof(p) };
	char name[64], text[256], on_node[24] = "";
	int ret = hpmap_get_pool(page_size, node, &p), length;
	uint64_t total, overcommit;

	if (ret)
		return failed(ret, NULL);
	/* A dry run has set nothing. */
	total = pool_pages_set(&p);
	overcommit = p.overcommit;
	if (given(a, OPT_DRY_RUN) && given(a, OPT_SET))
		ret = amount_pages(&a->set, page_size, total, &total);
	if (!ret && given(a, OPT_DRY_RUN) && given(a, OPT_OVERCOMMIT))
		ret = amount_pages(&a->overcommit, page_size, overcommit, &overcommit);
	if (ret)
		return ret;
	if (node >= 0)
		snprintf(on_node, sizeof(on_node), "-node%d", node);
	snprintf(name, sizeof(name), "50-pool-%s%s.conf", SIZE_WORD(page_size), on_node);
	length = snprintf(text, sizeof(text), "# Written by hpagectl pool --save.\n[Pool]\n"
			  "PageSize=%s\n", SIZE_WORD(page_size));
	if (node >= 0)
		length += snprintf(text + length, sizeof(text) - length, "Node=%d\n", node);
	else
		length += snprintf(text + length, sizeof(text) - length, "Overcommit=%" PRIu64
				   "\n", overcommit);
	if (pages)
		snprintf(text + length, sizeof(text) - length, "Pages=%" PRIu64 "\n", total);
	return save_file(CONF_DIR, name, text, given(a, OPT_DRY_RUN));
}

/* Save the pools that are meant. Complains, and returns an exit code. */
static int pool_save(const struct args *a)
{
	int nodes[MAX_NODES], nr_nodes = nodes_online(nodes), n, ret;
	bool unknown = given(a, OPT_DRY_RUN) && given(a, OPT_SET) && !given(a, OPT_NODE) &&
		       nr_nodes > 1;
	uint64_t sizes[MAX_SIZES];
	unsigned int nr, i;

	ret = pool_check(a, sizes, &nr);
	for (i = 0; !ret && i < nr; i++) {
		if (given(a, OPT_PAGE_SIZE) && sizes[i] != a->o.page_size)
			continue;
		if (!given(a, OPT_NODE))
			ret = pool_save_one(a, sizes[i], -1, nr_nodes == 1);
		/* How the kernel divides them is seen when it has. */
		if (!ret && unknown) {
			printf("and a file for each node, with the pages that it has then\n");
			continue;
		}
		for (n = 0; !ret && n < nr_nodes; n++)
			if (given(a, OPT_NODE) ? nodes[n] == a->o.node : nr_nodes > 1)
				ret = pool_save_one(a, sizes[i], nodes[n], true);
	}
	return ret;
}

/* Set one, without a question if that is given. Complains, and returns an exit code. */
int pool_set(const struct args *a)
{
	struct hpmap_pool p = { .struct_size = sizeof(p) };
	uint64_t sizes[MAX_SIZES];
	unsigned int nr;
	int ret;

	if (!a->o.page_size) {
		complain("the pool of which pages?" TRY "sudo hpagectl pool -p 2M --%s %s",
			 given(a, OPT_SET) ? "set" : "overcommit",
			 given(a, OPT_SET) ? a->set.text : a->overcommit.text);
		return EXIT_USAGE;
	}
	ret = pool_check(a, sizes, &nr);
	if (ret)
		return ret;
	ret = hpmap_get_pool(a->o.page_size, a->o.node, &p);
	if (ret)
		return failed(ret, NULL);
	if (given(a, OPT_OVERCOMMIT))
		ret = pool_set_overcommit(a, &p);
	return !ret && given(a, OPT_SET) ? pool_set_total(a, &p) : ret;
}

static int pool_run(const struct args *a)
{
	bool set = given(a, OPT_SET) || given(a, OPT_OVERCOMMIT);
	int ret;

	if (!set && !given(a, OPT_SAVE))
		return pool_show(a);
	ret = set ? pool_set(a) : 0;
	/* What there is then, even if it is less. */
	if (given(a, OPT_JSON) && (!ret || ret == EXIT_LESS))
		pool_show(a);
	return !ret && given(a, OPT_SAVE) ? pool_save(a) : ret;
}

const struct command cmd_pool = {
	.name = "pool",
	.synopsis = "[--page-size SIZE] [--node N] [--set PAGES] [OPTION]...",
	.summary = "show or set the kernel's pools of huge pages",
	.more = "PROMISED pages are free, and kept for mappings that have not touched them yet.\n"
		"SURPLUS pages leave the pool when they are freed.\n",
	.options = BIT(OPT_PAGE_SIZE) | BIT(OPT_NODE) | BIT(OPT_SET) |
		   BIT(OPT_OVERCOMMIT) | BIT(OPT_SAVE) | BIT(OPT_DRY_RUN) | BIT(OPT_YES) | TABLE,
	.columns = pool_columns,
	.nr_columns = NR_POOL,
	.run = pool_run,
};
