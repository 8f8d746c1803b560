// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl doctor: what could be had now, why not more, and what to type.
 *
 * Checks are a table; each adds findings. What they look for is there, or not, or
 * cannot be seen from here, which are three findings.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../lib/sandbox.h"
#include "command.h"
#include "doctor.h"
#include "doctor_device.h"
#include "doctor_limits.h"
#include "doctor_memory.h"
#include "doctor_module.h"
#include "doctor_strays.h"
#include "json.h"
#include "report.h"

static void doctor_kernel(struct doctor *d)
{
	struct utsname u;

	uname(&u);
	doctor_finding_add(d, FINE, "kernel", "", "Linux %s on %s", u.release, u.machine);
	if (d->contained)
		doctor_finding_add(d, FINE, "container", "", "this is a container or another "
				   "sandbox, from which not all of the machine can be seen");
}

static void doctor_buffers(struct doctor *d)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	uint64_t bytes = 0;
	uint32_t id, nr = 0;
	int ret;

	if (d->loaded != YES)
		return;
	for (id = 0; !(ret = hpmap_next(id, &info)); id = info.id + 1) {
		bytes += info.size;
		nr++;
	}
	if (ret != -ENOENT)
		doctor_why_add(d, HIDDEN, "buffers",
			       "which buffers there are cannot be seen from here", hpmap_why(NULL));
	else
		doctor_finding_add(d, FINE, "buffers", "", "the module has %u of them%s, %s", nr,
				   geteuid() ? " that you may see" : "", SIZE_TEXT(bytes));
}

static void (*const checks[])(struct doctor *d) = {
	doctor_kernel, doctor_module, doctor_signing, doctor_device, doctor_memlock, doctor_cgroup,
	doctor_thp, doctor_dmabuf, doctor_buffers, doctor_strays,
};

static void doctor_print(struct doctor *d)
{
	struct json_object *o;

	if (d->findings.array) {
		o = json_object_new_object();
		json_object_object_add(o, "findings", d->findings.array);
		json_object_object_add(o, "memory", d->memory.array);
		json_print(o);
		return;
	}
	rows_print(&d->findings);
	if (!d->memory.nr)
		return;
	printf("\nWhat could be had now:\n\n");
	rows_print(&d->memory);
}

static int doctor_run(const struct args *a)
{
	struct doctor d = { .contained = in_sandbox(), .loaded = doctor_loaded() };
	size_t i;

	doctor_begin(&d, a);
	for (i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		checks[i](&d);
	doctor_memory(&d, a);
	doctor_print(&d);
	return d.worst == BAD ? EXIT_FAILED : EXIT_OK;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.synopsis = "[--json]",
	.summary = "show what huge pages can be had now, and why not more",
	.more = "Changes nothing. A ? cannot be seen from here; the exit code is 1 if something\n"
		"is BAD.\n",
	.options = BIT(OPT_JSON),
	.run = doctor_run,
};
