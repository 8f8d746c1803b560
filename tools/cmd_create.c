// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl create: a buffer with a name. */
#include "hpagectl.h"

static int create(const struct args *a)
{
	struct hpmap_info info = { .size = sizeof(info) };
	struct hpmap_buffer *buffer;
	struct hpmap_options o;
	char text[160];
	int ret;

	if (!given(a, OPT_SIZE)) {
		complain("how large? (try: hpagectl create %s --size 64M)", a->words[0]);
		return EXIT_USAGE;
	}
	args_options(a, &o);
	o.name = a->words[0];
	ret = check_name(o.name, o.name);
	if (ret)
		return ret;
	if (name_taken(o.name)) {
		complain("%s: there is a buffer named %s already (try: another name)", o.name,
			 o.name);
		return EXIT_FAILED;
	}
	ret = hpmap_create(&o, &buffer);
	if (ret)
		return failed(ret, o.name);
	ret = hpmap_info(buffer, &info);
	if (ret) {
		hpmap_free(buffer);
		return failed(ret, o.name);
	}
	if (given(a, OPT_JSON)) {
		struct json_object *json = buffer_json(&info);

		json_text(json, "why", hpmap_why(buffer));
		print_json(json);
	} else {
		describe(text, sizeof(text), info.length, info.page_size, info.backing,
			 info.nr_runs, info.node);
		printf("/dev/hpage/%s has %s\n", o.name, text);
		if (*hpmap_why(buffer))
			printf("nothing better, because: %s\n", hpmap_why(buffer));
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
	.run = create,
};
