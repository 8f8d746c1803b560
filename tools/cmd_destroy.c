// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl destroy: take names away. */
#include <stdio.h>
#include <string.h>

#include "buffer.h"
#include "command.h"
#include "json.h"
#include "parse.h"
#include "report.h"

/*
 * Find the buffer whose name is to be taken away. Complains, and returns an exit code. A number is
 * no id unless it says so: a name that is a number may be gone, and the id be another buffer's.
 */
static int destroy_find(const char *name, struct hpmap_info *info)
{
	uint64_t number;
	int ret = strcmp(name, "default") ? buffer_find(name, info) : EXIT_USAGE;

	if (!ret && !number_read(name, &number) && strcmp(info->name, name)) {
		complain("there is no buffer with the name %s" TRY "hpagectl destroy id:%s", name,
			 name);
		return EXIT_NOT_THERE;
	}
	if (ret == EXIT_USAGE || (!ret && !(info->attributes & HPMAP_ATTR_NAMED))) {
		complain("%s has no name that could be taken away; it goes with its last holder"
			 TRY "hpagectl who %s", name, name);
		return EXIT_USAGE;
	}
	return ret;
}

static int destroy_one(const struct args *a, const char *name)
{
	struct hpmap_info info;
	struct held held;
	char text[HELD_ROOM];
	int ret = destroy_find(name, &info);

	if (ret)
		return ret;
	if (held_read(info.id, &held))
		held = (struct held){};
	if (given(a, OPT_DRY_RUN)) {
		held_text(&held, text);
		printf("would take the name of /dev/hpage/%s away, with %s%s%s\n", info.name,
		       SIZE_TEXT(info.size), *text ? ", when it is free of " : "", text);
		return EXIT_OK;
	}
	if (held_at_all(&held) &&
	    !confirmed(given(a, OPT_YES), "%s is in use by %s (hpagectl who %s). Holders keep it, "
		       "and the memory is free when the last of them goes.", info.name,
		       held_text(&held, text), info.name))
		return EXIT_UNCONFIRMED;
	ret = hpmap_destroy(info.name);
	return ret ? failed(ret, NULL) : EXIT_OK;
}

static int destroy_run(const struct args *a)
{
	struct json_object *names = json_object_new_array();
	int i, ret, worst = EXIT_OK;

	for (i = 0; i < a->nr_words; i++) {
		ret = destroy_one(a, a->words[i]);
		if (ret)
			worst = ret;
		else
			json_object_array_add(names, json_string(a->words[i]));
	}
	if (given(a, OPT_JSON))
		json_print_member("destroyed", names);
	else
		json_object_put(names);
	return worst;
}

const struct command cmd_destroy = {
	.name = "destroy",
	.synopsis = "NAME... [--dry-run | --yes] [--json]",
	.summary = "take the name of a buffer away, and its memory when nobody uses it",
	.more = "Asks first if a program, a dma-buf, a driver or a device has the buffer.\n",
	.options = BIT(OPT_DRY_RUN) | BIT(OPT_YES) | BIT(OPT_JSON),
	.min_words = 1,
	.max_words = 1000,
	.run = destroy_run,
};
