// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl reserve: pages that the module keeps ready. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hpagectl.h"

#define RESERVES	"/sys/class/hpage_map_reserve"
#define STILL		20	/* looks, 50 ms apart */

static uint64_t value(const char *dir, const char *name)
{
	char text[32];

	return file_read(text, sizeof(text), RESERVES "/%s/%s", dir, name) < 0 ? 0 :
		strtoull(text, NULL, 10);
}

/* Is it asked for? Nothing else is shown. */
static bool is_meant(const struct args *a, const char *kind, uint64_t page_size, int node)
{
	return (!given(a, OPT_BACKING) || !strcmp(kind, backing_name(a->backing))) &&
		(!given(a, OPT_PAGE_SIZE) || page_size == a->page_size) &&
		(!given(a, OPT_NODE) || node == a->node);
}

/* Returns whether it is one that is asked for. */
static bool show(const struct args *a, const char *dir, struct json_object *array)
{
	char kind[16] = "", why[1100], page[SIZE_ROOM], numbers[2][24], node[16];
	uint64_t asked = value(dir, "pages"), ready = value(dir, "ready"), kb = 0;
	struct json_object *o;
	int n = -1;

	if (sscanf(dir, "%15[a-z]-%" SCNu64 "kB-node%d", kind, &kb, &n) != 3 ||
	    !is_meant(a, kind, kb << 10, n))
		return false;
	file_read(why, sizeof(why), RESERVES "/%s/why", dir);
	if (array) {
		o = json_object_new_object();
		json_text(o, "backing", kind);
		json_number(o, "page_size", kb << 10);
		json_signed(o, "node", n);
		json_number(o, "asked", asked);
		json_number(o, "ready", ready);
		json_text(o, "why", why);
		json_object_array_add(array, o);
		return true;
	}
	snprintf(numbers[0], sizeof(numbers[0]), "%" PRIu64, asked);
	snprintf(numbers[1], sizeof(numbers[1]), "%" PRIu64, ready);
	table_row(6, kind, size_show(kb << 10, page), node_name(n, node), numbers[0], numbers[1],
		  why);
	return true;
}

static int not_dot(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

static int show_all(const struct args *a)
{
	struct json_object *o = NULL, *array = NULL;
	struct dirent **entries;
	int nr = scandir(RESERVES, &entries, not_dot, alphasort), shown = 0, i;

	if (nr < 0)
		return no_module("a reserve");
	if (given(a, OPT_JSON)) {
		o = json_object_new_object();
		array = json_object_new_array();
		json_object_object_add(o, "reserves", array);
	} else {
		table_row(6, "BACKING", "PAGE", "NODE", "ASKED", "READY", "WHY NOT MORE");
	}
	for (i = 0; i < nr; i++) {
		shown += show(a, entries[i]->d_name, array);
		free(entries[i]);
	}
	free(entries);
	if (!shown) {
		complain("there is no such reserve (try: ls " RESERVES ")");
		return EXIT_NOT_THERE;
	}
	if (given(a, OPT_JSON))
		return print_json(o);
	table_print();
	return EXIT_OK;
}

/*
 * The module fills it on its own time. It is done, or says why it cannot go on:
 * what it said the time before stands there until then, so it must stand still, too.
 */
static int wait_ready(const struct args *a, const char *dir)
{
	const struct timespec moment = { .tv_nsec = 50 * 1000 * 1000 };
	uint64_t ready = value(dir, "ready"), start = ready, last = ready;
	unsigned int still = 0;
	char why[1100] = "";

	while ((ready = value(dir, "ready")) != a->set && !(*why && still > STILL)) {
		still = ready == last ? still + 1 : 0;
		last = ready;
		progress("reserve", ready, a->set > start ? a->set : start);
		nanosleep(&moment, NULL);
		if (file_read(why, sizeof(why), RESERVES "/%s/why", dir) < 0) {
			progress_end();
			return no_module("a reserve");
		}
	}
	progress_end();
	printf("%s keeps %" PRIu64 " pages, %" PRIu64 " are ready\n", dir, a->set, ready);
	if (ready == a->set)
		return EXIT_OK;
	complain("not more are ready now, it is tried again every 10 seconds: %s", why);
	return EXIT_LESS;
}

static int set(const struct args *a)
{
	struct hpmap_reserve r = { .size = sizeof(r) };
	char dir[64], text[24], size[SIZE_ROOM];
	int node = given(a, OPT_NODE) ? a->node : 0, ret;
	uint64_t bytes;

	if (given(a, OPT_JSON)) {
		complain("--set and --json exclude each other");
		return EXIT_USAGE;
	}
	if (!a->page_size) {
		complain("pages of which size? (try: hpagectl reserve --page-size 2M --set %"
			 PRIu64 ")", a->set);
		return EXIT_USAGE;
	}
	if (access(RESERVES, F_OK))
		return no_module("a reserve");
	ret = hpmap_reserve(a->backing, a->page_size, node, &r);
	if (ret)
		return failed(ret, NULL);
	if (__builtin_mul_overflow(a->set, a->page_size, &bytes))
		bytes = UINT64_MAX;
	if (a->set > r.asked &&
	    !confirmed(a, "This keeps %s of memory ready for buffers made with --reserve, and away "
		       "from everybody else.", size_show(bytes, size)))
		return EXIT_UNCONFIRMED;
	snprintf(dir, sizeof(dir), "%s-%" PRIu64 "kB-node%d", backing_name(a->backing),
		 a->page_size >> 10, node);
	snprintf(text, sizeof(text), "%" PRIu64, a->set);
	ret = file_write(text, RESERVES "/%s/pages", dir);
	if (ret) {
		complain("%s cannot be set: %s%s", dir, strerror(-ret),
			 ret == -ENOMEM ? ", that is more than the machine's memory" :
			 exit_code(ret) == EXIT_DENIED ? " (try: as root)" : "");
		return exit_code(ret);
	}
	return wait_ready(a, dir);
}

static int reserve(const struct args *a)
{
	return given(a, OPT_SET) ? set(a) : show_all(a);
}

const struct command cmd_reserve = {
	.name = "reserve",
	.synopsis = "[--page-size SIZE --set PAGES] [OPTION]...",
	.summary = "show or set what the module keeps ready and zeroed",
	.options = BIT(OPT_PAGE_SIZE) | BIT(OPT_NODE) | BIT(OPT_BACKING) | BIT(OPT_SET) |
		   BIT(OPT_YES) | BIT(OPT_JSON),
	.run = reserve,
};
