// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl version: of this command, its library, and the module that is loaded. */
#include <stdio.h>

#include "../lib/loaded.h"
#include "command.h"
#include "file.h"
#include "json.h"
#include "report.h"

static int version_run(const struct args *a)
{
	enum answer loaded = module_loaded();
	struct json_object *o;
	char module[64];
	/* There is none where /sys is not that of the machine. */
	bool known = file_read(module, sizeof(module), "/sys/module/hpage_map/version") > 0;

	if (given(a, OPT_JSON)) {
		o = json_object_new_object();
		json_text(o, "hpagectl", hpmap_version());
		json_object_object_add(o, "module", known ? json_string(module) : NULL);
		return json_print(o);
	}
	printf("hpagectl %s\nmodule   %s\n", hpmap_version(),
	       known ? module : loaded == NO ? "not loaded" :
	       loaded == YES ? "loaded; which version cannot be seen from here" :
	       "cannot be seen from here");
	return EXIT_OK;
}

const struct command cmd_version = {
	.name = "version",
	.synopsis = "[--json]",
	.summary = "show the versions of hpagectl and of the module that is loaded",
	.options = BIT(OPT_JSON),
	.run = version_run,
};
