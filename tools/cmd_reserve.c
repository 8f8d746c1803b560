// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl reserve: pages that the module keeps ready. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd_reserve.h"
#include "command.h"
#include "file.h"
#include "json.h"
#include "names.h"
#include "report.h"
#include "rows.h"
#include "save.h"

#define RESERVES	"/sys/class/hpage_map_reserve"
#define STILL		20	/* looks, 50 ms apart */
#define WHY_ROOM	1100

enum {
	RESERVE_BACKING, RESERVE_PAGE, RESERVE_NODE, RESERVE_ASKED, RESERVE_READY, RESERVE_WHY,
	NR_RESERVE
};

static const struct column reserve_columns[NR_RESERVE] = {
	[RESERVE_BACKING] = { "BACKING", "backing", 0 },
	[RESERVE_PAGE] = { "PAGE", "page_size", COLUMN_RIGHT },
	[RESERVE_NODE] = { "NODE", "node", COLUMN_RIGHT },
	[RESERVE_ASKED] = { "ASKED", "asked", COLUMN_RIGHT },
	[RESERVE_READY] = { "READY", "ready", COLUMN_RIGHT },
	[RESERVE_WHY] = { "WHY", "why", COLUMN_LINES },
};

static uint64_t reserve_value(const char *dir, const char *name)
{
	char text[32];

	return file_read(text, sizeof(text), RESERVES "/%s/%s", dir, name) < 0 ? 0 :
		strtoull(text, NULL, 10);
}

/* Is it asked for? Nothing else is shown. */
static bool reserve_is_meant(const struct args *a, const char *kind, uint64_t page_size, int node)
{
	return (!given(a, OPT_BACKING) || !strcmp(kind, backing_name(a->backing))) &&
		(!given(a, OPT_PAGE_SIZE) || page_size == a->o.page_size) &&
		(!given(a, OPT_NODE) || node == a->o.node);
}

/* Add the row of a reserve, if that is asked for. */
static void reserve_row(struct rows *r, const struct args *a, const char *dir)
{
	char kind[16] = "", why[WHY_ROOM];
	uint64_t kb = 0;
	int node = -1;

	if (sscanf(dir, "%15[a-z]-%" SCNu64 "kB-node%d", kind, &kb, &node) != 3 ||
	    !reserve_is_meant(a, kind, kb << 10, node))
		return;
	file_read(why, sizeof(why), RESERVES "/%s/why", dir);
	rows_add(r);
	row_text(r, RESERVE_BACKING, kind);
	row_size(r, RESERVE_PAGE, kb << 10);
	row_signed(r, RESERVE_NODE, node);
	row_number(r, RESERVE_ASKED, reserve_value(dir, "pages"));
	row_number(r, RESERVE_READY, reserve_value(dir, "ready"));
	row_text(r, RESERVE_WHY, why);
}

