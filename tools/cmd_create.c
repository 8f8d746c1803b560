// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl create: a buffer with a name. */
#include <stdio.h>

#include "buffer.h"
#include "command.h"
#include "json.h"
#include "report.h"

static int create_make(const struct hpmap_options *o, struct hpmap_buffer **buffer,
		       struct hpmap_info *info)
{
	int ret = hpmap_create(o, buffer);

	if (ret)
		return failed(ret, o->name);
	ret = hpmap_info(*buffer, info);
	if (!ret)
		return 0;
	hpmap_free(*buffer);
	return failed(ret, o->name);
}

static int create_run(const struct args *a)
{
	struct hpmap_info info = { .size = sizeof(info) };
	struct hpmap_options o = a->o;
	struct hpmap_buffer *buffer;
	char text[BUFFER_ROOM];
	struct json_object *json;
	int ret;

	o.name = a->words[0];
	if (!given(a, OPT_SIZE)) {
		complain("how large?" TRY "hpagectl create %s --size 64M", o.name);
		return EXIT_USAGE;
	}
	ret = buffer_name_check(o.name, o.name);
	if (ret)
		return ret;
	if (buffer_exists(o.name)) {
		complain("%s: there is a buffer named %s already" TRY "hpagectl info %s", o.name,
			 o.name, o.name);
		return EXIT_FAILED;
	}
	ret = create_make(&o, &buffer, &info);
	if (ret)
		return ret;
	if (given(a, OPT_JSON)) {
		json = buffer_json(&info);
		json_text(json, "why", hpmap_why(buffer));
		json_print(json);
	} else {
		printf("/dev/hpage/%s has %s\n", o.name, buffer_text(&info, text));
		print_why(hpmap_why(buffer));
	}
	hpmap_free(buffer);
	return EXIT_OK;
}

const struct command cmd_create = {
	.name = "create",
	.synopsis = "NAME --size SIZE [OPTION]...",
	.summary = "make a buffer with a name, /dev/hpage/NAME",
	.more = "It stays until \"hpagectl destroy NAME\" or until the module is removed.\n",
	.options = PLACEMENT | BIT(OPT_MODE) | BIT(OPT_OWNER) | BIT(OPT_GROUP) | BIT(OPT_JSON),
	.min_words = 1,
	.max_words = 1,
	.run = create_run,
};
