// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl top: buffers, holders, reserves and pools, again and again.
 *
 * A look consists of the tables of list, who, reserve and pool. What cannot be
 * seen is told in one line, and the rest is shown.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buffer.h"
#include "cmd_list.h"
#include "cmd_pool.h"
#include "cmd_reserve.h"
#include "cmd_who.h"
#include "command.h"
#include "json.h"
#include "report.h"

#define INTERVAL	2	/* seconds */

/**
 * struct look - what there is at a moment
 * @why: the module cannot be seen, or empty
 * @buffers: as in list
 * @holders: as in who
 * @reserves: as in reserve
 * @pools: as in pool
 */
struct look {
	char why[256];
	struct rows buffers;
	struct rows holders;
	struct rows reserves;
	struct rows pools;
};

/* Look at what the module has. */
static void look_module(struct look *l, const struct args *a)
{
	const char *why;
	int ret = list_rows(&l->buffers);

	if (ret == -ENOENT) {
		who_rows(&l->holders, a);
		return;
	}
	why = hpmap_why(NULL);
	snprintf(l->why, sizeof(l->why), "%.*s", (int)strcspn(why, "\n"), why);
}

/* Complains, and returns an exit code. */
static int look_take(struct look *l, const struct args *a)
{
	int ret = rows_begin(&l->buffers, buffer_columns, NR_BUFFER, a);

	if (!ret)
		ret = reserve_rows(&l->reserves, a);
	if (!ret)
		ret = pool_rows(&l->pools, a);
	if (!ret)
		look_module(l, a);
	return ret;
}

static void look_print_json(const struct look *l)
{
	struct json_object *o = json_object_new_object();

	json_number(o, "time", time(NULL));
	json_object_object_add(o, "buffers", l->buffers.array);
	json_object_object_add(o, "holders", l->holders.array ? l->holders.array :
			       json_object_new_array());
	json_object_object_add(o, "reserves", l->reserves.array);
	json_object_object_add(o, "pools", l->pools.array);
	json_text(o, "why", l->why);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void look_print_table(struct rows *r, const char *none)
{
	if (r->nr) {
		rows_print(r);
	} else {
		puts(none);
		rows_free(r);
	}
	putchar('\n');
}

static void look_print(struct look *l)
{
	char now[32] = "";
	time_t t = time(NULL);
	struct tm tm;

	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	if (localtime_r(&t, &tm))
		strftime(now, sizeof(now), "%F %T", &tm);
	printf("hpagectl top, %s\n\n", now);
	if (*l->why) {
		printf("%s\n\n", l->why);
		rows_free(&l->buffers);
		rows_free(&l->reserves);
	} else {
		look_print_table(&l->buffers, "no buffers");
		look_print_table(&l->holders, "no holders");
		look_print_table(&l->reserves, "no reserves");
	}
	look_print_table(&l->pools, "no pools");
}

static int top_run(const struct args *a)
{
	const struct timespec moment = {
		.tv_sec = given(a, OPT_INTERVAL) ? a->interval : INTERVAL,
	};
	uint64_t last = given(a, OPT_ONCE) ? 1 : given(a, OPT_ITERATIONS) ? a->iterations : 0, nr;
	int ret;

	for (nr = 1;; nr++) {
		struct look l = {};

		ret = look_take(&l, a);
		if (ret)
			return ret;
		if (given(a, OPT_JSON))
			look_print_json(&l);
		else
			look_print(&l);
		if (fflush(stdout) || nr == last)
			return EXIT_OK;
		nanosleep(&moment, NULL);
	}
}

const struct command cmd_top = {
	.name = "top",
	.synopsis = "[--interval SECONDS] [--once | --iterations N] [OPTION]...",
	.summary = "show buffers, their holders, reserves and pools, again and again",
	.more = "With --json each look is an object on a line of its own.\n",
	.options = BIT(OPT_INTERVAL) | BIT(OPT_ONCE) | BIT(OPT_ITERATIONS) | BIT(OPT_BYTES) |
		   BIT(OPT_JSON),
	.run = top_run,
};
