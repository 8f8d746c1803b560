// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl list: the module's buffers. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "buffer.h"
#include "cmd_list.h"
#include "command.h"
#include "json.h"
#include "openmetrics.h"
#include "report.h"

/* Add a row for each. Returns -ENOENT when all are there, or -errno. */
int list_rows(struct rows *r)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	uint32_t id;
	int ret;

	for (id = 0; !(ret = hpmap_next(id, &info)); id = info.id + 1)
		buffer_row(r, &info);
	return ret;
}

static int list_run(const struct args *a)
{
	struct rows r;
	int ret = rows_begin(&r, buffer_columns, NR_BUFFER, a);

	if (ret)
		return ret;
	if (given(a, OPT_OPENMETRICS))
		return openmetrics_print();
	ret = list_rows(&r);
	if (ret != -ENOENT)
		return failed(ret, NULL);
	if (r.array)
		return json_print_member("buffers", r.array);
	if (r.nr)
		rows_print(&r);
	else if (!given(a, OPT_NOHEADINGS))
		printf("there are no buffers%s" TRY "sudo hpagectl create NAME --size 64M\n",
		       geteuid() ? " that you may see" : "");
	return EXIT_OK;
}

const struct command cmd_list = {
	.name = "list",
	.synopsis = "[OPTION]...",
	.summary = "list the buffers that there are",
	.more = "Buffers without a name are shown to those who made them, and to root.\n",
	.options = TABLE | BIT(OPT_OPENMETRICS),
	.columns = buffer_columns,
	.nr_columns = NR_BUFFER,
	.run = list_run,
};