static int entry_is_no_dot(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

/* There is no directory of reserves, for a reason that the library knows. */
static int reserves_missing(void)
{
	struct hpmap_reserve r = { .struct_size = sizeof(r) };

	return failed(hpmap_get_reserve(HPMAP_BACKING_HUGETLB, 2 << 20, 0, &r), NULL);
}

/* Begin rows, and add those that are meant, if there are any. Returns an exit code. */
int reserve_rows(struct rows *r, const struct args *a)
{
	struct dirent **entries;
	int nr, ret = rows_begin(r, reserve_columns, NR_RESERVE, a), i;

	if (ret)
		return ret;
	nr = scandir(RESERVES, &entries, entry_is_no_dot, alphasort);
	for (i = 0; i < nr; i++) {
		reserve_row(r, a, entries[i]->d_name);
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
	return 0;
}

static int reserve_show(const struct args *a)
{
	struct rows r;
	int ret = reserve_rows(&r, a);

	if (ret)
		return ret;
	if (access(RESERVES, F_OK))
		return reserves_missing();
	if (!r.nr) {
		complain("there is no such reserve" TRY "hpagectl reserve");
		return EXIT_NOT_THERE;
	}
	if (r.array)
		return json_print_member("reserves", r.array);
	rows_print(&r);
	return EXIT_OK;
}

/*
 * The module fills it on its own time. It is done, or the file "why" has the reason why it cannot
 * go on. That of the time before stands there until then, so the pages must stand still, too.
 */
static int reserve_wait(const struct args *a, uint64_t want, const char *dir, const char *what)
{
	const struct timespec moment = { .tv_nsec = 50 * 1000 * 1000 };
	uint64_t ready = reserve_value(dir, "ready"), start = ready, last = ready;
	unsigned int still = 0;
	char why[WHY_ROOM] = "";

	while ((ready = reserve_value(dir, "ready")) != want && !(*why && still > STILL)) {
		still = ready == last ? still + 1 : 0;
		last = ready;
		progress("reserve", ready, want > start ? want : start);
		nanosleep(&moment, NULL);
		if (file_read(why, sizeof(why), RESERVES "/%s/why", dir) < 0) {
			progress_end();
			return reserves_missing();
		}
	}
	progress_end();
	if (!given(a, OPT_JSON)) {
		about_print(stdout);
		printf("%s keeps %" PRIu64 " page%s, %" PRIu64 " %s ready\n", what, want,
		       plural(want), ready, ready == 1 ? "is" : "are");
	}
	if (ready == want)
		return EXIT_OK;
	complain("not more are ready now, it is tried again every 10 seconds: %s", why);
	return EXIT_LESS;
}

/* The node whose reserve is set. */
static int reserve_node(const struct args *a)
{
	return given(a, OPT_NODE) ? a->o.node : 0;
}

/* Save one that is kept, or forget it: after a boot there is none. */
static int reserve_save_one(const struct args *a, const char *dir)
{
	char kind[16] = "", name[96], text[192];
	uint64_t kb = 0, pages;
	int node = -1, ret = 0;

	if (sscanf(dir, "%15[a-z]-%" SCNu64 "kB-node%d", kind, &kb, &node) != 3 ||
	    !reserve_is_meant(a, kind, kb << 10, node))
		return 0;
	pages = reserve_value(dir, "pages");
	/* A dry run has set nothing. */
	if (given(a, OPT_DRY_RUN) && given(a, OPT_SET) && node == reserve_node(a) &&
	    !strcmp(kind, backing_name(a->backing)))
		ret = amount_pages(&a->set, kb << 10, pages, &pages);
	if (ret)
		return ret;
	snprintf(name, sizeof(name), "50-reserve-%s-%s-node%d.conf", kind, SIZE_WORD(kb << 10),
		 node);
	if (!pages)
		return save_remove(CONF_DIR, name, given(a, OPT_DRY_RUN));
	snprintf(text, sizeof(text), "# Written by hpagectl reserve --save.\n[Reserve]\n"
		 "Backing=%s\nPageSize=%s\nNode=%d\nPages=%" PRIu64 "\n", kind,
		 SIZE_WORD(kb << 10), node, pages);
	return save_file(CONF_DIR, name, text, given(a, OPT_DRY_RUN));
}

/* Save those that are meant. Complains, and returns an exit code. */
static int reserve_save(const struct args *a)
{
	struct dirent **entries;
	int nr = scandir(RESERVES, &entries, entry_is_no_dot, alphasort), ret, worst = 0, i;

	if (nr < 0)
		return reserves_missing();
	for (i = 0; i < nr; i++) {
		ret = reserve_save_one(a, entries[i]->d_name);
		if (ret)
			worst = ret;
		free(entries[i]);
	}
	free(entries);
	return worst;
}

/* Set one, without a question if that is given. Complains, and returns an exit code. */
int reserve_set(const struct args *a)
{
	struct hpmap_reserve r = { .struct_size = sizeof(r) };
	const char *kind = backing_name(a->backing);
	int node = reserve_node(a), ret;
	char dir[64], what[96];
	uint64_t want, bytes;

	if (!a->o.page_size) {
		complain("pages of which size?" TRY "sudo hpagectl reserve -p 2M --set %s",
			 a->set.text);
		return EXIT_USAGE;
	}
	ret = hpmap_get_reserve(a->backing, a->o.page_size, node, &r);
	if (ret)
		return failed(ret, NULL);
	ret = amount_pages(&a->set, a->o.page_size, r.asked, &want);
	if (ret)
		return ret;
	if (__builtin_mul_overflow(want, a->o.page_size, &bytes))
		bytes = UINT64_MAX;
	if (want > r.asked &&
	    !confirmed(given(a, OPT_YES) || given(a, OPT_DRY_RUN),
		       "This keeps %s of memory ready for buffers made with --reserve, and away "
		       "from everybody else.", SIZE_TEXT(bytes)))
		return EXIT_UNCONFIRMED;
	snprintf(what, sizeof(what), "the reserve of %s pages of %s on node %d",
		 SIZE_TEXT(a->o.page_size), kind, node);
	snprintf(dir, sizeof(dir), "%s-%" PRIu64 "kB-node%d", kind, a->o.page_size >> 10, node);
	if (given(a, OPT_DRY_RUN)) {
		about_print(stdout);
		printf("echo %" PRIu64 " > " RESERVES "/%s/pages\n", want, dir);
		return EXIT_OK;
	}
	ret = hpmap_set_reserve(a->backing, a->o.page_size, node, want);
	if (!ret)
		return reserve_wait(a, want, dir, what);
	complain("%s cannot be set: %s", what, ret == -ENOMEM ? "the machine has less memory" :
		 strerror(-ret));
	if (exit_code(ret) == EXIT_DENIED && geteuid())
		try_again("sudo ", "");
	return exit_code(ret);
}

static int reserve_run(const struct args *a)
{
	int ret;

	if (!given(a, OPT_SET) && !given(a, OPT_SAVE))
		return reserve_show(a);
	ret = given(a, OPT_SET) ? reserve_set(a) : 0;
	/* What there is then, even if it is less. */
	if (given(a, OPT_JSON) && (!ret || ret == EXIT_LESS))
		reserve_show(a);
	return !ret && given(a, OPT_SAVE) ? reserve_save(a) : ret;
}

const struct command cmd_reserve = {
	.name = "reserve",
	.synopsis = "[--page-size SIZE --set PAGES] [OPTION]...",
	.summary = "show or set what the module keeps ready and zeroed",
	.more = "WHY is the reason why not more are ready.\n",
	.options = BIT(OPT_PAGE_SIZE) | BIT(OPT_NODE) | BIT(OPT_BACKING) | BIT(OPT_SET) |
		   BIT(OPT_SAVE) | BIT(OPT_DRY_RUN) | BIT(OPT_YES) | TABLE,
	.columns = reserve_columns,
	.nr_columns = NR_RESERVE,
	.run = reserve_run,
};
